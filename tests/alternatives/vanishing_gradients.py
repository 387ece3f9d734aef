"""The same answers, found another way."""
import math

import numpy as np


def chain_jacobian(weights, x):
    """Column by column: nudge each input, exactly, along its direction (forward mode)."""
    columns = []
    for direction in np.eye(len(x)):
        here, moved = x, direction
        for w in weights:
            z = here @ w
            here, moved = np.tanh(z), (moved @ w) / np.cosh(z)**2
        columns.append(moved)
    return np.stack(columns, axis=1)


def tanh_chain_backward(dy, weights, x):
    """One layer at a time, by recursion."""
    if not weights:
        return dy, ()
    w, *rest = weights
    z = x @ w
    dafter, dweights = tanh_chain_backward(dy, tuple(rest), np.tanh(z))
    dz = dafter / np.cosh(z)**2
    return np.einsum("BE,DE->BD", dz, w), (np.einsum("BD,BE->DE", x, dz), *dweights)


def residual_tanh_backward(dy, x, w):
    """By the whole Jacobian of every example."""
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for b, example in enumerate(x):
        slope = 1 / np.cosh(example @ w)**2
        dx[b] = dy[b] @ (np.eye(len(example)) + np.diag(slope) @ w.T)
        dw += np.outer(example, dy[b] * slope)
    return dx, dw


def critical_scale(slopes):
    return math.sqrt(slopes.size) / float(np.linalg.norm(slopes))


def predict_the_map():
    factor = {"relu √2": 1.0, "tanh 3": 1.35, "sigmoid": 0.235, "relu": 0.7}
    return sorted(factor, key=factor.get)


def find_the_motorway():
    return "ABCD"[2]
