"""The machine that a figure belongs to: what computes, in which versions, and how much memory it has taken."""
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ["gemma-edu", "jax", "jaxlib", "numpy", "torch", "transformers", "llama-cpp-python"]


def about():
    """Device, cores and versions, for the head of a table."""
    import jax
    device = jax.devices()[0]
    return {"device": processor() if device.platform == "cpu" else device.device_kind, "platform": device.platform,
            "cores": cores(), "memory_gb": round(memory() / 1e9, 1), "system": platform.system(),
            "python": platform.python_version(), "versions": versions()}


def processor():
    """The name of the processor, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def cores():
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def memory():
    import psutil
    return psutil.virtual_memory().total


def versions():
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def peak_bytes(device=None):
    """The most memory that this process has held: on an accelerator its own count, on a CPU the system's (VmHWM)."""
    stats = device.memory_stats() if device is not None else None
    if stats and "peak_bytes_in_use" in stats:
        return stats["peak_bytes_in_use"]
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except OSError:
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
