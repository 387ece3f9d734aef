"""A small step of training, written six times: once right, and five times with a trap in it.

`step(w, tokens, rate, key)` moves the rows of a table w [V, D] that the tokens name.  Each of them is pulled towards
zero by `rate`, along the gradient of its length, and pushed by `rate` in a direction of its own, drawn by lot.  A token
past the end of the table is padding and moves nothing.  Question the six with tables of your own before you read on.
"""
from functools import partial

import jax
import jax.numpy as jnp


def long(row, above=0.0):
    """The length of a row whose square is above a number, and else zero, with a gradient of zero."""
    square = jnp.sum(row * row)
    return jnp.where(square > above, jnp.sqrt(jnp.where(square > above, square, 1.0)), 0.0)


def pushes(key, shape):
    return jax.random.normal(key, shape)


def moved(w, tokens, rate, key, long=long, pushes=pushes, mode="drop"):
    """The whole step; what may go wrong is an argument."""
    rows = w.at[tokens].get(mode=mode, fill_value=0)
    pull = jax.vmap(jax.grad(long))(rows)
    return w.at[tokens].add(rate * (pushes(key, rows.shape) - pull), mode=mode)


def root(row):
    square = jnp.sum(row * row)
    return jnp.where(square > 0, jnp.sqrt(square), 0.0)


def each_with_the_key(key, shape):
    return jax.vmap(lambda _: jax.random.normal(key, shape[1:]))(jnp.arange(shape[0]))


right = jax.jit(moved)
unsafe = jax.jit(partial(moved, long=root))
clamped = jax.jit(partial(moved, mode="clip"))
together = jax.jit(partial(moved, pushes=each_with_the_key))

SETTINGS = {"rate": 0.1}


@jax.jit
def with_settings(w, tokens, key):
    return moved(w, tokens, SETTINGS["rate"], key)


def frozen(w, tokens, rate, key):
    return with_settings(w, tokens, key)      # which read its rate when it was traced


@jax.jit
def lost(w, tokens, rate, key):
    w.at[tokens].set(moved(w, tokens, rate, key)[tokens])
    return w
