"""Gemma 1, 2 and 3 as llama.cpp keeps them: one GGUF file with sizes, weights in few bits, and the vocabulary."""
from dataclasses import replace
from functools import partial
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from ..numpy_gemma.tree import tree_map
from ..params import count, shape
from .fit import check_fit
from .gguf_blocks import called, check_blocks, numbers
from .gguf_config import read_config
from .gguf_file import contents, is_gguf
from .gguf_names import EMBED, needed, theirs, without_repeats
from .gguf_tokenizer import read_tokenizer
from .huggingface_names import matrix, ours, turn
from .model import Model, check_vocabulary, precision, without_padding
from .tensors import check_tensors, on_device, only

STORED = {"F32": jnp.float32, "F16": jnp.float16}      # all other types are as coarse as bfloat16, or more


def recognises(path):
    """Is this a GGUF file, or a folder with one in it?"""
    return bool(files(Path(path)))


def files(path):
    """The file itself, or those in a folder."""
    if not path.is_dir():
        return [path] if path.suffix == ".gguf" or is_gguf(path) else []
    return sorted(path.glob("*.gguf"))


def load(path, dtype=None) -> Model:
    """A model from a GGUF file; names, sizes and types are checked before the weights are read."""
    file = contents(only(files(Path(path)), path, "GGUF file", "path"))
    rows, tokenizer = read_config(file), read_tokenizer(file)
    check_blocks(file)
    check_tensors(needed(rows), without_repeats(file.tensors), f"the tensors in {file.path} are not those that its "
                  "metadata asks for", "download another conversion")
    cfg = replace(rows, V=without_padding(rows.V, tokenizer))
    check_vocabulary(cfg, tokenizer)
    stored = jnp.dtype(STORED.get(called(file.tensors[EMBED]), jnp.bfloat16))
    dtype = precision(dtype, stored, count(cfg) * stored.itemsize)
    check_fit(cfg, dtype)
    return Model(cfg, tree_map(partial(placed, cfg, file, dtype), ours(cfg), theirs(cfg)), tokenizer)


def placed(cfg, file, dtype, axes, text):
    """Unpack one tensor, and put it where the model computes."""
    name, size, letters = matrix(cfg, text)
    w = unpacked(file.tensors[name], dtype)[:size[0]].reshape(shape(cfg, letters))
    return on_device(turn(w, letters, axes), dtype, name, file.path)


def unpacked(tensor, dtype):
    """The numbers of a weight; a norm is stored as what it multiplies by, and not as its distance from 1."""
    if len(tensor.shape) == 1:
        return numbers(tensor, np.float32) - 1
    return numbers(tensor, dtype)
