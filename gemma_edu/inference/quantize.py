"""Weights in eight bits: a row of whole numbers and one scale for each output: half the memory of bfloat16."""
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

from ..jax_gemma.contract import multiply, rows
from .by_output import by_output, meet, restore

PIECE, LANES = 2048, 64      # inputs that are summed at a time, and sums that are kept side by side: measured
FEW = 8                      # positions that are read one by one


@partial(jax.tree_util.register_dataclass, data_fields=["pieces", "scale"], meta_fields=["shape"])
@dataclass(frozen=True)
class Int8:
    """Whole numbers [pieces of the input, outputs, inputs in a piece], and a scale for each output."""
    pieces: jax.Array
    scale: jax.Array
    shape: tuple[int, ...]

    @property
    def dtype(self):
        return self.scale.dtype


def quantize(cfg, params):
    """The same model in eight bits; the given weights are used up, one by one."""
    return restore(cfg, params, lambda axes, w: Int8(*round_rows(by_output(axes, w)), w.shape))


@jax.jit
def round_rows(matrix):
    """The largest number of a row becomes ±127; none moves by more than half a step."""
    outputs, inputs = matrix.shape
    scale = jnp.max(jnp.abs(matrix), axis=1).astype(jnp.float32) / 127
    whole = jnp.round(matrix.astype(jnp.float32) / jnp.where(scale == 0, 1, scale)[:, None]).astype(jnp.int8)
    piece = PIECE if inputs % PIECE == 0 else inputs
    return whole.reshape(outputs, -1, piece).swapaxes(0, 1), scale


@multiply.register
def _(w: Int8, formula, x):
    return meet(product, w, formula, x)


@rows.register
def _(table: Int8, tokens):
    """A row is scattered over the pieces."""
    row = jnp.moveaxis(table.pieces[:, tokens], 0, -2)
    return row.reshape(*tokens.shape, -1) * table.scale[tokens, None]


def product(w, x):
    """A few positions one by one; for many, as in a prompt, it pays to widen the weights, a piece at a time."""
    if len(x) == 1:
        return sum_rows(w, x[0])
    return lax.map(partial(sum_rows, w), x) if len(x) <= FEW else by_piece(w, x)


def by_piece(w, x):
    """Add up the products of the pieces."""
    pieces, outputs, piece = w.pieces.shape

    def add(y, part):
        whole, inputs = lax.optimization_barrier(part)      # or all pieces are widened before the first is needed
        return y + lax.dot_general(inputs, whole.astype(jnp.float32), (((1,), (1,)), ((), ()))), None
    inputs = x.astype(jnp.float32).reshape(len(x), pieces, piece).swapaxes(0, 1)
    y, _ = lax.scan(add, jnp.zeros((len(x), outputs)), (w.pieces, inputs))
    return y * w.scale


def sum_rows(w, x):
    """Add products side by side in lanes, which a CPU does eight at a time, and the lanes last."""
    whole, x = lax.optimization_barrier((w.pieces, x))      # or it is widened once for all positions, in memory
    pieces, outputs, piece = whole.shape
    x = x.astype(jnp.float32).reshape(pieces, 1, piece)
    lanes = LANES if piece % LANES == 0 else piece
    terms = (whole[:, :, i:i + lanes].astype(jnp.float32) * x[:, :, i:i + lanes] for i in range(0, piece, lanes))
    sums = sum(terms).reshape(pieces * outputs, lanes) @ jnp.ones(lanes)
    return sums.reshape(pieces, outputs).sum(0) * w.scale
