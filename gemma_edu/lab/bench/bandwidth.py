"""How fast the memory can be read: the speed that no decoding of one text can pass."""
from time import perf_counter

import jax
import jax.numpy as jnp
import numpy as np

ROUNDS = 7


def read_bandwidth(size=2 * 10**9):
    """Bytes per second of the fastest of several readers in its best round over `size` bytes: what the memory can do.

    The readers: a sum and a product with a vector by the compiler, and, on a CPU, NumPy's product.
    """
    matrix = jnp.ones((size // 4 // 4096, 4096), jnp.float32)
    vector = jnp.ones(4096, jnp.float32)
    readers = [lambda: jnp_sum(matrix).block_until_ready(), lambda: product(matrix, vector).block_until_ready()]
    if jax.default_backend() == "cpu":
        by_numpy, row = np.asarray(matrix), np.asarray(vector)
        readers.append(lambda: by_numpy @ row)
    return max(matrix.nbytes / seconds(reader) for reader in readers)


@jax.jit
def jnp_sum(matrix):
    return jnp.sum(matrix)


@jax.jit
def product(matrix, vector):
    return matrix @ vector


def seconds(read):
    """The shortest time of some rounds, after one to warm up."""
    read()
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        read()
        times.append(perf_counter() - start)
    return min(times)
