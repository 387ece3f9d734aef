"""The pictures of chapter 01: rows of switches that open and close, and memories that last or fade."""
from functools import cache

import numpy as np
from matplotlib.ticker import MaxNLocator

from ...lab.gates.adding import rolling
from ...numpy_gemma import sigmoid
from .. import plot

STEPS = np.logspace(0, 3, 120)


def open_gates(openness, *, tokens=None, marks=(), xlabel="time T →", ylabel="unit C", title="", low=0.0, high=1.0,
               words=("shut", "half open", "open"), width=9.0):
    """Rows of switches over time, from dark and shut to bright and open: the picture of every gate in this course.

    `openness` is [rows, T], one row of switches per unit of a state (C) or of an MLP (F); or {name: [rows, T]}, a panel
    for each gate.  `tokens` names the columns, `marks` are columns to point at.  `low` and `high` are the numbers that
    count as shut and as open; what lies beyond is painted as they are.
    """
    panels = openness if isinstance(openness, dict) else {"": openness}
    tall = [max(0.5, 0.145 * len(rows)) for rows in panels.values()]
    fig, axes = plot.figure(len(panels), 1, width=width, height=1.1 + sum(tall) + 0.35 * len(tall), sharex=True,
                            squeeze=False, height_ratios=tall)
    for ax, (name, rows) in zip(axes[:, 0], panels.items(), strict=True):
        image = switches(ax, rows, low, high)
        plot.dress(ax, "", ylabel)
        ax.set_title(name, pad=18 if len(marks) and ax is axes[0, 0] else 6)      # above the marks
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
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
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


def switch():
    """The sigmoid and its slope; dots in the colours of `open_gates`."""
    z = np.linspace(-8, 8, 200)
    y = sigmoid(z)
    fig, axes = plot.figure(1, 2, width=9.6, height=3.6, sharex=True)
    axes[0].plot(z, y, color=plot.GREY)
    dots = np.arange(-8, 9.0)
    axes[0].scatter(dots, sigmoid(dots), c=sigmoid(dots), s=70, vmin=0, vmax=1, zorder=3)
    for height, word in [(0, "shut"), (0.5, "half open"), (1, "open")]:
        axes[0].annotate(word, (-8 if height else 8, height), ha="left" if height else "right", va="center",
                         xytext=(0, -10 if height == 1 else 10 if not height else 0), textcoords="offset points")
    axes[1].plot(z, y * (1 - y), color=plot.VERMILION)
    axes[1].plot(0, 0.25, "o", color=plot.INK)
    axes[1].annotate("never more than ¼", (0, 0.25), xytext=(16, 2), textcoords="offset points", va="center")
    axes[0].set_xticks(range(-8, 9, 2))
    plot.dress(axes[0], "z", "σ(z)", "how far the switch is open")
    plot.dress(axes[1], "z", "σ′(z) = σ(z) (1 − σ(z))", "how far it yields to a push")
    return fig


def one_example(x, y):
    """One sequence of the adding problem, [T, 2]: the numbers, and the sum so far of those that are marked."""
    steps, marked = np.arange(len(x)), x[:, 1] == 1
    fig, axes = plot.figure(2, 1, width=9.0, height=4.0, sharex=True)
    axes[0].bar(steps, x[:, 0], color=np.where(marked, plot.VERMILION, "#BBBBBB"))
    for step in steps[marked]:
        axes[0].annotate(f"{x[step, 0]:.2f}\n▼", (step, x[step, 0]), ha="center", va="bottom",
                         color=plot.VERMILION, linespacing=0.9)
    axes[1].step(steps, np.cumsum(x[:, 0] * x[:, 1]), where="mid", color=plot.BLUE)
    axes[1].plot(steps[-1], y, "o", color=plot.BLUE)
    axes[1].annotate(f"to be said: {y:.2f}", (steps[-1], y), xytext=(-8, -12), textcoords="offset points", ha="right")
    axes[0].set_ylim(0, 1.35)
    plot.dress(axes[0], "", "the number", "what is read: two numbers are marked")
    plot.dress(axes[1], "time T →", "their sum so far", "what must be remembered")
    return fig


