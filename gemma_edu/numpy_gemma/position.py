"""Position: where a token stands, told to its queries and keys by a rotation, or to the stream.

Ways to turn queries and keys fill the slot `rotate`; ways to mark the stream fill the slot `place`.
"""
import numpy as np

from ..axes import BT, BTD, BTNH, SD
from .precision import widen


def rope(x: BTNH, positions: BT, base=10_000.0, stretch=1.0) -> BTNH:
    """Turn each pair of coordinates by an angle that grows with the position.

    Coordinate i is paired with i + H/2; a position counts for 1/stretch.  Su et al. 2021.
    """
    a, b = np.split(widen(x), 2, axis=-1)
    wavelength = base ** (np.arange(a.shape[-1], dtype=a.dtype) / a.shape[-1])      # in positions per radian
    angle = positions[:, :, None, None].astype(a.dtype) / stretch / wavelength
    sin, cos = np.sin(angle), np.cos(angle)
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1).astype(x.dtype)


def rope_backward(dy, x, positions, base=10_000.0, stretch=1.0):
    return rope(dy, -positions, base, stretch)      # the gradient turns back


def unrotated(x: BTNH, positions: BT, base=10_000.0, stretch=1.0) -> BTNH:
    """Leave queries and keys as they are."""
    return x


def unrotated_backward(dy, x, positions, base=10_000.0, stretch=1.0):
    return dy


def sinusoidal(x: BTD, positions: BT) -> BTD:
    """Add a fixed wave to each coordinate of the stream.  Vaswani et al. 2017, section 3.5."""
    half = x.shape[-1] // 2
    wavelength = 10_000.0 ** (np.arange(half, dtype=widen(x).dtype) / half)
    angle = positions[:, :, None].astype(wavelength.dtype) / wavelength
    return x + np.concatenate([np.sin(angle), np.cos(angle)], axis=-1).astype(x.dtype)


def sinusoidal_backward(dy, x, positions):
    return dy


def learned(x: BTD, positions: BT, table: SD) -> BTD:
    """Add a learned vector for each position; past the end of the table, the last one."""
    return x + np.take(table, positions, axis=0, mode="clip")


def learned_backward(dy, x, positions, table):
    dtable = np.zeros_like(table)
    np.add.at(dtable, np.clip(positions, 0, len(table) - 1), dy)
    return dy, dtable


def unplaced(x: BTD, positions: BT) -> BTD:
    """Leave the stream as it is: queries and keys are turned instead."""
    return x


def unplaced_backward(dy, x, positions):
    return dy
