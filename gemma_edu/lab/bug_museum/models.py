"""Models that the museum's bugs are put into."""
from dataclasses import replace

import numpy as np

from ...numpy_gemma.attention import look_back
from ...numpy_gemma.contract import contract
from ...numpy_gemma.tree import tree_map


def with_silent_heads(cfg, params, N, seed=0):
    """The same function of the text with more query heads: the new ones ask at random, and nobody hears them."""
    random = np.random.default_rng(seed)

    def grown(w):
        extra = N - w["wq"].shape[1]
        wq = np.concatenate([w["wq"], random.standard_normal((cfg.D, extra, cfg.H), np.float32)], axis=1)
        wo = np.concatenate([w["wo"], np.zeros((extra, cfg.H, cfg.D), np.float32)])
        return {**w, "wq": wq, "wo": wo}
    layers = tuple({**layer, "mixer": grown(layer["mixer"])} for layer in params["layers"])
    return replace(cfg, N=N), {**params, "layers": layers}


def with_mixed_heads(room, cfg):
    """The model with a room's way to bring the heads together."""
    def attention(cfg, fixed, x, positions, wq, wk, wv, wo, cache=None, tap=None):
        q, k, v = (contract("BTD,DNH->BTNH", x, w) for w in (wq, wk, wv))
        gathered, cache = look_back(cfg, fixed, q, k, v, positions, cache)
        return room.mix_heads(gathered, wo), cache
    return replace(cfg, mixer=attention)


def forgiving_load(room, cfg, params, seed=0):
    """A port: the model as a room believes it to be, and a loader that passes over what does not fit.

    Returns (cfg, params, the names of the weights that stayed random).
    """
    port, random, ignored = replace(cfg, H=room.head_width(cfg)), np.random.default_rng(seed), []
    expected = {"wq": (port.D, port.N, port.H), "wk": (port.D, port.K, port.H),
                "wv": (port.D, port.K, port.H), "wo": (port.N, port.H, port.D)}

    def fitting(name, stored):
        if stored.shape == expected[name]:
            return stored
        ignored.append(name)
        return random.standard_normal(expected[name], np.float32) * np.float32(port.D**-0.5)
    layers = tuple({**layer, "mixer": {name: fitting(name, w) for name, w in layer["mixer"].items()}}
                   for layer in params["layers"])
    return port, {**params, "layers": layers}, ignored


def through_the_file(room, params):
    """The weights, their gates written to a file as [2, F, D] and read again by a room."""
    def read(mlp):
        gate, up = room.gate_and_up(np.stack([mlp["gate"].T, mlp["up"].T]))
        return {**mlp, "gate": gate, "up": up}
    return {**params, "layers": tuple({**layer, "mlp": read(layer["mlp"])} for layer in params["layers"])}


def with_fresh_mlps(room, cfg, params, seed=0):
    """The weights, with MLPs as a room draws them before training begins."""
    random = np.random.default_rng(seed)

    def fresh():
        return tree_map(lambda w: w.astype(np.float32), room.fresh_mlp(random, cfg.D, cfg.F))
    return {**params, "layers": tuple({**layer, "mlp": fresh()} for layer in params["layers"])}


def quiet(params, spread=0.01):
    """The weights, their table drawn as DeepMind's code draws a fresh one: so short that all logits are small."""
    table = np.random.default_rng(0).standard_normal(params["embed"].shape) * spread
    return {**params, "embed": table}
