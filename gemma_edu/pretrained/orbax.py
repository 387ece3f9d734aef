"""Gemma as Google's JAX code keeps it, and Kaggle gives it out: an Orbax checkpoint, with tokenizer.model beside it.

A checkpoint is a folder such as `2b-it`; the folder around it is recognised, too.  Orbax lets TensorStore write its
arrays, and TensorStore reads them here, one by one: a model never stands in memory twice, and a lost file is one error,
where Orbax, which asks for all arrays at once, would let each of them complain.
"""
import json
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from math import ceil, prod
from pathlib import Path

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
    check_pieces(place, stored)
    tokenizer = beside(place)
    cfg = replace(rows, V=without_padding(rows.V, tokenizer))
    check_vocabulary(cfg, tokenizer)
    size = sum(tensor.size * tensor.dtype.numpy_dtype.itemsize for tensor in stored.values())
    dtype = precision(dtype, stored[EMBED].dtype.numpy_dtype, size)
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


# ---- files
def contents(place):
    """Every tensor of a text model by its name, without `transformer/` and `/w`: opened, and not yet read."""
    if not (place / "_METADATA").is_file():
        raise FileNotFoundError(f"{place} lacks _METADATA; {AGAIN}")
    with whole(place):
        about = json.loads((place / "_METADATA").read_text())
        return {name: opened(place, path, about) for name, path in arrays(about)}


def arrays(about):
    """The name of each array, and its path among the files; what has no numbers, such as None, has no array."""
    for leaf in about["tree_metadata"].values():
        keys = [each["key"] for each in leaf["key_metadata"]]
        name = "/".join(keys).removeprefix("transformer/").removesuffix("/w")
        if not leaf["value_metadata"]["skip_deserialize"] and not name.startswith(EYES):
            yield name, ".".join(keys)


def opened(place, path, about):
    """One array, in a folder of its own or in OCDBT's files, in either version of zarr."""
    import tensorstore
    files = {"driver": "file", "path": f"{place.absolute()}/"}
    if (place / "manifest.ocdbt").exists():
        files = {"driver": "ocdbt", "base": files, "path": ""}
    files["path"] += f"{path}/"
    driver = "zarr3" if about.get("use_zarr3") else "zarr"
    return tensorstore.open({"driver": driver, "kvstore": files, "fill_missing_data_reads": False}, read=True).result()


def read(place, tensor) -> np.ndarray:
    """The numbers of one tensor."""
    with whole(place):
        return tensor.read().result()


@contextmanager
def whole(place):
    """Files that are missing or cut short fail in many ways; all of them mean one thing."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{place} is not a whole Orbax checkpoint ({reason}); {AGAIN}") from None


def check_floats(place, stored):
    """Whole numbers are weights divided by something, and this layout does not say by what."""
    if strange := sorted({tensor.dtype.name for tensor in stored.values()} - set(FLOATS)):
        raise ValueError(f"{place} holds {', '.join(strange)}; only {', '.join(FLOATS)} can be read, so take the "
                         "weights before they were quantized")


def check_pieces(place, stored):
    """Every array must be there as a whole: its metadata, and a value for each of its pieces."""
    for name, tensor in stored.items():
        pieces = prod(map(ceil, np.divide(tensor.shape, tensor.chunk_layout.write_chunk.shape)))
        with whole(place):
            held = len(tensor.kvstore.list().result()) - 1
        if held < pieces:
            raise ValueError(f"{name} in {place} holds {held} of {pieces} pieces; {AGAIN}")
