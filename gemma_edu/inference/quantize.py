"""Weights in eight bits: a row of whole numbers and one scale for each output: half the memory of bfloat16."""
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from ..jax_gemma.contract import multiply, rows
from .by_output import by_output, meet, restore
from .narrow import product


@partial(jax.tree_util.register_dataclass, data_fields=["matrix", "scale"], meta_fields=["shape"])
@dataclass(frozen=True)
class Int8:
    """Whole numbers [outputs, inputs], and a scale for each output."""
    matrix: jax.Array
    scale: jax.Array
    shape: tuple[int, ...]

    @property
    def dtype(self):
        return self.scale.dtype


def quantize(cfg, params):
    """The same model in eight bits; the given weights are used up, one by one."""
    return restore(cfg, params, store)


def store(axes, w):
    new = Int8(*jax.block_until_ready(round_rows(axes, w)), w.shape)
    w.delete()
    return new


@partial(jax.jit, static_argnums=0)
def round_rows(axes, w):
    """By output; the largest number of a row becomes ±127, and none moves by more than half a step."""
    matrix = by_output(axes, w)
    scale = jnp.max(jnp.abs(matrix.astype(jnp.float32)), axis=1) / 127
    matrix, scale = lax.optimization_barrier((matrix, scale))      # or float32 for both passes is kept in memory
    return jnp.round(matrix.astype(jnp.float32) / jnp.where(scale == 0, 1, scale)[:, None]).astype(jnp.int8), scale


@multiply.register
def _(w: Int8, formula, x):
    return meet(lambda w, x: product(widen, w.matrix, x) * w.scale, w, formula, x)


@rows.register
def _(table: Int8, tokens):
    return table.matrix[tokens] * table.scale[tokens, None]


def widen(words):
    """One number to a word."""
    return [words.astype(jnp.float32)]
