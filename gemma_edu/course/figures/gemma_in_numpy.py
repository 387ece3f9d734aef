"""The pictures of chapter 09: a gradient on its way through Gemma, a table that hears twice, bugs by how they show."""
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import LogLocator

from .. import plot


def reading(pieces, bits, flow):
    """A column reads the piece below it, and is surprised by the next one, above it.

    `bits` [T] is the surprise at each next piece, `flow` [2L, T] the length of its gradient in the stream.
    """
    fig, (above, below) = plot.figure(2, width=9, height=5, sharex=True, height_ratios=[1, 2])
    draw_bars(above, pieces[1:], bits)
    grid = draw_grid(below, pieces[:-1], flow)
    key = fig.colorbar(grid, ax=below, label="length of the gradient", ticks=LogLocator(subs=(1, 2, 5)),
                       format="%g", pad=0.01, fraction=0.03)
    key.minorticks_off()
    key.outline.set_visible(False)
    return fig


def draw_bars(axes, pieces, bits):
    axes.bar(np.arange(len(bits)), bits, color=plot.VERMILION, width=0.8)
    for column, (piece, height) in enumerate(zip(pieces, bits, strict=True)):
        axes.text(column, height, f" {piece}", rotation=90, ha="center", va="bottom", color=plot.VERMILION)
    axes.set_ylabel("surprise at the\nnext token, in bits")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelbottom=False)


def draw_grid(axes, pieces, flow):
    columns, rows = np.arange(len(pieces) + 1) - 0.5, np.arange(len(flow) + 1) / 2 + 0.5
    grid = axes.pcolormesh(columns, rows, flow, norm=LogNorm(), cmap="viridis", edgecolors="white", linewidth=1.5)
    axes.grid(visible=False)
    axes.set_xticks(np.arange(len(pieces)), pieces, rotation=60, ha="right", rotation_mode="anchor", color=plot.BLUE)
    axes.set_yticks(np.arange(len(flow) // 2) + 1)
    axes.set_ylabel("layer L: attention, then MLP")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return grid


def two_paths(foot, head):
    """For each row of the table: the gradient that came up through the layers, and the one from the head. [V] each."""
    fig, axes = plot.figure(2, width=8.6, height=4.2, sharex=True)
    for ax, lengths, name, colour in [(axes[0], foot, "as input", plot.BLUE), (axes[1], head, "as output",
                                                                              plot.VERMILION)]:
        ax.bar(np.arange(len(lengths)), lengths, color=colour, width=0.9)
        ax.set_ylabel(f"length of its\ngradient {name}")
        ax.grid(axis="x", visible=False)
    axes[1].set_xlabel("token: row of the table, V")
    return fig


def learning(losses, start, floor):
    """The loss of each step, with what a guess and the pieces' own frequencies would have."""
    fig = plot.lines({"our Gemma": losses}, xlabel="step", ylabel="loss in nats per token")
    [ax] = fig.axes
    for height, name in [(start, "a guess among all pieces"), (floor, "knowing only how frequent each piece is")]:
        ax.axhline(height, color=plot.GREY, linestyle=":")
        ax.text(len(losses), height, name, ha="right", va="bottom", color=plot.GREY)
    return fig


def work(reads, new):
    """How many positions were read up to each new token: {name: [count]}."""
    return plot.lines(reads, new, xlabel="tokens written", ylabel="positions read, in all")


def visibility(seen):
    """Bugs by how far they move the logits, at position 0 and later; a filled mark has changed an argmax.

    `seen` is {bug: (effect at position 0, effect later, how many argmaxes changed)}.
    """
    names = sorted(seen, key=lambda bug: max(seen[bug][:2]))
    fig, ax = plot.figure(width=9.2, height=0.3 * len(names) + 1.2)
    for row, name in enumerate(names):
        first, later, changed = seen[name]
        low, high = sorted([max(first, 1e-7), max(later, 1e-7)])
        ax.plot([low, high], [row, row], color="#BBBBBB", linestyle="-", linewidth=3, zorder=1)
        for effect, colour, shape in [(first, plot.BLUE, "o"), (later, plot.VERMILION, "D")]:
            ax.plot(max(effect, 1e-7), row, shape, color=colour, fillstyle="full" if changed else "none",
                    markersize=8, markeredgewidth=1.6, zorder=2)
    for shape, colour, name in [("o", plot.BLUE, "at position 0"), ("D", plot.VERMILION, "at later positions")]:
        ax.plot([], [], shape, color=colour, label=name)
    ax.plot([], [], "o", color=plot.INK, fillstyle="none", label="open: no argmax changed")
    ax.set_yticks(np.arange(len(names)), names)
    ax.set_ylim(-0.7, len(names) - 0.3)
    plot.dress(ax, "largest change of a logit, in standard deviations of the logits (left edge: none)", "", log="x")
    plot.legend(fig)
    return fig
