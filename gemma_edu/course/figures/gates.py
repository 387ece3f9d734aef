"""The pictures of chapter 01: rows of switches that open and close, and memories that last or fade."""
import numpy as np

from .. import plot


def open_gates(openness, *, tokens=None, marks=(), xlabel="time T →", ylabel="unit C", title="", low=0.0, high=1.0,
               words=("shut", "half open", "open"), width=9.0):
    """Rows of switches over time, from dark and shut to bright and open: the picture of every gate in this course.

    `openness` is [rows, T], one row of switches per unit of a state (C) or of an MLP (F); or {name: [rows, T]}, a panel
    for each gate.  `tokens` names the columns, `marks` are columns to point at.  `low` and `high` are the numbers that
    count as shut and as open; what lies beyond is painted as they are.
    """
    panels = openness if isinstance(openness, dict) else {"": openness}
    tall = [max(0.9, 0.17 * len(rows)) for rows in panels.values()]
    fig, axes = plot.figure(len(panels), 1, width=width, height=1.1 + sum(tall) + 0.35 * len(tall), sharex=True,
                            squeeze=False, height_ratios=tall)
    for ax, (name, rows) in zip(axes[:, 0], panels.items(), strict=True):
        image = switches(ax, rows, low, high)
        plot.dress(ax, "", ylabel, name)
    point_at(axes[0, 0], marks)
    name_columns(axes[-1, 0], tokens, xlabel)
    key = fig.colorbar(image, ax=axes[:, 0].tolist(), pad=0.02, aspect=30, ticks=[low, (low + high) / 2, high])
    key.ax.set_yticklabels([f"{word}, {at:g}" for at, word in zip([low, (low + high) / 2, high], words, strict=True)])
    key.outline.set_visible(False)
    fig.suptitle(title)
    return fig


def switches(ax, rows, low=0.0, high=1.0):
    """Tiles with a gap between them, row 0 on top."""
    rows = np.asarray(rows)
    image = ax.imshow(rows, aspect="auto", interpolation="nearest", vmin=low, vmax=high)
    gap = min(1.5, 60 / max(rows.shape))
    ax.grid(visible=False)
    ax.set_xticks(np.arange(-0.5, rows.shape[1]), minor=True)
    ax.set_yticks(np.arange(-0.5, rows.shape[0]), minor=True)
    ax.grid(which="minor", color="white", linewidth=gap)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    return image


def point_at(ax, columns):
    """A triangle above each column that matters."""
    for column in columns:
        ax.annotate("▼", (column, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom",
                    color=plot.VERMILION)


def name_columns(ax, tokens, xlabel):
    """Tokens below their columns, or numbers."""
    if tokens is not None:
        ax.set_xticks(np.arange(len(tokens)), tokens, rotation=60, ha="right", rotation_mode="anchor")
    ax.set_xlabel(xlabel)
