"""The pictures of chapter 19: what fits into a memory, and how high its roof is."""
from functools import cache
from types import SimpleNamespace

import numpy as np

from ...config import PRESETS
from ...lab.gemma_2b.checkpoints import dictionary
from ...lab.gemma_2b.devices import LAPTOP, VENDORS
from ...lab.gemma_2b.work import attainable, ceiling, intensity
from ...pretrained.fit import cache_bytes, weight_bytes
from .. import plot
from ..show import Shown

PARTS = {"weights": plot.BLUE, "cache": plot.ORANGE, "workspace": plot.PURPLE}
MEMORY = {**{name: device.memory for name, device in VENDORS.items()}, "laptop": LAPTOP}
GEMMAS = [name for name in PRESETS if name.startswith("gemma")]
ROOM = 62      # GB on the axis of the dial


# ---- will it fit
def fitting(needs, free):
    """A bar for each model, made of its parts, against what is free: {name: {part: bytes}}."""
    fig, ax = plot.figure(width=9.0, height=0.4 * len(needs) + 1.3)
    for row, parts in enumerate(needs.values()):
        left = 0
        for part, size in parts.items():
            ax.barh(row, size / 1e9, left=left, color=PARTS[part], height=0.66, label=part)
            left += size / 1e9
        fits = left <= free / 1e9
        ax.annotate(f"{left:.1f}" + ("" if fits else "  ✗"), (left, row), (6, 0), textcoords="offset points",
                    va="center", color=plot.INK if fits else plot.VERMILION,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5})
    ax.axvline(free / 1e9, color=plot.INK, linestyle="--", linewidth=1.4, label="free on\nthis device", zorder=1)
    ax.set_yticks(range(len(needs)), needs)
    ax.set_ylim(len(needs) - 0.5, -0.5)
    ax.margins(x=0.12)
    ax.grid(axis="y", visible=False)
    plot.dress(ax, "GB", "")
    plot.legend(fig)
    return fig


@cache
def fit_face():
    """The figure of the dial, laid out once, and what moves in it."""
    fig, ax = plot.figure(width=8.6, height=2.3)
    bars = [ax.barh(0, 1, color=PARTS[part], height=0.5, label=part)[0] for part in ("weights", "cache")]
    line = ax.axvline(16, color=plot.INK, linestyle="--", linewidth=1.4, label="the memory")
    ax.set(xlim=(0, ROOM), ylim=(-0.5, 0.5), yticks=[])
    plot.dress(ax, "GB", "", " ")
    plot.legend(fig)
    fig.draw_without_rendering()
    fig.set_layout_engine("none")
    return SimpleNamespace(fig=fig, ax=ax, bars=bars, line=line)


def fit_dial(model, dtype, context, batch, device):
    """Weights and cache of any Gemma against the memory of a device; the context counts in thousands of tokens."""
    face, cfg = fit_face(), PRESETS[model]
    sizes = [weight_bytes(cfg, dtype), cache_bytes(cfg, "bfloat16", 1024 * context, batch)]
    for bar, left, size in zip(face.bars, (0, sizes[0]), sizes, strict=True):
        bar.set(x=left / 1e9, width=size / 1e9)
    face.line.set_xdata([MEMORY[device] / 1e9] * 2)
    face.ax.set_xlim(0, max(ROOM, sum(sizes) / 1e9 * 1.05, MEMORY[device] / 1e9 * 1.05))
    verdict = "fits" if sum(sizes) <= MEMORY[device] else "does not fit"
    face.ax.set_title(f"{sizes[0] / 1e9:.1f} GB of weights + {sizes[1] / 1e9:.1f} GB of cache: {verdict} into the "
                      f"{MEMORY[device] / 1e9:.0f} GB of the {device}", loc="left")
    return face.fig


