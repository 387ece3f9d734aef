"""Caps: how large a score or a logit may become."""
import jax.numpy as jnp

from ..axes import Numbers


def soft_cap(x: Numbers, most) -> Numbers:
    """Leave small numbers as they are, and let none go beyond `most`.  Bello et al. 2016; Gemma 2."""
    return most * jnp.tanh(x / most)


def uncapped(x: Numbers, most=jnp.inf) -> Numbers:
    """Leave every number as it is."""
    return x
