"""The pictures of chapter 00: what comes next, the alphabet, and what a Gemma's weights are spent on."""
from functools import cache

import numpy as np
from matplotlib.patches import Patch, Rectangle

from ...lab.start_here.family import layers
from .. import plot

SHOWN = 8       # pieces, of those that may come next
PARTS = {"embedding": plot.SKY, "attention": plot.ORANGE, "MLP": plot.BLUE, "norms": plot.INK}
GROUPS = {"B": plot.GREY, "T": plot.GREY, "S": plot.GREY, "V": plot.SKY, "D": plot.GREEN, "L": plot.GREEN,
          "N": plot.ORANGE, "K": plot.ORANGE, "G": plot.ORANGE, "H": plot.ORANGE, "F": plot.BLUE, "C": plot.PURPLE,
          "R": plot.PURPLE}


# ---- what comes next
def shares(scores, temperature):
    """A softmax: what share of the probability each piece gets."""
    odds = np.exp((scores - np.max(scores)) / temperature)
    return odds / np.sum(odds)


def next_dial(beginnings):
    """For sliders: draw(text, temperature), where `beginnings` is {text: (its pieces, their scores)}, [V] each."""
    def draw(text, temperature):
        pieces, scores = beginnings[text]
        best = np.argsort(-scores)[:SHOWN]
        share = shares(scores, temperature)
        return next_pieces(text, [pieces[i] for i in best], share[best], temperature)
    return draw


def next_pieces(text, pieces, share, temperature):
    """The likeliest pieces, as bars; the last bar is all others together."""
    fig, ax = next_face()
    for bar, label, height in zip(ax.patches, ax.texts, [*share, 1 - np.sum(share)], strict=True):
        bar.set_width(height)
        label.set(text=f"{height:.0%}" if height >= 0.005 else "below 1%", x=height + 0.012)
    ax.set_yticks(range(SHOWN + 1), [*map(visible, pieces), "all others"])
    ax.set_title(f"“{text}” …   temperature {temperature:.1f}", loc="left")
    return fig


def visible(piece):
    return piece.replace("▁", "␣").replace("\n", "↵").replace("$", r"\$")


@cache
def next_face():
    """Laid out once, so that a slider need not wait for it."""
    fig, ax = plot.figure(width=8.4, height=3.9)
    ax.barh(range(SHOWN + 1), [0.5] * (SHOWN + 1), color=[plot.BLUE] * SHOWN + [plot.GREY], height=0.7)
    for row in range(SHOWN + 1):
        ax.text(0.5, row, "", va="center")
    ax.set(xlim=(0, 1.08), ylim=(SHOWN + 0.6, -0.6), xlabel="share of the probability", xticks=np.linspace(0, 1, 6))
    ax.set_yticks(range(SHOWN + 1), ["␣a long piece"] * (SHOWN + 1))
    ax.set_title("a text …", loc="left")
    ax.grid(axis="y", visible=False)
    fig.draw_without_rendering()
    fig.set_layout_engine("none")
    return fig, ax


# ---- the alphabet
def alphabet(doc):
    """{letter: what it counts}, read off the lines of axes.py's first words."""
    entries = [entry for line in doc.splitlines() if line.startswith("    ") for entry in line.strip().split("  ")]
    return dict(entry.strip().split(" ", 1) for entry in entries if entry.strip())


