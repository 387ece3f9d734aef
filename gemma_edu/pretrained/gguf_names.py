"""Where each weight of a Gemma stands in llama.cpp's files: its name, and the order of its axes."""
import numpy as np

from ..numpy_gemma.tree import leaves
from .gguf_blocks import numbers, packed
from .huggingface_names import by_layer, matrix

THEIRS = {      # our tree, with their names, and the letters of their rows and of their columns
    "embed": "token_embd V D",
    "place": {},
    "layers": {
        "mixer_norm": {"scale": "attn_norm D"},
        "mixer": {"wq": "attn_q NH D", "wk": "attn_k KH D", "wv": "attn_v KH D", "wo": "attn_output D NH",
                  "q_norm": "attn_q_norm H", "k_norm": "attn_k_norm H"},
        "mixer_post_norm": {"scale": "post_attention_norm D"},
        "mlp_norm": {"scale": "ffn_norm D"},
        "mlp": {"gate": "ffn_gate F D", "up": "ffn_up F D", "down": "ffn_down D F"},
        "mlp_post_norm": {"scale": "post_ffw_norm D"}},
    "final_norm": {"scale": "output_norm D"}}
EMBED, HEAD, FREQUENCIES = "token_embd.weight", "output.weight", "rope_freqs.weight"


def theirs(cfg):
    """Their name and letters for each weight, in the form of our tree."""
    return THEIRS | {"layers": by_layer(cfg, THEIRS["layers"], "blk.{}.")}


def needed(cfg):
    """Their name and shape for each weight."""
    return {name: size for name, size, _ in (matrix(cfg, text) for text in leaves(theirs(cfg)))}


def without_repeats(stored):
    """A head that repeats the table, and frequencies that are left as they are, say nothing."""
    return {name: tensor for name, tensor in stored.items() if not says_nothing(name, tensor, stored.get(EMBED))}


def says_nothing(name, tensor, embed):
    if name == HEAD:
        return tensor._replace(start=embed.start) == embed and np.array_equal(packed(tensor), packed(embed))
    return name == FREQUENCIES and np.all(numbers(tensor, np.float32) == 1)
