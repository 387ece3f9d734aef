"""More pictures of chapter 07: what gradients do in attention, and what a slip does to the logits."""
import numpy as np
from matplotlib.colors import Normalize

from .. import plot
from .attention import SIGNED, numbers


def crowded(widths, measured):
    """How one key wins all, and what gradient is left: {name: (shares, low, middle, high)}, each per width H."""
    fig, axes = plot.figure(1, 2, width=9.6, height=3.6)
    for name, (shares, low, middle, high) in measured.items():
        axes[0].plot(widths, shares, marker="o", label=name)
        [line] = axes[1].plot(widths, middle, marker="o", label=name)
        axes[1].fill_between(widths, low, high, color=line.get_color(), alpha=0.18, linewidth=0)
    plot.dress(axes[0], "width of a head H", "share of the best of 64 keys", "one key takes all", log="x")
    plot.dress(axes[1], "width of a head H", "length of the gradient at the scores", "and the gradient dies", log="xy")
    axes[0].set_ylim(0, 1)
    axes[1].set_ylim(1e-6, 1)
    for ax in axes:
        ax.minorticks_off()
        ax.set_xticks(widths, widths)
    plot.legend(fig)
    return fig


def competition(dshares, dscores, mask):
    """The gradient before and after softmax's backward; all [T, S]."""
    fig, axes = plot.figure(1, 2, width=8.4, height=4.0, sharey=True)
    for ax, grid, title in [(axes[0], dshares, "arriving at the shares"), (axes[1], dscores, "arriving at the scores")]:
        most = np.max(np.abs(grid[mask]))
        numbers(ax, grid, mask, SIGNED, Normalize(-most, most))
        for t, total in enumerate(np.sum(grid, axis=-1, where=mask)):
            ax.text(len(grid) - 0.2, t, f"Σ = {np.round(total, 2) + 0.0:.2f}", va="center", fontsize=10)
        plot.dress(ax, "key position S", "", title)
    axes[0].set_ylabel("query position T")
    return fig


def head_to_tail(parts, total, positions):
    """The gradient of a shared key at some positions: what each head sends, laid end to end.

    `parts` is [S, N, 2], one gradient per head; `total` is [S, 2], that of the key they share.
    """
    fig, axes = plot.figure(1, len(positions), width=9.6, height=3.6)
    for ax, s in zip(axes, positions, strict=True):
        ends = np.cumsum(parts[s], axis=0)
        starts = ends - parts[s]
        for n, (start, part) in enumerate(zip(starts, parts[s], strict=True)):
            arrow(ax, start, part, plot.COLOURS[n], f"head {n}", 0.012)
        arrow(ax, np.zeros(2), total[s], plot.INK, "the shared key", 0.02, alpha=0.35)
        around = np.concatenate([ends, starts])
        middle, half = (around.max(0) + around.min(0)) / 2, 0.6 * np.max(np.ptp(around, axis=0))
        ax.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half), aspect="equal")
        plot.dress(ax, "coordinate 0", "", f"key at position {s}")
        ax.locator_params(nbins=5)
    axes[0].set_ylabel("coordinate 1")
    plot.legend(fig)
    return fig


def arrow(ax, start, step, colour, name, width, alpha=1.0):
    ax.quiver(*start, *step, color=colour, label=name, alpha=alpha, width=width, angles="xy", scale_units="xy", scale=1)


def visible(seen):
    """Slips, and how they show: {model: {slip: (standard deviations, share of other winners, …)}}."""
    fig, axes = plot.figure(1, 2, width=9.8, height=3.9, sharey=True)
    colours = dict(zip(seen, [plot.BLUE, plot.ORANGE], strict=True))
    for row, (model, rows) in enumerate(seen.items()):
        place = np.arange(len(rows)) + 0.2 - 0.4 * row
        for column, ax in enumerate(axes):
            values = [each[column] for each in rows.values()]
            bars = ax.barh(place, values, height=0.36, color=colours[model], label=model, hatch=["", "//"][row],
                           edgecolor="white", linewidth=0)
            ax.bar_label(bars, fmt="{:.0%}" if ax is axes[1] else "{:.1f}", padding=3, fontsize=9)
            ax.set_yticks(range(len(rows)), rows)
            ax.grid(axis="y", visible=False)
            ax.margins(x=0.12)
    plot.dress(axes[0], "largest change of a logit, in standard deviations", "", "seen by a test of logits")
    plot.dress(axes[1], "positions where another token wins", "", "seen by a test of argmax")
    axes[1].xaxis.set_major_formatter("{x:.0%}")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return fig
