"""Gates: functions that decide, number by number, how much gets through."""
import math

import jax.numpy as jnp
from jax.scipy.special import erf

from ..axes import BC, BD, CC, DC, C, Numbers
from .contract import contract


def sigmoid(x: Numbers) -> Numbers:
    """A switch that can be half open: 0 is shut, 1 is open."""
    return jnp.exp(-jnp.logaddexp(0, -x))      # 1 / (1 + exp(-x)), without an overflow on either side


def tanh(x: Numbers) -> Numbers:
    """A squeeze into -1 … 1."""
    return jnp.tanh(x)


def relu(x: Numbers) -> Numbers:
    """A switch without a middle."""
    return jnp.where(x > 0, x, 0)      # JAX would send half the gradient of a maximum through at 0


def gelu(x: Numbers) -> Numbers:
    """x, let through by how large it is among normal numbers; Gemma's approximation by a tanh.

    Hendrycks and Gimpel 2016, section 2.
    """
    return 0.5 * x * (1 + jnp.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def gelu_erf(x: Numbers) -> Numbers:
    """The exact GELU, x · P(normal ≤ x): up to 4.7e-4 from Gemma's, near x = ±2.7."""
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def silu(x: Numbers) -> Numbers:
    """x, let through by its own sigmoid; also called swish."""
    return x * sigmoid(x)


def weigh(x: BD, h: BC, w: DC, u: CC, b: C) -> BC:
    """What is seen and what is remembered, weighed together."""
    return contract("BD,DC->BC", x, w) + contract("BC,CE->BE", h, u) + b


def gate(x: BD, h: BC, w: DC, u: CC, b: C) -> BC:
    """A row of switches, set by what is seen and what is remembered."""
    return sigmoid(weigh(x, h, w, u, b))
