"""Known bugs of Gemmas, to be put into ours: the history of other ports, and mutations whose visibility was measured.

`BUGS` says of each where it stands, a slot of the Config or a function of a file, and what stands there instead:
a function of the model's room (`numpy_gemma` or `jax_gemma`, as it is when it is right) and of the arguments.
"""
from contextlib import contextmanager
from dataclasses import replace
from functools import partial, wraps
from sys import modules
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np

from ..rope.misturned import braided, rounded

N, D = 4, 16      # query heads, and the stream's width, of every model that these bugs are put into

EMBED, UNEMBED = "model.embed", "model.unembed"
ATTEND, MASK, WRITE = "attention.attend", "attention.causal_mask", "attention.remember"


def gelu_quick(g, x):
    return x * g.sigmoid(1.702 * x)


def by_inverse(g, x, positions, base, stretch):
    a, b = np.split(np.asarray(x), 2, axis=-1)
    inverse = (1 / (stretch * base ** (np.arange(a.shape[-1]) / a.shape[-1]))).astype(a.dtype)
    angle = positions[..., None, None].astype(a.dtype) * inverse
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], axis=-1)


def unrounded_root(g, cfg, params, tokens, positions):
    table = params["embed"]
    return (table[tokens].astype(np.float32) * np.float32(table.shape[1]**0.5)).astype(table.dtype)


def outside_the_root(g, x, scale):
    return x / ((x * x).mean(-1, keepdims=True)**0.5 + 1e-6) * (1 + scale)


def without_epsilon(g, x, scale):
    return x / (x * x).mean(-1, keepdims=True)**0.5 * (1 + scale)


def only_queries(g, x, *args):
    return g.rope(x, *args) if x.shape[2] == N else x


def tiled(g, q, k, *args):
    """Key heads laid out 0 1 0 1 before the queries, and not 0 0 1 1."""
    order = np.argsort(np.arange(q.shape[2]) % k.shape[2], kind="stable")
    return g.attend(q[:, :, order], k, *args)[:, :, np.argsort(order)]


BUGS = {
    "no embedding scale":      (EMBED, lambda g, *args: g.embed(*args) / D**0.5),
    "embedding 0.134 % off":   (EMBED, lambda g, *args: g.embed(*args) * 1.00134),
    "the root is not rounded": (EMBED, unrounded_root),
    "no final norm":           (UNEMBED, lambda g, cfg, w, x: x @ w["embed"].T),
    "norm without + 1":        ("norm", lambda g, x, scale: g.rms_norm(x, scale - 1)),
    "epsilon outside the root": ("norm", outside_the_root),
    "no epsilon":              ("norm", without_epsilon),
    "LayerNorm for RMSNorm":   ("norm", lambda g, x, scale: g.layer_norm(x, scale, 0 * scale)),
    "BatchNorm for RMSNorm":   ("norm", lambda g, x, scale: g.batch_norm(x, scale, 0 * scale)),
    "1 + w in bfloat16":       ("norm", lambda g, x, scale: g.rms_norm(x, (1 + scale) - 1)),
    "cast before the scale":   ("norm", lambda g, x, scale: g.rms_norm(x, 0 * scale) * (1 + scale)),
    "GELU: erf":               ("mlp", lambda g, x, **w: g.gated(g.gelu_erf, x, **w)),
    "GELU: quick":             ("mlp", lambda g, x, **w: g.gated(partial(gelu_quick, g), x, **w)),
    "GELU: SiLU":              ("mlp", lambda g, x, **w: g.gated(g.silu, x, **w)),
    "gate and up swapped":     ("mlp", lambda g, x, gate, up, down: g.geglu(x, up, gate, down)),
    "RoPE interleaved":        ("rotate", lambda g, x, *args: braided(x, *args, turn=g.rope)),
    "RoPE: sign flipped":      ("rotate", lambda g, x, at, *args: g.rope(x, -at, *args)),
    "RoPE on q only":          ("rotate", only_queries),
    "all positions 0":         ("rotate", lambda g, x, at, *args: g.rope(x, 0 * at, *args)),
    "positions in bfloat16":   ("rotate", lambda g, x, at, *args: g.rope(x, rounded(at), *args)),
    "position · (1/t)":        ("rotate", by_inverse),
    "no query scale":          (ATTEND, lambda g, q, *args: g.attend(q * q.shape[-1]**0.5, *args)),
    "query scale (d/N)^-1/2":  (ATTEND, lambda g, q, *args: g.attend(q * (q.shape[-1] * N / D)**0.5, *args)),
    "k and v swapped":         (ATTEND, lambda g, q, k, v, *args: g.attend(q, v, k, *args)),
    "keys tiled, not repeated": (ATTEND, tiled),
    "strict causal: no self":  (MASK, lambda g, at, *args: g.causal_mask(at - 1, *args)),
    "no mask":                 (MASK, lambda g, *args: g.causal_mask(*args) | True),
    "window + 1":              (MASK, lambda g, at, S, window: g.causal_mask(at, S, window + 1)),
    "no window":               (MASK, lambda g, at, S, window: g.causal_mask(at, S)),
    "the cache a slot late":   (WRITE, lambda g, cache, new, at: g.remember(cache, new, at + 1)),
    "padding starts over":     (WRITE, lambda g, cache, new, at: g.remember(cache, new, at % cache["k"].shape[1])),
}


@contextmanager
def infected(room, cfg, bug):
    """While it lasts, the room has the bug; yields the config to use with it."""
    where, wrong = BUGS[bug]
    file, _, name = where.rpartition(".")
    right = SimpleNamespace(**vars(room))
    if not file:
        wrong = partial(wrong, right)
        yield replace(cfg, **{name: wraps(getattr(cfg, name))(wrong)})
        return
    wrong = wraps(getattr(right, name))(partial(wrong, right))
    with patch.object(modules[f"{room.__name__}.{file}"], name, wrong), patch.object(room, name, wrong):
        yield cfg
