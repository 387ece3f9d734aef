"""A deep chain of small layers, and the gradient that comes down it.

A layer is a wiring with its choices filled in, as in `partial(plain, sigmoid, no_norm)`.  `climb` stacks layers,
`descend` brings a gradient down, `flow` says how much of it arrives.
"""
import numpy as np

from ...axes import BD, weights_of
from ...numpy_gemma.gradient import backward


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
