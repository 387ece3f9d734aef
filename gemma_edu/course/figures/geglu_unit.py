"""One hidden unit of each kind of MLP, over the plane; and a switch whose sharpness can be turned."""
from functools import cache

import numpy as np
from matplotlib.ticker import MaxNLocator

from ...numpy_gemma import geglu, gelu, glu, plain_mlp, reglu, sigmoid, swiglu
from .. import plot

UNITS = {"plain MLP": plain_mlp, "GLU": glu, "ReGLU": reglu, "GeGLU": geglu, "SwiGLU": swiglu}
EDGE, LOUDEST, GRAIN = 3.0, 6.0, 61


def direction(angle):
    """The vector of length one at so many degrees."""
    return np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])


def one_unit(mlp, angle, length):
    """What a single hidden unit adds; its value looks along coordinate 0, its gate `angle` degrees from there."""
    side = np.linspace(-EDGE, EDGE, GRAIN)
    x = np.stack(np.meshgrid(side, side), axis=-1).reshape(1, -1, 2)
    w = {"up": direction(0)[:, None], "down": np.array([[1.0, 0.0]])}
    if mlp is not plain_mlp:
        w["gate"] = length * direction(angle)[:, None]
    return mlp(x, **w)[0, :, 0].reshape(GRAIN, GRAIN)


def blank(ax):
    """A plane to be painted, and two pointers that say what the unit reads, with the lines where each reads 0."""
    image = ax.imshow(np.zeros((GRAIN, GRAIN)), origin="lower", extent=(-EDGE, EDGE, -EDGE, EDGE), vmin=-LOUDEST,
                      vmax=LOUDEST)
    ax.grid(visible=False)
    pointers = {}
    for name in ("up", "gate"):
        [arm] = ax.plot([], [], color="white", linestyle="-", marker="o", markevery=[1], markersize=5)
        [zero] = ax.plot([], [], color="white", linestyle="--", linewidth=1)
        pointers[name] = arm, zero, ax.text(0, 0, name, color="white", ha="center", va="center", weight="bold")
    ax.set(xlim=(-EDGE, EDGE), ylim=(-EDGE, EDGE))
    return image, pointers


def paint(image, pointers, mlp, angle, length):
    image.set_data(one_unit(mlp, angle, length))
    for name, turn in {"up": 0, "gate": angle}.items():
        arm, zero, word = pointers[name]
        tip, along = 1.5 * direction(turn), 9 * direction(turn + 90)
        arm.set_data([0, tip[0]], [0, tip[1]])
        zero.set_data([-along[0], along[0]], [-along[1], along[1]])
        word.set_position(1.35 * tip + (0.0, 0.35 if name == "gate" else -0.35))
        for part in (arm, zero, word):
            part.set_visible(name == "up" or mlp is not plain_mlp)


def units(angle=70, length=1.0):
    """A unit of each kind, side by side."""
    fig, axes = plot.figure(1, len(UNITS), width=11.5, height=3.0, sharex=True, sharey=True)
    for ax, (name, mlp) in zip(axes, UNITS.items(), strict=True):
        image, pointers = blank(ax)
        paint(image, pointers, mlp, angle, length)
        plot.dress(ax, "coordinate 0", "", name)
    axes[0].set_ylabel("coordinate 1")
    key = fig.colorbar(image, ax=axes, label="what the unit adds", pad=0.01, extend="both")
    key.outline.set_visible(False)
    return fig


def unit_dial(kind, angle, gate_length):
    """One unit, large, for three knobs."""
    fig, ax, image, pointers = dial_face()
    paint(image, pointers, UNITS[kind], angle, gate_length)
    ax.set_title(kind)
    return fig


@cache
def dial_face():
    """Laid out once, so that a slider need not wait for it."""
    fig, ax = plot.figure(width=5.6, height=4.4)
    image, pointers = blank(ax)
    plot.dress(ax, "coordinate 0", "coordinate 1", "unit")
    key = fig.colorbar(image, ax=ax, label="what the unit adds", pad=0.02, extend="both")
    key.outline.set_visible(False)
    return settled(fig), ax, image, pointers


def sharper(sharpness, choices):
    """z · sigmoid(sharpness · z) beside GELU, and rows of switches on a text at that sharpness."""
    fig, ax, curve, image = sharper_face(choices.shape)
    z = curve.get_xdata()
    curve.set_ydata(z * sigmoid(sharpness * z))
    image.set_data(sigmoid(sharpness * choices))
    ax.set_title(f"sharpness {sharpness:.1f}")
    return fig


@cache
def sharper_face(shape):
    """Laid out once, and with few parts, so that a slider need not wait for it."""
    z = np.linspace(-4, 4, 161)
    fig, axes = plot.figure(1, 2, width=9.0, height=3.6, width_ratios=[2, 3])
    axes[0].plot(z, gelu(z), color=plot.VERMILION, linestyle=":", linewidth=3, label="GELU")
    [curve] = axes[0].plot(z, z, color=plot.BLUE, linestyle="-", label="z · sigmoid(sharpness · z)")
    axes[0].set_ylim(-2.2, 5.5)
    axes[0].legend(loc="upper left", fontsize=10)
    plot.dress(axes[0], "choice z", "factor for the value", "sharpness")
    image = tiles(axes[1], np.zeros(shape))
    plot.dress(axes[1], "time T →", "unit F", "the switches at that sharpness")
    key = fig.colorbar(image, ax=axes[1], pad=0.02, ticks=[0, 0.5, 1])
    key.ax.set_yticklabels(["shut", "half", "open"])
    key.outline.set_visible(False)
    return settled(fig), axes[0], curve, image


def tiles(ax, rows):
    """Rows of switches with a gap between them, as `open_gates` paints them."""
    image = ax.imshow(rows, aspect="auto", interpolation="nearest", vmin=0, vmax=1)
    height, width = np.array(rows.shape) - 0.5
    ax.hlines(np.arange(0.5, height), -0.5, width, color="white", linewidth=1.5)
    ax.vlines(np.arange(0.5, width), -0.5, height, color="white", linewidth=1.5)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return image


def settled(fig):
    """The same figure, its layout fixed."""
    fig.draw_without_rendering()
    fig.set_layout_engine("none")
    return fig
