"""More pictures of chapter 03: what each remedy against exploding gradients does, measured."""
from functools import cache

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Circle, Rectangle

from ...lab.exploding_gradients import cliff
from .. import plot
from .exploding_gradients import CLIPPED, WHOLE, paint, walk_on

DPI = 100                     # of the dial
LONGEST = {"no clipping": np.inf, "3": 3.0, "1": 1.0, "0.3": 0.3, "0.1": 0.1, "0.03": 0.03}     # the dial's thresholds
RADII = np.round(np.arange(0.8, 2.55, 0.1), 1)                                                   # and where it starts


def three_ways(longest=1.0, n=12):
    """A fan of gradients, whole and clipped: by the norm of both numbers, and number by number."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False) + 0.2
    grads = np.where(np.arange(n) % 3, 2.6, 0.8) * np.stack([np.cos(angle), np.sin(angle)])
    ways = {"whole": cliff.whole, "by global norm": cliff.by_norm(longest), "number by number": cliff.by_value(longest)}
    fig, axes = plot.figure(1, 3, width=9.8, height=3.7, sharex=True, sharey=True)
    for ax, (title, clip), colour in zip(axes, ways.items(), (plot.GREY, plot.BLUE, plot.VERMILION), strict=True):
        for way in grads.T:
            ax.plot(*np.stack([0 * way, way]).T, color="#BBBBBB", linestyle="-", linewidth=1)
        ax.quiver(*np.zeros_like(grads), *clip(grads), color=colour, angles="xy", scale_units="xy", scale=1,
                  width=0.012)
        ax.set(xlim=(-2.9, 2.9), ylim=(-2.9, 2.9), aspect="equal", title=title, xlabel="gradient of weight 0")
    dotted = dict(fill=False, color=plot.INK, linestyle=":")
    axes[1].add_patch(Circle((0, 0), longest, **dotted))
    axes[2].add_patch(Rectangle((-longest, -longest), 2 * longest, 2 * longest, **dotted))
    axes[0].set_ylabel("gradient of weight 1")
    return fig


def share_map(rates, longests, shares):
    """The share of walks that arrived: [threshold, rate]."""
    names = ["none" if np.isinf(each) else f"{each:g}" for each in longests]
    fig = plot.heat(shares, xlabel="learning rate", ylabel="clipped to length", label="share that learned the bit",
                    x=[f"{rate:g}" for rate in rates], y=names, width=8.6, height=4.0)
    ax = fig.axes[0]
    for (row, column), share in np.ndenumerate(shares):
        ax.text(column, row, f"{share:.0%}", ha="center", va="center", color="white" if share < 0.6 else plot.INK)
    return fig


def learned(shares, every):
    """The share of walks that have learned the bit, over the steps of learning: {remedy: [groups, moments]}."""
    steps = every * np.arange(len(next(iter(shares.values()))[0]))
    means = {name: np.mean(each, axis=0) for name, each in shares.items()}
    band = {name: (np.min(each, axis=0), np.max(each, axis=0)) for name, each in shares.items()}
    fig = plot.lines(means, steps, spread=band, xlabel="step of learning", ylabel="share that keep the bit",
                     width=9.4, height=3.9)
    fig.axes[0].set_ylim(-0.03, 1.03)
    return fig


def left_over(noise, left):
    """What decay leaves of weights, against the size of their gradient: {method: [noises, copies]}."""
    curves = {name: np.mean(each, axis=1) for name, each in left.items()}
    band = {name: np.quantile(each, (0.1, 0.9), axis=1) for name, each in left.items()}
    return plot.lines(curves, noise, spread=band, log="x", xlabel="size of the weight's gradient (noise)",
                      ylabel="what is left of the weight", width=9.4, height=3.7)


def runs(logs, worst=1e4):
    """Training runs, a thin line for each network: {title: (losses, lengths, weights)}, both [steps, networks]."""
    fig, axes = plot.figure(2, len(logs), width=9.8, height=5.2, sharex=True, sharey="row")
    for column, (title, log) in zip(axes.T, logs.items(), strict=True):
        burst = ~(log[0][-20:].mean(axis=0) < 2)
        for ax, curves in zip(column, log[:2], strict=True):
            for curve, bad in zip(np.nan_to_num(curves, nan=np.inf).T, burst, strict=True):
                ax.plot(np.minimum(curve, 10 * worst), color=plot.VERMILION if bad else plot.BLUE,
                        linestyle="--" if bad else "-", linewidth=1, alpha=0.8)
            ax.set(yscale="log", ylim=(1e-3, worst))
        column[0].set_title(title)
        column[1].set_xlabel("step of learning")
    axes[0, 0].set_ylabel("loss")
    axes[1, 0].set_ylabel("length of the gradient")
    return fig


@cache
def all_walks(steps=150):
    """Every walk that the dial can show, at once: [steps + 1, 2, radius, threshold], and the lengths."""
    radius, longest = np.meshgrid(RADII, list(LONGEST.values()), indexing="ij")
    return cliff.walk(radius, np.full_like(radius, 0.35), rate=0.1, steps=steps, clip=cliff.by_norm(longest))


@cache
def stage():
    """The dial without its walk, drawn once; a frame only adds its lines."""
    fig, axes = plot.figure(1, 2, width=9.6, height=3.9)
    paint(fig, axes[0], bar=False)
    plot.dress(axes[1], "step of learning", "length of the gradient", "dashed: what it is clipped to", log="y")
    axes[1].set(xlim=(0, len(all_walks()[1])), ylim=(1e-4, 1e4))
    fig.set_dpi(DPI)
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    return axes, canvas, canvas.copy_from_bbox(fig.bbox)


def cliff_dial(spectral_radius, clip):
    """A walk that starts at a radius, clipped or not: over the surface, and its gradients."""
    places, lengths = all_walks()
    axes, canvas, blank = stage()
    here = int(np.argmin(np.abs(RADII - spectral_radius))), list(LONGEST).index(clip)
    longest = LONGEST[clip]
    walk_on(axes[0], places[:, :, *here], None, WHOLE if np.isinf(longest) else CLIPPED)
    axes[1].plot(lengths[:, *here], color=plot.VERMILION, linestyle="-", linewidth=1.2)
    axes[1].axhline(min(longest, 1e9), color=plot.INK, linestyle="--", linewidth=1.2)
    canvas.restore_region(blank)
    for ax in axes:
        for artist in [*ax.lines, *ax.texts]:
            ax.draw_artist(artist)
            artist.remove()
    return np.array(canvas.buffer_rgba())[..., :3]
