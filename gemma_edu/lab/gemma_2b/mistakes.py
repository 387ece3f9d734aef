"""Ports of Gemma 2 and 3 with one mistake each, most of them a line of the Config, and how visible they are."""
from dataclasses import replace
from functools import partial
from math import inf

import numpy as np

from ... import numpy_gemma
from ...config import GEMMA2_27B, GEMMA3_4B, in_numpy
from ...numpy_gemma.tree import per_layer, tree_map
from ...params import fan_in, param_axes, shape

T = 32
SIZES = {"V": 512, "D": 96, "L": 6, "N": 4, "K": 2, "H": 32, "F": 160, "S": 64}      # no two letters alike, but K·H = S
SECOND = in_numpy(replace(GEMMA2_27B, **SIZES, window=(8, inf)))
THIRD = in_numpy(replace(GEMMA3_4B, **SIZES, window=(*[8] * 5, inf)))
NORMS = ("scale", "q_norm", "k_norm")


def weights(cfg, seed=0, dtype=np.float64):
    """Drawn, layers as a tuple.  Norms matter; the table is faint, or a random Gemma would only repeat its input, and
    the last norm is loud, or no cap would be felt.
    """
    random = np.random.default_rng(seed)

    def draw(axes):
        norm = len(axes.removeprefix("L")) == 1
        loud = 0.3 if norm else 0.25 * cfg.D**-0.5 if axes == "VD" else fan_in(cfg, axes)**-0.5
        return (loud * random.standard_normal(shape(cfg, axes))).astype(dtype)
    params = tree_map(draw, param_axes(cfg))
    loud = tree_map(lambda scale: scale + 9, params["final_norm"])
    return params | {"layers": per_layer(params["layers"]), "final_norm": loud}


# ---- ways to go wrong: (cfg, params) -> (cfg, params)
def line(**changes):
    """A mistake in the Config."""
    return lambda cfg, params: (replace(cfg, **changes), params)


def in_layers(change, **changes):
    """A mistake in each layer's weights, which `change(layer)` makes, and perhaps in the Config."""
    return lambda cfg, params: (replace(cfg, **changes), params | {"layers": tuple(map(change, params["layers"]))})


def without(*names):
    """A layer that lacks some slots, or some weights in them."""
    return lambda layer: {slot: {name: w for name, w in part.items() if name not in names}
                          for slot, part in layer.items() if slot not in names}


def exchanged(slot, one, other):
    """Two weights of one shape that were taken for each other."""
    return lambda layer: layer | {slot: layer[slot] | {one: layer[slot][other], other: layer[slot][one]}}


def moved_norms(by):
    """The scale of every norm in a layer, with a constant more or less."""
    return lambda layer: {slot: {name: w + by if name in NORMS else w for name, w in part.items()}
                          for slot, part in layer.items()}


PORTS = {"Gemma 2": (SECOND, {
    "no cap on the scores": line(score_cap=1e9),
    "no cap on the logits": line(logit_cap=1e9),
    "queries scaled by the head's width": line(query_scale=1.0),
    "window of one more": line(window=(9, inf)),
    "local and global exchanged": line(window=(inf, 8)),
    "no norms after the parts": in_layers(without("mixer_post_norm", "mlp_post_norm"), block=numpy_gemma.block),
    "the norms' + 1 added twice": in_layers(moved_norms(1)),
    "gate and up exchanged": in_layers(exchanged("mlp", "gate", "up"))}), "Gemma 3": (THIRD, {
        "one base for all layers": line(base=(10_000.0,)),
        "positions not stretched": line(stretch=(1.0,)),
        "window of one more": line(window=(*[9] * 5, inf)),
        "local and global exchanged": line(window=(inf, *[8] * 5)),
        "no norm on queries and keys": in_layers(without("q_norm", "k_norm"), mixer=numpy_gemma.attention),
        "the norms' + 1 forgotten": in_layers(moved_norms(-1)),
        "keys and values exchanged": in_layers(exchanged("mixer", "wk", "wv")),
        "the exact GELU": line(mlp=partial(numpy_gemma.gated, numpy_gemma.gelu_erf))})}


def visibility(generation, seeds=3):
    """{mistake: (largest change of a logit, in spreads of all logits; share of positions whose argmax changes)}."""
    right, mistakes = PORTS[generation]
    found = {name: [] for name in mistakes}
    for seed in range(seeds):
        params, tokens = weights(right, seed), np.random.default_rng(seed + 100).integers(0, right.V, (1, T))
        true, _ = numpy_gemma.forward(right, params, tokens)
        for name, port in mistakes.items():
            logits, _ = numpy_gemma.forward(*port(right, params), tokens)
            found[name].append((np.max(np.abs(logits - true)) / np.std(true),
                                np.mean(np.argmax(logits, -1) != np.argmax(true, -1))))
    return {name: tuple(map(float, np.mean(each, axis=0))) for name, each in found.items()}
