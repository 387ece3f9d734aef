"""Attention: each position gathers from itself and from its past.

One function for K = N (multi-head), 1 < K < N (grouped) and K = 1 (multi-query).
"""
from functools import partial

import numpy as np

from ..axes import BSKH, BT, BTD, BTNH, BTS, DKH, DNH, NHD, H, Numbers
from .cap import uncapped
from .contract import contract, contract_backward
from .gradient import backward
from .norm import head_norm, head_norm_backward
from .precision import widen
from .tap import untapped


def softmax(x: Numbers) -> Numbers:
    """Scores to shares: positive, and one in all along the last axis."""
    exp = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return exp / np.sum(exp, axis=-1, keepdims=True)


def softmax_backward(dy, x):
    y = softmax(x)
    return y * (dy - np.sum(dy * y, axis=-1, keepdims=True))


def causal_mask(positions: BT, S, window=np.inf) -> BTS:
    """A position sees itself and what came before it, as far back as the window reaches."""
    ago = positions[:, :, None] - np.arange(S)
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
    scores = np.where(mask[:, None, :, None], scores, np.finfo(scores.dtype).min)
    probs = tap("probs", softmax(scores)).astype(v.dtype)
    return by_head(probs.reshape(B, K, -1, S) @ v, T)


def attend_backward(dy, q, k, v, mask, cap=uncapped):
    B, T, N, H = q.shape
    S, K = k.shape[1:3]
    q, k, v, dy = by_key(q * H**-0.5, K), by_key(k, K), by_key(v, K), by_key(dy, K)
    raw = q @ k.mT
    scores = cap(raw).reshape(B, K, T, N // K, S)
    scores = np.where(mask[:, None, :, None], scores, np.finfo(scores.dtype).min)
    dprobs = (dy @ v.mT).reshape(scores.shape)
    dscores = softmax_backward(dprobs, scores).reshape(raw.shape)       # no share, no gradient: none where masked
    dv = softmax(scores).reshape(dscores.shape).mT @ dy                 # a shared key hears from all its queries
    dscores = backward(cap)(dscores, raw)
    return by_head(dscores @ k, T) * H**-0.5, by_head(dscores.mT @ q, S), by_head(dv, S)


def attention(cfg, fixed, x: BTD, positions: BT, wq: DNH, wk: DKH, wv: DKH, wo: NHD, cache=None, tap=untapped):
    """Many queries, few keys: ask, compare, gather, and mix the heads."""
    q, k, v = contract("BTD,DNH->BTNH", x, wq), contract("BTD,DKH->BTKH", x, wk), contract("BTD,DKH->BTKH", x, wv)
    gathered, cache = look_back(cfg, fixed, q, k, v, positions, cache, tap)
    return contract("BTNH,NHD->BTD", gathered, wo), cache


def attention_backward(dy, cfg, fixed, x, positions, wq, wk, wv, wo):
    q, k, v = contract("BTD,DNH->BTNH", x, wq), contract("BTD,DKH->BTKH", x, wk), contract("BTD,DKH->BTKH", x, wv)
    gathered, _ = look_back(cfg, fixed, q, k, v, positions)
    dgathered, dwo = contract_backward(dy, "BTNH,NHD->BTD", gathered, wo)
    dq, dk, dv = look_back_backward(dgathered, cfg, fixed, q, k, v, positions)
    dx_q, dwq = contract_backward(dq, "BTD,DNH->BTNH", x, wq)
    dx_k, dwk = contract_backward(dk, "BTD,DKH->BTKH", x, wk)
    dx_v, dwv = contract_backward(dv, "BTD,DKH->BTKH", x, wv)
    return dx_q + dx_k + dx_v, dwq, dwk, dwv, dwo


def attention_with_qk_norm(cfg, fixed, x: BTD, positions: BT, wq: DNH, wk: DKH, wv: DKH, wo: NHD,
                           q_norm: H, k_norm: H, cache=None, tap=untapped):
    """Gemma 3: queries and keys have a length of one before they are compared, so no score runs away."""
    q, k, v = contract("BTD,DNH->BTNH", x, wq), contract("BTD,DKH->BTKH", x, wk), contract("BTD,DKH->BTKH", x, wv)
    q, k = head_norm(q, q_norm), head_norm(k, k_norm)
    gathered, cache = look_back(cfg, fixed, q, k, v, positions, cache, tap)
    return contract("BTNH,NHD->BTD", gathered, wo), cache


def attention_with_qk_norm_backward(dy, cfg, fixed, x, positions, wq, wk, wv, wo, q_norm, k_norm):
    q, k, v = contract("BTD,DNH->BTNH", x, wq), contract("BTD,DKH->BTKH", x, wk), contract("BTD,DKH->BTKH", x, wv)
    unit_q, unit_k = head_norm(q, q_norm), head_norm(k, k_norm)
    gathered, _ = look_back(cfg, fixed, unit_q, unit_k, v, positions)
    dgathered, dwo = contract_backward(dy, "BTNH,NHD->BTD", gathered, wo)
    dq, dk, dv = look_back_backward(dgathered, cfg, fixed, unit_q, unit_k, v, positions)
    dq, dq_norm = head_norm_backward(dq, q, q_norm)
    dk, dk_norm = head_norm_backward(dk, k, k_norm)
    dx_q, dwq = contract_backward(dq, "BTD,DNH->BTNH", x, wq)
    dx_k, dwk = contract_backward(dk, "BTD,DKH->BTKH", x, wk)
    dx_v, dwv = contract_backward(dv, "BTD,DKH->BTKH", x, wv)
    return dx_q + dx_k + dx_v, dwq, dwk, dwv, dwo, dq_norm, dk_norm


def look_back(cfg, fixed, q: BTNH, k: BSKH, v: BSKH, positions: BT, cache=None, tap=untapped):
    """Turn queries and keys, remember what is new, and let each position gather from what it may see."""
    q, k = (cfg.rotate(each, positions, fixed["base"], fixed["stretch"]) for each in (q, k))
    if cache is not None:
        cache = remember(cache, {"k": k, "v": v}, positions)
        k, v = cache["k"], cache["v"]
    mask = causal_mask(positions, k.shape[1], fixed["window"])
    return attend(q * cfg.query_scale, k, v, mask, tap, partial(cfg.cap, most=cfg.score_cap)), cache


def look_back_backward(dy, cfg, fixed, q, k, v, positions):
    def turn(z):
        return cfg.rotate(z, positions, fixed["base"], fixed["stretch"])

    def turn_backward(dz, z):
        return backward(cfg.rotate)(dz, z, positions, fixed["base"], fixed["stretch"])

    mask, cap = causal_mask(positions, k.shape[1], fixed["window"]), partial(cfg.cap, most=cfg.score_cap)
    dq, dk, dv = attend_backward(dy, turn(q) * cfg.query_scale, turn(k), v, mask, cap)
    return turn_backward(dq * cfg.query_scale, q), turn_backward(dk, k), dv


def remember(cache, new, positions: BT):
    """Write each position into its own slot, in place; a padding position points past the end, and is dropped."""
    kept = positions < cache["k"].shape[1]
    row, _ = np.nonzero(kept)
    for name, slots in cache.items():
        slots[row, positions[kept]] = new[name][kept]
    return cache
