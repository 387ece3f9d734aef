"""The dtype of the weights decides; sums, roots, angles and exponentials want more digits."""
import numpy as np


def widen(x):
    """At least float32: bfloat16 has three digits, too few to add up thousands of numbers."""
    return x.astype(np.promote_types(x.dtype, np.float32), copy=False)
