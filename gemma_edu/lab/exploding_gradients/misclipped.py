"""Gradients to clip, and the ways in which clipping is known to go wrong.

A mistake has the signature of `clip_by_global_norm`.
"""
import numpy as np

from ...numpy_gemma.train import clip_by_global_norm, global_norm
from ...numpy_gemma.tree import leaves, tree_map


def gradients(random, length):
    """The gradient of a small network, of a length: a dict, with a tuple of layers in it."""
    draw = random.standard_normal
    tree = {"embed": draw((3, 2)), "layers": ({"w": draw(4)}, {"w": draw((2, 2))})}
    return scaled(tree, length / global_norm(tree))


def scaled(grads, factor):
    return tree_map(lambda leaf: leaf * leaf.dtype.type(factor), grads)


def spoiled(number):
    """Draw a gradient in which one number is not one."""
    def draw(random):
        grads = gradients(random, 5.0)
        grads["layers"][1]["w"][0, 1] = number
        return grads, 1.0
    return draw


def each_by_itself(grads, longest):
    return tree_map(lambda leaf: scaled(leaf, min(1, longest / max(global_norm(leaf), 1e-12))), grads)


def by_value(grads, longest):
    return tree_map(lambda leaf: np.clip(leaf, -longest, longest), grads)


def always(grads, longest):
    """The short ones, too."""
    return scaled(grads, longest / max(global_norm(grads), 1e-12))


def by_measure(measure):
    """Clip by something else than the length."""
    return lambda grads, longest: scaled(grads, min(1, longest / max(measure(grads), 1e-12)))


def squares(grads):
    return global_norm(grads)**2


def sum_of_lengths(grads):
    return sum(global_norm(leaf) for leaf in leaves(grads))


def largest(grads):
    return max(np.max(np.abs(leaf)) for leaf in leaves(grads))


unasked = by_measure(global_norm)      # Python's min keeps its 1 where the other is NaN: all passes as it is


def spread(grads, longest):
    """NumPy's minimum keeps the NaN: every number becomes one."""
    return scaled(grads, np.minimum(1.0, longest / np.maximum(global_norm(grads), 1e-12)))


def hushed(grads, longest):
    """NaN and infinity made zero, in silence."""
    return clip_by_global_norm(tree_map(lambda leaf: np.where(np.isfinite(leaf), leaf, 0), grads), longest)


def nan_alone(grads, longest):
    """Looks for NaN, and lets infinity through."""
    return scaled(grads, 0.0) if np.isinf(global_norm(grads)) else clip_by_global_norm(grads, longest)
