"""The README's picture: the tiny Gemma reads a sentence, and the gradient of its surprise flows back.

The gradients are those that `numpy_gemma` computes by hand.  `make picture` draws it again.
"""
from math import log
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import LogLocator

import gemma_edu as ge
from gemma_edu import numpy_gemma
from gemma_edu.numpy_gemma.model import loss_backward
from gemma_edu.numpy_gemma.tree import tree_map

TEXT = "If the file does not exist, FileNotFoundError is raised; otherwise the file object is returned."
ORANGE, BLUE, GREY = "#D55E00", "#0072B2", "#666666"      # vermilion and blue of Okabe and Ito
STYLE = {"font.size": 11, "text.color": GREY, "axes.labelcolor": GREY, "xtick.color": GREY, "ytick.color": GREY}


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


def draw(pieces, bits, flow):
    """A column reads the piece below it, and is surprised by the next one, above it."""
    with plt.rc_context(STYLE):
        fig, (above, below) = plt.subplots(2, figsize=(9, 5), sharex=True, height_ratios=[1, 2], layout="constrained")
        draw_bars(above, pieces[1:], bits)
        grid = draw_grid(below, pieces[:-1], flow)
        key = fig.colorbar(grid, ax=below, label="length of the gradient", ticks=LogLocator(subs=(1, 2, 5)),
                           format="%g", pad=0.01, fraction=0.03)
        key.minorticks_off()
        key.outline.set_visible(False)
    return fig


def draw_bars(axes, pieces, bits):
    axes.bar(np.arange(len(bits)), bits, color=ORANGE, width=0.8)
    for column, (piece, height) in enumerate(zip(pieces, bits, strict=True)):
        axes.text(column, height, f" {piece}", rotation=90, ha="center", va="bottom", color=ORANGE)
    axes.set_ylabel("surprise at the\nnext token, in bits")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelbottom=False)


def draw_grid(axes, pieces, flow):
    columns, rows = np.arange(len(pieces) + 1) - 0.5, np.arange(len(flow) + 1) / 2 + 0.5
    grid = axes.pcolormesh(columns, rows, flow, norm=LogNorm(), cmap="viridis", edgecolors="white", linewidth=1.5)
    axes.set_xticks(np.arange(len(pieces)), pieces, rotation=60, ha="right", rotation_mode="anchor", color=BLUE)
    axes.set_yticks(np.arange(len(flow) // 2) + 1)
    axes.set_ylabel("layer: attention, then MLP")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return grid


def main():
    cfg, params, tokenizer = ge.load("tiny")
    cfg, params = ge.in_numpy(cfg), tree_map(lambda leaf: np.asarray(leaf, np.float64), params)
    tokens = np.array([tokenizer.encode(TEXT)])
    pieces = ["⟨bos⟩"] + [tokenizer.decode([token]).strip() for token in tokens[0, 1:]]
    fig = draw(pieces, surprise(cfg, params, tokens), gradient_flow(cfg, params, tokens))
    fig.savefig(Path(__file__).with_suffix(".png"), dpi=200)


if __name__ == "__main__":
    main()
