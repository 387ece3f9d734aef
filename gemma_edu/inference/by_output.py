"""Weights stored for a CPU: the numbers that make one output side by side, so that each is read once, in one sweep."""
from dataclasses import dataclass
from functools import partial
from math import prod

import jax
import jax.numpy as jnp
from jax import lax

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


def for_cpu(cfg, params):
    """The same model, stored for a CPU; the given weights are used up, one by one."""
    return restore(cfg, params, lambda axes, w: ByOutput(by_output(axes, w), w.shape))


def restore(cfg, params, store):
    """Every weight that the stream meets in a store of its own; what is left of the old one is freed at once."""
    def renew(axes, w):
        new = store(axes, w)
        if not any(leaf is w for leaf in jax.tree.leaves(jax.block_until_ready(new))):
            w.delete()
        return new

    axes = param_axes(cfg)["layers"]
    layers = tuple(jax.tree.map(lambda letters, w: renew(letters[1:], w) if w.ndim > 1 else w, axes, layer)
                   for layer in params["layers"])
    return params | {"layers": layers, "embed": renew("VD", params["embed"])}      # the largest last


def by_output(axes, w):
    """A weight as a matrix of outputs × inputs; the table of tokens is one already."""
    inputs = 1 if axes[0] == "D" else len(axes) - 1
    return w if axes == "VD" else transpose(w, prod(w.shape[:inputs]))


@partial(jax.jit, static_argnums=1)
def transpose(w, inputs):
    return w.reshape(inputs, -1).T


def meet(product, w, formula, x):
    """Lay the stream out as rows of inputs, multiply, and give each number its letters back."""
    inputs, output = formula.split("->")
    kept = [size for letter, size in zip(inputs.split(",")[1], w.shape, strict=True) if letter in output]
    y = product(w, x.reshape(prod(x.shape[:2]), -1))
    return y.reshape(*x.shape[:2], *kept).astype(x.dtype)


@multiply.register
def _(w: ByOutput, formula, x):
    return meet(product, w, formula, x)


@rows.register
def _(table: ByOutput, tokens):
    # the compiler would rather widen the whole table than the few rows that are looked up
    matrix, tokens = lax.optimization_barrier((table.matrix, tokens))
    return matrix[tokens]


def product(w, x):
    """One position is a sum along each row, since a product of matrices would first widen bfloat16 in memory."""
    if len(x) == 1 and w.dtype == jnp.bfloat16:
        kind = jnp.finfo(x.dtype)      # rounding again changes nothing, but ends the fusion with the product before
        x = lax.reduce_precision(x.astype(jnp.float32), kind.nexp, kind.nmant)
        return jnp.sum(w.matrix.astype(jnp.float32) * x, axis=1)
    return lax.dot_general(x, w.matrix, (((1,), (1,)), ((), ())), preferred_element_type=jnp.float32)
