"""Position: where a token stands, told to its queries and keys by a rotation, or to the stream.

Ways to turn queries and keys fill the slot `rotate`; ways to mark the stream fill the slot `place`.
"""
import jax.numpy as jnp

from ..axes import BT, BTD, BTNH, SD
from .precision import widen


def rope(x: BTNH, positions: BT, base=10_000.0, stretch=1.0) -> BTNH:
    """Turn each pair of coordinates by an angle that grows with the position.

    Coordinate i is paired with i + H/2; a position counts for 1/stretch.  Su et al. 2021.
    """
    a, b = jnp.split(widen(x), 2, axis=-1)
    wavelength = base ** (jnp.arange(a.shape[-1], dtype=a.dtype) / a.shape[-1])      # in positions per radian
    angle = positions[:, :, None, None].astype(a.dtype) / stretch / wavelength
    sin, cos = jnp.sin(angle), jnp.cos(angle)
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1).astype(x.dtype)


def unrotated(x: BTNH, positions: BT, base=10_000.0, stretch=1.0) -> BTNH:
    """Leave queries and keys as they are."""
    return x


def sinusoidal(x: BTD, positions: BT) -> BTD:
    """Add a fixed wave to each coordinate of the stream.  Vaswani et al. 2017, section 3.5."""
    half = x.shape[-1] // 2
    wavelength = 10_000.0 ** (jnp.arange(half, dtype=widen(x).dtype) / half)
    angle = positions[:, :, None].astype(wavelength.dtype) / wavelength
    return x + jnp.concatenate([jnp.sin(angle), jnp.cos(angle)], axis=-1).astype(x.dtype)


def learned(x: BTD, positions: BT, table: SD) -> BTD:
    """Add a learned vector for each position; past the end of the table, the last one."""
    return x + jnp.take(table, positions, axis=0, mode="clip")


def unplaced(x: BTD, positions: BT) -> BTD:
    """Leave the stream as it is: queries and keys are turned instead."""
    return x
