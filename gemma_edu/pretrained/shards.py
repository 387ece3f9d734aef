"""Safetensors: named tensors in one file, or in many with an index that says which holds what.

A file is the length of its header in 8 bytes, the header in JSON, and then the numbers, row by row.
Reading goes through plain reads into fresh memory: a mapped file would count as memory, too.
"""
import json
from math import prod
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from safetensors import SafetensorError, safe_open

WHOLE, INDEX = "model.safetensors", "model.safetensors.index.json"
DTYPES = {"F64": np.dtype("float64"), "F32": np.dtype("float32"), "F16": np.dtype("float16"),
          "BF16": np.dtype(jnp.bfloat16)}
PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")


class Stored(NamedTuple):
    """Where a tensor lies."""
    path: Path
    start: int
    dtype: np.dtype
    shape: tuple[int, ...]


def contents(folder):
    """Every tensor of a folder by its name: where it lies.  Nothing is read but headers."""
    if (folder / WHOLE).exists():
        return header(folder / WHOLE)
    if not (folder / INDEX).exists():
        refuse_pickles(folder.iterdir())
        raise FileNotFoundError(f"{folder} holds neither {WHOLE} nor {INDEX}; download the weights into it")
    found = {}
    for path in shard_paths(folder):
        tensors = header(path)
        if twice := sorted(found.keys() & tensors.keys()):
            raise ValueError(f"{path} and {found[twice[0]].path} both hold {twice[0]}; download them again")
        found |= tensors
    return found


def shard_paths(folder):
    """The files that the index names, each once."""
    path = folder / INDEX
    try:
        files = sorted(set(json.loads(path.read_text("utf-8"))["weight_map"].values()))
        absent = [file for file in files if Path(file).name != file or not (folder / file).is_file()]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f'{path} is no index with a "weight_map" from tensors to files; download it again') from None
    if absent:
        raise FileNotFoundError(f"{path} names {', '.join(absent)}, and {folder} has no such file; download it, too")
    return [folder / file for file in files]


def refuse_pickles(paths):
    """A pickle is a program: loading one runs it."""
    if pickles := sorted(str(path) for path in paths if path.suffix in PICKLES):
        raise ValueError(f"{', '.join(pickles)}: pickled weights are programs, and are never run here; take the "
                         "safetensors of the same model, or, if you trust the file, convert its folder: "
                         "GemmaForCausalLM.from_pretrained(folder).save_pretrained(new_folder) in transformers")


def header(path):
    """The tensors of one file by name; the safetensors library checks that the header fits the file."""
    try:
        with safe_open(path, "numpy"):
            pass
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file ({error}); download it again") from None
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        entries = json.loads(file.read(length))
    entries.pop("__metadata__", None)
    return {name: stored(path, 8 + length, name, **entry) for name, entry in entries.items()}


def stored(path, begin, name, dtype, shape, data_offsets):
    if dtype not in DTYPES:
        raise ValueError(f"{path} stores {name} as {dtype}; only {', '.join(DTYPES)} can be read, so take the weights "
                         "before they were quantized")
    return Stored(path, begin + data_offsets[0], DTYPES[dtype], tuple(shape))


def read(tensor):
    """The numbers of one tensor, in memory of their own."""
    numbers = np.fromfile(tensor.path, tensor.dtype, prod(tensor.shape), offset=tensor.start)
    return numbers.reshape(tensor.shape)


def write(folder, tensors, largest):
    """Write arrays by name, into as many files as keep each below `largest` bytes."""
    parts = split(tensors, largest)
    files = [WHOLE] if len(parts) == 1 else [
        f"model-{n:05}-of-{len(parts):05}.safetensors" for n in range(1, len(parts) + 1)]
    for file, part in zip(files, parts, strict=True):
        write_file(folder / file, {name: tensors[name] for name in part})
    if len(parts) > 1:
        index = {"metadata": {"total_size": sum(tensor.nbytes for tensor in tensors.values())},
                 "weight_map": {name: file for file, part in zip(files, parts, strict=True) for name in part}}
        (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n")


def split(tensors, largest):
    """The names for each file: as many as fit, in the order given; a tensor is never cut."""
    parts, room = [[]], largest
    for name, tensor in tensors.items():
        if tensor.nbytes > room and parts[-1]:
            parts.append([])
            room = largest
        parts[-1].append(name)
        room -= tensor.nbytes
    return parts


def write_file(path, tensors):
    """Write one file, tensor by tensor; the widest numbers first, so that each begins at a multiple of its width."""
    codes = {dtype: code for code, dtype in DTYPES.items()}
    entries, at = {"__metadata__": {"format": "pt"}}, 0        # transformers asks for a format
    tensors = dict(sorted(tensors.items(), key=lambda item: -item[1].itemsize))
    for name, tensor in tensors.items():
        entries[name] = {"dtype": codes[tensor.dtype], "shape": tensor.shape, "data_offsets": [at, at + tensor.nbytes]}
        at += tensor.nbytes
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            file.write(np.ascontiguousarray(tensor).view(np.uint8))
