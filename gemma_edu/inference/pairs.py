"""Weights in bfloat16 for a CPU: two in a word of 32 bits, since a shift and a mask widen them at once."""
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.lax import bitcast_convert_type

from ..jax_gemma.contract import multiply, rows
from .by_output import ByOutput, by_output, inputs_of, meet, restore
from .narrow import product


@partial(jax.tree_util.register_dataclass, data_fields=["words"], meta_fields=["shape"])
@dataclass(frozen=True)
class Pairs:
    """Pairs of neighbours in a row: words [outputs, inputs / 2]."""
    words: jax.Array
    shape: tuple[int, ...]
    dtype = jnp.dtype(jnp.bfloat16)


def for_cpu(cfg, params):
    """The same model, stored for a CPU; the given weights are used up, one by one."""
    return restore(cfg, params, store)


def store(axes, w):
    """By output, and bfloat16 as words where a row has no odd one left; each weight stays where it lay in memory."""
    matrix = np.asarray(in_place(axes, w)).reshape(-1, inputs_of(axes, w))
    if matrix.dtype == jnp.bfloat16 and matrix.shape[1] % 2 == 0:
        return Pairs(view(matrix.view(np.uint32)), w.shape)
    return ByOutput(view(matrix), w.shape)


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def in_place(axes, w):
    """By output, under the shape of the given weight: its memory can be used again."""
    return by_output(axes, w).reshape(w.shape)


def view(array):
    """An array of JAX on the memory of one of NumPy."""
    return jax.device_put(array, may_alias=True)


@multiply.register
def _(w: Pairs, formula, x):
    return meet(lambda w, x: product(widen, w.words, x), w, formula, x)


@rows.register
def _(table: Pairs, tokens):
    pairs = bitcast_convert_type(table.words[tokens], jnp.bfloat16)
    return pairs.reshape(*tokens.shape, -1)


def widen(words):
    """The first number of a pair is the low half, the second the high one; zeros after a bfloat16 make a float32."""
    halves = words << 16, words & jnp.uint32(0xFFFF0000)
    return [bitcast_convert_type(half, jnp.float32) for half in halves]
