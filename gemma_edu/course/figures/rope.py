"""The pictures of chapter 06: hands that turn, stripes of equal distance, and places that collide."""
import numpy as np
from matplotlib.patches import Circle

from ...axes import BTNH
from ...numpy_gemma import rope
from ...numpy_gemma.position import rope_backward
from .. import plot


def wavelengths(H, base=10_000.0):
    """Positions for one radian, of each pair of a head."""
    half = H // 2
    return base ** (np.arange(half) / half)


def scores(q: BTNH, k: BTNH):
    """Every query against every key of the first text and head: [T, S]."""
    return q[0, :, 0] @ k[0, :, 0].T / np.sqrt(q.shape[-1])


def maps(grids, *, columns=None, first=0, label="score"):
    """Heat maps of scores side by side, in one scale of colours: the query's position up, the key's to the right."""
    columns = columns or len(grids)
    rows, panel = -(-len(grids) // columns), min(2.9, 8.4 / columns)
    fig, axes = plot.figure(rows, columns, width=panel * columns + 1.2, height=(panel + 0.35) * rows + 0.3,
                            sharex=True, sharey=True, squeeze=False)
    most = max(np.max(np.abs(grid)) for grid in grids.values())
    for ax, (name, grid) in zip(axes.flat, grids.items(), strict=True):
        image = score_map(fig, ax, grid, name, most, first)
    for ax in axes[:, 0]:
        ax.set_ylabel("query's position T")
    for ax in axes[-1]:
        ax.set_xlabel("key's position S")
    fig.colorbar(image, ax=axes, label=label, pad=0.02).outline.set_visible(False)
    return fig


def score_map(fig, ax, grid, name, most, first=0):
    """One square of scores [T, S], from -most to most; its first row and column stand at position `first`."""
    image = plot.heat_on(fig, ax, grid, label="", low=-most, high=most, bar=False)
    image.set_extent((first - 0.5, first + grid.shape[1] - 0.5, first - 0.5, first + grid.shape[0] - 0.5))
    ax.set(title=name, aspect="equal")
    return image


def vanes(H=12, T=24, base=100.0):
    """One vector at many positions: each pair of its coordinates as an arrow, position by position."""
    x = np.zeros((1, T, 1, H))
    x[..., :H // 2] = 1
    a, b = np.split(rope(x, np.arange(T)[None], base)[0, :, 0], 2, axis=-1)
    position, pair = np.meshgrid(np.arange(T), np.arange(H // 2), indexing="ij")
    fig, ax = plot.figure(width=9.6, height=3.6)
    ax.quiver(position, pair, a, b, np.arctan2(b, a), cmap="twilight", clim=(-np.pi, np.pi), pivot="mid",
              scale=32, width=0.0035, edgecolor=plot.INK, linewidth=0.3)
    ax.set(xticks=range(0, T, 2), yticks=range(H // 2), xlim=(-0.8, T - 0.2), ylim=(-0.6, H // 2 - 0.4))
    ax.grid(visible=False)
    plot.dress(ax, "position T", "pair of coordinates (i, i + H/2)")
    return fig


def spectrum(H=256, T=64, context=8192):
    """The cosine of every angle over position and pair, and beside it how long a pair takes for one turn."""
    wavelength = wavelengths(H)
    fig, (left, right) = plot.figure(1, 2, width=9.6, height=5.0, sharey=True, width_ratios=[2, 1])
    image = plot.heat_on(fig, left, np.cos(np.arange(T) / wavelength[:, None]), label="", bar=False)
    key = fig.colorbar(image, ax=left, location="top", aspect=40, pad=0.02, label="cosine of the angle")
    key.outline.set_visible(False)
    plot.dress(left, "position T", "pair of coordinates i")
    right.plot(2 * np.pi * wavelength, np.arange(H // 2), color=plot.VERMILION)
    right.axvline(context, color=plot.GREY, linestyle=":")
    right.text(context * 1.25, 3, f"{context}: the\nlongest text", color=plot.GREY, va="bottom")
    plot.dress(right, "positions for one turn", "", "how long a turn takes", log="x")
    right.set_xlim(4, 4e5)
    return fig


def over_distance(distances, one, many):
    """The score of a vector with itself, and the scores of random pairs, as the distance grows."""
    fig, axes = plot.figure(1, 2, width=9.6, height=3.8)
    axes[0].plot(distances, one, color=plot.BLUE)
    plot.dress(axes[0], "distance in positions", "score (1 at distance 0)", "a query equal to its key", log="x")
    for row in many[:3]:
        axes[1].plot(distances, row, color=plot.SKY, linewidth=1, linestyle="-")
    axes[1].plot([], [], color=plot.SKY, linewidth=1, linestyle="-", label="three of them")
    size = np.sqrt(np.mean(np.square(many), axis=0))
    axes[1].plot(distances, size, color=plot.VERMILION, linestyle="--", label="size (rms) of all")
    plot.dress(axes[1], "distance in positions", "score", f"{len(many)} random queries and keys", log="x")
    for ax in axes:
        ax.set_xscale("symlog", linthresh=1)
        ax.set_xticks([0, 1, 10, 100, 1000])
    plot.legend(fig)
    return fig


def turned_back(n=12):
    """The same wish, "further round", at n positions of one pair, before and after the gradient turns back."""
    x, positions, stretch = np.tile([1.0, 0.0], (1, n, 1, 1)), np.arange(n)[None], n / (2 * np.pi)
    y = rope(x, positions, stretch=stretch)
    dy = np.stack([-y[..., 1], y[..., 0]], axis=-1)
    dx = rope_backward(dy, x, positions, stretch=stretch)
    fig, axes = plot.figure(1, 2, width=8.4, height=4.2, sharex=True, sharey=True)
    for ax, at, arrows, name in [(axes[0], y, dy, "y (blue) and dy (orange) at 12 positions"),
                                 (axes[1], x, dx, "x and dx: 12 arrows, one on another")]:
        ax.add_patch(Circle((0, 0), 1, fill=False, color=plot.GREY, linewidth=0.8, linestyle=":"))
        ax.quiver(*np.zeros((2, n)), *at[0, :, 0].T, color=plot.BLUE, angles="xy", scale_units="xy", scale=1,
                  width=0.006)
        ax.quiver(*at[0, :, 0].T, *arrows[0, :, 0].T, color=plot.VERMILION, angles="xy", scale_units="xy", scale=1.5,
                  width=0.01)
        ax.set(xlim=(-1.7, 1.7), ylim=(-1.7, 1.7), aspect="equal", title=name, xlabel="coordinate i")
    axes[0].set_ylabel("coordinate i + H/2")
    return fig


def pointing(begins, by_begin, lengths, by_length):
    """How often a head points right, in texts that begin later, and in texts that are longer.

    Both are {way: [seed, …]}; the band reaches from the worst seed to the best.
    """
    fig, axes = plot.figure(1, 2, width=9.6, height=3.8, sharey=True)
    plot.dress(axes[0], "position of the first word", "share that points right", "the same length, further on")
    plot.dress(axes[1], "length of the text T", "", "longer than ever seen", log="x")
    axes[0].set_xscale("symlog", linthresh=1, base=2)
    for ax, x, results in [(axes[0], begins, by_begin), (axes[1], lengths, by_length)]:
        for name, hits in results.items():
            [line] = ax.plot(x, np.mean(hits, axis=0), label=name, marker="o", markersize=4)
            ax.fill_between(x, np.min(hits, axis=0), np.max(hits, axis=0), color=line.get_color(), alpha=0.2, lw=0)
        ax.set_xticks(x, x)
        ax.minorticks_off()
    axes[0].set_ylim(-0.03, 1.06)
    plot.legend(fig)
    return fig


def collisions(positions, held, first, right, wrong):
    """What a narrow format makes of positions, and the scores at the end of a long text, exact and as held."""
    fig, axes = plot.figure(1, 3, width=9.6, height=3.5)
    axes[0].plot(positions, positions, color=plot.GREY, linestyle=":", label="exact")
    axes[0].plot(positions, held, color=plot.VERMILION, linestyle="", marker="o", markersize=4, label="bfloat16")
    plot.dress(axes[0], "position T", "position as held", "256 and after")
    axes[0].legend(loc="upper left", handlelength=1.4)
    most = max(np.max(np.abs(right)), np.max(np.abs(wrong)))
    for ax, grid, name in [(axes[1], right, "exact positions"), (axes[2], wrong, "in bfloat16")]:
        image = score_map(fig, ax, grid, name, most, first)
        ax.set(xlabel="key's position S", xticks=range(first, first + len(grid), 32),
               yticks=range(first, first + len(grid), 32))
    axes[1].set_ylabel("query's position T")
    fig.colorbar(image, ax=axes[2], label="score", pad=0.04).outline.set_visible(False)
    return fig
