"""RoPE, and its gradient, as they come out when one thing is misunderstood; each is called like the right one."""
import numpy as np

from ...numpy_gemma import position
from ...numpy_gemma.precision import widen


def turned(x, positions, base=10_000.0, stretch=1.0, *, exponent=None, angle=None, sign=1):
    """RoPE with one thing changed: the exponents of the wavelengths, the angles, or the sign in the second half."""
    a, b = np.split(widen(x), 2, axis=-1)
    half = a.shape[-1]
    exponent = np.arange(half) / half if exponent is None else exponent(half)
    at = positions[:, :, None, None] / stretch
    angle = (at / base**exponent if angle is None else angle(at, base**exponent)).astype(a.dtype)
    sin, cos = np.sin(angle), np.cos(angle)
    return np.concatenate([a * cos - b * sin, b * cos + sign * a * sin], axis=-1).astype(x.dtype)


def by_index(x, positions, *options):
    return position.rope(x, np.tile(np.arange(x.shape[1]), (len(x), 1)), *options)


def compressed(x, positions, base=10_000.0, stretch=1.0):
    return position.rope(x, positions, base, 1 / stretch)


def unstretched(x, positions, base=10_000.0, stretch=1.0):
    return position.rope(x, positions, base)


def default_base(x, positions, base=10_000.0, stretch=1.0):
    return position.rope(x, positions, stretch=stretch)


def flipped(x, positions, *options):
    return position.rope(x, -positions, *options)


def unbraided(x, positions, *options):
    """Neighbours are turned, but come out as halves."""
    return position.rope(np.concatenate([x[..., ::2], x[..., 1::2]], axis=-1), positions, *options)


def one_after_the_other(x, positions, base=10_000.0, stretch=1.0):
    """The first half is turned, and then the second with the first as it has become."""
    a, b = np.split(widen(x), 2, axis=-1)
    half = a.shape[-1]
    angle = (positions[:, :, None, None] / stretch / base ** (np.arange(half) / half)).astype(a.dtype)
    a = a * np.cos(angle) - b * np.sin(angle)
    return np.concatenate([a, b * np.cos(angle) + a * np.sin(angle)], axis=-1).astype(x.dtype)


def of_position(dy, x, positions, base=10_000.0, stretch=1.0):
    """How fast the loss grows with the position: a number for each."""
    a, b = np.split(position.rope(x, positions, base, stretch), 2, axis=-1)
    speed = 1 / stretch / base ** (np.arange(a.shape[-1]) / a.shape[-1])
    return np.sum(dy * np.concatenate([-b * speed, a * speed], axis=-1), axis=(2, 3))


def own_coordinate(dy, x, positions, base=10_000.0, stretch=1.0):
    """Each coordinate's own path, and not the one through its partner."""
    half = x.shape[-1] // 2
    angle = positions[:, :, None, None] / stretch / base ** (np.arange(half) / half)
    return dy * np.concatenate([np.cos(angle)] * 2, axis=-1)


def default_options(dy, x, positions, base=10_000.0, stretch=1.0):
    return position.rope_backward(dy, x, positions)
