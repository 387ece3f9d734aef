"""Every size and every choice in a model, in one place."""
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from math import inf

import jax

from . import jax_gemma, numpy_gemma


@jax.tree_util.register_static
@dataclass(frozen=True, repr=False)
class Config:
    """Sizes (the letters), choices (functions), and what differs from layer to layer without being learned.

    The defaults are Gemma 2B.  A pattern is repeated down the layers: `window=(4096, inf)` is
    local, global, local, global …
    """
    V: int = 256_000
    D: int = 2048
    L: int = 18
    N: int = 8
    K: int = 1
    H: int = 256
    F: int = 16_384
    S: int = 8192                   # the longest text, in tokens

    place: Callable = jax_gemma.unplaced
    norm: Callable = jax_gemma.rms_norm
    rotate: Callable = jax_gemma.rope
    mixer: Callable = jax_gemma.attention
    mlp: Callable = jax_gemma.geglu
    block: Callable = jax_gemma.block

    window: tuple = (inf,)          # how far back a layer sees, itself included
    base: tuple = (10_000.0,)       # the slowest rotation takes 2π · base positions
    stretch: tuple = (1.0,)         # a position counts for 1/stretch

    def __post_init__(self):
        for letter in "VDLNKHFS":
            size = getattr(self, letter)
            if type(size) is not int or size < 1:
                raise ValueError(f"{letter} = {size!r} is no size; give a whole number of at least 1")
        if self.N % self.K:
            raise ValueError(f"{self.N} query heads cannot share {self.K} key heads evenly; let K divide N")
        for name in ("window", "base", "stretch"):
            pattern = getattr(self, name)
            if type(pattern) is not tuple or not pattern or not all(number > 0 for number in pattern):
                raise ValueError(f"{name} = {pattern!r} is no pattern; give a tuple of positive numbers, as in "
                                 f"{name}={getattr(type(self), name)}")
        if self.H % 2:
            raise ValueError(f"a head of width H = {self.H} has no two halves to rotate; make H even")

    def __repr__(self):
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        named = (f"{name}={getattr(value, '__name__', value)}" for name, value in values.items())
        return f"Config({', '.join(named)})"

    @cached_property
    def fixed(self):
        """What is fixed in each layer: a tuple of L dicts."""
        patterns = {"window": self.window, "base": self.base, "stretch": self.stretch}
        return tuple({name: pattern[layer % len(pattern)] for name, pattern in patterns.items()}
                     for layer in range(self.L))


GEMMA_2B = Config()
GEMMA_7B = replace(GEMMA_2B, D=3072, L=28, N=16, K=16, F=24_576)
TINY = Config(V=4096, D=256, L=6, N=4, K=1, H=64, F=768, S=256)

NANO = replace(TINY, V=512, D=64, L=2, N=4, H=16, F=192)

PRESETS = {"nano": NANO, "tiny": TINY, "gemma-2b": GEMMA_2B, "gemma-7b": GEMMA_7B}


def in_numpy(cfg):
    """The same model with every function swapped for its namesake in NumPy."""
    choices = {field.name: getattr(cfg, field.name) for field in fields(cfg) if field.type is Callable}
    missing = [f.__name__ for f in choices.values() if not hasattr(numpy_gemma, f.__name__)]
    if missing:
        raise NotImplementedError(f"{', '.join(missing)}: not written in NumPy; choose from numpy_gemma")
    return replace(cfg, **{slot: getattr(numpy_gemma, f.__name__) for slot, f in choices.items()})
