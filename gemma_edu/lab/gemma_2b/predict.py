"""What the compiler says of a model's two programs, asked with shapes alone: nothing is loaded."""
from functools import partial

import jax

from ...inference import sample
from ...inference.request import request
from ...params import shapes
from ...pretrained.fit import workspace_bytes


def layer_by_layer(cfg, dtype):
    """The shapes of all weights, layers as a tuple."""
    whole = shapes(cfg, dtype)
    layer = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), whole["layers"])
    return whole | {"layers": (layer,) * cfg.L}


def asked(cfg, T, new):
    """A prompt of T tokens, and how to continue it."""
    return request(cfg, [[2] * T], new, 0.0, None, 1.0, 0, ())


def workspace(cfg, dtype, T=256, new=256):
    """Bytes that the compiler sets aside for reading a prompt, besides weights and cache."""
    how, text, lengths, S = asked(cfg, T, new)
    return workspace_bytes(sample.prefill, cfg, layer_by_layer(cfg, dtype), how, text, lengths, S=S)


def programs(cfg, dtype, T=256, new=64):
    """Prefill and decode, traced and not yet compiled."""
    how, text, lengths, S = asked(cfg, T, new)
    params = layer_by_layer(cfg, dtype)
    state = jax.eval_shape(partial(sample.prefill, S=S), cfg, params, how, text, lengths)
    return {"prefill": sample.prefill.lower(cfg, params, how, text, lengths, S=S),
            "decode": sample.decode.lower(cfg, params, how, *state, new, S=S)}


def operations(program):
    """How many operations the compiler is handed."""
    return program.as_text().count("stablehlo.")
