"""The dtype of the weights decides; sums, roots, angles and exponentials want more digits."""
import jax.numpy as jnp


def widen(x):
    """At least float32: bfloat16 has three digits, too few to add up thousands of numbers."""
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))
