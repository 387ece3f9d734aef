"""Will it fit?  The bytes of a model at work against those that the device has free, before anything is loaded."""
from dataclasses import replace
from pathlib import Path

import jax
import psutil

from ..config import PRESETS
from ..params import count

DTYPES = ["float32", "bfloat16"]      # from the widest
LIMITS = [("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),      # of a container, in either version
          ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes")]


def weight_bytes(cfg, dtype) -> int:
    """Every weight, once."""
    return count(cfg) * jax.numpy.dtype(dtype).itemsize


def cache_bytes(cfg, dtype, S=None, B=1) -> int:
    """A key and a value for each layer, row, position and key head; by default for the longest text."""
    return 2 * cfg.L * B * (S or cfg.S) * cfg.K * cfg.H * jax.numpy.dtype(dtype).itemsize


def workspace_bytes(compute, *args, **static) -> int:
    """What the compiler sets aside for a jitted function besides its arguments; shapes are enough to ask it."""
    return compute.lower(*args, **static).compile().memory_analysis().temp_size_in_bytes


def free_bytes(device=None) -> int:
    """What a device has left: an accelerator says it of itself; a CPU has the machine's, or its container's."""
    stats = (device or jax.devices()[0]).memory_stats()
    if stats and "bytes_limit" in stats:
        return stats["bytes_limit"] - stats["bytes_in_use"]
    return min([psutil.virtual_memory().available, *contained()])


def contained():
    """What the limits of a container leave."""
    for limit, used in LIMITS:
        try:
            yield int(Path(limit).read_text()) - int(Path(used).read_text()) + droppable(Path(used))
        except (OSError, ValueError):      # there is none, or it is "max"
            continue


def droppable(used):
    """A container counts files that were just read or written as used, though it drops them where memory is wanted."""
    stat = used.with_name("memory.stat")
    sizes = dict(line.split() for line in stat.read_text().splitlines()) if stat.exists() else {}
    return int(sizes.get("total_inactive_file") or sizes.get("inactive_file", 0))


def check_fit(cfg, dtype, free=None):
    """Refuse a model whose weights the device cannot hold, and name the largest thing that it could."""
    needed, free = weight_bytes(cfg, dtype), free_bytes() if free is None else free
    if needed > free:
        raise MemoryError(f"{count(cfg):,} weights in {jax.numpy.dtype(dtype)} take {gigabytes(needed)}, and this "
                          f"{jax.default_backend()} has {gigabytes(free)} free; {advice(cfg, dtype, free)}")


def advice(cfg, dtype, free):
    """What to ask for instead."""
    size = jax.numpy.dtype(dtype).itemsize
    for narrower in DTYPES:
        if jax.numpy.dtype(narrower).itemsize < size and weight_bytes(cfg, narrower) <= free:
            return f'they would fit with dtype="{narrower}" ({gigabytes(weight_bytes(cfg, narrower))})'
    name = largest(free)
    if name is None:
        return "no Gemma would fit"
    size = gigabytes(weight_bytes(PRESETS[name], "bfloat16"))
    return f"the largest whose weights would fit is {name} in bfloat16 ({size})"


def largest(free):
    """The name of the largest Gemma whose weights fit in bfloat16; None where none does."""
    fitting = {name: weight_bytes(cfg, "bfloat16") for name, cfg in PRESETS.items()}
    fitting = {name: size for name, size in fitting.items() if size <= free}
    return max(fitting, key=fitting.get, default=None)


def reduced(cfg, L=2, V=4096):
    """The same shapes with few layers and a short table: true in each product, and small enough for any machine."""
    return replace(cfg, L=min(L, cfg.L), V=min(V, cfg.V))


def gigabytes(size) -> str:
    return f"{size / 1e9:.1f} GB"
