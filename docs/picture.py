"""The README's picture: the tiny Gemma reads a sentence, and the gradient of its surprise flows back.

The gradients are those that `numpy_gemma` computes by hand.  `make picture` draws it again.
"""
from math import log
from pathlib import Path

import numpy as np

import gemma_edu as ge
from gemma_edu import numpy_gemma
from gemma_edu.course.figures.gemma_in_numpy import reading
from gemma_edu.numpy_gemma.model import loss_backward
from gemma_edu.numpy_gemma.tree import tree_map

TEXT = "If the file does not exist, FileNotFoundError is raised; otherwise the file object is returned."


def surprise(cfg, params, tokens):
    """How many bits each token but the first came as a surprise: [T]."""
    logits, _ = numpy_gemma.forward(cfg, params, tokens[:, :-1])
    return numpy_gemma.cross_entropy(logits, tokens[:, 1:])[0] / log(2)


def gradient_flow(cfg, params, tokens):
    """How long the gradient is where each attention and each MLP adds to the stream: [2L, T]."""
    lengths = []

    def measure(name, dx):
        if name != "stream":
            lengths.insert(0, np.linalg.norm(dx[0], axis=-1))
        return dx

    loss_backward(1.0, cfg, params, tokens, tap=measure)
    return np.stack(lengths)


def main():
    cfg, params, tokenizer = ge.load("tiny")
    cfg, params = ge.in_numpy(cfg), tree_map(lambda leaf: np.asarray(leaf, np.float64), params)
    tokens = np.array([tokenizer.encode(TEXT)])
    pieces = ["⟨bos⟩"] + [tokenizer.decode([token]).strip() for token in tokens[0, 1:]]
    fig = reading(pieces, surprise(cfg, params, tokens), gradient_flow(cfg, params, tokens))
    fig.savefig(Path(__file__).with_suffix(".png"), dpi=200)


if __name__ == "__main__":
    main()
