"""The pictures of chapter 04: texts cut into pieces, merges as a tree, and what a vocabulary gives and takes."""
import numpy as np
from matplotlib.colors import to_rgb

from ...lab.tokenizer.bpe import count_pairs, cut_text, in_order, merged, size
from ...lab.tokenizer.fertility import TEXTS
from .. import plot
from .pieces import GAP, cells, framed, inked, painted

WIDTH, MONO = 9.6, "DejaVu Sans Mono"
PALE = [tuple(1 - 0.38 * (1 - np.array(to_rgb(colour)))) for colour in plot.COLOURS[:5]]


# ---- a text, cut
def merging(words, learned):
    """The words of {word: how often} as characters, and after each merge; a piece keeps its colour."""
    cuts, colours, lines = {tuple(word): count for word, count in words.items()}, {}, []
    for number, pair in enumerate([None, *learned]):
        label = f"{number}.  {pair[0]} + {pair[1]}   {count_pairs(cuts)[pair]} times" if pair else "characters"
        cuts = {merged(cut, pair): count for cut, count in cuts.items()}
        row = [(30 + 11 * at, cut) for at, cut in enumerate(cuts)]
        lines.append([(0, None, label), *(each for at, cut in row for each in placed(at, cut, colours))])
    heads = [(30 + 11 * at, None, f"{count} ×") for at, count in enumerate(words.values())]
    return framed(inked([heads, *lines], 86))


def placed(at, cut, colours):
    """A word's pieces side by side, each new piece in a colour of its own."""
    for piece in cut:
        yield at, colours.setdefault(piece, len(colours)), piece
        at += cells(piece) + GAP


def knife(merges, letters, doublings, text):
    """A text as 2 ** doublings merges cut it; for sliders."""
    most = 2**doublings
    cut = cut_text(TEXTS[text][:210], in_order(merges[:most]), letters)
    per_token = len(TEXTS[text][:210].encode()) / len(cut)
    return painted({f"2 to the {doublings} = {most:,} merges, {size(letters, most):,} pieces:   {len(cut)} tokens, "
                   f"{per_token:.2f} bytes each": cut})


# ---- merges as a tree
def tree(states, ranks):
    """The joins that built each piece, from characters at the bottom; a node says when its piece was learned."""
    fig, ax = plot.figure(width=WIDTH, height=4.4)
    spots = [(number, 0.0, char) for number, char in enumerate(states[0])]
    leaf = {"fontfamily": MONO, "fontsize": 15, "ha": "center"}
    for x, _, char in spots:
        ax.text(x, -0.75, char, va="baseline", **leaf)
    for height, (before, after) in enumerate(zip(states, states[1:], strict=False), start=1):
        at = next(i for i, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1])
        (x, y, _), (right, up, _) = spots[at:at + 2]
        ax.plot([x, x, right, right], [y, height, height, up], color=plot.GREY, linewidth=1.4, linestyle="-", zorder=1)
        spots[at:at + 2] = [((x + right) / 2, height, after[at])]
        ax.text((x + right) / 2, height, f"{after[at]}\n{ranks[after[at]]:,}", fontfamily=MONO, fontsize=9.5,
                ha="center", va="center", zorder=3, linespacing=1.1,
                bbox={"boxstyle": "round,pad=0.25", "facecolor": PALE[height % len(PALE)], "edgecolor": "none"})
    ax.set(ylim=(-1.4, len(states) - 0.2), xlim=(-0.7, len(states[0]) - 0.3))
    ax.set_xticks([])
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    plot.dress(ax, "characters of the word", "step of the cutting", "Each join, and the rank of the piece it makes")
    return fig


# ---- what a vocabulary holds, gives and costs
ID_MAP = {
    "0–4": ("pad, eos, bos, unk, mask", 5), "5–105": ("reserved, unused", 101), "106–107": ("turn markers", 2),
    "108–138": ("1 to 31 newlines", 31), "139–168": ("2 to 31 spaces", 30), "169–216": ("HTML tags", 48),
    "217–472": ("single bytes", 256), "473–235 247": ("merges, first learned first", 234_775),
    "235 248–255 999": ("characters, runs of tabs", 20_752)}


