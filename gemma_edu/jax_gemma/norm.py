"""Norms: keep the stream at a length that the next layer can count on."""
import jax.numpy as jnp

from ..axes import BTD, BTNH, D, H
from .precision import widen

EPSILON = 1e-6      # inside the root: a stream of zeros stays a stream of zeros


def rms_norm(x: BTD, scale: D) -> BTD:
    """Set the length of each vector to one, then let the model stretch each coordinate.

    The scale is stored as its distance from 1, and the length of one is that of the average
    coordinate.  Zhang and Sennrich 2019.
    """
    wide = widen(x)
    rms = jnp.sqrt(jnp.mean(wide * wide, axis=-1, keepdims=True) + EPSILON)
    return (wide / rms * (1 + widen(scale))).astype(x.dtype)


def head_norm(x: BTNH, scale: H) -> BTNH:
    """The norm of each head's vector: Gemma 3 sets the lengths of queries and keys."""
    B, T, N, H = x.shape
    return rms_norm(x.reshape(B, T * N, H), scale).reshape(x.shape)


def layer_norm(x: BTD, scale: D, bias: D) -> BTD:
    """Remove the mean of each vector first.  Ba, Kiros and Hinton 2016."""
    wide = widen(x)
    centred = wide - jnp.mean(wide, axis=-1, keepdims=True)
    return (rms_norm(centred, scale) + widen(bias)).astype(x.dtype)


def batch_norm(x: BTD, scale: D, bias: D) -> BTD:
    """Compare each coordinate with the same one elsewhere in the batch, past and future alike.

    Ioffe and Szegedy 2015, with the statistics of the batch at hand: in a decoder it leaks.
    """
    wide = widen(x)
    centred = wide - jnp.mean(wide, axis=(0, 1))
    std = jnp.sqrt(jnp.mean(centred * centred, axis=(0, 1)) + EPSILON)
    return (centred / std * (1 + widen(scale)) + widen(bias)).astype(x.dtype)


def no_norm(x: BTD) -> BTD:
    """Leave the stream as it is."""
    return x
