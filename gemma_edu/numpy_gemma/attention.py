"""Attention: each position gathers from itself and from its past.

One function for K = N (multi-head), 1 < K < N (grouped) and K = 1 (multi-query).
"""
import numpy as np

from ..axes import BSKH, BT, BTD, BTNH, BTS, DKH, DNH, NHD, Numbers
from .contract import contract, contract_backward
from .gradient import backward
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


def attend(q: BTNH, k: BSKH, v: BSKH, mask: BTS, tap=untapped) -> BTNH:
    """Each query takes the average of the values, weighed by how well their keys match it."""
    B, T, N, H = q.shape
    S, K = k.shape[1:3]
    q, k, v = by_key(q * H**-0.5, K), by_key(k, K), by_key(v, K)      # a dot product of H terms grows like sqrt(H)
    scores = widen(q @ k.mT).reshape(B, K, T, N // K, S)
    scores = np.where(mask[:, None, :, None], scores, np.finfo(scores.dtype).min)
    probs = tap("probs", softmax(scores)).astype(v.dtype)
    return by_head(probs.reshape(B, K, -1, S) @ v, T)


def attend_backward(dy, q, k, v, mask):
    B, T, N, H = q.shape
    S, K = k.shape[1:3]
    q, k, v, dy = by_key(q * H**-0.5, K), by_key(k, K), by_key(v, K), by_key(dy, K)
    scores = (q @ k.mT).reshape(B, K, T, N // K, S)
    scores = np.where(mask[:, None, :, None], scores, np.finfo(scores.dtype).min)
    dprobs = (dy @ v.mT).reshape(scores.shape)
    dscores = softmax_backward(dprobs, scores).reshape(B, K, -1, S)      # no share, no gradient: none where masked
    dv = softmax(scores).reshape(dscores.shape).mT @ dy                 # a shared key hears from all its queries
    return by_head(dscores @ k, T) * H**-0.5, by_head(dscores.mT @ q, S), by_head(dv, S)


def attention(cfg, fixed, x: BTD, positions: BT, wq: DNH, wk: DKH, wv: DKH, wo: NHD, cache=None, tap=untapped):
    """Many queries, few keys: ask, compare, gather, and mix the heads."""
    q = cfg.rotate(contract("BTD,DNH->BTNH", x, wq), positions, fixed["base"], fixed["stretch"])
    k = cfg.rotate(contract("BTD,DKH->BTKH", x, wk), positions, fixed["base"], fixed["stretch"])
    v = contract("BTD,DKH->BTKH", x, wv)
    if cache is not None:
        cache = remember(cache, {"k": k, "v": v}, positions)
        k, v = cache["k"], cache["v"]
    mask = causal_mask(positions, k.shape[1], fixed["window"])
    return contract("BTNH,NHD->BTD", attend(q, k, v, mask, tap), wo), cache


def attention_backward(dy, cfg, fixed, x, positions, wq, wk, wv, wo):
    def turn(z):
        return cfg.rotate(z, positions, fixed["base"], fixed["stretch"])

    def turn_backward(dz, z):
        return backward(cfg.rotate)(dz, z, positions, fixed["base"], fixed["stretch"])

    q, k, v = contract("BTD,DNH->BTNH", x, wq), contract("BTD,DKH->BTKH", x, wk), contract("BTD,DKH->BTKH", x, wv)
    mask = causal_mask(positions, k.shape[1], fixed["window"])
    dgathered, dwo = contract_backward(dy, "BTNH,NHD->BTD", attend(turn(q), turn(k), v, mask), wo)
    dq, dk, dv = attend_backward(dgathered, turn(q), turn(k), v, mask)
    dx_q, dwq = contract_backward(turn_backward(dq, q), "BTD,DNH->BTNH", x, wq)
    dx_k, dwk = contract_backward(turn_backward(dk, k), "BTD,DKH->BTKH", x, wk)
    dx_v, dwv = contract_backward(dv, "BTD,DKH->BTKH", x, wv)
    return dx_q + dx_k + dx_v, dwq, dwk, dwv, dwo


def remember(cache, new, positions: BT):
    """Write each position into its own slot, in place; a padding position points past the end, and is dropped."""
    kept = positions < cache["k"].shape[1]
    row, _ = np.nonzero(kept)
    for name, slots in cache.items():
        slots[row, positions[kept]] = new[name][kept]
    return cache
