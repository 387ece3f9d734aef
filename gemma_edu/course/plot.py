"""One style, one palette: figures are functions of arrays, and label their axes with words and letters.

The colours are those of Okabe and Ito, told apart by every kind of eye; a line has a dash of its own as well.
"""
import matplotlib
import numpy as np
from matplotlib import cycler
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

BLUE, VERMILION, GREEN, ORANGE, SKY, PURPLE, INK, GREY = (
    "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7", "#222222", "#777777")
COLOURS = [BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, INK]
DASHES = ["-", "--", "-.", ":", (0, (6, 2)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1))]
STYLE = {
    "font.size": 11, "axes.titlesize": 12, "axes.labelsize": 11, "figure.titlesize": 13,
    "text.color": INK, "axes.labelcolor": INK, "xtick.color": GREY, "ytick.color": GREY, "axes.edgecolor": GREY,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6, "axes.axisbelow": True, "lines.linewidth": 2.0, "legend.frameon": False,
    "image.cmap": "viridis", "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=DASHES)}

matplotlib.rcParams.update(STYLE)      # notebooks draw with one hand: what a chapter adds looks like the rest


def figure(rows=1, columns=1, width=8.0, height=3.6, **options):
    """A figure and its axes, in the house's style; options go to `Figure.subplots`."""
    fig = Figure(figsize=(width, height), layout="constrained")
    return fig, fig.subplots(rows, columns, **options)


def lines(curves, x=None, *, xlabel, ylabel, title="", log="", spread=None, width=8.0, height=3.6):
    """A line for each named row of numbers; `log` is "x", "y" or "xy".

    `spread` gives some of them a band: {name: (low, high)}.
    """
    fig, ax = figure(width=width, height=height)
    for name, curve in curves.items():
        steps = np.arange(len(curve)) if x is None else x
        [line] = ax.plot(steps, curve, label=name)
        if spread and name in spread:
            ax.fill_between(steps, *spread[name], color=line.get_color(), alpha=0.18, linewidth=0)
    dress(ax, xlabel, ylabel, title, log)
    if len(curves) > 1:
        legend(fig)
    return fig


def bars(values, *, ylabel, title="", spread=None, log="", width=8.0, height=3.6):
    """A bar for each named number, with its value on top; `spread` is {name: half the interval}."""
    fig, ax = figure(width=width, height=height)
    names, heights = list(values), list(values.values())
    errors = [spread.get(name, 0) for name in names] if spread else None
    drawn = ax.bar(names, heights, yerr=errors, color=BLUE, width=0.65, capsize=4, ecolor=INK)
    ax.bar_label(drawn, fmt="{:.3g}", padding=3, color=INK)
    ax.grid(axis="x", visible=False)
    ax.margins(y=0.15)
    dress(ax, "", ylabel, title, log)
    return fig


def heat(grid, *, xlabel, ylabel, label, x=None, y=None, title="", log=False, width=8.0, height=3.6):
    """A heat map of [rows, columns], the first row at the bottom; `x` and `y` name the ticks."""
    fig, ax = figure(width=width, height=height)
    heat_on(fig, ax, grid, label=label, x=x, y=y, log=log)
    dress(ax, xlabel, ylabel, title)
    return fig


def heat_on(fig, ax, grid, *, label, x=None, y=None, log=False, low=None, high=None, bar=True):
    """Paint a heat map on given axes, with a bar that says what a colour means."""
    norm = (LogNorm if log else Normalize)(low, high)
    image = ax.imshow(grid, origin="lower", aspect="auto", interpolation="nearest", norm=norm)
    ax.grid(visible=False)
    for names, ticks in [(x, ax.set_xticks), (y, ax.set_yticks)]:
        if names is not None:
            ticks(np.arange(len(names)), names)
    if bar:
        key = fig.colorbar(image, ax=ax, label=label, pad=0.02)
        key.outline.set_visible(False)
    return image


def dress(ax, xlabel, ylabel, title="", log=""):
    """Words on both axes."""
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    for axis in log:
        ax.set(**{f"{axis}scale": "log"})


def legend(fig):
    """Beside the data, never on it."""
    seen = {}
    for ax in fig.axes:
        for handle, name in zip(*ax.get_legend_handles_labels(), strict=True):
            seen.setdefault(name, handle)
    fig.legend(seen.values(), seen.keys(), loc="outside right upper", handlelength=2.6)
