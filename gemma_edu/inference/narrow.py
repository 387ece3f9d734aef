"""Numbers narrower than float32, multiplied on a CPU, which has to widen each: in its registers, not in memory.

Narrow numbers lie in words, one or more to a word; `widen` takes words and returns, for each number in a word,
an array of float32.
"""
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax

PIECE, LANES, CHAINS = 512, 32, 4       # bytes to an unrolled sum; numbers side by side; sums at a time: measured
ROWS = 2048                             # outputs at a time, so that the lanes of a whole vocabulary need no memory
FEW, BLOCK = 4, 128                     # positions that are read one by one; outputs that are widened at a time


def product(widen, words, x):
    """Words [outputs, words] and positions [R, inputs] to [R, outputs].

    A few positions one by one; for many, as in a prompt, it pays to widen the weights, a block at a time.
    """
    x = x.astype(jnp.float32).reshape(len(x), words.shape[1], -1)
    if len(x) == 1:
        return sum_rows(widen, words, x[0])[None]
    if len(x) <= FEW:      # the barrier keeps the words from being widened once for all positions, in memory
        return lax.map(lambda position: sum_rows(widen, lax.optimization_barrier(words), position), x)
    return lax.map(partial(meet_row, widen, x), words, batch_size=BLOCK).T


def meet_row(widen, x, row):
    """All positions with the weights of one output."""
    return add(x[:, :, n] @ part for n, part in enumerate(widen(row)))


@partial(jax.jit, static_argnums=0)
def sum_rows(widen, words, x):
    """Add products side by side in lanes, which a CPU does eight at a time, and the lanes last."""
    numbers = x.shape[-1]
    piece = divisor(words.shape[1], PIECE // words.dtype.itemsize)
    lanes = divisor(piece, LANES // numbers)
    words, x = words.reshape(len(words), -1, piece), x.reshape(-1, piece, numbers)
    rows = divisor(len(words), ROWS)

    def some_rows(first):
        def widened(at):
            return widen(lax.dynamic_slice(words, (first, 0, at), (rows, words.shape[1], lanes)))
        terms = [part * x[:, at:at + lanes, n] for at in range(0, piece, lanes) for n, part in enumerate(widened(at))]
        sums = add(add(terms[chain::CHAINS]) for chain in range(min(CHAINS, len(terms))))
        return (sums.reshape(-1, lanes) @ jnp.ones(lanes)).reshape(rows, -1).sum(1)
    return lax.map(some_rows, jnp.arange(0, len(words), rows)).reshape(-1)


def add(terms):
    first, *others = terms
    return sum(others, first)


def divisor(number, most):
    """The largest divisor up to a bound."""
    return next(d for d in range(most, 0, -1) if number % d == 0)