# ---- what a checkpoint looks like
def names(cfg):
    """One layer's weights, ours beside Kaggle's and Hugging Face's."""
    rows = [(*map(cell, each),) for each in dictionary(cfg)]
    heads = ("ours", "Kaggle, Flax: `transformer/layer_0/…`", "Hugging Face: `model.layers.0.….weight`")
    lines = ["| " + " | ".join(row) + " |" for row in (heads, ("---",) * 3, *rows)]
    plain = [[text.replace("`", "") for text in row] for row in rows]
    wide = [max(len(row[column]) for row in plain) for column in range(3)]
    return Shown("\n".join("  ".join(f"{text:<{size}}" for text, size in zip(row, wide, strict=True)).rstrip()
                           for row in plain), "\n".join(lines))


def cell(entry):
    name, axes, sizes = entry
    return f"`{name}` {axes}, {'×'.join(map(str, sizes))}"


# ---- the roof
def roof(peak, bandwidth, series, title=""):
    """The roof of a device, and points under it: {name: {label: (operations per byte, operations per second)}}."""
    fig, ax = plot.figure(width=8.8, height=4.6)
    x = np.logspace(-1.3, 3.7, 200)
    ax.plot(x, attainable(x, peak, bandwidth) / 1e9, color=plot.INK, linestyle="-", label="the roof")
    ax.axvline(peak / bandwidth, color=plot.GREY, linestyle=":", linewidth=1.2, label="its edge")
    for (name, points), colour, marker in zip(series.items(), (plot.BLUE, plot.VERMILION), "os", strict=True):
        ax.plot(*zip(*[(at, rate / 1e9) for at, rate in points.values()], strict=True), marker, linestyle=":",
                linewidth=1, color=colour, markersize=8, label=name)
        for label, (at, rate) in points.items():
            ax.annotate(label, (at, rate / 1e9), (3, -17), textcoords="offset points", ha="center", fontsize=9.5,
                        color=colour)
    plot.dress(ax, "operations for each byte that is read", "operations per second, in 10⁹", title, log="xy")
    plot.legend(fig)
    return fig


@cache
def roof_face():
    fig, ax = plot.figure(width=8.6, height=4.0)
    x = np.logspace(-0.5, 3.7, 160)
    lines = [ax.plot(x, x, color=plot.GREY, linestyle="-", linewidth=1)[0] for _ in VENDORS]
    point = ax.plot([1], [1], "o", color=plot.VERMILION, markersize=11)[0]
    ax.set(xlim=(x[0], x[-1]), ylim=(0.05, 2000))
    plot.dress(ax, "operations for each byte that is read", "operations per second, in 10¹²", " ", log="xy")
    ax.minorticks_off()      # and plain words at the ticks: a slider waits for every one of them
    ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    ax.set_yticks([0.1, 1, 10, 100, 1000], ["0.1", "1", "10", "100", "1000"])
    for line, (name, device) in zip(lines, VENDORS.items(), strict=True):
        line.set_ydata(attainable(x, device.rate, device.bandwidth) / 1e12)
        ax.annotate(name, (x[-1], device.rate / 1e12), (4, 0), textcoords="offset points", fontsize=9.5, va="center",
                    annotation_clip=False)
    fig.draw_without_rendering()
    fig.set_layout_engine("none")
    return SimpleNamespace(fig=fig, ax=ax, lines=dict(zip(VENDORS, lines, strict=True)), point=point)


def roof_dial(model, device, batch, context):
    """Where a step of writing lies under the vendors' roofs, in bfloat16, for a batch and a context in tokens."""
    face, cfg, chosen = roof_face(), PRESETS[model], VENDORS[device]
    for name, line in face.lines.items():
        line.set(color=plot.BLUE if name == device else plot.GREY, linewidth=2.6 if name == device else 1)
    at = intensity(cfg, "bfloat16", context, batch)
    face.point.set_data([at], [attainable(at, chosen.rate, chosen.bandwidth) / 1e12])
    rate = ceiling(cfg, "bfloat16", chosen, context, batch)
    face.ax.set_title(f"{model}, {batch} text{'s' * (batch > 1)} of {context:,} tokens on the {device}: "
                      f"at most {float(f'{rate:.2g}'):,.0f} tokens per second", loc="left")
    return face.fig
