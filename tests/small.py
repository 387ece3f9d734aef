"""Small models with random weights, and what it means to be the same."""
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gemma_edu import jax_gemma, numpy_gemma
from gemma_edu.config import Config, in_numpy
from gemma_edu.params import empty_cache, shapes, unstack

SMALL = Config(V=32, D=16, L=2, N=4, K=2, H=6, F=10, S=24)      # N · H is not D, and D/N is not H
TOKENS = np.random.default_rng(0).integers(0, SMALL.V, (2, 9))


class Gemma(NamedTuple):
    """A model under proof: the room that its functions come from, its choices, and its forward."""
    room: ModuleType
    cfg: Config
    forward: Callable


GEMMAS = {"jax": Gemma(jax_gemma, SMALL, jax.jit(jax_gemma.forward)),
          "numpy": Gemma(numpy_gemma, in_numpy(SMALL), numpy_gemma.forward)}


def compiled(gemma, f):
    """JAX compiles what is called often; NumPy has nothing to compile."""
    return jax.jit(f) if gemma.room is jax_gemma else f


def but(gemma, **difference):
    """The same model, but for …"""
    return gemma._replace(cfg=replace(gemma.cfg, **difference))


def at_home(gemma, tree):
    """The same numbers as arrays of the model's own kind."""
    return jax.tree.map(jnp.array if gemma.room is jax_gemma else np.array, tree)


def weights(gemma, dtype=np.float64, seed=0):
    """Random numbers for every weight, norms and biases too; the layers as a tuple."""
    random = np.random.default_rng(seed)
    params = jax.tree.map(lambda leaf: (0.3 * random.standard_normal(leaf.shape)).astype(dtype), shapes(gemma.cfg))
    return at_home(gemma, {**params, "layers": unstack(params["layers"])})


def cache_for(gemma, params, B=2, S=SMALL.S):
    return at_home(gemma, empty_cache(gemma.cfg, params, B, S))


def forward(gemma, params, tokens, positions=None, cache=None):
    return gemma.forward(gemma.cfg, params, tokens, positions, cache)


def logits_of(gemma, params, tokens):
    return forward(gemma, params, tokens)[0]


def apart(a, b):
    """The largest difference between two arrays, or trees of them, of the same shape; a list is an array."""
    a, b = (jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), tree, is_leaf=is_list) for tree in (a, b))
    assert jax.tree.map(np.shape, a) == jax.tree.map(np.shape, b)
    return max(jax.tree.leaves(jax.tree.map(lambda x, y: np.max(np.abs(x - y)), a, b)))


def is_list(tree):
    return isinstance(tree, list)


def close(a, b, tolerance):
    """Assert that nothing differs by more than the tolerance; NaN is close to nothing."""
    assert apart(a, b) <= tolerance
