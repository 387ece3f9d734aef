"""The pictures of chapter 07: who looks at whom, what a mask hides, what a shared key costs and saves."""
from functools import cache

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, Normalize, PowerNorm, to_rgb

from ...numpy_gemma import softmax
from .. import plot

HIDDEN = "#EFEFEF"                                  # what a mask hides is paper, not a dark colour
SHARES = PowerNorm(0.5, 0, 1)                       # the eye sees small shares, too
VIRIDIS, PAPER = matplotlib.colormaps["viridis"], to_rgb(HIDDEN)
SIGNED = LinearSegmentedColormap.from_list("signed", [plot.BLUE, "white", plot.VERMILION])


def words(pieces):
    """Pieces of a vocabulary as labels."""
    return [{"": "␣", "\n": "⏎"}.get(piece.replace("▁", ""), piece.replace("▁", "")) for piece in pieces]


def paint(ax, shares, seen=None):
    """A map of shares [T, S]; the first query on top, and the future left blank."""
    T, S = shares.shape
    seen = np.arange(S) <= np.arange(S - T, S)[:, None] if seen is None else seen
    ax.set_facecolor(HIDDEN)
    ax.grid(visible=False)
    return ax.imshow(np.where(seen, shares, np.nan), norm=SHARES, interpolation="nearest", aspect="equal")


def name_axes(ax, labels, size=8):
    ax.set_xticks(range(len(labels)), labels, rotation=90, fontsize=size)
    ax.set_yticks(range(len(labels)), labels, fontsize=size)
    ax.tick_params(length=0)


def key(fig, image, axes, label):
    bar = fig.colorbar(image, ax=axes, label=label, pad=0.02, shrink=0.8)
    bar.outline.set_visible(False)
    return bar


def all_heads(maps):
    """Every head of a model over one text: maps is [L, N, T, S]."""
    L, N = maps.shape[:2]
    fig, axes = plot.figure(N, L, width=9.6, height=1.62 * N, sharex=True, sharey=True, squeeze=False)
    for layer, head in np.ndindex(L, N):
        ax = axes[head, layer]
        image = paint(ax, maps[layer, head])
        ax.set(xticks=[], yticks=[])
        if head == 0:
            ax.set_title(f"layer {layer}", fontsize=11)
    for head in range(N):
        axes[head, 0].set_ylabel(f"head {head}")
    fig.supxlabel("in each map, from left to right: looked at, key position S; downwards: looking, query position T",
                  fontsize=11)
    key(fig, image, axes, "share of attention")
    return fig


def habits(maps):
    """Three ways to look, and how much each head has of each: {name: [L, N]}."""
    L, N, T, S = maps.shape
    inside = maps[:, :, 2:]                                        # the first rows have no choice
    chance = np.log(np.arange(3, T + 1))                           # the entropy of looking everywhere
    entropy = -np.sum(inside * np.log(inside + 1e-30), axis=-1) / chance
    before = np.mean(maps[:, :, np.arange(2, T), np.arange(1, T - 1)], axis=-1)
    return {"the token just before": before, "the very first token": np.mean(inside[..., 0], axis=-1),
            "everything a little": np.mean(entropy, axis=-1)}


def three_heads(maps, labels):
    """For each habit the head that has most of it."""
    fig, axes = plot.figure(1, 3, width=9.8, height=4.3, sharey=True)
    for ax, (habit, amount) in zip(axes, habits(maps).items(), strict=True):
        layer, head = np.unravel_index(np.argmax(amount), amount.shape)
        image = paint(ax, maps[layer, head])
        name_axes(ax, labels)
        ax.set_title(f"{habit}\nlayer {layer}, head {head}", fontsize=11)
        ax.set_xlabel("looked at: key position S")
    axes[0].set_ylabel("looking: query position T")
    key(fig, image, axes, "share of attention")
    return fig


