"""A tiny Gemma of DeepMind's first release: its sizes, its weights by a formula, and what it computed.

The numbers beside this file were printed by google-deepmind/gemma itself, and say so; the weights are ours to rebuild.
"""
import json
from pathlib import Path

import numpy as np

NUMBERS = json.loads(Path(__file__).with_suffix(".json").read_text())
TOKENS = np.array([NUMBERS["tokens"]])
NAMES = {"V": "num_embed", "D": "embed_dim", "L": "num_layers", "N": "num_heads", "K": "num_kv_heads",
         "H": "head_dim", "F": "hidden_dim", "S": "max_cache_length"}
SIZES = {letter: NUMBERS["config"][name] for letter, name in NAMES.items()}


def tensors(dtype):
    """Every weight under the name that it had there: a formula of its place alone."""
    for name, shape, c, scale in NUMBERS["weight_order"]:
        i = np.arange(1, np.prod(shape) + 1, dtype=np.uint64)
        spread = (i * 2654435761 + c * 40503 * 65537) % 2**32 / 2**32
        yield name, (2 * scale * (spread - 0.5)).reshape(shape).astype(np.float32).astype(dtype)


def weights(dtype=np.float32):
    """The same numbers in our places: a tree with the layers as a tuple."""
    named = dict(tensors(dtype))
    return {"embed": named["embedder/input_embedding"], "place": {},
            "layers": tuple(layer(named, f"layer_{i}/") for i in range(SIZES["L"])),
            "final_norm": {"scale": named["final_norm/scale"]}}


def layer(named, prefix):
    (wk, wv), (gate, up) = named[prefix + "attn/kv_einsum/w"], named[prefix + "mlp/gating_einsum"]
    return {"mixer_norm": {"scale": named[prefix + "pre_attention_norm/scale"]},
            "mixer": {"wq": named[prefix + "attn/q_einsum/w"].swapaxes(0, 1), "wk": wk.swapaxes(0, 1),
                      "wv": wv.swapaxes(0, 1), "wo": named[prefix + "attn/attn_vec_einsum/w"]},
            "mlp_norm": {"scale": named[prefix + "pre_ffw_norm/scale"]},
            "mlp": {"gate": gate, "up": up, "down": named[prefix + "mlp/linear"]}}
