"""The same answers, found another way."""
from math import ceil, pi, sqrt

import numpy as np


def gelu(x):
    """As a number times a sigmoid, written so that nothing overflows."""
    u = np.sqrt(8 / np.pi).astype(x.dtype) * (x + x.dtype.type(0.044715) * x * x * x)
    small = np.exp(-np.abs(u))
    return x * np.where(u > 0, 1 / (1 + small), small / (1 + small))


def geglu(x, gate, up, down):
    """One position and one unit at a time."""
    y = np.zeros_like(x)
    for b, t in np.ndindex(x.shape[:2]):
        for f in range(gate.shape[1]):
            y[b, t] += gelu(x[b, t] @ gate[:, f]) * (x[b, t] @ up[:, f]) * down[f]
    return y


def slope(z):
    """The derivative of gelu, as a number times a switch: the switch, and z times the switch's own slope."""
    u, du = sqrt(8 / pi) * (z + 0.044715 * z**3), sqrt(8 / pi) * (1 + 3 * 0.044715 * z**2)
    s = 1 / (1 + np.exp(-u))
    return s + z * s * (1 - s) * du


def geglu_backward(dy, x, gate, up, down):
    """On flat positions, with both branches side by side."""
    flat, dflat, both = x.reshape(-1, x.shape[-1]), dy.reshape(-1, x.shape[-1]), np.concatenate([gate, up], axis=1)
    z, v = np.split(flat @ both, 2, axis=1)
    dh = dflat @ down.T
    dboth = np.concatenate([dh * v * slope(z), dh * gelu(z)], axis=1)
    dgate, dup = np.split(flat.T @ dboth, 2, axis=1)
    return (dboth @ both.T).reshape(x.shape), dgate, dup, (gelu(z) * v).T @ dflat


def gated_width(F, multiple):
    return multiple * ceil(2 * F / (3 * multiple))


def can_learn(beginnings):
    """By trying: one step of gradients from each beginning."""
    x, dy = np.random.default_rng(0).standard_normal((2, 1, 4, 3))
    shapes, answers = {"gate": (3, 5), "up": (3, 5), "down": (5, 3)}, []
    for zeros in beginnings:
        w = {name: np.zeros(shape) if name in zeros else np.ones(shape) + np.arange(15).reshape(shape) / 7
             for name, shape in shapes.items()}
        _, *grads = geglu_backward(dy, x, **w)
        answers.append(any(bool(np.any(each != 0)) for each in grads))
    return answers


def name_the_mistakes(mlps):
    """By exclusion: what is none of the others has the error function."""
    unit, at, named = np.ones((1, 1)), np.array([[2.7]]), []
    for mlp in mlps:
        y = mlp(np.ones((1, 1, 1)), at, -unit, unit).item()
        exact = {"right": -gelu(at).item(), "swapped": 2.7 * gelu(-unit).item(),
                 "twice": (gelu(at) * gelu(-unit)).item(), "silu": -2.7 / (1 + np.exp(-2.7))}
        named.append(next((name for name, value in exact.items() if abs(y - value) < 1e-8), "erf"))
    return named
