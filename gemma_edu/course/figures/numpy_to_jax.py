"""The pictures of chapter 10: two rooms line by line, what compiling buys, and the traps made visible."""
import numpy as np

from ...lab.numpy_to_jax.rooms import GRADIENT, KINDS, RENAMED, REWRITTEN, SAME
from .. import plot

COLOURS = {SAME: plot.BLUE, RENAMED: plot.SKY, REWRITTEN: plot.VERMILION, GRADIENT: "#CCCCCC"}
HATCHES = {SAME: "", RENAMED: "//", REWRITTEN: "xx", GRADIENT: ""}
WAYS = {"NumPy": plot.GREY, "JAX, op by op": plot.ORANGE, "JAX, jit": plot.BLUE}


def ways(times):
    """{job: {way: seconds}}: a panel for each job, a bar for each way."""
    fig, axes = plot.figure(1, len(times), width=9.6, height=3.4)
    for ax, (job, by_way) in zip(axes, times.items(), strict=True):
        values = [1e3 * by_way[way] for way in WAYS]
        drawn = ax.bar(list(WAYS), values, color=list(WAYS.values()), width=0.65)
        ax.bar_label(drawn, [f"{value:.3g}" for value in values], padding=3, color=plot.INK)
        ax.set_xticks(range(len(WAYS)), [way.replace(", ", ",\n") for way in WAYS])
        ax.grid(axis="x", visible=False)
        ax.margins(y=0.15)
        plot.dress(ax, "", "", job)
    axes[0].set_ylabel("milliseconds")
    return fig


def rooms(kinds):
    """{file: {kind: lines}}: each file of the NumPy room as a bar, the longest on top."""
    files = sorted(kinds, key=lambda file: kinds[file].total())
    fig, ax = plot.figure(width=9.0, height=0.32 * len(files) + 1.2)
    start = np.zeros(len(files))
    for kind in KINDS:
        widths = np.array([kinds[file][kind] for file in files])
        ax.barh([f"{file}.py" for file in files], widths, left=start, color=COLOURS[kind], hatch=HATCHES[kind],
                edgecolor="white", linewidth=0.5, label=f"{kind} ({sum(each[kind] for each in kinds.values())})")
        start = start + widths
    ax.grid(axis="y", visible=False)
    plot.dress(ax, "lines of code in numpy_gemma", "")
    plot.legend(fig)
    return fig


def agreement(parts, weights, limit=1e-10):
    """How far each gradient by hand is from JAX's: a dot for each function, and for each weight of a whole model."""
    fig, axes = plot.figure(1, 2, width=9.6, height=0.19 * len(parts) + 1.2, sharex=True)
    for ax, (title, found) in zip(axes, {"functions": parts, "the loss of a Gemma, by weight": weights}.items(),
                                  strict=True):
        names, values = list(found)[::-1], np.array(list(found.values())[::-1])
        shown = np.maximum(values, 1e-17)
        ax.plot(shown, names, "o", color=plot.BLUE, markersize=5, linestyle="none")
        ax.plot(shown[values == 0], np.array(names)[values == 0], "o", color="white", markersize=3, linestyle="none")
        ax.axvline(limit, color=plot.VERMILION, linestyle="--")
        ax.tick_params(axis="y", labelsize=8)
        plot.dress(ax, "largest relative difference", "", title, log="x")
        ax.set_xlim(5e-18, 1e-9)
    axes[0].text(limit * 0.6, 0, "our limit", color=plot.VERMILION, ha="right")
    return fig


def lessons(lengths):
    """{kind of text: length of its gradient}: a bar for each, the longest on top."""
    order = sorted(lengths, key=lengths.get)
    fig, ax = plot.figure(width=9.0, height=0.36 * len(order) + 1.0)
    drawn = ax.barh(order, [lengths[text] for text in order], color=plot.BLUE)
    ax.bar_label(drawn, fmt="{:.1f}", padding=3, color=plot.INK)
    ax.grid(axis="y", visible=False)
    plot.dress(ax, "length of the gradient of the loss, all weights together", "")
    return fig


def depths(L, seconds, operations):
    """{form: …} over the depth: how long a program is, and how long it takes to compile."""
    fig, axes = plot.figure(1, 2, width=9.6, height=3.6, sharex=True)
    for form, name in {"tuple": "a tuple, unrolled", "stacked": "stacked, scanned"}.items():
        axes[0].plot(L, operations[form], marker="o", label=name)
        axes[1].plot(L, seconds[form], marker="o", label=name)
    plot.dress(axes[0], "layers L", "operations", "the program", log="xy")
    plot.dress(axes[1], "layers L", "seconds of processor time", "to trace and compile it", log="xy")
    for ax in axes:
        ax.set_xticks(L, L)
        ax.minorticks_off()
    axes[1].set_yticks([2, 4, 8, 16], [2, 4, 8, 16])
    plot.legend(fig)
    return fig


def draws(pairs):
    """{name: (first, second)}: two draws against each other."""
    fig, axes = plot.figure(1, len(pairs), width=8.0, height=3.8, sharex=True, sharey=True)
    for ax, (name, (first, second)) in zip(axes, pairs.items(), strict=True):
        ax.plot(first, second, "o", color=plot.BLUE, markersize=3, alpha=0.6, linestyle="none")
        ax.set(aspect="equal", xlim=(-4, 4), ylim=(-4, 4))
        plot.dress(ax, "first draw", "", name)
    axes[0].set_ylabel("second draw")
    return fig


def slots(caches):
    """{way: [B, S] what each slot holds}: a text's token is told by its position, padding by a cross."""
    fig, axes = plot.figure(len(caches), 1, width=8.0, height=1.25 * len(caches) + 0.6, sharex=True)
    for ax, (way, held) in zip(axes, caches.items(), strict=True):
        ax.imshow(np.where(held > 0, 1.0, np.where(held < 0, 0.2, 0.0)), cmap="Blues", vmin=0, vmax=2.6, aspect="auto")
        for (row, slot), value in np.ndenumerate(held):
            ax.text(slot, row, "pad" if value < 0 else f"{value:.0f}" if value else "·", ha="center", va="center",
                    color=plot.VERMILION if value < 0 else plot.INK, weight="bold" if value < 0 else "normal")
        ax.grid(visible=False)
        ax.set_yticks(range(len(held)), [f"text {row}" for row in range(len(held))])
        ax.set_title(way, loc="left")
    axes[-1].set_xlabel("slot S of the cache")
    return fig


def slopes(x, gradients):
    """{way: gradient at each x}: where one is no number, a cross stands on the axis."""
    fig, axes = plot.figure(1, len(gradients), width=9.6, height=3.2, sharey=True)
    for ax, (way, slope) in zip(axes, gradients.items(), strict=True):
        lost = np.isnan(slope)
        ax.plot(x, slope, color=plot.BLUE, linestyle="-")
        ax.plot(x[lost], np.zeros(np.sum(lost)), "x", color=plot.VERMILION, linestyle="none", label="NaN")
        plot.dress(ax, "x", "", way)
    axes[0].set_ylabel("gradient")
    plot.legend(fig)
    return fig
