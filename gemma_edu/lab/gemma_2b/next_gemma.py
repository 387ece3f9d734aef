"""A checkpoint of the next Gemma, as somebody else writes it: other names, other orders, norms with their 1."""
from dataclasses import replace

import numpy as np

from ...config import GEMMA3_4B, in_numpy
from ...numpy_gemma.tree import per_layer
from .mistakes import weights

PADDING = 3      # rows of the table without a piece
SIZES = {"V": 29, "D": 24, "L": 3, "N": 4, "K": 2, "H": 10, "F": 44, "S": 64}
NEXT = in_numpy(replace(GEMMA3_4B, **SIZES, window=(4, 4, float("inf")), base=(1e4, 1e4, 5e5), stretch=(1.0, 1.0, 4.0)))
NORMS = {"norm_1": "mixer_norm", "norm_2": "mixer_post_norm", "norm_3": "mlp_norm", "norm_4": "mlp_post_norm"}


def foreign(cfg, params):
    """Our weights in their words: {name: array}.  A matrix is stored as (out, in)."""
    table = np.concatenate([params["embed"], params["embed"][:PADDING]])
    stored = {"table": table, "last_norm": 1 + params["final_norm"]["scale"]}
    for number, layer in enumerate(per_layer(params["layers"])):
        stored |= {f"layer.{number}.{name}": array for name, array in in_their_words(cfg, layer).items()}
    return stored


def in_their_words(cfg, layer):
    """One layer."""
    D, mixer, mlp = cfg.D, layer["mixer"], layer["mlp"]
    rows = [mixer[name].reshape(D, -1).T for name in ("wq", "wk", "wv")]
    return {"attn.qkv": np.concatenate(rows), "attn.out": mixer["wo"].reshape(-1, D).T,
            "attn.q_norm": 1 + mixer["q_norm"], "attn.k_norm": 1 + mixer["k_norm"],
            "mlp.in": np.concatenate([mlp["gate"].T, mlp["up"].T]), "mlp.out": mlp["down"].T,
            **{name: 1 + layer[slot]["scale"] for name, slot in NORMS.items()}}


def checkpoint(random):
    """One to read: (stored, cfg, tokens)."""
    params = weights(NEXT, random, np.float32)
    return foreign(NEXT, params), NEXT, random.integers(0, NEXT.V, (2, 9))
