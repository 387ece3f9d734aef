"""How a layer hangs together with what came in: not at all, by a sum, or by a gate; and the norms that fit in.

A wiring is a function `wiring(activation, norm, x, w, …) -> x`; with its choices filled in it is a layer, as in
`partial(plain, sigmoid, no_norm)`.
"""
from typing import Any

import numpy as np
from jaxtyping import Float

from ...axes import BD, D
from ...numpy_gemma import norm as norms
from ...numpy_gemma.gates import sigmoid, sigmoid_backward
from ...numpy_gemma.gradient import backward

DD = Float[Any, "D D"]      # from the stream to the stream


def plain(activation, norm, x: BD, w: DD) -> BD:
    """Weigh, norm, bend: what came in is gone."""
    return activation(norm(x @ w))


def plain_backward(dy, activation, norm, x, w):
    z = x @ w
    dz = backward(norm)(backward(activation)(dy, norm(z)), z)
    return dz @ w.T, x.T @ dz


def residual(activation, norm, x: BD, w: DD) -> BD:
    """Add to what came in.  He et al. 2016."""
    return x + plain(activation, norm, x, w)


def residual_backward(dy, activation, norm, x, w):
    dx, dw = plain_backward(dy, activation, norm, x, w)
    return dy + dx, dw


def highway(activation, norm, x: BD, w: DD, u: DD, b: D) -> BD:
    """Slide from what came in to something new: a GRU's update gate, upwards.  Srivastava et al. 2015."""
    keep = sigmoid(x @ u + b)
    return keep * x + (1 - keep) * plain(activation, norm, x, w)


def highway_backward(dy, activation, norm, x, w, u, b):
    z = x @ u + b
    keep, new = sigmoid(z), plain(activation, norm, x, w)
    dx, dw = plain_backward(dy * (1 - keep), activation, norm, x, w)
    dz = sigmoid_backward(dy * (x - new), z)
    return dy * keep + dx + dz @ u.T, dw, x.T @ dz, np.sum(dz, axis=0)


def no_norm(x: BD) -> BD:
    """Leave it as it is."""
    return x


def no_norm_backward(dy, x):
    return dy


def batch_norm(x: BD) -> BD:
    """Compare each coordinate with the same one in the rest of the batch; nothing is learned here."""
    return norms.batch_norm(x[:, None], *unlearned(x))[:, 0]


def batch_norm_backward(dy, x):
    return norms.batch_norm_backward(dy[:, None], x[:, None], *unlearned(x))[0][:, 0]


def unlearned(x):
    """A scale and a bias that change nothing."""
    return np.zeros(x.shape[-1], x.dtype), np.zeros(x.shape[-1], x.dtype)
