"""The pictures of chapter 03: a cliff, the leap off it, and what each remedy does about it."""
from functools import cache

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.patheffects import withStroke

from ...lab.exploding_gradients import cliff
from .. import plot

U, B = np.linspace(0.6, 2.6, 240), np.linspace(-0.9, 0.9, 216)       # the weights that the surface shows
WHOLE, CLIPPED = (plot.VERMILION, "white"), ("white", plot.INK)       # a trail's colour and its rim
HEIGHTS = LogNorm(1e-3, 2)


def leap(losses, lengths):
    """A run that goes well until it does not: the loss, and the length of the gradient, at each step."""
    fig, axes = plot.figure(1, 2, width=9.6, height=3.4)
    at = int(np.argmax(lengths))
    axes[0].plot(losses, color=plot.BLUE)
    axes[1].plot(lengths, color=plot.VERMILION, marker="o", markersize=3)
    axes[1].annotate(f"step {at}: {lengths[at]:.0f}", (at, lengths[at]), (at - 4, lengths[at]), ha="right", va="center")
    plot.dress(axes[0], "step of learning", "loss", "It gets better, with bumps …", log="y")
    plot.dress(axes[1], "step of learning", "length of the gradient", "… and then this gradient comes", log="y")
    return fig


@cache
def surface(unit=cliff.plain):
    """The loss at every pair of weights that the pictures show: [b, u]."""
    return cliff.loss(*np.meshgrid(U, B), unit)


def paint(fig, ax, unit=cliff.plain, bar=True):
    """The surface as a heat map: dark is good, and where the colour breaks off, there is the cliff."""
    image = ax.imshow(surface(unit), origin="lower", aspect="auto", norm=HEIGHTS, interpolation="nearest",
                      extent=(U[0], U[-1], B[0], B[-1]))
    ax.grid(visible=False)
    ax.set(xlim=(U[0], U[-1]), ylim=(B[0], B[-1]), xlabel="recurrent weight u (the spectral radius)", ylabel="bias b")
    if bar:
        fig.colorbar(image, ax=ax, label="loss", pad=0.02).outline.set_visible(False)


def trail(ax, places, name, colours):
    """A walk over the surface, with a dot for each step and a ring where it began."""
    colour, rim = colours
    stroke = [withStroke(linewidth=3, foreground=rim)]
    ax.plot(*places.T, color=colour, linestyle="-", linewidth=1.3, marker="o", markersize=2.5, label=name,
            path_effects=stroke)
    ax.plot(*places[0], "o", markersize=11, fillstyle="none", color=colour, markeredgewidth=2, path_effects=stroke)


def leaving(places):
    """The number of the first place outside the picture; None if the walk stays inside."""
    u, b = places.T
    outside = (u < U[0]) | (u > U[-1]) | (b < B[0]) | (b > B[-1])
    return int(np.argmax(outside)) if outside.any() else None


def walk_on(ax, places, name, colours):
    """A trail that ends where it leaves the picture, with a note that says where it went."""
    gone = leaving(places)
    trail(ax, places[:None if gone is None else gone + 1], name, colours)
    if gone is not None:
        u, b = places[gone]
        ax.text(0.02, 0.05, f"step {gone - 1}: off to u = {u:.1f}, b = {b:.1f}", transform=ax.transAxes,
                bbox=dict(boxstyle="round", facecolor="white", edgecolor="none", alpha=0.9))


def on_the_cliff(walks, width=8.6, height=4.8):
    """One or two walks [steps + 1, 2] over the surface: {name: places}."""
    fig, ax = plot.figure(width=width, height=height)
    paint(fig, ax)
    for (name, places), colours in zip(walks.items(), (WHOLE, CLIPPED), strict=False):
        walk_on(ax, places, name, colours)
    fig.legend(loc="outside lower center", ncols=2, handlelength=3)
    return fig


def gate_beside(walks):
    """The same surface without and with a gate, and a walk over each: {title: (unit, places)}."""
    fig, axes = plot.figure(1, 2, width=9.8, height=4.0, sharey=True)
    for ax, (title, (unit, places)) in zip(axes, walks.items(), strict=True):
        paint(fig, ax, unit, bar=ax is axes[-1])
        walk_on(ax, places, None, WHOLE)
        ax.set_title(title)
    axes[1].set_ylabel("")
    return fig


def wall(u=1.8):
    """The loss across the edge, and how steep the edge is, for memories of several lengths."""
    b, lengths = np.linspace(0.1, 0.6, 2001), np.arange(1, 51)
    fig, axes = plot.figure(1, 2, width=9.8, height=3.7)
    for T in (5, 10, 50):
        axes[0].plot(b, cliff.loss(np.full_like(b, u), b, steps=T), label=f"T = {T} steps")
    axes[0].legend(loc="upper left", handlelength=2.6)                   # where there is no data
    for radius, colour in zip((4 / 3, 1.5, 1.8, 2.4), (plot.PURPLE, plot.SKY, plot.INK, plot.GREY), strict=True):
        slopes = [cliff.slope_on_the_edge(radius, T) for T in lengths]
        axes[1].plot(lengths, slopes, color=colour)
        axes[1].text(51, slopes[-1], f"u = {radius:.2f}", va="center")
    axes[1].set_xlim(0, 66)
    plot.dress(axes[0], "bias b", "loss", f"Across the edge, at u = {u}")
    plot.dress(axes[1], "steps of memory T", "slope of the loss along b", "How steep it is on the edge", log="y")
    return fig


def over_time(panels):
    """How long a gradient is, step by step into the past: {title: {name: [steps + 1, seeds]}}."""
    fig, axes = plot.figure(1, len(panels), width=9.8, height=3.8, sharey=True)
    for ax, (title, curves) in zip(axes, panels.items(), strict=True):
        for name, lengths in curves.items():
            [line] = ax.plot(np.exp(np.mean(np.log(lengths), axis=1)), label=name)
            ax.fill_between(np.arange(len(lengths)), np.min(lengths, axis=1), np.max(lengths, axis=1),
                            color=line.get_color(), alpha=0.15, linewidth=0)
        ax.axhline(1, color=plot.GREY, linewidth=0.8)
        plot.dress(ax, "steps back in time T", "", title, log="y")
    axes[0].set_ylabel("length of the gradient")
    plot.legend(fig)
    return fig


def reach_map(radii, maps):
    """How long a gradient still is, by spectral radius and steps back in time: {title: [radius, steps]}."""
    fig, axes = plot.figure(1, len(maps), width=9.8, height=4.2, sharey=True)
    for ax, (title, grid) in zip(axes, maps.items(), strict=True):
        image = ax.imshow(np.log10(grid), origin="lower", aspect="auto", vmin=-9, vmax=9, interpolation="bilinear",
                          extent=(0, grid.shape[1] - 1, radii[0], radii[-1]))
        ax.contour(np.arange(grid.shape[1]), radii, np.log10(grid), levels=[-3, 3], colors="white",
                   linestyles=[":", "--"], linewidths=1.8)
        ax.axhline(1, color=plot.VERMILION, linewidth=1.5)
        ax.grid(visible=False)
        plot.dress(ax, "steps back in time T", "", title)
    axes[0].set_ylabel("spectral radius")
    key = fig.colorbar(image, ax=axes, label="length of the gradient", pad=0.02, ticks=[-9, -6, -3, 0, 3, 6, 9])
    key.ax.set_yticklabels([f"$10^{{{power}}}$" if power else "1" for power in (-9, -6, -3, 0, 3, 6, 9)])
    key.outline.set_visible(False)
    return fig
