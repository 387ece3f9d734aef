"""GGUF, llama.cpp's file: metadata by key, and tensors by name.

A file is four letters, a version and two counts; then the metadata, each a key, a type and a value; then of each tensor
its name, its sizes, its type, and where its bytes begin; and then those bytes.
"""
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

MAGIC, VERSIONS = b"GGUF", (2, 3)
NUMBERS = dict(enumerate(["<u1", "<i1", "<u2", "<i2", "<u4", "<i4", "<f4", "?"])) | {10: "<u8", 11: "<i8", 12: "<f8"}
TEXT, LIST = 8, 9
ALIGNED = 32      # tensors begin at multiples of this, unless the metadata says otherwise


class Tensor(NamedTuple):
    """Where a tensor lies, and the number of the type that its blocks are of."""
    path: Path
    start: int
    kind: int
    shape: tuple[int, ...]


class File(NamedTuple):
    """What a file says, and what it holds."""
    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, Tensor]


def is_gguf(path):
    """Does a file begin as GGUF does?"""
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def contents(path) -> File:
    """Everything in a file but the numbers of its tensors."""
    path = Path(path)
    if not is_gguf(path):
        raise ValueError(f"{path} is not a GGUF file; give one that llama.cpp can run, or download it again")
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as cursor:
        try:
            return header(path, cursor)
        except (EOFError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is damaged or cut short ({error}); download it again") from None


def header(path, cursor):
    cursor.seek(len(MAGIC))
    if (version := number(cursor, "<u4")) not in VERSIONS:
        raise ValueError(f"{path} is GGUF of version {version}, and only 2 and 3 are read; convert the model again "
                         "with a newer llama.cpp")
    tensors, entries = number(cursor, "<u8"), number(cursor, "<u8")
    metadata = dict(entry(cursor) for _ in range(entries))
    found = [tensor(path, cursor) for _ in range(tensors)]
    align = metadata.get("general.alignment", ALIGNED)
    if type(align) is not int or align < 1 or len(dict(found)) < len(found):
        raise EOFError("its tensors lie nowhere, or on one another")
    begin = -(-cursor.tell() // align) * align
    return File(path, metadata, {name: each._replace(start=begin + each.start) for name, each in found})


def take(cursor, count):
    """The next bytes."""
    data = cursor.read(min(count, len(cursor)))
    if len(data) < count:
        raise EOFError("it ends within its header")
    return data


def number(cursor, kind):
    return np.frombuffer(take(cursor, np.dtype(kind).itemsize), kind)[0].item()


def text(cursor):
    return take(cursor, int.from_bytes(take(cursor, 8), "little")).decode()


def entry(cursor):
    """A key of the metadata, and its value: a number, a text, or a list of one of these."""
    key, kind = text(cursor), number(cursor, "<u4")
    if kind != LIST:
        return key, values(cursor, kind, 1)[0]
    return key, values(cursor, number(cursor, "<u4"), number(cursor, "<u8"))


def values(cursor, kind, count):
    """So many values of one type."""
    if kind in NUMBERS:
        return np.frombuffer(take(cursor, count * np.dtype(NUMBERS[kind]).itemsize), NUMBERS[kind]).tolist()
    if kind != TEXT:
        raise EOFError(f"it holds a value of type {kind}")
    return [text(cursor) for _ in range(count)]


def tensor(path, cursor):
    """A name, and where that tensor lies after the header; the axis that runs quickest comes first, so turn them."""
    name = text(cursor)
    sizes = [number(cursor, "<u8") for _ in range(number(cursor, "<u4"))]
    kind, start = number(cursor, "<u4"), number(cursor, "<u8")
    return name, Tensor(path, start, kind, tuple(reversed(sizes)))
