"""Where the stream meets a weight: every product and every look-up of the model goes through here.

A weight that is stored in its own way (in eight bits, in blocks) registers its own way to
multiply and to be looked up, and the model never knows.
"""
from functools import singledispatch
from os.path import commonprefix

from jax.numpy import einsum


def contract(formula, x, w):
    """Multiply activations by a weight, letter by letter: `contract("BTD,DF->BTF", x, up)`."""
    return multiply(w, formula, x)


def lookup(table, tokens):
    """The row of each token."""
    return rows(table, tokens)


@singledispatch
def multiply(w, formula, x):
    """Batch and time in one axis R: plain products of matrices, and so are their gradients, which compile better."""
    inputs, output = formula.split("->")
    kept = commonprefix([inputs, output])
    y = einsum(formula.replace(kept, "R"), x.reshape(-1, *x.shape[len(kept):]), w)
    return y.reshape(*x.shape[:len(kept)], *y.shape[1:])


@singledispatch
def rows(table, tokens):
    return table[tokens]
