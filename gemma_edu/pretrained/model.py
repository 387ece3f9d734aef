"""What a loaded model is, and how precise its weights are."""
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from ..config import Config
from ..data.tokenizer import Tokenizer

FLOATS = ["bfloat16", "float16", "float32", "float64"]
PADDING = 128      # rows that a table got for the sake of a TPU
SMALL = 10**9      # bytes of a checkpoint that a CPU, which is slow in bfloat16, reads as float32


class Model(NamedTuple):
    """Sizes and choices, weights, and a vocabulary; a folder without one gives a model without one."""
    cfg: Config
    params: dict[str, Any]
    tokenizer: Tokenizer | None


def precision(dtype, stored, size):
    """The dtype to load in: as asked, or "stored"; else float32 where a CPU holds that easily; else as stored."""
    if dtype is None and size < SMALL and jax.default_backend() == "cpu":
        return jnp.dtype("float32")
    if dtype is None or dtype == "stored":
        return jax.dtypes.canonicalize_dtype(stored)
    try:
        wanted = jnp.dtype(dtype)
    except TypeError:
        wanted = dtype
    if str(wanted) not in FLOATS:
        raise ValueError(f"dtype = {dtype!r} is not supported; choose from {', '.join(FLOATS)}")
    if wanted == jnp.float64 and not jax.config.jax_enable_x64:
        raise ValueError('dtype = "float64" is off in JAX; call jax.config.update("jax_enable_x64", True) first')
    return wanted


def check_vocabulary(cfg, tokenizer):
    """Every piece needs a row; rows without a piece are padding, as in Gemma's 256128."""
    if tokenizer is not None and tokenizer.size > cfg.V:
        raise ValueError(f"the tokenizer has {tokenizer.size} pieces and the model V = {cfg.V} rows of the embedding; "
                         "they belong to different models, so find the tokenizer.model of this one")


def without_padding(rows, tokenizer):
    """How many rows belong to a token: the 128 that may follow mean none, and must not be written."""
    pieces = 256_000 if tokenizer is None else tokenizer.size
    return pieces if rows == pieces + PADDING else rows
