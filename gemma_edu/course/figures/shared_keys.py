"""Pictures of chapter 07 about sharing: which query asks which key, and what the cache weighs."""
import numpy as np

from .. import plot

BYTES = {"bfloat16": 2, "float32": 4, "int8": 1}
GEMMAS = {"Gemma 7B": (28, 16, plot.VERMILION, "--"), "Gemma 2B with K = 8": (18, 8, plot.ORANGE, ":"),
          "Gemma 2B": (18, 1, plot.BLUE, "-")}           # layers L, key heads K; H is 256 in all of them
WEIGHTS_2B = 5_012_344_832                               # bytes, in bfloat16
UNITS = {20: "1 MiB", 25: "32 MiB", 30: "1 GiB", 35: "32 GiB", 40: "1 TiB"}              # by their power of two
TOKENS = {10: "1,024", 12: "4,096", 13: "8,192", 15: "32,768", 17: "131,072"}
COLOURS = [*plot.COLOURS, plot.GREY]


def wiring(N, kinds):
    """Queries above, keys below, and who asks whom: kinds is {title: K}."""
    fig, axes = plot.figure(1, len(kinds), width=9.6, height=2.9)
    for ax, (title, K) in zip(axes, kinds.items(), strict=True):
        key = (np.arange(K) + 0.5) * N / K - 0.5
        for n in range(N):
            group = n * K // N
            colour = COLOURS[group % len(COLOURS)]
            ax.plot([n, key[group]], [1, 0], color=colour, linestyle="-", linewidth=2, zorder=1)
            ax.scatter(n, 1, s=330, color=colour, zorder=2)
            ax.text(n, 1, f"q{n}", color="white", fontsize=9, ha="center", va="center")
        ax.scatter(key, np.zeros(K), s=420, marker="s", color=plot.INK, zorder=2)
        for k in range(K):
            ax.text(key[k], -0.01, f"k{k}\nv{k}", color="white", fontsize=8, ha="center", va="center", linespacing=0.9)
        ax.set(title=title, xlim=(-0.7, N - 0.3), ylim=(-0.3, 1.25))
        ax.axis("off")
    return fig


def per_token(L, K, H, dtype):
    """Bytes of keys and values that one token leaves behind."""
    return 2 * L * K * H * BYTES[dtype]


def readable(size):
    """Bytes in the largest binary unit that leaves at least one."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            return f"{size:.3g} {unit}" if size < 1000 else f"{size:,.0f} {unit}"
        size /= 1024


def cache_dial(K, L, H, dtype, context):
    """The cache of one text against its length: yours, among those of Gemma 1; both axes logarithmic."""
    fig, ax = plot.figure(width=8.6, height=4.4)
    fig.set_layout_engine("none")
    ax.set_position([0.1, 0.15, 0.64, 0.74])
    x, y = np.array([10.0, 17.0]), np.log2(context)
    for name, (layers, keys, colour, dash) in GEMMAS.items():
        each = np.log2(per_token(layers, keys, 256, "bfloat16"))
        ax.plot(x, x + each, color=colour, linestyle=dash)
        ax.plot(13, 13 + each, "o", color=colour)
        ax.text(17.2, 17 + each, name, color=colour, va="center")
    mine = per_token(L, K, H, dtype)
    ax.plot(x, x + np.log2(mine), color=plot.INK, linewidth=5, alpha=0.3, linestyle="-")
    ax.plot(y, y + np.log2(mine), "D", color=plot.INK, markersize=9)
    ax.axhline(np.log2(WEIGHTS_2B), color=plot.GREY, linewidth=1.2, linestyle="-.")
    ax.text(10.1, np.log2(WEIGHTS_2B) + 0.2, "all weights of Gemma 2B", color=plot.GREY, fontsize=10)
    ax.set(xlim=(10, 17), ylim=(20, 41), xticks=list(TOKENS), xticklabels=TOKENS.values(), yticks=list(UNITS),
           yticklabels=UNITS.values())
    plot.dress(ax, "tokens in the text S", "cache",
               f"◆ {mine:,} bytes a token × {context:,} tokens = {readable(mine * context)}")
    return fig
