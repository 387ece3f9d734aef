"""Attention: each position gathers from itself and from its past.

One function for K = N (multi-head), 1 < K < N (grouped) and K = 1 (multi-query).
"""
from functools import partial

import jax
import jax.numpy as jnp

from ..axes import BSKH, BT, BTD, BTNH, BTS, DKH, DNH, NHD, H, Numbers
from .cap import uncapped
from .contract import contract
from .norm import head_norm
from .precision import widen
from .tap import untapped


def softmax(x: Numbers) -> Numbers:
    """Scores to shares: positive, and one in all along the last axis."""
    return jax.nn.softmax(x, axis=-1)


def causal_mask(positions: BT, S, window=jnp.inf) -> BTS:
    """A position sees itself and what came before it, as far back as the window reaches."""
    ago = positions[:, :, None] - jnp.arange(S)
    return (0 <= ago) & (ago < window)


def by_key(x: BTNH, K):
    """The queries that share a key in one matrix, so one product serves them all: [B, K, T·G, H]."""
    B, T, N, H = x.shape
    return x.reshape(B, T, K, N // K, H).swapaxes(1, 2).reshape(B, K, T * N // K, H)


def by_head(x, T) -> BTNH:
    """Undo `by_key`: one vector per head again."""
    B, K, TG, H = x.shape
    return x.reshape(B, K, T, TG // T, H).swapaxes(1, 2).reshape(B, T, K * TG // T, H)


def attend(q: BTNH, k: BSKH, v: BSKH, mask: BTS, tap=untapped, cap=uncapped) -> BTNH:
    """Each query takes the average of the values, weighed by how well their keys match it."""
    B, T, N, H = q.shape
    S, K = k.shape[1:3]
    q, k, v = by_key(q * H**-0.5, K), by_key(k, K), by_key(v, K)      # a dot product of H terms grows like sqrt(H)
    scores = cap(widen(q @ k.mT)).reshape(B, K, T, N // K, S)
    scores = jnp.where(mask[:, None, :, None], scores, jnp.finfo(scores.dtype).min)
    probs = tap("probs", softmax(scores)).astype(v.dtype)
    return by_head(probs.reshape(B, K, -1, S) @ v, T)


def attention(cfg, fixed, x: BTD, positions: BT, wq: DNH, wk: DKH, wv: DKH, wo: NHD, cache=None, tap=untapped):
    """Many queries, few keys: ask, compare, gather, and mix the heads."""
    q, k, v = contract("BTD,DNH->BTNH", x, wq), contract("BTD,DKH->BTKH", x, wk), contract("BTD,DKH->BTKH", x, wv)
    gathered, cache = look_back(cfg, fixed, q, k, v, positions, cache, tap)
    return contract("BTNH,NHD->BTD", gathered, wo), cache


def attention_with_qk_norm(cfg, fixed, x: BTD, positions: BT, wq: DNH, wk: DKH, wv: DKH, wo: NHD,
                           q_norm: H, k_norm: H, cache=None, tap=untapped):
    """Gemma 3: queries and keys have a length of one before they are compared, so no score runs away."""
    q, k, v = contract("BTD,DNH->BTNH", x, wq), contract("BTD,DKH->BTKH", x, wk), contract("BTD,DKH->BTKH", x, wv)
    q, k = head_norm(q, q_norm), head_norm(k, k_norm)
    gathered, cache = look_back(cfg, fixed, q, k, v, positions, cache, tap)
    return contract("BTNH,NHD->BTD", gathered, wo), cache


def look_back(cfg, fixed, q: BTNH, k: BSKH, v: BSKH, positions: BT, cache=None, tap=untapped):
    """Turn queries and keys, remember what is new, and let each position gather from what it may see."""
    q, k = (cfg.rotate(each, positions, fixed["base"], fixed["stretch"]) for each in (q, k))
    if cache is not None:
        cache = remember(cache, {"k": k, "v": v}, positions)
        k, v = cache["k"], cache["v"]
    mask = causal_mask(positions, k.shape[1], fixed["window"])
    return attend(q * cfg.query_scale, k, v, mask, tap, partial(cfg.cap, most=cfg.score_cap)), cache


def remember(cache, new, positions: BT):
    """Write each position into its own slot; a padding position points past the end, and is dropped."""
    row = jnp.arange(len(positions))[:, None]
    return {name: slots.at[row, positions].set(new[name], mode="drop") for name, slots in cache.items()}
