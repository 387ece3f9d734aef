"""Weight decay and Adam: inside the gradient, or beside it."""
import numpy as np

from ...numpy_gemma.train import adam, adam_start
from ...numpy_gemma.tree import tree_map


def adam_l2(params, grads, state, rate, decay):
    """Adam, with the gradient of the penalty decay · p² / 2 added to what it sees."""
    return adam(params, tree_map(lambda p, g: g + decay * p, params, grads), state, rate)


def adamw(params, grads, state, rate, decay):
    """Adam, and beside it a decay that Adam does not see.  Loshchilov and Hutter 2019, algorithm 2."""
    moved, state = adam(params, grads, state, rate)
    return tree_map(lambda p, new: new - rate * decay * p, params, moved), state


def left_over(step, noise, steps=1000, rate=3e-3, decay=0.3, copies=200, seed=0):
    """What is left of weights that began at 1, when their gradient is noise alone: [noises, copies].

    `noise` is the standard deviation of the gradient, one number for each row.
    """
    random = np.random.default_rng(seed)
    params = np.ones((len(noise), copies))
    state = adam_start(params)
    for _ in range(steps):
        grads = np.asarray(noise)[:, None] * random.standard_normal(params.shape)
        params, state = step(params, grads, state, rate, decay)
    return params
