"""The numbers in a GGUF file: blocks of few bits, each with a scale of its own, unpacked by the gguf package."""
from math import prod

import numpy as np

STEP = 2**20      # numbers that are unpacked at a time: in float32, all at once may be larger than the model


def package():
    """The gguf package, which knows every type of block."""
    try:
        import gguf
    except ImportError:
        raise OSError('a GGUF file needs the package gguf; install it with: pip install "gemma-edu[gguf]"') from None
    return gguf


def packing(tensor):
    """The type of a tensor's blocks, how many numbers a block holds, and in how many bytes."""
    kind = package().GGMLQuantizationType(tensor.kind)
    return kind, *package().GGML_QUANT_SIZES[kind]


def packed(tensor, at=0, count=None):
    """The bytes of some of a tensor's numbers; both ends lie between blocks."""
    _, block, size = packing(tensor)
    count = prod(tensor.shape) - at if count is None else count
    return np.fromfile(tensor.path, np.uint8, count // block * size, offset=tensor.start + at // block * size)


def numbers(tensor, dtype):
    """All numbers of a tensor."""
    kind, flat = packing(tensor)[0], aligned(prod(tensor.shape), dtype)
    with np.errstate(over="ignore"):
        for at in range(0, flat.size, STEP):
            part = flat[at:at + STEP]
            part[:] = package().dequantize(packed(tensor, at, part.size), kind)
    return flat.reshape(tensor.shape)


def aligned(count, dtype):
    """Room that JAX takes over as it is, for it begins at a multiple of 64 bytes; any other it would copy."""
    size = count * np.dtype(dtype).itemsize
    room = np.empty(size + 64, np.uint8)
    begin = -room.ctypes.data % 64
    return room[begin:begin + size].view(dtype)


def check_blocks(file):
    """Every tensor must be of a known type, of whole blocks, and lie within the file."""
    for name, tensor in file.tensors.items():
        block, size = unpackable(file, name, tensor)
        if tensor.shape[-1] % block:
            raise ValueError(f"{name} in {file.path} has rows of {tensor.shape[-1]} numbers in blocks of {block}; "
                             "download it again")
        if tensor.start + prod(tensor.shape) // block * size > file.path.stat().st_size:
            raise ValueError(f"{file.path} is cut short: it ends before {name} does; download it again")


def unpackable(file, name, tensor):
    """How many numbers are in a block, and in how many bytes, if the package can unpack it."""
    try:
        kind, block, size = packing(tensor)
        package().dequantize(np.zeros(size, np.uint8), kind)
        return block, size
    except (ValueError, NotImplementedError):
        raise ValueError(f"{name} in {file.path} is packed as {called(tensor)}, which the package gguf cannot unpack; "
                         "take the model in another quantisation, Q8_0 perhaps, or update the package") from None


def called(tensor):
    """The name of a type, or its number where it is a newer one."""
    known = {kind.value: kind.name for kind in package().GGMLQuantizationType}
    return known.get(tensor.kind, f"type {tensor.kind}")
