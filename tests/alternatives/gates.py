"""The same answers, found another way."""
import math

import numpy as np


def sigmoid(x):
    """By a tanh, which never overflows."""
    return (0.5 + 0.5 * np.tanh(0.5 * x)).astype(x.dtype)


def lstm_cell(x, state, forget, input, output, candidate):
    """All four in one product, as fast libraries do it."""
    h, c = state
    w, u, b = (np.concatenate(each, axis=-1) for each in zip(forget, input, output, candidate, strict=True))
    f, i, o, n = np.split(x @ w + h @ u + b, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(n)
    return sigmoid(o) * np.tanh(c), c


def gru_cell(x, h, update, reset, candidate):
    """Step by a part of the way to the candidate."""
    write = sigmoid(-(x @ update[0] + h @ update[1] + update[2]))
    seen = h * sigmoid(x @ reset[0] + h @ reset[1] + reset[2])
    return h + write * (np.tanh(x @ candidate[0] + seen @ candidate[1] + candidate[2]) - h)


def gate_backward(dy, x, h, w, u, b):
    """One sequence of the batch after the other."""
    dx, dh, dw, du, db = (np.zeros_like(each) for each in (x, h, w, u, b))
    for row in range(len(x)):
        z = x[row] @ w + h[row] @ u + b
        dz = dy[row] / (2 + np.exp(z) + np.exp(-z))
        dx[row], dh[row] = w @ dz, u @ dz
        dw, du, db = dw + np.outer(x[row], dz), du + np.outer(h[row], dz), db + dz
    return dx, dh, dw, du, db


def forget_bias(steps):
    return -math.log(2**(1 / steps) - 1)


def turn_round(update):
    w, u, b = update
    return w * -1.0, np.negative(u), 0 - b
