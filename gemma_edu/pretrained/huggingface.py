"""Gemma in the Hugging Face layout: a folder with config.json, safetensors, and perhaps tokenizer.model."""
import json
import shutil
from contextlib import contextmanager, suppress
from functools import partial
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ..data.tokenizer import Tokenizer
from ..numpy_gemma.tree import tree_map
from ..params import shape
from .fit import check_fit
from .huggingface_config import config_json, read_config
from .huggingface_names import as_theirs, matrix, needed, ours, theirs, turn
from .model import Model, check_vocabulary, precision
from .shards import INDEX, WHOLE, contents, read, refuse_pickles, write
from .tensors import check_tensors, on_device

EMBED, HEAD = "model.embed_tokens.weight", "lm_head.weight"


def load(folder, dtype=None) -> Model:
    """A model from a folder; names, sizes and files are checked before the weights are read."""
    folder = Path(folder)
    if not folder.is_dir():
        refuse_pickles([folder])
        raise NotADirectoryError(f"{folder} is not a folder; give the one that holds config.json and the weights")
    cfg, stored = read_config(folder), without_head(contents(folder))
    check_tensors(needed(cfg), stored, f"the tensors in {folder} are not those that its config.json asks for",
                  "take both files from the same Gemma")
    tokenizer = Tokenizer.load(folder) if (folder / "tokenizer.model").exists() else None
    check_vocabulary(cfg, tokenizer)
    size = sum(prod(tensor.shape) * tensor.dtype.itemsize for tensor in stored.values())
    dtype = precision(dtype, stored[EMBED].dtype, size)
    check_fit(cfg, dtype)
    return Model(cfg, tree_map(partial(placed, cfg, stored, dtype), ours(cfg), theirs(cfg)), tokenizer)


def placed(cfg, stored, dtype, axes, text):
    """Read one tensor, and put it where the model computes."""
    name, _, letters = matrix(cfg, text)
    w = turn(read(stored[name]).reshape(shape(cfg, letters)), letters, axes)
    return on_device(w, dtype, name, stored[name].path)


def without_head(stored):
    """Gemma's head is its embedding; a file that repeats the table is read as if it did not."""
    repeated = HEAD in stored and EMBED in stored and np.array_equal(read(stored[HEAD]), read(stored[EMBED]))
    return {name: tensor for name, tensor in stored.items() if not (repeated and name == HEAD)}


def save(folder, model, largest=5 * 10**9):
    """Write a model into a folder, in files of at most `largest` bytes; if that fails, the folder stays as it was."""
    cfg, params, tokenizer = model
    about = config_json(cfg, tokenizer, params["embed"].dtype)
    check_vocabulary(cfg, tokenizer)
    tensors = as_theirs(cfg, params)
    with exchange(Path(folder)) as fresh:
        write(fresh, tensors, largest)
        if tokenizer is not None:
            tokenizer.save(fresh)
        (fresh / "config.json").write_text(json.dumps(about, indent=2) + "\n")


@contextmanager
def exchange(folder):
    """A fresh place to write to; once all is written, its files replace those of the folder's old model."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; give a folder to save the model in")
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob(".saving-*"):         # what a save left behind that was killed
        shutil.rmtree(stale)
    try:
        with TemporaryDirectory(dir=folder, prefix=".saving-") as fresh:
            yield Path(fresh)
            for name in ("config.json", "tokenizer.model", WHOLE, INDEX):
                (folder / name).unlink(missing_ok=True)
            for shard in folder.glob("model-*-of-*.safetensors"):
                shard.unlink()
            for file in sorted(Path(fresh).iterdir(), key=lambda file: file.name == "config.json"):
                file.rename(folder / file.name)      # config.json last: without it, a folder is no model
    finally:
        if new:
            with suppress(OSError):
                folder.rmdir()                     # only an empty one goes
