"""The pictures of chapter 19 on the family: what each line of its difference does."""
import numpy as np

from ...numpy_gemma import soft_cap
from .. import plot

FLOAT16 = 65_504      # the largest number that float16 can hold


def bars_in_pairs(pairs, names, ylabel, title=""):
    """Two bars for each model, with their numbers: {model: (one, other)}."""
    fig, ax = plot.figure(width=8.6, height=3.4)
    at = np.arange(len(pairs))
    for side, name, colour in zip((-0.2, 0.2), names, (plot.GREY, plot.BLUE), strict=True):
        drawn = ax.bar(at + side, [pair[side > 0] for pair in pairs.values()], 0.38, color=colour, label=name)
        ax.bar_label(drawn, fmt="{:.2g}", padding=3)
    ax.set_xticks(at, pairs)
    ax.grid(axis="x", visible=False)
    ax.margins(y=0.14)
    plot.dress(ax, "", ylabel, title)
    plot.legend(fig)
    return fig


def takeover(models, device, memory):
    """Bytes that a step reads against the tokens in all caches: {name: (bytes of weights, bytes for each token)}."""
    fig, ax = plot.figure(width=8.8, height=3.9)
    tokens = np.logspace(2, 6, 100)
    for (name, (weights, token)), colour, dash in zip(models.items(), plot.COLOURS, plot.DASHES, strict=False):
        ax.plot(tokens, (weights + tokens * token) / 1e9, color=colour, linestyle=dash, label=name)
        even = weights / token
        point = even, 2 * weights / 1e9
        ax.plot(*point, "o", color=colour, markersize=8)
        ax.annotate(f"half of it is cache\nfrom {float(f'{even:.2g}'):,.0f} tokens on", point, (-10, 12),
                    textcoords="offset points", ha="right", fontsize=10, color=colour)
    ax.axhline(memory / 1e9, color=plot.INK, linestyle="--", linewidth=1.2, label=f"the memory of\nan {device}")
    ax.set_ylim(3, 400)
    plot.dress(ax, "tokens in the cache, all texts together", "GB that one step reads", log="xy")
    plot.legend(fig)
    return fig


def three_remedies(growth, scores):
    """The largest score as wq and wk grow, in the three generations: {name: [growth]}."""
    return plot.lines(scores, growth, xlabel="wq and wk have grown by this factor", ylabel="the largest score",
                      log="xy", title="what becomes of a score")


def caps():
    """The soft caps of Gemma 2, and the slope that a gradient meets there."""
    fig, axes = plot.figure(1, 2, width=9.4, height=3.5)
    x = np.linspace(-150, 150, 301)
    for most, name in ((50.0, "scores: 50"), (30.0, "logits: 30")):
        axes[0].plot(x, soft_cap(x, most), label=name)
        axes[1].plot(x, 1 - np.tanh(x / most) ** 2, label=name)
    axes[0].plot([-60, 60], [-60, 60], color=plot.GREY, linewidth=1, label="no cap")
    plot.dress(axes[0], "before", "after", "the value")
    plot.dress(axes[1], "before", "what is left of a gradient", "its slope")
    plot.legend(fig)
    return fig


def inside(found):
    """In each layer of the real 270M: the largest number of its stream, and its largest score."""
    fig, axes = plot.figure(1, 2, width=9.8, height=3.9)
    layers = np.arange(1, len(found["stream"]) + 1)
    axes[0].plot(layers, found["stream"], label="at ⟨bos⟩", color=plot.VERMILION)
    axes[0].plot(layers, found["stream_after_bos"], label="at all other tokens", color=plot.BLUE)
    axes[0].axhline(FLOAT16, color=plot.INK, linestyle=":", linewidth=1.4, label="the end of float16")
    axes[1].plot(layers, found["score_without_norm"], label="without QK-norm", color=plot.GREY)
    axes[1].plot(layers, found["score"], label="with QK-norm", color=plot.GREEN)
    plot.dress(axes[0], "layer L", "largest number in the stream", log="y")
    plot.dress(axes[1], "layer L", "largest score", log="y")
    for ax in axes:
        ax.set_xticks(layers[2::3])
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=1)
    return fig


def visibility(ports):
    """How visible a mistake is, and whether the likeliest token notices: {model: {mistake: (change, share)}}."""
    rows = [(f"{model}: {name}", *pair) for model, mistakes in ports.items() for name, pair in mistakes.items()]
    rows.sort(key=lambda row: row[1])
    fig, ax = plot.figure(width=9.4, height=0.34 * len(rows) + 1.0)
    for at, (_, change, share) in enumerate(rows):
        colour = plot.BLUE if share > 0 else plot.VERMILION
        ax.plot([1e-3, change], [at, at], color=colour, linestyle="-", linewidth=1.2, alpha=0.5)
        ax.plot(change, at, "o", color=colour, markersize=8, fillstyle="full" if share > 0 else "none")
        ax.annotate(f"{share:.0%}" if share > 0.005 else "none", (change, at), (9, 0), textcoords="offset points",
                    va="center", fontsize=9.5)
    ax.set_yticks(range(len(rows)), [name for name, *_ in rows])
    ax.set(xlim=(1e-3, 25), ylim=(-0.6, len(rows) - 0.4))
    ax.grid(axis="y", visible=False)
    plot.dress(ax, "largest change of a logit, in spreads of all logits\n"
                   "(beside the dot: at how many positions another token wins)", "", log="x")
    return fig


def by_position(apart):
    """The largest difference of a logit at each position, in spreads of all logits."""
    fig, ax = plot.figure(width=8.6, height=3.0)
    ax.bar(np.arange(len(apart)), apart, color=plot.BLUE, width=0.7)
    ax.set_xticks(np.arange(0, len(apart), 2))
    ax.grid(axis="x", visible=False)
    plot.dress(ax, "position T", "largest difference of a\nlogit, in spreads of all")
    return fig
