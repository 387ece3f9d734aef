"""Bits per byte: how many bits the model needs to write down a text that it has never seen, per byte of it."""
from math import log

import jax
import numpy as np

from ..jax_gemma import cross_entropy, forward


def bits_per_byte(cfg, params, tokenizer, documents, T, most=None):
    """The model's bits for each byte of the documents, read in windows of T tokens.

    Each document begins with bos; after the first window every token has at least T/2 of its
    past in view.  `most` windows, evenly spread, are a sample, the same each time.
    """
    rows, counted, n_bytes = zip(*windows(tokenizer, documents, T), strict=True)
    nats = total = 0
    sample = np.linspace(0, len(rows) - 1, min(len(rows), most or len(rows))).astype(int)
    for chosen in np.split(sample, range(8, len(sample), 8)):
        nats += np.sum(surprise(cfg, params, padded([rows[i] for i in chosen], T + 1))
                       * padded([counted[i] for i in chosen], T))
        total += sum(n_bytes[i] for i in chosen)
    return float(nats) / log(2) / total


def windows(tokenizer, documents, T):
    """For each window: its tokens, which of its predictions count, and the bytes they stand for."""
    half = T // 2
    for document in documents:
        tokens = tokenizer.encode(document)
        sizes = [0] + [len(tokenizer.spelling(token)) for token in tokens[1:]]
        for start in range(0, max(1, len(tokens) - half - 1), half):
            row = tokens[start:start + T + 1]
            new = 1 if start == 0 else T - half + 1
            yield row, [0] * (new - 1) + [1] * (len(row) - new), sum(sizes[start:start + T + 1][new:])


def padded(rows, width):
    """Eight rows of one width, filled up with zeros: one shape, so one compilation."""
    out = np.zeros((8, width), np.int32)
    for i, row in enumerate(rows):
        out[i, :len(row)] = row
    return out


@jax.jit
def surprise(cfg, params, rows):
    logits, _ = forward(cfg, params, rows[:, :-1])
    return cross_entropy(logits, rows[:, 1:])
