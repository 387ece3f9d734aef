"""Where a function's gradient stands, and how to check it without trusting anybody."""
import sys
from functools import partial

import numpy as np

from ..axes import slots_of, weights_of
from .tree import leaves, tree_map


def backward(f):
    """The hand-written gradient of f: it stands beside it, as `f_backward`."""
    if isinstance(f, partial):
        return partial(backward(f.func), **f.keywords)
    home, name = sys.modules[f.__module__], f"{f.__name__}_backward"
    if not hasattr(home, name):
        raise NotImplementedError(f"{f.__name__} has no gradient in NumPy; write {name} beside it in {home.__name__}")
    return getattr(home, name)


def pull_back(part, dy, *args, **w):
    """(dx, {weight, or slot: its gradient}) for a part or a block that is handed its weights by name."""
    grads = backward(part)(dy, *args, **w)
    dx, *dw = grads if isinstance(grads, tuple) else (grads,)
    return dx, dict(zip({**weights_of(part), **slots_of(part)}, dw, strict=True))


def check_gradient(f, f_backward, *args, tolerance=1e-6, step=1e-5, seed=0):
    """Compare a gradient by hand with finite differences, in float64, along random directions.

    Every floating-point argument (an array, or a tree of arrays) is nudged in turn.  Raises
    ArithmeticError for the first one that disagrees by more than `tolerance`, relatively.
    """
    name = getattr(f, "__name__", None) or f.func.__name__      # a partial has none of its own
    random = np.random.default_rng(seed)
    args = [tree_map(exact, arg) for arg in args]
    dy = tree_map(lambda y: random.standard_normal(np.shape(y)), f(*args))
    grads = f_backward(dy, *args)
    grads = list(grads) if isinstance(grads, tuple) else [grads]
    movable = [i for i, arg in enumerate(args) if is_float(arg)]
    if len(grads) != len(movable):
        raise ArithmeticError(f"{name} has {len(movable)} arguments to differentiate, "
                              f"but its backward returned {len(grads)} gradients")
    for i, grad in zip(movable, grads, strict=True):
        returned, needed = tree_map(np.shape, grad), tree_map(np.shape, args[i])
        if returned != needed:
            raise ArithmeticError(f"{name}, argument {i}: it has the shape {needed}, its gradient {returned}")
        by = tree_map(lambda leaf: random.standard_normal(leaf.shape), args[i])
        claimed, measured = dot(grad, by), slope(f, args, i, by, dy, step)
        if not abs(claimed - measured) <= tolerance * max(1, abs(measured)):
            raise ArithmeticError(f"{name}, argument {i}: the gradient says {claimed:.9g}, "
                                  f"finite differences say {measured:.9g}")


def slope(f, args, i, by, dy, step):
    """How fast dy · f grows while one argument moves in a direction."""
    def after(step):
        moved = tree_map(lambda leaf, direction: leaf + step * direction, args[i], by)
        return dot(dy, f(*args[:i], moved, *args[i + 1:]))
    return (after(step) - after(-step)) / (2 * step)


def exact(leaf):
    return leaf.astype(np.float64) if is_float(leaf) else leaf


def is_float(tree):
    return all(isinstance(leaf, np.ndarray) and np.issubdtype(leaf.dtype, np.floating) for leaf in leaves(tree))


def dot(a, b):
    """The inner product of two trees."""
    return sum(leaves(tree_map(lambda x, y: float(np.sum(x * y)), a, b)))
