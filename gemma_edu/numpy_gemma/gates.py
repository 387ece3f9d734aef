"""Gates: functions that decide, number by number, how much gets through."""
import math

import numpy as np

from ..axes import BC, BD, CC, DC, C, Numbers
from .contract import contract, contract_backward

erf = np.vectorize(math.erf, otypes=[float])


def sigmoid(x: Numbers) -> Numbers:
    """A switch that can be half open: 0 is shut, 1 is open."""
    return np.exp(-np.logaddexp(0, -x))      # 1 / (1 + exp(-x)), without an overflow on either side


def sigmoid_backward(dy, x):
    y = sigmoid(x)
    return dy * y * (1 - y)


def tanh(x: Numbers) -> Numbers:
    """A squeeze into -1 … 1."""
    return np.tanh(x)


def tanh_backward(dy, x):
    return dy * (1 - np.tanh(x)**2)


def relu(x: Numbers) -> Numbers:
    """A switch without a middle."""
    return np.where(x > 0, x, 0)


def relu_backward(dy, x):
    return dy * (x > 0)


def gelu(x: Numbers) -> Numbers:
    """x, let through by how large it is among normal numbers; Gemma's approximation by a tanh.

    Hendrycks and Gimpel 2016, section 2.
    """
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def gelu_backward(dy, x):
    t = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
    return dy * 0.5 * (1 + t + x * (1 - t**2) * slope)


def gelu_erf(x: Numbers) -> Numbers:
    """The exact GELU, x · P(normal ≤ x): up to 4.7e-4 from Gemma's, near x = ±2.7."""
    return 0.5 * x * (1 + erf(x / math.sqrt(2)).astype(x.dtype))


def gelu_erf_backward(dy, x):
    density = np.exp(-x**2 / 2) / math.sqrt(2 * math.pi)
    return dy * (0.5 * (1 + erf(x / math.sqrt(2)).astype(x.dtype)) + x * density)


def silu(x: Numbers) -> Numbers:
    """x, let through by its own sigmoid; also called swish."""
    return x * sigmoid(x)


def silu_backward(dy, x):
    y = sigmoid(x)
    return dy * y * (1 + x * (1 - y))


def weigh(x: BD, h: BC, w: DC, u: CC, b: C) -> BC:
    """What is seen and what is remembered, weighed together."""
    return contract("BD,DC->BC", x, w) + contract("BC,CE->BE", h, u) + b


def weigh_backward(dy, x, h, w, u, b):
    dx, dw = contract_backward(dy, "BD,DC->BC", x, w)
    dh, du = contract_backward(dy, "BC,CE->BE", h, u)
    return dx, dh, dw, du, np.sum(dy, axis=0)


def gate(x: BD, h: BC, w: DC, u: CC, b: C) -> BC:
    """A row of switches, set by what is seen and what is remembered."""
    return sigmoid(weigh(x, h, w, u, b))


def gate_backward(dy, x, h, w, u, b):
    dz = sigmoid_backward(dy, weigh(x, h, w, u, b))
    return weigh_backward(dz, x, h, w, u, b)
