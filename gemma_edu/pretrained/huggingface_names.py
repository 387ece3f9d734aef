"""Where each weight of a Gemma stands in Hugging Face's files: its name, and the order of its axes."""
from math import prod

import jax
import numpy as np

from ..numpy_gemma.tree import leaves, per_layer, tree_map
from ..params import param_axes, shape
from .model import FLOATS

EMBED, FINAL_NORM = "model.embed_tokens V D", {"scale": "model.norm D"}
PARTS = {      # our names, with theirs, and the letters of their rows and of their columns
    "mixer": {"wq": "self_attn.q_proj NH D", "wk": "self_attn.k_proj KH D", "wv": "self_attn.v_proj KH D",
              "wo": "self_attn.o_proj D NH", "q_norm": "self_attn.q_norm H", "k_norm": "self_attn.k_norm H"},
    "mlp": {"gate": "mlp.gate_proj F D", "up": "mlp.up_proj F D", "down": "mlp.down_proj D F"}}
NORMS = {
    "block": {
        "mixer_norm": {"scale": "input_layernorm D"},
        "mlp_norm": {"scale": "post_attention_layernorm D"}},      # their name misleads: it stands before the MLP
    "block_with_post_norms": {
        "mixer_norm": {"scale": "input_layernorm D"},
        "mixer_post_norm": {"scale": "post_attention_layernorm D"},
        "mlp_norm": {"scale": "pre_feedforward_layernorm D"},
        "mlp_post_norm": {"scale": "post_feedforward_layernorm D"}}}


def theirs(cfg):
    """Their name and letters for each weight, in the form of our tree and the order of their files."""
    layers = by_layer(cfg, PARTS | NORMS[cfg.block.__name__], "model.layers.{}.")
    return {"embed": EMBED, "place": {}, "layers": layers, "final_norm": FINAL_NORM}


def by_layer(cfg, slots, prefix):
    """What somebody calls the weights of each layer, in the form of our tree and in the order of their slots."""
    return tuple({slot: {name: prefix.format(i) + text for name, text in names.items() if name in layer[slot]}
                  for slot, names in slots.items() if slot in layer} for i, layer in enumerate(ours(cfg)["layers"]))


def ours(cfg):
    """Our letters for each weight, layer by layer."""
    axes = param_axes(cfg)
    return axes | {"layers": (tree_map(lambda letters: letters.removeprefix("L"), axes["layers"]),) * cfg.L}


def matrix(cfg, text):
    """The name, the shape and the letters of a tensor of theirs."""
    name, *sides = text.split()
    return f"{name}.weight", tuple(prod(shape(cfg, side)) for side in sides), "".join(sides)


def needed(cfg):
    """Their name and shape for each weight, in the order of their files."""
    return {name: size for name, size, _ in (matrix(cfg, text) for text in leaves(theirs(cfg)))}


def turn(w, letters, wanted):
    """Put the axes of a weight into another order."""
    return w.transpose([letters.index(letter) for letter in wanted])


def as_theirs(cfg, params):
    """Each weight by their name and in their order: views, for on a CPU nothing is copied."""
    params = jax.tree.map(np.asarray, params)
    params = params | {"layers": per_layer(params["layers"])}
    check_params(cfg, params)
    found = {}
    for text, axes, w in zip(*map(jax.tree.leaves, (theirs(cfg), ours(cfg), params)), strict=True):
        name, size, letters = matrix(cfg, text)
        found[name] = turn(w, axes, letters).reshape(size)
    return {name: found[name] for name in needed(cfg)}


def check_params(cfg, params):
    """The weights must be those that the sizes ask for."""
    if jax.tree.structure(params) != jax.tree.structure(ours(cfg)):
        raise ValueError("these params do not have the weights of their cfg; save a Model as load or training made it")
    for axes, w in zip(jax.tree.leaves(ours(cfg)), jax.tree.leaves(params), strict=True):
        if w.shape != shape(cfg, axes) or w.dtype.name not in FLOATS:
            raise ValueError(f"a weight {axes} is {w.dtype} of {w.shape} and should be floats of {shape(cfg, axes)}; "
                             "save a Model as load or training made it")
