"""Gemma as Google's JAX code keeps it, and Kaggle gives it out: an Orbax checkpoint, with tokenizer.model beside it.

A checkpoint is a folder such as `2b-it`; the folder around it is recognised, too.  The checkpoint is read by Orbax
itself, tensor by tensor, so that a model never stands in memory twice; it is imported only then, for it takes a second.
"""
import json
import logging
from contextlib import closing
from dataclasses import replace
from functools import lru_cache, partial
from math import ceil, prod
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from ..data.tokenizer import Tokenizer
from ..numpy_gemma.tree import tree_map
from ..params import shape
from .fit import check_fit
from .huggingface_names import ours, turn
from .model import FLOATS, Model, check_vocabulary, precision, without_padding
from .orbax_names import EYES, matrix, needed, read_config, theirs
from .tensors import check_tensors, on_device, only

MARKS = ("_METADATA", "manifest.ocdbt", "checkpoint")      # files that only an Orbax checkpoint holds, whole or not
EMBED = "embedder/input_embedding"
AGAIN = "download it again, all of its files"

logging.getLogger("absl").setLevel(logging.CRITICAL)       # Orbax warns of whatever an old checkpoint lacks


class Stored(NamedTuple):
    """Where a tensor stands in the tree of a checkpoint."""
    keys: tuple[str, ...]
    dtype: np.dtype
    shape: tuple[int, ...]


def recognises(path):
    """Is this folder a checkpoint, or does it hold one?"""
    return bool(checkpoints(Path(path)))


def checkpoints(folder):
    """The folder itself, or those in it."""
    if not folder.is_dir():
        return []
    found = [place for place in (folder, *sorted(folder.iterdir())) if any((place / mark).is_file() for mark in MARKS)]
    return found[:1] if folder in found else found


def load(folder, dtype=None) -> Model:
    """A model from a checkpoint; names, sizes and files are checked before the weights are read."""
    place = only(checkpoints(Path(folder)), folder, "Orbax checkpoint", "folder")
    stored = contents(place)
    try:
        rows = read_config(stored)
        names = theirs(rows, stored)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
    check_tensors(needed(rows, stored), stored, f"the tensors in {place} are not those of a Gemma of its sizes", AGAIN)
    check_floats(place, stored)
    check_chunks(place)
    tokenizer = beside(place)
    cfg = replace(rows, V=without_padding(rows.V, tokenizer))
    check_vocabulary(cfg, tokenizer)
    size = sum(prod(tensor.shape) * tensor.dtype.itemsize for tensor in stored.values())
    dtype = precision(dtype, stored[EMBED].dtype, size)
    check_fit(cfg, dtype)
    reading = lru_cache(1)(lambda name: read(place, stored[name]))      # the parts of a tensor are asked for in a row
    return Model(cfg, tree_map(partial(placed, cfg, place, reading, dtype), ours(cfg), names), tokenizer)


def placed(cfg, place, reading, dtype, axes, text):
    """Read one weight, leave out its padding, and put it where the model computes."""
    name, _, letters, part = matrix(cfg, text)
    w = reading(name)[part][tuple(map(slice, shape(cfg, letters)))]
    return on_device(turn(w, letters, axes), dtype, name, place)


def beside(place):
    """The tokenizer in a checkpoint's folder, or in the one around it; None where there is none."""
    return next((Tokenizer.load(near) for near in (place, place.parent) if (near / "tokenizer.model").exists()), None)


# ---- Orbax
def contents(place):
    """Every tensor of a text model by its name: where it stands.  Names come without `transformer/` and `/w`."""
    if not (place / "_METADATA").is_file():
        raise FileNotFoundError(f"{place} lacks _METADATA; {AGAIN}")
    tree, found = ask(place, lambda handler: handler.metadata(place.absolute()).tree), {}
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        keys = tuple(str(getattr(key, "key", key)) for key in path)
        name = "/".join(keys).removeprefix("transformer/").removesuffix("/w")
        if not name.startswith(EYES):
            found[name] = Stored(keys, np.dtype(leaf.dtype), tuple(leaf.shape))
    return found


def read(place, tensor):
    """The numbers of one tensor."""
    import orbax.checkpoint as ocp
    restore_args = nested(tensor.keys, ocp.RestoreArgs(restore_type=np.ndarray))
    args = ocp.args.PyTreeRestore(nested(tensor.keys, 0), restore_args, partial_restore=True)
    return jax.tree.leaves(ask(place, lambda handler: handler.restore(place.absolute(), args=args)))[0]


def nested(keys, leaf):
    return {keys[0]: nested(keys[1:], leaf)} if keys else leaf


def ask(place, question):
    """Ask Orbax, which fails in many ways where files are missing or cut short."""
    import orbax.checkpoint as ocp
    try:
        with closing(ocp.PyTreeCheckpointHandler()) as handler:
            return question(handler)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{place} is not a whole Orbax checkpoint ({reason}); {AGAIN}") from None


def check_floats(place, stored):
    """Whole numbers are weights divided by something, and this layout does not say by what."""
    if strange := sorted({tensor.dtype.name for tensor in stored.values()} - set(FLOATS)):
        raise ValueError(f"{place} holds {', '.join(strange)}; only {', '.join(FLOATS)} can be read, so take the "
                         "weights before they were quantized")


def check_chunks(place):
    """Orbax takes a file that an old checkpoint has lost for zeros, and no weight of Gemma is all zeros."""
    for path in place.rglob(".zarray"):
        array = json.loads(path.read_text())
        chunks = prod(ceil(size / chunk) for size, chunk in zip(array["shape"], array["chunks"], strict=True))
        if (held := sum(1 for each in path.parent.iterdir() if each != path)) < chunks:
            raise ValueError(f"{path.parent} holds {held} of {chunks} files; {AGAIN}")
