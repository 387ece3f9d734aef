"""Caps: how large a score or a logit may become."""
import numpy as np

from ..axes import Numbers


def soft_cap(x: Numbers, most) -> Numbers:
    """Leave small numbers as they are, and let none go beyond `most`.  Bello et al. 2016; Gemma 2."""
    return most * np.tanh(x / most)


def soft_cap_backward(dy, x, most):
    return dy * (1 - np.tanh(x / most)**2)


def uncapped(x: Numbers, most=np.inf) -> Numbers:
    """Leave every number as it is."""
    return x


def uncapped_backward(dy, x, most=np.inf):
    return dy