def card(words, models):
    """A tile for each letter, with its size in each of {name: config}."""
    fig, ax = plot.figure(width=9.6, height=4.8)
    ax.set(xlim=(0, 7), ylim=(0, 2))
    ax.axis("off")
    for at, letter in enumerate(GROUPS):
        tile(ax, at % 7, 1 - at // 7, letter, words[letter], [getattr(cfg, letter, None) for cfg in models.values()])
    for y, name in zip((0.60, 0.42, 0.29, 0.16), ["the sizes of", *models], strict=True):
        ax.text(6.08, y, name, fontsize=10, color=plot.INK, va="center")
    return fig


def tile(ax, x, y, letter, word, sizes):
    colour = GROUPS[letter]
    ax.add_patch(Rectangle((x + 0.03, y + 0.04), 0.94, 0.92, facecolor=colour, alpha=0.14, edgecolor="none"))
    ax.add_patch(Rectangle((x + 0.03, y + 0.04), 0.035, 0.92, color=colour))
    ax.text(x + 0.12, y + 0.80, letter, fontsize=21, weight="bold", va="center")
    ax.text(x + 0.12, y + 0.60, word, fontsize=9.5, va="center")
    if all(sizes):
        for row, size in enumerate(sizes):
            ax.text(x + 0.12, y + 0.42 - 0.13 * row, f"{size:,}", fontsize=10, va="center")


# ---- what the weights are spent on
def spent(anatomies):
    """A bar for each model, cut by what its weights are for; {name: {part: weights}}."""
    fig, ax = plot.figure(width=9.2, height=0.75 * len(anatomies) + 1.3)
    for row, parts in enumerate(anatomies.values()):
        total, left = sum(parts.values()), 0
        for part, colour in PARTS.items():
            share = parts[part] / total
            ax.barh(row, share, left=left, color=colour, height=0.62, label=part)
            if share > 0.03:
                ax.text(left + share / 2, row, f"{share:.0%}", ha="center", va="center",
                        color="white" if part == "MLP" else plot.INK)
            left += share
        ax.text(1.01, row, f"{total:,}", va="center")
    ax.set_yticks(range(len(anatomies)), anatomies)
    ax.set(xlim=(0, 1), ylim=(len(anatomies) - 0.5, -0.5))
    ax.set_xticks(np.linspace(0, 1, 6), [f"{share:.0%}" for share in np.linspace(0, 1, 6)])
    ax.grid(visible=False)
    plot.dress(ax, "share of all weights", "")
    ax.legend(*uniques(ax), loc="lower left", bbox_to_anchor=(0, 1), ncols=len(PARTS))
    return fig


def uniques(ax):
    named = dict(zip(*ax.get_legend_handles_labels()[::-1], strict=True))
    return named.values(), named.keys()


def mixtures(totals, counted):
    """Weights of a model with so many experts in a layer, {E: weights}, and what was counted in the real one."""
    fig, ax = plot.figure(width=8.4, height=3.4)
    names = ["1: dense" if E == 1 else f"{E} experts" for E in totals]
    bars = ax.bar(names, [total / 1e9 for total in totals.values()], color=[plot.BLUE] + [plot.GREY] * (len(names) - 1),
                  width=0.6)
    ax.bar_label(bars, [f"{total:,}" for total in totals.values()], padding=5)
    ax.axhline(counted / 1e9, color=plot.VERMILION, linestyle="--")
    ax.text(len(names) - 0.45, counted / 1e9, "the report", color=plot.VERMILION, va="center")
    ax.grid(axis="x", visible=False)
    ax.margins(y=0.12)
    plot.dress(ax, "MLPs in each layer", "weights beside the\nembedding, billions")
    return fig


# ---- the family
LOOK = {"G": {"facecolor": plot.BLUE, "edgecolor": plot.BLUE, "linewidth": 1.4},
        "L": {"facecolor": "white", "edgecolor": plot.VERMILION, "linewidth": 1.4}}


def patterns(models):
    """A square for each layer: sees everything before it, or a window only; {name: sizes}."""
    fig, ax = plot.figure(width=9.4, height=0.42 * len(models) + 1.2)
    for row, sizes in enumerate(models.values()):
        for at, kind in enumerate(layers(**sizes)):
            ax.add_patch(Rectangle((at + 0.62, row - 0.32), 0.76, 0.64, **LOOK[kind]))
    ax.set(xlim=(0.3, max(s["L"] for s in models.values()) + 1), ylim=(len(models) - 0.4, -0.6))
    ax.set_yticks(range(len(models)), [f"{name}  {window(sizes)}" for name, sizes in models.items()])
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    kinds = [Patch(**LOOK[kind], label=name) for kind, name in [("G", "sees all before it"), ("L", "sees a window")]]
    plot.dress(ax, "layer L", "")
    ax.legend(handles=kinds, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return fig


def window(sizes):
    return f"window {sizes['window']:,}" if sizes["window"] else "no window"
