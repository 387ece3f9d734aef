"""The same answers, found another way."""
import numpy as np


def causal_mask(positions, S, window=np.inf):
    """Cell by cell."""
    mask = np.zeros((*positions.shape, S), bool)
    for b, t, s in np.ndindex(mask.shape):
        at = positions[b, t]
        mask[b, t, s] = s <= at and s > at - window
    return mask


def shares_of(query, keys, seen):
    """One query, its keys in a list, and who of them is seen."""
    if not seen.any():
        return np.full(len(keys), 1 / len(keys))
    scores = keys @ query / query.size**0.5
    exp = np.where(seen, np.exp(np.minimum(scores - scores[seen].max(), 0)), 0.0)
    return exp / exp.sum()


def attend(q, k, v, mask):
    """Head by head, and position by position."""
    y, G = np.zeros_like(q), q.shape[2] // k.shape[2]
    for b, t, n in np.ndindex(q.shape[:3]):
        y[b, t, n] = shares_of(q[b, t, n], k[b, :, n // G], mask[b, t]) @ v[b, :, n // G]
    return y


def share_the_keys(w, K):
    return np.stack([group.mean(axis=1) for group in np.split(w, K, axis=1)], axis=1)


def tokens_that_fit(memory, L, N, K, H, size):
    left, tokens, layer = memory, 0, K * H * size
    each = sum(layer for _ in range(L) for _ in ("key", "value"))
    for step in (10**6, 10**3, 1):
        while left >= step * each:
            left, tokens = left - step * each, tokens + step
    return tokens


def attend_backward(dy, q, k, v, mask):
    """With the whole Jacobian of each softmax."""
    (dq, dk, dv), G, H = map(np.zeros_like, (q, k, v)), q.shape[2] // k.shape[2], q.shape[-1]
    for b, t, n in np.ndindex(q.shape[:3]):
        keys, values = k[b, :, n // G], v[b, :, n // G]
        shares = shares_of(q[b, t, n], keys, mask[b, t])
        dscores = (np.diag(shares) - np.outer(shares, shares)) @ (values @ dy[b, t, n]) / H**0.5
        dq[b, t, n] = dscores @ keys
        dk[b, :, n // G] += np.outer(dscores, q[b, t, n])
        dv[b, :, n // G] += np.outer(shares, dy[b, t, n])
    return dq, dk, dv


def line_up():
    return dict(zip("ABCDE", ["no scale", "tiled keys", "right", "future audible", "blind to itself"], strict=True))
