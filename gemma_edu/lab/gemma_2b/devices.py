"""What the makers of some devices say of them; none of it was measured here.

From the data sheets: memory in bytes, bytes per second out of it, and operations per second of its matrix units in
16-bit floats, without sparsity.  The T4 has no bfloat16, and its figure is for float16.
"""
from typing import NamedTuple


class Device(NamedTuple):
    """How much it holds, how fast that is read, and how fast it multiplies."""
    memory: float
    bandwidth: float
    rate: float


VENDORS = {
    "T4": Device(15e9, 320e9, 65e12),               # sold as 16 GB, of which 15 can be used
    "L4": Device(24e9, 300e9, 121e12),
    "TPU v5e": Device(16e9, 819e9, 197e12),
    "A100": Device(40e9, 1555e9, 312e12),
    "H100": Device(80e9, 3350e9, 989e12)}
LAPTOP = 16e9                                       # bytes of memory