def head_dial(texts):
    """A drawing function for `explore`: one head over one of several texts, {text: (maps, labels)}."""
    page = cache(lambda text: frame(texts[text][1]))            # words and axes are drawn once, the map each time

    def draw(text, layer, head):
        pixels, rows, columns = page(text)
        pixels, shares = pixels.copy(), texts[text][0][layer, head]
        T = len(shares)
        row, column = (np.arange(side.stop - side.start) * T // (side.stop - side.start) for side in (rows, columns))
        colours = np.where(np.tri(T, dtype=bool)[..., None], VIRIDIS(SHARES(shares))[..., :3], PAPER)
        pixels[rows, columns] = (255 * colours).astype(np.uint8)[row][:, column]
        return pixels
    return draw


def frame(labels):
    """An empty map with its words, as pixels, and where in them the map belongs."""
    fig, ax = plot.figure(width=7.6, height=6.4)
    fig.set_dpi(80)
    image = paint(ax, np.full((len(labels), len(labels)), np.nan))
    name_axes(ax, labels, size=9)
    plot.dress(ax, "looked at: key position S", "looking: query position T")
    key(fig, image, ax, "share of attention")
    canvas = FigureCanvasAgg(fig)
    canvas.draw()
    pixels, box = np.asarray(canvas.buffer_rgba())[..., :3].copy(), ax.get_window_extent()
    height = len(pixels)
    return pixels, slice(height - round(box.y1), height - round(box.y0)), slice(round(box.x0), round(box.x1))


def numbers(ax, grid, seen, cmap, norm, digits=2):
    """A small heat map [T, S] with its numbers in it; what the mask hides is blank."""
    ax.set_facecolor(HIDDEN)
    ax.grid(visible=False)
    image = ax.imshow(np.where(seen, grid, np.nan), cmap=cmap, norm=norm, aspect="equal")
    for (t, s), value in np.ndenumerate(grid):
        if seen[t, s]:
            r, g, b, _ = image.to_rgba(value)
            dark = 0.3 * r + 0.6 * g + 0.1 * b < 0.55
            ax.text(s, t, f"{np.round(value, digits) + 0.0:.{digits}f}", ha="center", va="center", fontsize=9,
                    color="white" if dark else plot.INK)
    ax.set(xticks=range(grid.shape[1]), yticks=range(grid.shape[0]))
    ax.tick_params(length=0)


def three_steps(scores, mask):
    """Scores, what the mask leaves of them, and their shares; all [T, S]."""
    fig, axes = plot.figure(1, 3, width=9.6, height=3.7, sharey=True)
    everything, most = np.ones_like(mask), np.max(np.abs(scores))
    shares = softmax(np.where(mask, scores, np.finfo(scores.dtype).min))
    numbers(axes[0], scores, everything, SIGNED, Normalize(-most, most), digits=1)
    numbers(axes[1], scores, mask, SIGNED, Normalize(-most, most), digits=1)
    numbers(axes[2], shares, shares > 0, "viridis", SHARES)
    titles = "1 · compare: the scores", "2 · hide the future", "3 · softmax: shares"
    for ax, title in zip(axes, titles, strict=True):
        plot.dress(ax, "key position S", "", title)
    axes[0].set_ylabel("query position T")
    return fig


def masks(named):
    """Masks [T, S] side by side, with their rows named: {title: (mask, positions of the rows)}."""
    fig, axes = plot.figure(1, len(named), width=9.8, height=3.1)
    for ax, (title, (mask, positions)) in zip(axes, named.items(), strict=True):
        ax.grid(visible=False)
        ax.pcolormesh(mask, cmap=ListedColormap([HIDDEN, plot.BLUE]), vmin=0, vmax=1, edgecolors="white", linewidth=1.5)
        ax.set(aspect="equal", xticks=np.arange(mask.shape[1]) + 0.5, yticks=np.arange(len(mask)) + 0.5)
        ax.set_xticklabels(range(mask.shape[1]), fontsize=8)
        ax.set_yticklabels(positions, fontsize=8)
        ax.tick_params(length=0)
        ax.set_ylim(len(mask), 0)
        plot.dress(ax, "key position S", "", title)
    axes[0].set_ylabel("query position T")
    return fig


def influences(named, labels):
    """Whose change moves whose logits: {title: [T, S]}; nothing is left out, zero is dark."""
    fig, axes = plot.figure(1, len(named), width=9.6, height=4.9, sharey=True)
    most = max(np.max(grid) for grid in named.values())
    for ax, (title, grid) in zip(axes, named.items(), strict=True):
        image = ax.imshow(grid, norm=PowerNorm(0.5, 0, most), interpolation="nearest")
        ax.grid(visible=False)
        name_axes(ax, labels)
        plot.dress(ax, "replaced: token at position S", "", title)
    axes[0].set_ylabel("moved: logits at position T")
    key(fig, image, axes, "largest change of a logit\n(standard deviations)")
    return fig
