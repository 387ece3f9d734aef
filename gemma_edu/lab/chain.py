"""A deep chain of small layers, the gradient that comes down it, and the remedies that keep it alive.

A wiring is a function `wiring(activation, norm, x, w, …) -> x`; with its choices filled in it is a layer, as in
`partial(plain, sigmoid, no_norm)`.  `climb` stacks layers, `descend` brings a gradient down.
"""
from typing import Any

import numpy as np
from jaxtyping import Float

from ..axes import BD, D, weights_of
from ..numpy_gemma import norm as norms
from ..numpy_gemma.gates import sigmoid, sigmoid_backward
from ..numpy_gemma.gradient import backward

DD = Float[Any, "D D"]      # from the stream to the stream


def plain(activation, norm, x: BD, w: DD) -> BD:
    """Weigh, norm, bend: what came in is gone."""
    return activation(norm(x @ w))


def plain_backward(dy, activation, norm, x, w):
    z = x @ w
    dz = backward(norm)(backward(activation)(dy, norm(z)), z)
    return dz @ w.T, x.T @ dz


def residual(activation, norm, x: BD, w: DD) -> BD:
    """Add to what came in.  He et al. 2015."""
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


def chain(layer, L, D, scale=1.0, keep=0.0, seed=0):
    """Random weights for L layers of width D: a list of dicts, read off the wiring's signature.

    `scale` 1 keeps the length of what is weighed; `keep` is where the biases of gates begin.
    """
    random = np.random.default_rng(seed)

    def draw(axes):
        return np.full(D, float(keep)) if axes == "D" else scale * random.standard_normal((D, D)) / np.sqrt(D)
    return [{name: draw(axes) for name, axes in weights_of(layer.func).items()} for _ in range(L)]


def climb(layer, weights, x: BD):
    """The stream before the first layer and after each one: a list of L + 1."""
    stream = [x]
    for w in weights:
        stream.append(layer(stream[-1], **w))
    return stream


def descend(dx, layer, weights, stream):
    """The gradient at the stream (a list of L + 1, from the bottom up), and at the weights of each layer."""
    grads, dweights = [dx], []
    for w, x in zip(reversed(weights), reversed(stream[:-1]), strict=True):
        dx, *dw = backward(layer.func)(grads[-1], *layer.args, x, **w)
        grads.append(dx)
        dweights.append(dict(zip(w, dw, strict=True)))
    return grads[::-1], dweights[::-1]


def lengths(arrays):
    """The length (rms) of each array."""
    return np.array([np.sqrt(np.mean(np.square(each))) for each in arrays])


def flow(layer, L=18, D=64, B=64, scale=1.0, keep=0.0, seed=0):
    """How long a gradient of length one is after each layer on its way down: [L + 1], from the bottom up."""
    random = np.random.default_rng((seed, 1))
    weights = chain(layer, L, D, scale, keep, seed)
    stream = climb(layer, weights, random.standard_normal((B, D)))
    grads, _ = descend(random.standard_normal((B, D)), layer, weights, stream)
    return lengths(grads) / lengths(grads[-1:])
