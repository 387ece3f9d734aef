"""Parts that were ported from NumPy with one mistake each: a write into the cache, and attention by vmap."""
from functools import partial

import jax
import jax.numpy as jnp


# ---- remember
def write(cache, new, positions, mode="drop", how="set"):
    """Every position of each row into its slot; what a mode does with those past the end is the question."""
    rows = jnp.arange(len(positions))[:, None]
    return {name: getattr(slots.at[rows, positions], how)(new[name], mode=mode) for name, slots in cache.items()}


def word_by_word(cache, new, positions):
    """As in NumPy: only the positions that are kept, however many that are."""
    kept = positions < cache["k"].shape[1]
    row, _ = jnp.nonzero(kept)
    return {name: slots.at[row, positions[kept]].set(new[name][kept]) for name, slots in cache.items()}


def round_again(cache, new, positions):
    return write(cache, new, positions % cache["k"].shape[1])


def thrown_away(cache, new, positions):
    write(cache, new, positions)
    return cache


def all_rows_alike(cache, new, positions):
    return {name: slots.at[:, positions[0]].set(new[name], mode="drop") for name, slots in cache.items()}


# ---- attend, for one shared key
def masked(scores, mask, axis=-1):
    return jax.nn.softmax(jnp.where(mask, scores, -1e30), axis=axis)


def by_vmap(q, k, v, mask, shares=masked, power=-0.5, out=1):
    """One head, mapped over heads and batch: its scores times H**power, and with the mask, give `shares`."""
    def one(q, k, v, mask):
        return shares(q @ k.T * q.shape[-1]**power, mask) @ v
    return jax.vmap(jax.vmap(one, in_axes=(1, None, None, None), out_axes=out))(q, k, v, mask)


heads_first = partial(by_vmap, out=0)
unscaled = partial(by_vmap, power=0)
scaled_twice = partial(by_vmap, power=-1)
along_queries = partial(by_vmap, shares=partial(masked, axis=0))
silenced = partial(by_vmap, shares=lambda scores, mask: jax.nn.softmax(scores * mask))
masked_late = partial(by_vmap, shares=lambda scores, mask: jax.nn.softmax(scores) * mask)
unmasked = partial(by_vmap, shares=lambda scores, mask: jax.nn.softmax(scores))