def id_map():
    """Gemma's ids from 0 to 255 999: who lives where, and how many."""
    fig, ax = plot.figure(width=WIDTH, height=4.0)
    counts = [count for _, count in ID_MAP.values()]
    bars = ax.barh(range(len(ID_MAP)), counts, color=plot.BLUE, height=0.62)
    ax.bar_label(bars, [f"{count:,}" for count in counts], padding=4, color=plot.INK)
    ax.set_yticks(range(len(ID_MAP)), [f"{what:<27} {ids:>15}" for ids, (what, _) in ID_MAP.items()], family=MONO,
                  fontsize=10, color=plot.INK)
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(1, 2e6)
    plot.dress(ax, "number of ids (logarithmic)", "", "Where the 256 000 ids of Gemma 1 live", log="x")
    return fig


def fertility(sizes, curves, gemma, title="What a larger vocabulary gives"):
    """Bytes per token against the size of the vocabulary; `gemma` has a star for each curve it knows."""
    fig, ax = plot.figure(width=WIDTH, height=4.2)
    for name, curve in curves.items():
        [line] = ax.plot(sizes, curve, label=name)
        if name in gemma:
            ax.plot(256_000, gemma[name], "*", color=line.get_color(), markersize=14, clip_on=False)
    ax.axvline(256_000, color=plot.GREY, linewidth=0.8, linestyle=":")
    ax.annotate("★ Gemma's\nown 256 000", (230_000, 0.28), ha="right", va="bottom", fontsize=10, color=plot.GREY)
    ax.set_ylim(0, 4.6)
    plot.dress(ax, "pieces in the vocabulary V (logarithmic)", "bytes of text per token", title, log="x")
    thousands(ax)
    plot.legend(fig)
    return fig


def thousands(ax):
    """Ticks of a logarithmic axis of vocabularies, in words that one can read."""
    ticks = [1000, 4000, 16_000, 64_000, 256_000]
    ax.minorticks_off()
    ax.set_xticks(ticks, [f"{tick:,}".replace(",", " ") for tick in ticks])


def shares(models):
    """{model: (weights in the embedding, weights in all)} as bars of one length."""
    fig, ax = plot.figure(width=WIDTH, height=0.55 * len(models) + 1.3)
    for row, (table, total) in enumerate(models.values()):
        part = table / total
        ax.barh(row, part, color=plot.ORANGE, height=0.6, label="embedding: V × D")
        ax.barh(row, 1 - part, left=part, color=plot.SKY, height=0.6, label="everything else")
        ax.text(part / 2, row, f"{part:.0%}", ha="center", va="center", color=plot.INK)
    ax.set_yticks(range(len(models)), models)
    ax.tick_params(axis="y", colors=plot.INK, length=0)
    ax.invert_yaxis()
    ax.grid(visible=False)
    plot.dress(ax, "share of all weights", "")
    plot.legend(fig)
    return fig


def price(sizes, costs):
    """Work for a byte of text, against the size of the vocabulary, relative to the cheapest; the last is Gemma's."""
    fig, ax = plot.figure(width=WIDTH, height=4.2)
    for name, cost in costs.items():
        cost = np.array(cost) / min(cost)
        [line] = ax.plot(sizes[:-1], cost[:-1], label=name)
        ax.plot(sizes[-2:], cost[-2:], color=line.get_color(), linewidth=0.8, linestyle=":")
        ax.plot(sizes[-1], cost[-1], "*", color=line.get_color(), markersize=14, clip_on=False)
    ax.annotate("★ Gemma's own", (230_000, 1.15), ha="right", fontsize=10, color=plot.GREY)
    plot.dress(ax, "pieces in the vocabulary V (logarithmic)", "work per byte of text (cheapest = 1)",
               "What one more piece costs", log="xy")
    ticks = [1, 1.5, 2, 3, 5, 8]
    ax.set_yticks(ticks, ticks)
    thousands(ax)
    plot.legend(fig)
    return fig


def zipf(counts):
    """How often each piece occurs, the most frequent first, on logarithmic axes."""
    counts = np.sort(counts)[::-1]
    fig, ax = plot.figure(width=WIDTH, height=3.8)
    seen = counts > 0
    ax.plot(np.arange(1, len(counts) + 1)[seen], counts[seen], color=plot.BLUE)
    rare = int(np.sum(counts >= 10))
    ax.axvspan(max(rare, 1), len(counts), color=plot.VERMILION, alpha=0.12, linewidth=0)
    ax.text(max(rare, 1) * 0.9, counts.max() / 6, "seen fewer than\n10 times →", ha="right", color=plot.VERMILION)
    plot.dress(ax, "pieces, the most frequent first (logarithmic)", "occurrences (logarithmic)",
               "A few pieces do most of the work", log="xy")
    return fig
