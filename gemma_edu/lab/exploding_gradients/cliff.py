"""The cliff: one unit that has to keep one bit, and the walk of its two weights towards doing so.

The two weights are u (recurrent) and b (bias): numbers, or arrays for many networks at once.  After Pascanu, Mikolov
and Bengio 2013, section 2.3.
"""
import numpy as np

from ...numpy_gemma.gradient import backward

T = 50                                      # steps for which the bit is kept
STARTS = np.array([0.5, -0.5])              # the memory in which the bit is given: yes, no
ANSWERS = np.array([0.9, -0.6])             # what the unit should say at the end; unequal, so the best b is not 0
KEEP = 0.95                                 # how open the gate of a gated unit stands


def plain(h, u, b):
    """Overwrite the memory: a unit of an RNN."""
    return np.tanh(u * h + b)


def plain_backward(dh, h, u, b):
    dz = dh * (1 - np.tanh(u * h + b)**2)
    return dz * u, dz * h, dz


def gated(h, u, b):
    """Keep most of the memory and overwrite the rest: a unit of a GRU whose update gate is held still."""
    return KEEP * h + (1 - KEEP) * plain(h, u, b)


def gated_backward(dh, h, u, b):
    dnew, du, db = plain_backward((1 - KEEP) * dh, h, u, b)
    return KEEP * dh + dnew, du, db


def remember(u, b, unit=plain, steps=T):
    """The memory before the first step and after each one, for yes and for no: [steps + 1, 2, ...]."""
    h = [np.multiply.outer(STARTS, np.ones_like(u))]
    for _ in range(steps):
        h.append(unit(h[-1], u, b))
    return np.stack(h)


def error(h):
    """How far the last memory is from the answers."""
    return (h[-1].T - ANSWERS).T


def loss(u, b, unit=plain, steps=T):
    """The mean square of the error over both bits."""
    return np.mean(error(remember(u, b, unit, steps))**2, axis=0)


def loss_backward(dloss, u, b, unit=plain, steps=T):
    """Back through time: at each step the gradient passes the unit once more, and both weights gather theirs."""
    h = remember(u, b, unit, steps)
    dh, du, db = dloss * error(h), 0.0, 0.0             # the mean over two bits cancels the 2 of the square
    for before in h[-2::-1]:
        dh, du_here, db_here = backward(unit)(dh, before, u, b)
        du, db = du + du_here, db + db_here
    return np.sum(du, axis=0), np.sum(db, axis=0)


def slope_on_the_edge(u, steps=T):
    """|dloss/db| at the bias where the memory of no never moves; a hair beside it, it would fall to one side."""
    b = np.arctanh(STARTS[1]) - u * STARTS[1]
    return abs(float(loss_backward(1.0, u, b, steps=steps)[1]))


def whole(grads):
    """No clipping."""
    return grads


def by_norm(longest):
    """Clip u and b of a network together, by one factor: `clip_by_global_norm` for many networks at once."""
    return lambda grads: grads * np.minimum(1, longest / np.maximum(length(grads), 1e-12))


def by_value(longest):
    """Clip u and b each by itself."""
    return lambda grads: np.clip(grads, -longest, longest)


def length(grads):
    return np.sqrt(np.sum(np.square(grads), axis=0))


def walk(u, b, rate, steps=400, clip=whole, decay=0.0, unit=plain):
    """Gradient descent, from one place or from many.

    Returns the places, [steps + 1, 2, ...], and the length of the gradient at each step, [steps, ...].
    """
    places, lengths = [np.array([u, b], float)], []
    for _ in range(steps):
        grads = np.array(loss_backward(1.0, *places[-1], unit))
        places.append(places[-1] - rate * (clip(grads) + decay * places[-1]))
        lengths.append(length(grads))
    return np.stack(places), np.stack(lengths)


def starts(n, seed=0):
    """Places to start from: the radius above 1, the bias anywhere."""
    random = np.random.default_rng(seed)
    return random.uniform(1.4, 2.6, n), random.uniform(-0.8, 0.8, n)
