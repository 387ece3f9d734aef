"""A model stored for writing: as this device multiplies it fastest."""
import jax

from ..pretrained.load import load
from ..pretrained.model import Model
from .pairs import for_cpu
from .quantize import quantize


def load_fast(name, dtype=None) -> Model:
    """What `load` loads, in eight bits if `dtype` is "int8", and on a CPU by output.

    Such weights multiply and look up, and nothing else: they are for writing, not for learning or for a file.
    """
    cfg, params, tokenizer = load(name, dtype="bfloat16" if dtype == "int8" else dtype)
    if dtype == "int8":
        params = quantize(cfg, params)
    elif jax.default_backend() == "cpu":
        params = for_cpu(cfg, params)
    return Model(cfg, params, tokenizer)
