"""Writing: guess the next token, feed it back, and guess again."""
import math

import numpy as np

from .model import forward
from .tree import tree_map


def generate(cfg, params, tokens, count, choose):
    """Yield `count` tokens after those of a prompt (a list), reading every position once.

    `choose` picks a token from a row of logits: `greedy`, or what `sampled` returns.
    """
    cache, start = empty_cache(cfg, params, len(tokens) + count), 0
    for _ in range(count):
        positions = start + np.arange(len(tokens))[None]
        logits, cache = forward(cfg, params, np.array([tokens]), positions, cache)      # the prompt, then one by one
        start, tokens = start + len(tokens), [choose(logits[0, -1])]
        yield tokens[0]


def generate_without_cache(cfg, params, tokens, count, choose):
    """The same tokens, reading the whole text again for each: what the cache saves us."""
    for _ in range(count):
        logits, _ = forward(cfg, params, np.array([tokens]))
        tokens = [*tokens, choose(logits[0, -1])]
        yield tokens[-1]


def greedy(logits):
    """Always the likeliest."""
    return int(np.argmax(logits))


def sampled(temperature, seed):
    """A way to choose by lot: each token as often as the model expects it, if the temperature is 1.

    Towards 0 the likeliest wins ever more often; above 1 the unlikely get their chance.
    """
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature {temperature} draws no lots; give one above 0, or choose greedily")
    random = np.random.default_rng(seed)

    def choose(logits):
        weights = np.exp((logits - np.max(logits)).astype(np.float64) / temperature)
        return int(random.choice(len(logits), p=weights / np.sum(weights)))
    return choose


def empty_cache(cfg, params, S):
    """A slot for the keys and values of each of S positions, layer by layer."""
    def slots(w):
        return {"k": np.zeros((1, S, *w["wk"].shape[-2:]), w["wk"].dtype),
                "v": np.zeros((1, S, *w["wv"].shape[-2:]), w["wv"].dtype)}
    if isinstance(params["layers"], tuple):
        return tuple(slots(w["mixer"]) for w in params["layers"])
    return tree_map(lambda first: np.repeat(first[None], len(cfg.fixed), axis=0), slots(params["layers"]["mixer"]))
