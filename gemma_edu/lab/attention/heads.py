"""What the heads of a model look at, and what a slip in its attention does to what it says.

A slip is the same model with its weights, or the positions that its attention hears, tampered with.
"""
from dataclasses import replace
from functools import partial

import numpy as np

from ...axes import BTD, DKH, DNH, NHD
from ...numpy_gemma import attention, forward, untapped


def attention_maps(cfg, params, tokens):
    """Who looks at whom, and how much: an array [L, B, N, T, S] of shares."""
    maps = []

    def keep(name, x):
        if name == "probs":                                     # [B, K, T, G, S], as `attend` has them
            B, K, T, G, S = x.shape
            maps.append(x.swapaxes(2, 3).reshape(B, K * G, T, S))
        return x
    forward(replace(cfg, block=partial(cfg.block, tap=keep)), params, tokens)
    return np.stack(maps)


def influence(cfg, params, tokens, other):
    """How far the logits at T move when the token at S is replaced: [T, S], in standard deviations."""
    T = tokens.shape[1]
    changed = np.repeat(tokens, T, axis=0)
    changed[np.arange(T), np.arange(T)] = other
    before, after = forward(cfg, params, tokens)[0], forward(cfg, params, changed)[0]
    return np.max(np.abs(after - before), axis=-1).T / np.std(before)


def moved(by, cfg, fixed, x: BTD, positions, wq: DNH, wk: DKH, wv: DKH, wo: NHD, cache=None, tap=untapped):
    """Attention that believes it stands elsewhere.

    The rotation sees only distances, so nothing changes but what the mask lets through.
    """
    return attention(cfg, fixed, x, positions + by, wq, wk, wv, wo, cache, tap)


def slips(cfg, params, T):
    """Five mistakes in attention: {name: (cfg, params)}."""
    def see(by):
        return replace(cfg, mixer=partial(moved, by)), params

    def reweigh(change):
        layers = tuple({**layer, "mixer": {**layer["mixer"], **change(layer["mixer"])}} for layer in params["layers"])
        return cfg, {**params, "layers": layers}
    return {"no mask at all": see(T),
            "a peek at the next token": see(1),
            "own position hidden": see(-1),
            "keys and values swapped": reweigh(lambda w: {"wk": w["wv"], "wv": w["wk"]}),
            "scores not divided by √H": reweigh(lambda w: {"wq": w["wq"] * cfg.H**0.5})}


def visibility(cfg, params, tokens):
    """Of each slip: how far it moves a logit, how often another token wins, and how far it moves position 0.

    Logits are measured in their standard deviations.
    """
    right, seen = forward(cfg, params, tokens)[0], {}
    for name, model in slips(cfg, params, tokens.shape[1]).items():
        wrong = forward(*model, tokens)[0]
        apart = np.abs(wrong - right) / np.std(right)
        other = np.argmax(wrong, axis=-1) != np.argmax(right, axis=-1)
        seen[name] = np.max(apart), np.mean(other), np.max(apart[:, 0])
    return seen


def echoes(cfg, params, tokens):
    """At which share of the positions the winner is the token that was just read."""
    return np.mean(np.argmax(forward(cfg, params, tokens)[0], axis=-1) == tokens)


def pooled(k, K):
    """K key heads out of more: each the mean of its neighbours.  Ainslie et al. 2023."""
    return np.stack(np.split(k, K, axis=2), axis=2).mean(axis=3)
