"""A tower of MLPs on a stream, and the places where a norm can stand in it.

A place is a function `place(norm, mlp, x) -> x`: one layer.  `climb` stacks layers, `descend` brings a gradient down.
"""
from functools import partial

import numpy as np

from ...axes import BTD
from ...numpy_gemma.gradient import backward, pull_back
from ...numpy_gemma.mlp import plain_mlp


def before(norm, mlp, x: BTD) -> BTD:
    """Pre-norm: the layer reads a normalised stream, and adds to the stream itself.  Gemma 1."""
    return x + mlp(norm(x))


def before_backward(dy, norm, mlp, x):
    return dy + pull(norm, pull(mlp, dy, norm(x)), x)


def after(norm, mlp, x: BTD) -> BTD:
    """Post-norm: the stream itself is normalised after each addition.  Vaswani et al. 2017."""
    return norm(x + mlp(x))


def after_backward(dy, norm, mlp, x):
    dsum = pull(norm, dy, x + mlp(x))
    return dsum + pull(mlp, dsum, x)


def around(norm, mlp, x: BTD) -> BTD:
    """Before and after the layer, but not on the stream.  Gemma 2 and 3."""
    return x + norm(mlp(norm(x)))


def around_backward(dy, norm, mlp, x):
    dh = pull(norm, dy, mlp(norm(x)))
    return dy + pull(norm, pull(mlp, dh, norm(x)), x)


def nowhere(norm, mlp, x: BTD) -> BTD:
    """No norm at all."""
    return x + mlp(x)


def nowhere_backward(dy, norm, mlp, x):
    return dy + pull(mlp, dy, x)


def pull(part, dy, x):
    """The gradient at x; a part is a partial whose weights are filled in, and stay as they are."""
    dx, _ = pull_back(part.func, dy, x, **part.keywords)
    return dx


def tower(L, D, F, gain=1.0, seed=0):
    """L random MLPs on a stream of width D; `gain` stretches what each of them adds."""
    random = np.random.default_rng(seed)
    return [partial(plain_mlp, up=random.standard_normal((D, F)) / np.sqrt(D),
                    down=gain * random.standard_normal((F, D)) / np.sqrt(F)) for _ in range(L)]


def climb(place, norm, mlps, x: BTD):
    """The stream before the first layer and after each one: a list of L + 1."""
    streams = [x]
    for mlp in mlps:
        streams.append(place(norm, mlp, streams[-1]))
    return streams


def descend(dx, place, norm, mlps, streams):
    """The gradient after the last layer and before each one: a list of L + 1, from the bottom up."""
    grads = [dx]
    for mlp, x in zip(reversed(mlps), reversed(streams[:-1]), strict=True):
        grads.append(backward(place)(grads[-1], norm, mlp, x))
    return grads[::-1]
