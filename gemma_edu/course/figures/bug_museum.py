"""The pictures of the bug museum: code beside code, buffers cell by cell, and a test whose tolerance can be turned."""
from functools import cache

import numpy as np
from matplotlib.patches import Rectangle

from .. import plot
from ..show import Shown, aligned, code, file_of, table

PALE = {plot.BLUE: "#CFE3F1", plot.VERMILION: "#F8D9C6", plot.GREY: "#E6E6E6", plot.GREEN: "#CDEBE0"}


def beside(left, right):
    """Two functions of one name, line by line; the lines that differ are marked."""
    columns = [code(each).splitlines() for each in (left, right)]
    rows, wide = list(aligned(*columns)), max(map(len, columns[0]))
    text = "\n".join(f"{'|' if a != b else ' '} {a:<{wide}}   {b}".rstrip() for a, b in rows)
    return Shown(text, page=table([file_of(each) for each in (left, right)], rows))


def widths(models):
    """All heads of a model side by side, against its stream: {name: (N·H, D)}."""
    fig, ax = plot.figure(width=8.6, height=0.42 * len(models) + 1.2)
    for row, (heads, stream) in enumerate(models.values()):
        ax.plot([heads, stream], [row, row], color="#BBBBBB", linestyle="-", linewidth=3, zorder=1)
        ax.plot(stream, row, "s", color=plot.BLUE, markersize=13, fillstyle="none", markeredgewidth=2, zorder=2)
        ax.plot(heads, row, "D", color=plot.VERMILION, markersize=7, zorder=3)
    ax.plot([], [], "s", color=plot.BLUE, fillstyle="none", markersize=10, markeredgewidth=2, label="the stream: D")
    ax.plot([], [], "D", color=plot.VERMILION, label="all heads: N·H")
    ax.set_yticks(np.arange(len(models)), models)
    ax.set_ylim(len(models) - 0.5, -0.5)
    plot.dress(ax, "width, in numbers", "")
    plot.legend(fig)
    return fig


def strips(rows, title=""):
    """Rows of labelled cells: {name: [(text, colour)]}."""
    longest = max(map(len, rows.values()))
    fig, ax = plot.figure(width=9.6, height=0.72 * len(rows) + 0.5)
    for row, cells in enumerate(rows.values()):
        for column, (text, colour) in enumerate(cells):
            ax.add_patch(Rectangle((column + 0.04, row + 0.14), 0.92, 0.72, facecolor=PALE[colour], edgecolor=colour))
            ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=plot.INK, fontsize=10)
    ax.set(xlim=(0, longest), ylim=(len(rows), 0), title=title, xticks=[])
    ax.set_yticks(np.arange(len(rows)) + 0.5, rows, color=plot.INK)
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return fig


def two_buffers(pieces, at):
    """The buffer before and after column `at` was written; only one of them knows how the text goes on."""
    after = [(piece, plot.BLUE) for piece in pieces[:at]] + [(pieces[at], plot.VERMILION)]
    empty = [("·", plot.GREY)]
    more = len(pieces) - at - 1
    return strips({"before the step": after[:at] + empty * (more + 1), "after the step": after + empty * more})


def turned_by(versions, pieces, length):
    """The angle of each column of one row, for several samplers: {name: (slots, angles)} of arrays [T]."""
    rows = {"the text": [(piece, plot.GREEN if column >= length else plot.BLUE if piece != "pad" else plot.GREY)
                         for column, piece in enumerate(pieces)]}
    for name, (slots, angles) in versions.items():
        rows[name] = [cell(piece, slot < len(pieces), angle, column >= length)
                      for column, (piece, slot, angle) in enumerate(zip(pieces, slots, angles, strict=True))]
    return strips(rows)


def cell(piece, kept, angle, written):
    if not kept:
        return "hidden", plot.GREY
    return str(angle), plot.VERMILION if piece == "pad" else plot.GREEN if written else plot.BLUE


def belonging(right, wrong):
    """Two matrices [D, F] whose numbers are coloured by the hidden unit that they belong to."""
    fig, axes = plot.figure(1, 2, width=9.4, height=3.4, sharey=True)
    for ax, grid, name in zip(axes, (right, wrong), ("transposed: a column is a unit", "reshaped"), strict=True):
        image = plot.heat_on(fig, ax, grid, label="", bar=False)
        plot.dress(ax, "column: hidden unit F", "", name)
    axes[0].set_ylabel("row: stream D")
    key = fig.colorbar(image, ax=list(axes), label="the unit that a number belongs to", pad=0.02)
    key.outline.set_visible(False)
    return fig


def learning(losses, lengths):
    """Loss, and the length of the MLPs' output weights, over the steps of two models: {name: [step]} each."""
    fig, axes = plot.figure(1, 2, width=9.8, height=3.8)
    for name in losses:
        axes[0].plot(losses[name], label=name)
        axes[1].plot(lengths[name], label=name)
    plot.dress(axes[0], "step", "loss in nats per byte", "both learn")
    plot.dress(axes[1], "step", "rms of an MLP's weights", "one MLP does not")
    plot.legend(fig)
    return fig


@cache
def dial(moved, mismatch):
    """The figure of the widget, laid out once: returns (figure, the passed, the noticed, the line, the title)."""
    fig, ax = plot.figure(width=8.6, height=3.2)
    changes = np.array(sorted(moved))
    heights = np.linspace(0.15, 0.85, len(changes))
    passed = ax.plot([], [], "o", color=plot.GREY, fillstyle="none", label="a bug that passes")[0]
    noticed = ax.plot([], [], "o", color=plot.BLUE, label="a bug that is noticed")[0]
    ax.plot(mismatch, 0.5, "D", color=plot.VERMILION, markersize=9, label="the look into\nempty slots")
    line = ax.axvline(1.5, color=plot.INK, linestyle="-", label="the tolerance")
    ax.set(xlim=(1e-9, 10), ylim=(0, 1), yticks=[])
    plot.dress(ax, "largest change of a logit (logits of size 0.04)", "", " ", log="x")
    plot.legend(fig)
    fig.draw_without_rendering()
    fig.set_layout_engine("none")
    return fig, (changes, heights), passed, noticed, line, ax


def tolerance(moved, mismatch, decimals):
    """Which bugs a test notices that asks for so many decimals; `moved` is a tuple of changes."""
    fig, (changes, heights), passed, noticed, line, ax = dial(moved, mismatch)
    limit = 1.5 * 10.0**-decimals
    seen = changes >= limit
    passed.set_data(changes[~seen], heights[~seen])
    noticed.set_data(changes[seen], heights[seen])
    line.set_xdata([limit, limit])
    ax.set_title(f"tolerance {limit:.2g}: {seen.sum()} of {len(changes)} bugs are noticed")
    return fig
