"""Where each weight of a Gemma stands in Google's Orbax checkpoints, and what their shapes say of its sizes.

Queries, keys and values may stand in one tensor or in two, gate and up in one; a digit before the letters of a tensor
says how many stand in it, and a number behind them which one is meant.
"""
from dataclasses import replace

from ..config import GEMMA2_2B, GEMMA3_1B, GEMMA_2B, PRESETS, Config
from ..numpy_gemma.tree import leaves
from .huggingface_names import by_layer

EMBED, FINAL_NORM = "embedder/input_embedding VD", "final_norm/scale D"
LAYER = {      # our tree, with their names and letters
    "mixer_norm": {"scale": "pre_attention_norm/scale D"},
    "mixer": {"wq": "attn/q_einsum NDH", "wk": "attn/kv_einsum 2KDH 0", "wv": "attn/kv_einsum 2KDH 1",
              "wo": "attn/attn_vec_einsum NHD",
              "q_norm": "attn/_query_norm/scale H", "k_norm": "attn/_key_norm/scale H"},
    "mixer_post_norm": {"scale": "post_attention_norm/scale D"},
    "mlp_norm": {"scale": "pre_ffw_norm/scale D"},
    "mlp": {"gate": "mlp/gating_einsum 2DF 0", "up": "mlp/gating_einsum 2DF 1", "down": "mlp/linear FD"},
    "mlp_post_norm": {"scale": "post_ffw_norm/scale D"}}
A_KEY_PER_QUERY = {"wq": "attn/qkv_einsum 3NDH 0", "wk": "attn/qkv_einsum 3KDH 1", "wv": "attn/qkv_einsum 3KDH 2"}
TURNED = {"gate": "mlp/gating_einsum 2FD 0", "up": "mlp/gating_einsum 2FD 1"}      # Gemma 2 from 9B on, Gemma 3
EYES = ("SigLiPFromPatches_0/", "vision_encoder/", "embedder/mm_")                 # what reads pictures, not text

KV, QKV, GATING = "layer_0/attn/kv_einsum", "layer_0/attn/qkv_einsum", "layer_0/mlp/gating_einsum"
SIZES = {"embedder/input_embedding": "VD", "layer_0/attn/attn_vec_einsum": "NHD", "layer_0/mlp/linear": "FD"}
GENERATIONS = {"layer_0/attn/_query_norm/scale": GEMMA3_1B, "layer_0/post_attention_norm/scale": GEMMA2_2B}


def read_config(stored) -> Config:
    """What the shapes say; what they leave unsaid is as in the released model of these sizes, or of this generation."""
    given = sizes(stored)
    usual = next((cfg for mark, cfg in GENERATIONS.items() if mark in stored), GEMMA_2B)
    twins = [cfg for cfg in PRESETS.values() if (cfg.block, cfg.mixer) == (usual.block, usual.mixer)
             and all(getattr(cfg, letter) == size for letter, size in given.items() if letter != "V")]
    return replace(twins[0] if twins else usual, **given)


def sizes(stored):
    """The letters, from the tensors of the first layer and a count of the layers."""
    together = QKV in stored
    wanted = SIZES | ({QKV: "3KDH"} if together else {KV: "2KDH"})
    if wrong := [name for name, axes in wanted.items() if name not in stored or len(stored[name].shape) != len(axes)]:
        raise ValueError(f"it lacks {', '.join(wrong)}, or they have other axes; take the Flax checkpoint of a Gemma "
                         "1, 2 or 3, with all of its files")
    found = {axis: size for name, axes in wanted.items() for axis, size in zip(axes, stored[name].shape, strict=True)}
    return {axis: found[axis] for axis in "VDNKHF"} | {
        "L": sum(name.endswith("/attn/attn_vec_einsum") for name in stored)}


def theirs(cfg, stored):
    """Their name and letters for each weight, in the form of our tree."""
    slots = LAYER
    if QKV in stored:
        slots = slots | {"mixer": slots["mixer"] | A_KEY_PER_QUERY}
    if turned(cfg, stored):
        slots = slots | {"mlp": slots["mlp"] | TURNED}
    layers = by_layer(cfg, slots, "layer_{}/")
    return {"embed": EMBED, "place": {}, "layers": layers, "final_norm": {"scale": FINAL_NORM}}


def turned(cfg, stored):
    """Does gating_einsum stand as (2, F, D)?  Its shape says so, but for D = F."""
    if cfg.D == cfg.F:
        raise ValueError(f"D = F = {cfg.D}, so the shape of gating_einsum does not say which of its axes is which, and "
                         "Gemmas were released in both orders; bring this one in the Hugging Face layout")
    return GATING in stored and stored[GATING].shape == (2, cfg.F, cfg.D)


def matrix(cfg, text):
    """The name, the shape and the letters of a tensor of theirs, and which of its parts is meant."""
    name, letters, *part = text.split()
    shape = tuple(int(axis) if axis.isdigit() else getattr(cfg, axis) for axis in letters)
    return name, shape, letters.lstrip("23"), tuple(map(int, part))


def needed(cfg, stored):
    """Their name and shape for each tensor."""
    return {name: shape for name, shape, *_ in (matrix(cfg, text) for text in leaves(theirs(cfg, stored)))}
