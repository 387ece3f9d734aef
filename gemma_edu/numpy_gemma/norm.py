"""Norms: keep the stream at a length that the next layer can count on."""
import numpy as np

from ..axes import BTD, BTNH, D, H
from .precision import widen

EPSILON = 1e-6      # inside the root: a stream of zeros stays a stream of zeros


def rms_norm(x: BTD, scale: D) -> BTD:
    """Set the length of each vector to one, then let the model stretch each coordinate.

    The scale is stored as its distance from 1, and the length of one is that of the average
    coordinate.  Zhang and Sennrich 2019.
    """
    wide = widen(x)
    rms = np.sqrt(np.mean(wide * wide, axis=-1, keepdims=True) + EPSILON)
    return (wide / rms * (1 + widen(scale))).astype(x.dtype)


def rms_norm_backward(dy, x, scale):
    rms = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + EPSILON)
    unit = x / rms
    dunit = dy * (1 + scale)
    dx = (dunit - unit * np.mean(dunit * unit, axis=-1, keepdims=True)) / rms
    return dx, np.sum(dy * unit, axis=(0, 1))


def head_norm(x: BTNH, scale: H) -> BTNH:
    """The norm of each head's vector: Gemma 3 sets the lengths of queries and keys."""
    B, T, N, H = x.shape
    return rms_norm(x.reshape(B, T * N, H), scale).reshape(x.shape)


def head_norm_backward(dy, x, scale):
    B, T, N, H = x.shape
    dx, dscale = rms_norm_backward(dy.reshape(B, T * N, H), x.reshape(B, T * N, H), scale)
    return dx.reshape(x.shape), dscale


def layer_norm(x: BTD, scale: D, bias: D) -> BTD:
    """Remove the mean of each vector first.  Ba, Kiros and Hinton 2016."""
    wide = widen(x)
    centred = wide - np.mean(wide, axis=-1, keepdims=True)
    return (rms_norm(centred, scale) + widen(bias)).astype(x.dtype)


def layer_norm_backward(dy, x, scale, bias):
    centred = x - np.mean(x, axis=-1, keepdims=True)
    dcentred, dscale = rms_norm_backward(dy, centred, scale)
    return dcentred - np.mean(dcentred, axis=-1, keepdims=True), dscale, np.sum(dy, axis=(0, 1))


def batch_norm(x: BTD, scale: D, bias: D) -> BTD:
    """Compare each coordinate with the same one elsewhere in the batch, past and future alike.

    Ioffe and Szegedy 2015, with the statistics of the batch at hand: in a decoder it leaks.
    """
    wide = widen(x)
    centred = wide - np.mean(wide, axis=(0, 1))
    std = np.sqrt(np.mean(centred * centred, axis=(0, 1)) + EPSILON)
    return (centred / std * (1 + widen(scale)) + widen(bias)).astype(x.dtype)


def batch_norm_backward(dy, x, scale, bias):
    centred = x - np.mean(x, axis=(0, 1))
    std = np.sqrt(np.mean(centred * centred, axis=(0, 1)) + EPSILON)
    unit = centred / std
    dunit = dy * (1 + scale)
    dcentred = (dunit - unit * np.mean(dunit * unit, axis=(0, 1))) / std
    return dcentred - np.mean(dcentred, axis=(0, 1)), np.sum(dy * unit, axis=(0, 1)), np.sum(dy, axis=(0, 1))


def no_norm(x: BTD) -> BTD:
    """Leave the stream as it is."""
    return x


def no_norm_backward(dy, x):
    return dy
