"""Where the stream meets a weight: every product and every look-up of the model goes through here.

A weight that is stored in its own way (in eight bits, in blocks) registers its own way to
multiply and to be looked up, and the model never knows.
"""
from functools import singledispatch

import numpy as np


def contract(formula, x, w):
    """Multiply activations by a weight, letter by letter: `contract("BTD,DF->BTF", x, up)`."""
    return multiply(w, formula, x)


def contract_backward(dy, formula, x, w):
    """Every letter stands in two of the three arrays, so each gradient is a product of the others."""
    of_x, of_w, of_y = formula.replace("->", ",").split(",")
    return einsum(f"{of_y},{of_w}->{of_x}", dy, w), einsum(f"{of_x},{of_y}->{of_w}", x, dy)


def lookup(table, tokens):
    """The row of each token."""
    return rows(table, tokens)


def lookup_backward(dy, table, tokens):
    """A token that stands twice in the text sends two gradients to its one row."""
    dtable = np.zeros_like(table)
    np.add.at(dtable, tokens, dy)
    return dtable


def einsum(formula, a, b):
    """Sum over the letters that both arrays have, as one product of matrices: `np.einsum` does not always find it."""
    of_a, of_b, output = formula.replace("->", ",").split(",")
    shared = [letter for letter in of_a if letter in of_b]
    kept = [letter for letter in of_a + of_b if letter not in shared]
    product = np.tensordot(a, b, [[letters.index(letter) for letter in shared] for letters in (of_a, of_b)])
    return product.transpose([kept.index(letter) for letter in output])


@singledispatch
def multiply(w, formula, x):
    return einsum(formula, x, w)


@singledispatch
def rows(table, tokens):
    return table[tokens]