def race(losses, guess, window=20, title=""):
    """Error over the steps of training, {name: [R, steps]}: the median of R networks, and all of them as a band."""
    smooth = {name: rolling(each, window) for name, each in losses.items()}
    steps = np.arange(window, next(iter(losses.values())).shape[1] + 1)
    fig = plot.lines({name: np.median(each, axis=0) for name, each in smooth.items()}, steps, log="y", title=title,
                     spread={name: (each.min(axis=0), each.max(axis=0)) for name, each in smooth.items()},
                     xlabel="steps of training", ylabel="mean squared error", width=9.0, height=4.0)
    [ax] = fig.axes
    ax.axhline(guess, color=plot.GREY, linewidth=1)
    ax.annotate("always saying 1", (steps[-1], guess), xytext=(0, 8), textcoords="offset points", ha="right",
                color=plot.GREY)
    return fig


def memory_lasts(bias):
    """What is left of a memory after so many steps, where only the bias sets the forget gate."""
    fig, ax, line, dot = memory_axes()
    keep = sigmoid(float(bias))
    half = np.log(0.5) / np.log(keep)
    line.set_ydata(keep**STEPS)
    dot.set_data([half], [0.5])
    ax.set_title(f"bias {bias:+.1f}: the gate lets {keep:.1%} through, half is gone after {half:.1f} steps")
    return fig


@cache
def memory_axes():
    """The part of `memory_lasts` that no knob moves, drawn once."""
    fig, ax = plot.figure(width=8.0, height=3.8)
    for bias in (-2, 0, 2, 4, 6):
        ax.plot(STEPS, sigmoid(float(bias))**STEPS, color="#BBBBBB", linewidth=1, linestyle="-")
        half = np.log(0.5) / np.log(sigmoid(float(bias)))
        if half > 1:
            ax.annotate(f"{bias:+d}", (half, 0.5), xytext=(8, 4), textcoords="offset points", color=plot.GREY)
    [line] = ax.plot(STEPS, STEPS, color=plot.BLUE, linestyle="-", linewidth=3)
    [dot] = ax.plot([1], [0.5], "o", color=plot.VERMILION, markersize=9, zorder=3)
    plot.dress(ax, "steps later (time T)", "what is left of a memory", " ", log="x")
    ax.set(xlim=(1, 1000), ylim=(0, 1.03), xticks=[1, 10, 100, 1000], xticklabels=["1", "10", "100", "1000"])
    ax.minorticks_off()
    fig.draw_without_rendering()
    fig.set_layout_engine("none")       # the layout is found, and need not be sought again for every frame
    return fig, ax, line, dot


def until_learned(steps, never, title=""):
    """Steps of training until a network has learned, {name: [R]}: each network, and their median; ∞ lies on top."""
    fig, ax = plot.figure(width=8.0, height=3.8)
    for column, (_, each) in enumerate(steps.items()):
        seen = np.minimum(each, never)
        ax.scatter(column + np.linspace(-0.15, 0.15, len(seen)), seen, color=plot.BLUE, s=36, label="one network")
        ax.hlines(np.median(seen), column - 0.3, column + 0.3, color=plot.VERMILION, linewidth=3, label="median")
    ax.set_xticks(range(len(steps)), list(steps))
    ax.set_ylim(0, 1.08 * never)
    ax.axhline(never, color=plot.GREY, linewidth=1)
    ax.annotate("not learned in this time", (0, never), xycoords=("axes fraction", "data"), xytext=(4, 4),
                textcoords="offset points", color=plot.GREY)
    plot.dress(ax, "bias of the forget gate at the start", "steps until learned", title)
    plot.legend(fig)
    return fig
