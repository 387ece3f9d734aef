"""The course's heat map: how much of a gradient arrives, over depth or over time."""
import math

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import LogNorm
from matplotlib.ticker import MaxNLocator

from .. import plot

FEW = 10            # rows that are named and read one by one; more of them are read as a landscape


def flow_map(panels, rows, *, ylabel, xlabel="layer L   (0 is the input; the gradient travels ←)", start=0, low=None,
             high=10.0, label="length of the gradient\n(at the top: 1)", lines=True, width=9.6, height=None):
    """Bright where a gradient arrives, dark where it has died, orange where it has exploded beyond `high`.

    `panels` is {title: lengths [rows, columns]}; the columns are layers or steps, counted from `start`, and `rows`
    names the rows, the first on top.  A few rows carry their values; many may be crossed by lines of equal length.
    """
    panels = {title: np.asarray(grid) for title, grid in panels.items()}
    low, few = low or floor(panels), len(rows) <= FEW
    fig, axes = plot.figure(1, len(panels), width=width, height=height or (1.5 + 0.45 * len(rows) if few else 4.2),
                            sharey=True, squeeze=False)
    for ax, (title, grid) in zip(axes[0], panels.items(), strict=True):
        image = paint(ax, grid, start, LogNorm(low, high))
        if few:
            values(ax, grid, start, image)
        elif lines:
            contours(ax, grid, start, image)
        plot.dress(ax, "", "", title)
    fig.supxlabel(xlabel, fontsize=11)
    axes[0, 0].set_ylabel(ylabel)
    name_rows(axes[0, 0], rows)
    bar = fig.colorbar(image, ax=axes, label=label, pad=0.015, aspect=16, extend=beyond(panels, low, high))
    bar.outline.set_visible(False)
    return fig


def paint(ax, grid, start, norm):
    """The colours, and no line that is not needed."""
    rows, columns = grid.shape
    image = ax.imshow(np.maximum(grid, norm.vmin), aspect="auto", interpolation="nearest", norm=norm,
                      cmap=colormaps["viridis"].with_extremes(over=plot.VERMILION),
                      extent=(start - 0.5, start + columns - 0.5, rows - 0.5, -0.5))
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 3, 5, 6, 10], nbins=7))
    return image


def floor(panels):
    """A power of ten below the shortest, but not below 1e-15: what is darker than that is as dead."""
    return max(1e-15, 10.0 ** math.floor(math.log10(max(1e-300, min(np.min(grid) for grid in panels.values())))))


def beyond(panels, low, high):
    """Which ends of the bar are open."""
    under = any(np.min(grid) < low for grid in panels.values())
    over = any(np.max(grid) > high for grid in panels.values())
    return {(True, True): "both", (True, False): "min", (False, True): "max"}.get((under, over), "neither")


def name_rows(ax, rows):
    """All names of a few rows; of many, one in so many, counted from the bottom."""
    stride = 1 if len(rows) <= FEW else next(each for each in (2, 5, 10, 20, 50, 100, 500, 5000)
                                             if each * 6 >= len(rows))
    places = range(len(rows) - 1, -1, -stride)
    ax.set_yticks(places, [rows[place] for place in places], color=plot.INK)


def values(ax, grid, start, image):
    """Numbers on the map at the left, at a third and at two thirds; white lines between the rows."""
    columns = grid.shape[1]
    for row, each in enumerate(grid):
        for column, side in [(0, "left"), (columns // 3, "center"), (2 * columns // 3, "center")]:
            ink = "white" if image.norm(each[column]) < 0.6 else plot.INK
            place = start - 0.5 + 0.012 * columns if side == "left" else start + column
            ax.text(place, row, brief(each[column]), ha=side, va="center", color=ink, fontsize=11)
    for row in range(1, len(grid)):
        ax.axhline(row - 0.5, color="white", linewidth=3, linestyle="-")


def contours(ax, grid, start, image):
    """Lines of equal length, one for every factor of a thousand."""
    levels = [level for level in 10.0 ** np.arange(-15, 16, 3) if grid.min() < level < grid.max()]
    inner = grid[:, :-1]        # at the top all are equally long
    drawn = ax.contour(start + np.arange(inner.shape[1]), np.arange(len(grid)), inner, levels, colors="white",
                       linewidths=1.2, linestyles="-")
    ax.clabel(drawn, fmt=brief, fontsize=11)


def brief(number):
    """A length in few characters: 0, 0.3, 40, 5·10⁻¹², 10³."""
    if number == 0 or 0.01 <= number < 100:
        return f"{number:.2g}"
    digit, power = f"{number:.0e}".split("e")
    return f"{digit}·{power_of_ten(int(power))}".removeprefix("1·")


def power_of_ten(power):
    """10⁻¹² as plain text, which is drawn ten times faster than a formula."""
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
