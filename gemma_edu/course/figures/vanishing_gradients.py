"""The pictures of chapter 02: where a gradient dies, on its way down through layers or back through time."""
import math
from functools import cache, partial

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from ...lab.vanishing_gradients.chain import chain, climb, descend, lengths
from ...lab.vanishing_gradients.wiring import no_norm, plain
from ...numpy_gemma.gates import gelu, relu, sigmoid, tanh
from ...numpy_gemma.gradient import backward
from .. import plot
from .flow_map import brief, flow_map, power_of_ten  # noqa: F401  the course's heat map, first seen in this chapter

ACTIVATIONS = {each.__name__: each for each in (sigmoid, tanh, relu, gelu)}
DEAD = 0.1          # a slope that lets less than a tenth through


def spectra(values_of):
    """How much a chain stretches each of its D directions, sorted; {name: singular values}."""
    fig, ax = plot.figure(width=8.4, height=3.6)
    shades = colormaps["viridis"](np.linspace(0.85, 0.1, len(values_of)))
    for (name, stretch), colour, dash in zip(values_of.items(), shades, plot.DASHES, strict=False):
        ax.plot(1 + np.arange(len(stretch)), stretch, color=colour, linestyle=dash, label=name)
    plot.dress(ax, "direction, from the most to the least stretched (of D)", "stretched by", log="y")
    ax.set_ylim(bottom=1e-15)           # what is smaller is float64's rounding
    plot.legend(fig)
    return fig


def met(activation, scale, L=18, D=64, seed=0):
    """The slopes that a gradient meets in a fresh chain: one for each layer, example and unit."""
    layer, x = partial(plain, activation, no_norm), np.random.default_rng((seed, 1)).standard_normal((64, D))
    weights = chain(layer, L, D, scale, seed=seed)
    return np.array([backward(activation)(np.ones_like(x), x @ w["w"])
                     for w, x in zip(weights, climb(layer, weights, x), strict=False)])


def saturation(slopes, scales):
    """Above: each activation and its slope.  Below: a histogram of the slopes met; {name: [slopes, one per scale]}."""
    fig, axes = plot.figure(2, len(slopes), width=9.6, height=5.0, sharey="row")
    z = np.linspace(-4, 4, 200)
    for (top, bottom), (name, of_scale) in zip(axes.T, slopes.items(), strict=True):
        f = ACTIVATIONS[name]
        top.plot(z, f(z), color=plot.INK, linestyle="-", label="activation φ(z)")
        top.plot(z, backward(f)(np.ones_like(z), z), color=plot.VERMILION, linestyle="--", label="its slope φ'(z)")
        plot.dress(top, "z", "", name)
        top.set_ylim(-1.1, 2)
        for scale, each, colour, dash in zip(scales, of_scale, (plot.BLUE, plot.ORANGE), ("-", "--"), strict=True):
            bottom.hist(each.ravel(), bins=np.linspace(-0.2, 1.2, 29), weights=np.full(each.size, 1 / each.size),
                        histtype="stepfilled", facecolor=f"{colour}40",
                        edgecolor=colour, linestyle=dash, linewidth=1.6, label=f"scale {scale}")
        plot.dress(bottom, "slope met", "", "flat: " + " → ".join(
            f"{np.mean(np.abs(each) < DEAD):.0%}" for each in of_scale))
    axes[0, 0].set_ylabel("φ and φ'")
    axes[1, 0].set_ylabel("share of all units")
    plot.legend(fig)
    return fig


def dial(depth, activation, scale):
    """One chain: how long the stream is going up, and its gradient coming down."""
    fig, ax, (up, down) = canvas()
    layer, random = partial(plain, ACTIVATIONS[activation], no_norm), np.random.default_rng(1)
    weights = chain(layer, depth, 32, scale)
    stream = climb(layer, weights, random.standard_normal((16, 32)))
    grads, _ = descend(random.standard_normal((16, 32)), layer, weights, stream)
    heard = lengths(grads) / lengths(grads[-1:])
    up.set_data(np.arange(depth + 1), lengths(stream))
    down.set_data(np.arange(depth + 1), heard)
    ax.set_xlim(0, depth)
    ax.set_title(f"the first layer hears {brief(heard[0])} of what the last one hears")
    return fig


