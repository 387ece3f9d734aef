"""The pictures of chapter 05: vectors set to one length, and towers that hold or burst."""
from functools import cache

import numpy as np
from matplotlib.patches import Circle

from ...numpy_gemma import rms_norm
from ...numpy_gemma.norm import rms_norm_backward
from .. import plot


def cloud(n=200, seed=0):
    """Points of the plane in a skewed heap, as a batch of vectors of width 2: [1, n, 2]."""
    random = np.random.default_rng(seed)
    return random.standard_normal((1, n, 2)) @ np.array([[2.0, 0.8], [0.0, 0.7]]) + [1.0, 0.3]


def unit_then_stretch(scale):
    """Three stages of a cloud of vectors: as they come, at length one, stretched."""
    x = cloud()
    stages = {"x": x, "set to length one": rms_norm(x, np.zeros(2)), "then stretched": rms_norm(x, np.asarray(scale))}
    fig, axes = plot.figure(1, 3, width=9.6, height=3.6, sharex=True, sharey=True)
    angle = np.arctan2(*x[0].T)
    for ax, (name, points) in zip(axes, stages.items(), strict=True):
        ax.scatter(*points[0].T, c=angle, cmap="twilight", s=14)
        ax.plot(0, 0, "+", color=plot.INK, markersize=10)
        ax.set(xlim=(-5.5, 5.5), ylim=(-5.5, 5.5), aspect="equal", title=name, xlabel="coordinate 0")
    axes[0].set_ylabel("coordinate 1")
    return fig


@cache
def dial():
    """The figure of the dial, laid out once, and the points that it moves."""
    fig = unit_then_stretch([0.0, 0.0])
    fig.draw_without_rendering()
    fig.set_layout_engine("none")
    return fig, fig.axes[-1].collections[0]


def stretch_dial(w0, w1):
    """`unit_then_stretch` for two knobs: one figure, in which only the stretched points move."""
    fig, stretched = dial()
    stretched.set_offsets(rms_norm(cloud(), np.array([w0, w1]))[0])
    return fig


def tangents(n=8):
    """One gradient dy at n directions of two lengths, and what rms_norm_backward lets through: only what turns x."""
    angle = np.tile(np.linspace(0, 2 * np.pi, n, endpoint=False), 2)
    length = np.repeat([1.0, 2.0], n)
    x = (length * np.stack([np.cos(angle), np.sin(angle)])).T[None]
    dy = np.broadcast_to([0.0, 1.0], x.shape)
    dx, _ = rms_norm_backward(dy, x, np.zeros(2))
    fig, axes = plot.figure(1, 2, width=8.4, height=4.2, sharex=True, sharey=True)
    for ax, arrows, name, colour in [(axes[0], dy, "dy, from above: the same for all", plot.GREY),
                                     (axes[1], dx, "dx, what arrives at x", plot.VERMILION)]:
        ax.scatter(*x[0].T, color=plot.BLUE, s=28, zorder=3)
        ax.quiver(*x[0].T, *arrows[0].T, color=colour, angles="xy", scale_units="xy", scale=1.2, width=0.008)
        for radius in (1, 2):
            ax.add_patch(circle(radius))
        ax.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", title=name, xlabel="coordinate 0")
    axes[0].set_ylabel("coordinate 1")
    return fig


def circle(radius):
    return Circle((0, 0), radius, fill=False, color=plot.GREY, linewidth=0.8, linestyle=":")


def through_the_layers(streams, grads, title=""):
    """Length of the stream going up, and of the gradient coming down, for each kind of tower.

    Both are {name: list of L + 1 arrays}.
    """
    fig, axes = plot.figure(1, 2, width=9.6, height=3.8)
    for name in streams:
        axes[0].plot([rms(x) for x in streams[name]], label=name)
        axes[1].plot([rms(dx) for dx in grads[name]], label=name)
    plot.dress(axes[0], "layer L →", "length of the stream (rms)", "forward: upwards", log="y")
    plot.dress(axes[1], "← layer L", "length of its gradient (rms)", "backward: downwards", log="y")
    plot.legend(fig)
    fig.suptitle(title)
    return fig


def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))


def wrong_epsilon(lengths, right, wrong):
    """How long rms_norm's result is, against how long its argument was."""
    curves = {"inside the root (Gemma)": right, "outside the root": wrong}
    return plot.lines(curves, lengths, xlabel="length of x (rms)", ylabel="length of the result (rms)", log="x",
                      title="Where epsilon stands matters only below 0.01")
