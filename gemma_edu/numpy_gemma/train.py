"""Learning: walk down the gradient, a step at a time."""
import numpy as np

from .model import loss, loss_backward
from .tree import leaves, tree_map


def train(cfg, params, batches, rate=3e-3, clip=1.0):
    """Yield (params, loss) after a step of Adam on each batch of tokens."""
    state = adam_start(params)
    for tokens in batches:
        surprise = loss(cfg, params, tokens)
        grads = clip_by_global_norm(loss_backward(1.0, cfg, params, tokens), clip)
        params, state = adam(params, grads, state, rate)
        yield params, surprise


def clip_by_global_norm(grads, longest):
    """Shorten the gradient, all weights together, to a length; its direction stays.

    Raises FloatingPointError where the gradient is not finite: there is no direction to keep.
    """
    length = global_norm(grads)
    if not np.isfinite(length):
        raise FloatingPointError("the gradient is not finite, and has no direction to keep; learn at a lower rate")
    factor = min(1.0, longest / max(length, 1e-12))
    return tree_map(lambda g: g * factor, grads)


def global_norm(tree):
    """The length of all arrays as one long vector."""
    return float(np.sqrt(sum(np.sum(np.square(leaf, dtype=np.float64)) for leaf in leaves(tree))))


def adam_start(params):
    """Before the first step: no step taken, no gradient seen."""
    zeros = tree_map(np.zeros_like, params)
    return 0, zeros, zeros


def adam(params, grads, state, rate, b1=0.9, b2=0.99, epsilon=1e-8):
    """One step, each weight at its own pace.  Kingma and Ba 2014.  Returns (params, state)."""
    t, m, v = state
    t = t + 1
    m = tree_map(lambda m, g: b1 * m + (1 - b1) * g, m, grads)
    v = tree_map(lambda v, g: b2 * v + (1 - b2) * g * g, v, grads)

    def update(p, m, v):
        return p - rate * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + epsilon)
    return tree_map(update, params, m, v), (t, m, v)
