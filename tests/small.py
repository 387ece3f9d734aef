"""Small models with random weights, and what it means to be the same."""
from collections.abc import Callable
from dataclasses import replace
from math import inf
from types import ModuleType
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gemma_edu import jax_gemma, numpy_gemma
from gemma_edu.config import GEMMA2_2B, GEMMA2_27B, GEMMA3_1B, GEMMA3_4B, GEMMA3_27B, Config, in_numpy
from gemma_edu.params import empty_cache, shapes, unstack
from gemma_edu.pretrained.load import random_model

SMALL = Config(V=32, D=16, L=2, N=4, K=2, H=6, F=10, S=24)      # N · H is not D, and D/N is not H
TOKENS = np.random.default_rng(0).integers(0, SMALL.V, (2, 9))

FOUR = {"V": 99, "D": 32, "L": 4, "N": 4, "K": 2, "H": 8, "F": 48, "S": 64}
FAMILY = {      # later Gemmas; their windows are shorter than the 40 tokens that tests read
    "gemma2": replace(GEMMA2_2B, **FOUR, window=(7, inf)),
    "gemma2, tight caps": replace(GEMMA2_2B, **FOUR, window=(5, inf), score_cap=0.7, logit_cap=1.5),
    "gemma2, the scale of the 27B": replace(GEMMA2_27B, **FOUR, window=(9, inf), query_scale=(8 / 144)**0.5),
    "gemma3": replace(GEMMA3_1B, **FOUR | {"L": 7, "K": 1}, window=(*[6] * 5, inf)),
    "gemma3, another pattern": replace(GEMMA3_1B, **FOUR, window=(3, inf), base=(50.0, 2000.0)),
    "gemma3, stretched": replace(GEMMA3_4B, **FOUR | {"L": 6}, window=(*[6] * 5, inf)),
    "gemma3, the scale of the 27B": replace(GEMMA3_27B, **FOUR | {"L": 6}, window=(*[4] * 5, inf),
                                            query_scale=(8 / 168)**0.5)}


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


def stirred(cfg, seed=0):
    """Random weights, and norms that are not neutral."""
    def stir(w, key):
        return w if w.ndim > 1 else 0.3 * jax.random.normal(key, w.shape)
    params = random_model(cfg, "float32", seed).params
    structure = jax.tree.structure(params)
    keys = jax.tree.unflatten(structure, jax.random.split(jax.random.key(seed), structure.num_leaves))
    return jax.tree.map(stir, params, keys)


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
