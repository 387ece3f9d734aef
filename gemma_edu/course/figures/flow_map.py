"""The course's heat map: how much of a gradient arrives, over depth or over time."""
import math

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator

from .. import plot

FEW = 10            # rows that are named and read one by one; more of them are read as a landscape


def flow_map(panels, rows, *, ylabel, xlabel="layer L   (0 is the input; the gradient travels ←)", start=0, low=None,
             high=None, label="length of the gradient\n(at the top: 1)", width=9.6, height=None):
    """Bright where a gradient arrives, dark where it has died.

    `panels` is {title: lengths [rows, columns]}; the columns are layers or steps, counted from `start`, and `rows`
    names the rows, the first on top.  A few rows carry their values; many are crossed by lines of equal length.
    """
    low, high = low or floor(panels), high or ceiling(panels)
    tall = height or (1.5 + 0.45 * len(rows) if len(rows) <= FEW else 4.2)
    fig, axes = plot.figure(1, len(panels), width=width, height=tall, sharey=True, squeeze=False)
    for ax, (title, grid) in zip(axes[0], panels.items(), strict=True):
        few = len(grid) <= FEW
        image = ax.imshow(np.clip(grid, low, high), aspect="auto", interpolation="nearest", norm=LogNorm(low, high),
                          extent=(start - 0.5, start + np.shape(grid)[1] - 0.5, len(grid) - 0.5, -0.5))
        (values if few else contours)(ax, np.asarray(grid), start, image)
        plot.dress(ax, "", "", title)
        ax.grid(visible=False)
        ax.tick_params(length=0)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 3, 5, 6, 10], nbins=7))
    fig.supxlabel(xlabel, fontsize=11)
    axes[0, 0].set_ylabel(ylabel)
    name_rows(axes[0, 0], rows)
    bar = fig.colorbar(image, ax=axes, label=label, pad=0.015, aspect=16, extend=beyond(panels, low, high))
    bar.outline.set_visible(False)
    return fig


def floor(panels):
    """A power of ten below the shortest, but not below 1e-15: what is darker than that is as dead."""
    return max(1e-15, 10.0 ** math.floor(math.log10(max(1e-300, min(np.min(grid) for grid in panels.values())))))


def ceiling(panels):
    """A power of ten above the longest, and not below 1."""
    return max(1.0, 10.0 ** math.ceil(math.log10(max(np.max(grid) for grid in panels.values())) - 0.3))


def beyond(panels, low, high):
    """Which ends of the bar are open."""
    under = any(np.min(grid) < low for grid in panels.values())
    over = any(np.max(grid) > high for grid in panels.values())
    return {(True, True): "both", (True, False): "min", (False, True): "max"}.get((under, over), "neither")


def name_rows(ax, rows):
    """All names of a few rows; of many, one in so many."""
    stride = 1 if len(rows) <= FEW else max(1, (len(rows) - 1) // 5)
    ax.set_yticks(range(0, len(rows), stride), rows[::stride], color=plot.INK)


def values(ax, grid, start, image):
    """Numbers on the map at the left, at a third and at two thirds; white lines between the rows."""
    columns = grid.shape[1]
    for row, lengths_of_row in enumerate(grid):
        for column, side in [(0, "left"), (columns // 3, "center"), (2 * columns // 3, "center")]:
            ink = "white" if image.norm(lengths_of_row[column]) < 0.6 else plot.INK
            place = start + column - (0.35 if side == "left" else 0)
            ax.text(place, row, brief(lengths_of_row[column]), ha=side, va="center", color=ink, fontsize=11)
    for row in range(1, len(grid)):
        ax.axhline(row - 0.5, color="white", linewidth=3)


def contours(ax, grid, start, image):
    """Lines of equal length, one for every factor of a thousand."""
    low, high = image.norm.vmin, image.norm.vmax
    levels = [level for level in 10.0 ** np.arange(-15, 16, 3) if low < level < high]
    if levels and grid.min() < max(levels) and grid.max() > min(levels):
        inner = grid[:, :-1]        # at the top all are equally long
        drawn = ax.contour(start + np.arange(inner.shape[1]), np.arange(len(grid)), inner, levels, colors="white",
                           linewidths=1.2, linestyles="-")
        ax.clabel(drawn, fmt=brief, fontsize=11)


def brief(number):
    """A length in the fewest characters: 0.3, 40, or a power of ten."""
    if number == 0:
        return "0"
    return f"{number:.2g}" if 0.01 <= number < 100 else power_of_ten(round(math.log10(number)))


def power_of_ten(power):
    """10⁻¹² as plain text, which is drawn ten times faster than a formula."""
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
