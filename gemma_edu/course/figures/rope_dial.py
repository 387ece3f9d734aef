"""The dial of chapter 06: a query and a key as hands of three clocks, and the score between them."""
from functools import cache

import numpy as np
from matplotlib.patches import Circle

from .. import plot
from .rope import wavelengths

ASK, HAVE = np.radians([75.0, 40, 100]), np.radians([20.0, 90, 60])      # the dial's query and key at position 0
TURNS = wavelengths(6, base=100.0)
REACH = 48


def hands(angle, m):
    """The three hands of a vector at a position: [3, 2]."""
    turned = angle + m / TURNS
    return np.stack([np.cos(turned), np.sin(turned)], axis=-1)


def dial_score(distance):
    """The score that the dial shows: one cosine for each pair."""
    return np.sum(np.cos(ASK - HAVE + np.asarray(distance)[..., None] / TURNS), axis=-1)


def dial(m, n):
    """A query at position m and a key at position n: three pairs turning, and the score over their distance."""
    fig, axes = dial_face()
    for pair, ax in enumerate(axes[:3]):
        for line, vector in zip(ax.lines, (hands(ASK, m), hands(HAVE, n)), strict=True):
            line.set_data([0, vector[pair, 0]], [0, vector[pair, 1]])
    score = np.sum(hands(ASK, m) * hands(HAVE, n))          # of the hands as they stand; the curve knows m - n alone
    axes[3].lines[-1].set_data([m - n], [score])
    axes[3].set_title(f"{m} − {n} = {m - n}: score {score:.2f}")
    return fig


@cache
def dial_face():
    """The dial's figure, drawn once; its hands are set by `dial`."""
    fig, axes = plot.figure(1, 4, width=10, height=2.9, width_ratios=[1, 1, 1, 1.7])
    for pair, ax in enumerate(axes[:3]):
        ax.add_patch(Circle((0, 0), 1, fill=False, color=plot.GREY, linewidth=0.8))
        ax.plot([0, 0], [0, 1], color=plot.BLUE, linewidth=3, linestyle="-", label="query")
        ax.plot([0, 0], [0, 1], color=plot.VERMILION, linewidth=3, linestyle=(0, (2, 1)), label="key")
        ax.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal", xticks=[], yticks=[],
               title=f"pair {pair}", xlabel=f"{2 * np.pi * TURNS[pair]:.0f} positions a turn")
        ax.spines[:].set_visible(False)
    distances = np.linspace(-REACH, REACH, 400)
    axes[3].plot(distances, dial_score(distances), color=plot.GREY, linewidth=1.2, linestyle="-")
    axes[3].plot([0], [0], "o", color=plot.INK, markersize=9, linestyle="")
    plot.dress(axes[3], "distance (query − key)", "score", "score")
    plot.legend(fig)
    fig.draw_without_rendering()
    fig.set_layout_engine("none")       # laid out once, so that a slider need not wait for it
    return fig, list(axes)
