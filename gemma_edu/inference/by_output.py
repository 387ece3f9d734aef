"""Weights stored for a CPU: the numbers that make one output side by side, so that each is read once, in one sweep."""
from dataclasses import dataclass
from functools import partial
from math import prod

import jax
from jax import lax
from jax.numpy import float32

from ..jax_gemma.contract import multiply, rows
from ..params import param_axes


@partial(jax.tree_util.register_dataclass, data_fields=["matrix"], meta_fields=["shape"])
@dataclass(frozen=True)
class ByOutput:
    """A weight as a matrix of outputs × inputs; `shape` is what its letters say."""
    matrix: jax.Array
    shape: tuple[int, ...]

    @property
    def dtype(self):
        return self.matrix.dtype


def restore(cfg, params, store):
    """Every weight that the stream meets in a store of its own, one by one; the given ones are used up."""
    def renew(axes, w):
        return w if w.ndim == 1 else jax.block_until_ready(store(axes, w))

    axes = param_axes(cfg)["layers"]
    layers = tuple(jax.tree.map(lambda letters, w: renew(letters[1:], w), axes, layer) for layer in params["layers"])
    return params | {"layers": layers, "embed": renew("VD", params["embed"])}


def inputs_of(axes, w):
    """How many numbers make one output: the letters before the output's; in the table of tokens, the last."""
    return w.shape[1] if axes == "VD" else prod(w.shape[:1 if axes[0] == "D" else len(axes) - 1])


def by_output(axes, w):
    """A weight as a matrix of outputs × inputs; the table of tokens is one already."""
    return w if axes == "VD" else w.reshape(inputs_of(axes, w), -1).T


def meet(product, w, formula, x):
    """Lay the stream out as rows of inputs, multiply, and give each number its letters back."""
    inputs, output = formula.split("->")
    kept = [size for letter, size in zip(inputs.split(",")[1], w.shape, strict=True) if letter in output]
    y = product(w, x.reshape(prod(x.shape[:2]), -1))
    return y.reshape(*x.shape[:2], *kept).astype(x.dtype)


@multiply.register
def _(w: ByOutput, formula, x):
    return meet(product, w, formula, x)


def product(w, x):
    return lax.dot_general(x, w.matrix, (((1,), (1,)), ((), ())), preferred_element_type=float32)


@rows.register
def _(table: ByOutput, tokens):
    return table.matrix[tokens]
