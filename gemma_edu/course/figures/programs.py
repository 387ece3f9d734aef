"""The widget of chapter 10: texts of many lengths, a way to pad them, and what the programs cost."""
from functools import cache

import numpy as np

from ...config import TINY
from ...inference.request import bucket
from ...lab.numpy_to_jax.measure import measured
from .. import plot

MOST = 400
PADDED = {
    "powers of two": lambda length: bucket(TINY, length),
    "each its own length": lambda length: length,
    "multiples of 32": lambda length: -(-length // 32) * 32,
    "always the longest": lambda length: TINY.S,
}


@cache
def arriving(seed=0):
    """The lengths of some texts: most are short, a few are long, and none is longer than S."""
    lengths = np.random.default_rng(seed).lognormal(np.log(40), 0.8, MOST)
    return np.clip(lengths, 1, TINY.S).astype(int)


@cache
def bill(way):
    """(the length that each text is padded to, the seconds of processor time until each is read)."""
    seconds = {what: np.array(each) for what, each in measured()["length"].items()}
    padded = np.array([PADDED[way](int(length)) for length in arriving()])
    _, first = np.unique(padded, return_index=True)
    waited = seconds["run"][padded - 1]
    waited[first] += seconds["compile"][padded[first] - 1]
    return padded, np.cumsum(waited)


def programs(way, texts):
    """Some texts, padded in one way, beside the seconds spent in each of the ways."""
    fig, (left, right) = face()
    lengths, padded = arriving()[:texts], bill(way)[0][:texts]
    while left.collections:
        left.collections[0].remove()
    fill(left, np.sort(lengths), np.sort(padded))
    for line, name in zip(right.lines, PADDED, strict=True):
        line.set_linewidth(4 if name == way else 1.4)
        line.set_data(np.arange(1, texts + 1), bill(name)[1][:texts])
    left.set_title(f"{len(np.unique(padded))} programs, {1 - lengths.sum() / padded.sum():.0%} padding")
    right.set_title(f"{bill(way)[1][texts - 1]:.1f} s for {texts} texts")
    left.set_xlim(0, texts)
    right.set_xlim(0, texts)
    return fig


def fill(ax, lengths, padded):
    """A step for each text: its tokens below, the padding above."""
    steps = np.arange(len(lengths) + 1)
    below, above = (np.append(each, each[-1]) for each in (lengths, padded))
    ax.fill_between(steps, below, above, step="post", color=plot.ORANGE, alpha=0.5, linewidth=0, label="padding")
    ax.fill_between(steps, 0, below, step="post", color=plot.BLUE, linewidth=0, label="tokens")


@cache
def face():
    """The figure, laid out once, so that a knob need not wait for it."""
    fig, axes = plot.figure(1, 2, width=9.2, height=3.4)
    fill(axes[0], arriving(), arriving())
    for name in PADDED:
        axes[1].plot(bill(name)[1], label=name)
    axes[0].set_ylim(0, 270)
    axes[0].set_yticks([64, 128, 192, 256])
    plot.dress(axes[0], "texts, the shortest first", "tokens T", "padding")
    plot.dress(axes[1], "texts read", "seconds of processor time", "seconds", log="y")
    axes[1].set_yticks([1, 10, 100], [1, 10, 100])
    axes[1].minorticks_off()
    plot.legend(fig)
    fig.draw_without_rendering()
    fig.set_layout_engine("none")
    return fig, axes
