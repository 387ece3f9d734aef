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

    The defaults are Gemma 2B, the first.  A pattern is repeated down the layers: `window=(4096, inf)`
    is local, global, local, global …
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
    cap: Callable = jax_gemma.uncapped

    window: tuple = (inf,)          # how far back a layer sees, itself included
    base: tuple = (10_000.0,)       # the slowest rotation takes 2π · base positions
    stretch: tuple = (1.0,)         # a position counts for 1/stretch

    query_scale: float = 1.0        # of a query, besides H**-0.5
    score_cap: float = inf          # how large a score, or a logit, may become, where there is a cap
    logit_cap: float = inf

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
        for name in ("query_scale", "score_cap", "logit_cap"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} = {getattr(self, name)!r} should be a number above 0")
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


GEMMA_2B = Config()             # and Gemma 1.1, which was taught anew and is built the same
GEMMA_7B = replace(GEMMA_2B, D=3072, L=28, N=16, K=16, F=24_576)

GEMMA2_2B = replace(GEMMA_2B, D=2304, L=26, K=4, F=9216, window=(4096, inf), block=jax_gemma.block_with_post_norms,
                    cap=jax_gemma.soft_cap, score_cap=50.0, logit_cap=30.0)
GEMMA2_9B = replace(GEMMA2_2B, D=3584, L=42, N=16, K=8, F=14_336)
GEMMA2_27B = replace(GEMMA2_9B, D=4608, L=46, N=32, K=16, H=128, F=36_864,
                     query_scale=(128 / (4608 / 32))**0.5)      # it divides by the root of D/N, and not of H

GEMMA3_270M = replace(GEMMA_2B, V=262_144, D=640, N=4, F=2048, S=32_768, block=jax_gemma.block_with_post_norms,
                      mixer=jax_gemma.attention_with_qk_norm,
                      window=(*[512] * 5, inf), base=(*[10_000.0] * 5, 1_000_000.0))
GEMMA3_1B = replace(GEMMA3_270M, D=1152, L=26, F=6912)
GEMMA3_4B = replace(GEMMA3_1B, D=2560, L=34, N=8, K=4, F=10_240, S=131_072,
                    window=(*[1024] * 5, inf), stretch=(*[1.0] * 5, 8.0))
GEMMA3_12B = replace(GEMMA3_4B, D=3840, L=48, N=16, K=8, F=15_360)
GEMMA3_27B = replace(GEMMA3_12B, D=5376, L=62, N=32, K=16, H=128, F=21_504, query_scale=(128 / (5376 / 32))**0.5)

TINY = Config(V=4096, D=256, L=6, N=4, K=1, H=64, F=768, S=256)
NANO = replace(TINY, V=512, D=64, L=2, N=4, H=16, F=192)

PRESETS = {
    "nano": NANO, "tiny": TINY, "gemma-2b": GEMMA_2B, "gemma-7b": GEMMA_7B,
    "gemma2-2b": GEMMA2_2B, "gemma2-9b": GEMMA2_9B, "gemma2-27b": GEMMA2_27B,
    "gemma3-270m": GEMMA3_270M, "gemma3-1b": GEMMA3_1B, "gemma3-4b": GEMMA3_4B, "gemma3-12b": GEMMA3_12B,
    "gemma3-27b": GEMMA3_27B}


def difference(one, other):
    """What one model has otherwise than another: `{field: (its value, the other's)}`."""
    pairs = {field.name: (getattr(one, field.name), getattr(other, field.name)) for field in fields(one)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def in_numpy(cfg):
    """The same model with every function swapped for its namesake in NumPy."""
    choices = {field.name: getattr(cfg, field.name) for field in fields(cfg) if field.type is Callable}
    missing = [f.__name__ for f in choices.values() if not hasattr(numpy_gemma, f.__name__)]
    if missing:
        raise NotImplementedError(f"{', '.join(missing)}: not written in NumPy; choose from numpy_gemma")
    return replace(cfg, **{slot: getattr(numpy_gemma, f.__name__) for slot, f in choices.items()})
