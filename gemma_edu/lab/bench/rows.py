"""The rows of a benchmark: one model, computed by one program, in a process of its own.

A row takes the name of a model, a dtype and a Task; it returns what it measured.  Times are the middle ones of some
rounds.
"""
from statistics import median
from time import perf_counter
from typing import NamedTuple

from .machine import peak_bytes


class Task(NamedTuple):
    """What each program is asked to do: read a prompt of so many tokens, and write so many more."""
    prompt: int = 128
    tokens: int = 16
    rounds: int = 3

    def text(self, V):
        """The same ids for everyone; what they say does not matter to the clock."""
        return [2 + n * 7919 % (V - 2) for n in range(self.prompt)]


def ours(name, dtype, task):
    """This package, in JAX: a compiled prefill, and the whole loop of decoding on the device."""
    import jax

    from ...inference import sample
    from ...inference.fast import load_fast
    from ...inference.request import request
    from ...params import count
    cfg, params, _ = load_fast(name, dtype)
    how, text, lengths, S = request(cfg, [task.text(cfg.V)], task.tokens, 0.0, None, 1.0, 0, ())

    start = perf_counter()
    prefill = sample.prefill.lower(cfg, params, how, text, lengths, S=S).compile()
    state = jax.block_until_ready(prefill(cfg, params, how, text, lengths))
    decode = sample.decode.lower(cfg, params, how, *state, task.tokens, S=S).compile()
    compiled = perf_counter() - start

    reading, writing = [], []
    for _ in range(task.rounds):
        spent, state = timed(lambda: jax.block_until_ready(prefill(cfg, params, how, text, lengths)))
        reading.append(spent)
        writing.append(timed(lambda: jax.block_until_ready(decode(cfg, params, how, *state, task.tokens)))[0])
    read = sum(leaf.nbytes for leaf in jax.tree.leaves((params, state[-1])))
    work = 2 * (count(cfg) - cfg.V * cfg.D) * task.prompt      # a product and a sum for each weight but the table's
    return figures(task, reading, writing, task.tokens - 1, read) | {
        "prefill_flops_per_s": work / median(reading), "compile_s": compiled,
        "peak_bytes": peak_bytes(jax.devices()[0])}


def in_numpy(name, dtype, task):
    """This package, in NumPy: one token at a time."""
    import jax
    import numpy as np

    from ...config import in_numpy as numpy_twin
    from ...numpy_gemma.sample import generate, greedy
    from ...numpy_gemma.tree import leaves, tree_map
    from ...pretrained.load import load
    cfg, params, _ = load(name, dtype=dtype)
    params, prompt = tree_map(np.asarray, params), task.text(cfg.V)
    reading, writing = [], []
    for _ in range(task.rounds):
        tokens = generate(numpy_twin(cfg), params, prompt, task.tokens, greedy)
        reading.append(timed(lambda: next(tokens))[0])
        writing.append(timed(lambda: list(tokens))[0])
    cache = 2 * cfg.L * (task.prompt + task.tokens) * cfg.K * cfg.H * jax.numpy.dtype(dtype).itemsize
    read = sum(leaf.nbytes for leaf in leaves(params)) + cache
    return figures(task, reading, writing, task.tokens - 1, read) | {"peak_bytes": peak_bytes()}


def timed(work):
    start = perf_counter()
    value = work()
    return perf_counter() - start, value


def figures(task, reading, writing, steps, read):
    """Tokens per second, and bytes per second where each step reads `read` of them."""
    rate = steps / median(writing)
    return {"prefill_tokens_per_s": task.prompt / median(reading), "decode_tokens_per_s": rate,
            "bytes_per_token": read, "decode_bytes_per_s": rate * read}