@cache
def canvas():
    """The dial's figure: kept and redrawn, and laid out once."""
    fig = Figure(figsize=(7.6, 3.6))
    ax = fig.add_axes((0.11, 0.15, 0.55, 0.75))
    curves = [ax.plot([], [], label=name)[0] for name in ("stream, upwards →", "gradient, downwards ←")]
    plot.dress(ax, "layer L", "length (rms)", log="y")
    ax.set_ylim(1e-16, 1e16)
    powers = range(-16, 17, 4)
    ax.set_yticks([10.0**power for power in powers], [power_of_ten(power) for power in powers])
    ax.yaxis.set_minor_locator(NullLocator())
    fig.legend(loc="upper left", bbox_to_anchor=(0.67, 0.92))
    return fig, ax, curves


def over_time(curves, title=""):
    """{name: lengths [seeds, T]}: the middle one of the seeds, and a band from the least to the greatest."""
    T = len(next(iter(curves.values()))[0])
    return plot.lines({name: np.median(each, axis=0) for name, each in curves.items()}, np.arange(1, T + 1),
                      spread={name: (np.min(each, axis=0), np.max(each, axis=0)) for name, each in curves.items()},
                      xlabel="step of time T  (the gradient travels ←)", ylabel="length, at the end 1", log="y",
                      title=title, width=9.6, height=4.2)


def arms(ax, points, arm):
    """The two spirals as dots of two colours and two shapes."""
    for sign, colour, marker in [(1, plot.ORANGE, "o"), (-1, plot.SKY, "s")]:
        ax.scatter(*points[arm == sign].T[:2], color=colour, marker=marker, s=20, edgecolor=plot.INK, linewidth=0.5)
    ax.set(aspect="equal", xticks=[], yticks=[], xlim=(-1.2, 1.2), ylim=(-1.2, 1.2))


def what_they_see(fields, points, arm, columns=3):
    """{title: belief [n, n] in the arm +1, over the plane}, under the points that were to be learned."""
    rows = -(-len(fields) // columns)
    fig, axes = plot.figure(rows, columns, width=9.6, height=9.0 / columns * rows + 0.5, squeeze=False)
    for ax, (title, belief) in zip(axes.ravel(), fields.items(), strict=False):
        image = ax.imshow(belief, origin="lower", extent=(-1.2, 1.2, -1.2, 1.2), vmin=0, vmax=1, cmap="cividis")
        arms(ax, points, arm)
        ax.grid(visible=False)
        plot.dress(ax, "coordinate 0", "", title)
        ax.title.set_size(11)
    for ax in axes.ravel()[len(fields):]:
        ax.axis("off")
    axes[0, 0].set_ylabel("coordinate 1")
    fig.colorbar(image, ax=axes, label="belief in the arm of the circles", aspect=30, pad=0.015)
    return fig


def plane(n=60):
    """The points of a square grid, [n · n, 2], row by row from the bottom."""
    side = np.linspace(-1.2, 1.2, n)
    return np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)


def verdicts(arrives, losses, where="at the first layer (at the last: 1)"):
    """{name: one number per seed}, twice: what arrives at the first layer, and the loss after training."""
    fig, axes = plot.figure(1, 2, width=9.6, height=1.3 + 0.45 * len(arrives), sharey=True)
    for row, name in enumerate(arrives):
        for ax, numbers in [(axes[0], arrives[name]), (axes[1], losses[name])]:
            ax.plot([np.min(numbers), np.max(numbers)], [row, row], "-", color=plot.BLUE, linewidth=6, alpha=0.25)
            ax.plot(numbers, np.full(len(numbers), row), "o", color=plot.BLUE, markersize=7)
    axes[0].axvline(1, color=plot.GREEN, linestyle="--")
    axes[1].axvline(math.log(2), color=plot.VERMILION, linestyle="--")
    axes[0].set_yticks(range(len(arrives)), list(arrives), color=plot.INK)
    axes[0].invert_yaxis()
    plot.dress(axes[0], f"gradient {where}", "", "before training: what arrives", "x")
    plot.dress(axes[1], "loss after training (nats)", "", "after training: what was learned")
    axes[0].annotate(" as much\n as was sent", (1, 0), va="center")
    axes[1].annotate("a coin ", (math.log(2), len(arrives) - 1.5), ha="right")
    return fig
