"""The pictures of chapter 08: switches and what they multiply, where a gradient dies, how far two GELUs are apart."""
import numpy as np
from matplotlib.colors import LogNorm

from ...numpy_gemma import gelu, gelu_erf, relu, sigmoid, silu
from ...numpy_gemma.gradient import backward
from .. import plot


def switch(z):
    """The part of Gemma's GELU that is a switch: gelu(z) = z · switch(z)."""
    return sigmoid(2 * np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))


def family():
    """The switch in each gate of the family, and the number by which the value is multiplied."""
    z = np.linspace(-4, 4, 401)
    hidden = {"GeGLU": switch(z), "SwiGLU": sigmoid(z), "ReGLU": np.where(z > 0, 1.0, 0.0), "GLU": sigmoid(z)}
    shown = {"GeGLU": gelu(z), "SwiGLU": silu(z), "ReGLU": relu(z), "GLU": sigmoid(z)}
    fig, axes = plot.figure(1, 2, width=9.6, height=3.8)
    for name in hidden:
        axes[0].plot(z, hidden[name], label=name)
        axes[1].plot(z, shown[name], label=name)
    axes[1].set_ylim(-0.5, 2.5)
    plot.dress(axes[0], "choice z", "openness", "the switch inside")
    plot.dress(axes[1], "choice z", "factor for the value", "what the value is multiplied by")
    plot.legend(fig)
    return fig


def where_gradients_die():
    """How much of a gradient reaches the gate, and the value, over the plane of choice and value."""
    z, value = np.meshgrid(np.linspace(-5, 5, 201), np.linspace(-3, 3, 121))
    fig, axes = plot.figure(2, 2, width=9.6, height=5.6, sharex=True, sharey=True)
    for row, (name, bend) in zip(axes, {"ReLU": relu, "GELU": gelu}.items(), strict=True):
        arrives = {"at the gate's choice": backward(bend)(value, z), "at the value": bend(z)}
        for ax, (place, gradient) in zip(row, arrives.items(), strict=True):
            ax.set_facecolor(plot.INK)
            image = ax.imshow(np.ma.masked_equal(np.abs(gradient), 0), origin="lower", extent=(-5, 5, -3, 3),
                              aspect="auto", norm=LogNorm(1e-6, 10))
            ax.grid(visible=False)
            ax.set_title(f"{name} gate: {place}")
        row[0].set_ylabel("value")
    for ax in axes[1]:
        ax.set_xlabel("choice z")
    key = fig.colorbar(image, ax=axes, label="gradient that arrives, of 1 sent (black: exactly 0)", pad=0.02)
    key.outline.set_visible(False)
    return fig


def apart():
    """Gemma's GELU minus the exact one, in ten-thousandths."""
    z = np.linspace(-6, 6, 1201)
    fig, ax = plot.figure(height=3.2)
    ax.plot(z, 1e4 * (gelu(z) - gelu_erf(z)))
    for at in (-2.7, 2.7):
        top = float(1e4 * (gelu(np.array(at)) - gelu_erf(np.array(at))))
        ax.plot(at, top, "o", color=plot.VERMILION)
        ax.annotate(f"{top:.2f} at {at}".replace("-", "−"), (at, top), (8, 0), textcoords="offset points", va="center")
    plot.dress(ax, "choice z", "difference, in 1/10 000", "tanh minus erf: nothing at 0, nothing far out, most at ±2.7")
    return fig
