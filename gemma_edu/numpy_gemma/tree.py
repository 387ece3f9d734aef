"""Weights are a nested dict of arrays, layers perhaps a tuple of them; one function walks them all."""
import numpy as np


def tree_map(f, tree, *rest):
    """The tree of f(leaf, …), over trees of the same shape."""
    if isinstance(tree, dict):
        return {key: tree_map(f, tree[key], *(other[key] for other in rest)) for key in tree}
    if isinstance(tree, tuple):
        return tuple(tree_map(f, *parts) for parts in zip(tree, *rest, strict=True))
    return f(tree, *rest)


def leaves(tree):
    """Every array of a tree, in order."""
    found = []
    tree_map(found.append, tree)
    return found


def per_layer(layers):
    """The layers one by one, whether they come stacked along L or as a tuple."""
    if isinstance(layers, tuple):
        return layers
    return tuple(tree_map(lambda leaf, i=i: leaf[i], layers) for i in range(len(leaves(layers)[0])))


def as_given(trees, layers):
    """A list of per-layer trees in the form in which the layers came."""
    if isinstance(layers, tuple):
        return tuple(trees)
    return tree_map(lambda *each: np.stack(each), *trees)
