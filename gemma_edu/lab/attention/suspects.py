"""Attention and its gradient with one mistake in them: a kit, and five suspects for a line-up.

The suspects take what `attend` takes.  One is right, the others make a mistake each; question them with inputs of
your own before you read on.
"""
import numpy as np

from ...numpy_gemma import attend, softmax
from ...numpy_gemma.attention import attend_backward
from .heads import pooled


def by_shares(rule, q, k, v, mask):
    """`attend` with a rule of its own that turns scores and mask, [B, N, T, S], into shares."""
    G, H = q.shape[2] // k.shape[2], q.shape[-1]
    scores = np.einsum("BTNH,BSNH->BNTS", q, k.repeat(G, axis=2)) * H**-0.5
    return np.einsum("BNTS,BSNH->BTNH", rule(scores, mask[:, None]), v.repeat(G, axis=2))


def by_copies(copy, q, k, v, mask):
    """`attend` with keys and values copied for each query head in some way."""
    G = q.shape[2] // k.shape[2]
    return attend(q, copy(k, G), copy(v, G), mask)


def tiled(k, G):
    return np.tile(k, (1, 1, G, 1))


def silenced(scores, mask):
    return softmax(scores * mask)


def along_queries(scores, seen):
    return softmax(np.where(seen, scores, -1e300).swapaxes(-1, -2)).swapaxes(-1, -2)


def overflowing(scores, seen):
    exp = np.where(seen, np.exp(scores), 0)
    return exp / np.sum(exp, axis=-1, keepdims=True)


def scaled(of_q, of_k, dy, q, k, v, mask):
    """The right gradients, times powers of H."""
    dq, dk, dv = attend_backward(dy, q, k, v, mask)
    return dq * q.shape[-1]**of_q, dk * q.shape[-1]**of_k, dv


def gathered(gather, dy, q, k, v, mask):
    """The gradients of copied keys and values, [B, S, N, H], brought to [B, S, K, H] in some way."""
    B, S, K, H = k.shape
    G = q.shape[2] // K
    dq, dk, dv = attend_backward(dy, q, k.repeat(G, axis=2), v.repeat(G, axis=2), mask)
    return dq, *(gather(each, K) for each in (dk, dv))


def through(rule, dy, q, k, v, mask):
    """The whole way down, with a rule of its own that turns the gradient of the shares, and them, into the scores'."""
    G, H = q.shape[2] // k.shape[2], q.shape[-1]
    copies, dshares = k.repeat(G, axis=2), np.einsum("BTNH,BSNH->BNTS", dy, v.repeat(G, axis=2))
    scores = np.einsum("BTNH,BSNH->BNTS", q, copies) * H**-0.5
    dscores = rule(dshares, softmax(np.where(mask[:, None], scores, np.finfo(float).min))) * H**-0.5
    dk = np.einsum("BNTS,BTNH->BSNH", dscores, q)
    return np.einsum("BNTS,BSNH->BTNH", dscores, copies), G * pooled(dk, k.shape[2]), \
        attend_backward(dy, q, k, v, mask)[2]


def first(q, k, v, mask):
    return attend(q * q.shape[-1]**0.5, k, v, mask)


def second(q, k, v, mask):
    return by_copies(tiled, q, k, v, mask)


def third(q, k, v, mask):
    return attend(q, k, v, mask)


def fourth(q, k, v, mask):
    return by_shares(silenced, q, k, v, mask)


def fifth(q, k, v, mask):
    return attend(q, k, v, mask & ~np.eye(*mask.shape[1:], dtype=bool))


SUSPECTS = {"A": first, "B": second, "C": third, "D": fourth, "E": fifth}
