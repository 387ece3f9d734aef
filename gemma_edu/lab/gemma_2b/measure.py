"""Stop-watches for this device: its matrix units, and the model's two programs."""
from functools import partial

import jax
import jax.numpy as jnp

from ...inference import sample
from ...inference.request import request
from ...params import empty_cache
from ..bench.bandwidth import seconds

ROUNDS = 3


def prefill_seconds(cfg, params, T, rounds=ROUNDS):
    """Reading a prompt of T tokens; T should be a power of two of at least 32, or padding is read, too."""
    how, text, lengths, S = request(cfg, [[2 + n * 7919 % (cfg.V - 2) for n in range(T)]], 1, 0.0, None, 1.0, 0, ())
    return seconds(lambda: sample.prefill(cfg, params, how, text, lengths, S=S)[0], rounds)


def decode_seconds(cfg, params, B=1, S=32, steps=2, rounds=ROUNDS):
    """One step of writing B rows of S slots; the loop runs on the device, and the cache is handed on."""
    how, *_ = request(cfg, [[2]] * B, steps + 1, 0.0, None, 1.0, 0, ())
    token, position = jnp.full(B, 2), jnp.full(B, S // 2)
    kept = [empty_cache(cfg, params, B, S)]

    def write():
        text, kept[0] = sample.decode(cfg, params, how, token, position, kept[0], steps + 1, S=S)
        return text
    return seconds(write, rounds) / steps


def parts(cfg, params, S=256):
    """The parts of one step of writing, each compiled alone: {name: (seconds in all layers, bytes of its weights)}."""
    x, at = jnp.ones((1, 1, cfg.D), params["embed"].dtype), jnp.zeros((1, 1), jnp.int32)
    w, fixed = params["layers"][0], cfg.fixed[0]
    slots = {name: jnp.zeros((1, S, cfg.K, cfg.H), x.dtype) for name in "kv"}
    work = {
        "attention": (cfg.L, lambda w: cfg.mixer(cfg, fixed, x, at, **w, cache=slots)[0], w["mixer"]),
        "MLP": (cfg.L, lambda w: cfg.mlp(x, **w), w["mlp"]),
        "norm": (cfg.L * sum("norm" in slot for slot in w), lambda w: cfg.norm(x, **w), w["mixer_norm"]),
        "head": (1, lambda w: jnp.einsum("BTD,VD->BTV", x, w), params["embed"])}
    return {name: (times * seconds(partial(jax.jit(f), w)), times * bytes_of(w))
            for name, (times, f, w) in work.items()}


def bytes_of(tree):
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree))
