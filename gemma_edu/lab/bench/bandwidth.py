"""How fast a machine is at best: reading its memory, which limits writing, and multiplying, which limits reading."""
from time import perf_counter

import jax
import jax.numpy as jnp
import numpy as np

LONG = 0.05      # seconds: what is shorter is measured badly


def read_bandwidth(size=2 * 10**9):
    """Bytes per second of the fastest of several readers in its best round over `size` bytes: what the memory can do.

    The readers: a sum and a product with a vector by the compiler, and, on a CPU, NumPy's product.
    """
    matrix = jnp.ones((size // 4 // 4096, 4096), jnp.float32)
    vector = jnp.ones(4096, jnp.float32)
    readers = [lambda: jnp_sum(matrix), lambda: product(matrix, vector)]
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


def matrix_rate(dtype):
    """Operations per second in a product of two square matrices, as large as it takes to measure it."""
    multiply = jax.jit(jnp.matmul)
    for size in 1024, 2048, 4096, 8192, 16_384:
        square = jnp.ones((size, size), dtype)
        spent = seconds(lambda square=square: multiply(square, square), rounds=3)
        if spent > LONG:
            break
    return 2 * size**3 / spent


def seconds(work, rounds=7):
    """The shortest of some rounds, for other work can only add to it; one before them compiles and warms up."""
    jax.block_until_ready(work())
    times = []
    for _ in range(rounds):
        start = perf_counter()
        jax.block_until_ready(work())
        times.append(perf_counter() - start)
    return min(times)
