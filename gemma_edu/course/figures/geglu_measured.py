"""Pictures of what chapter 08 measures: contests, gradients of the first step, and who can move a gate."""
import numpy as np

from .. import plot


def contest(losses, ylabel, bottom=None):
    """{task: {kind: a loss for each seed}}: a dot for each seed, a bar for their mean.

    Axes that begin at `bottom` are each task's own; else all tasks share one.
    """
    fig, axes = plot.figure(1, len(losses), width=9.6, height=3.6, sharey=bottom is None)
    for ax, (task, kinds) in zip(axes, losses.items(), strict=True):
        for place, (each, colour) in enumerate(zip(kinds.values(), plot.COLOURS, strict=False)):
            ax.plot(np.full(len(each), place), each, "o", color=colour, markersize=7, alpha=0.7, linestyle="none")
            ax.plot([place - 0.3, place + 0.3], [np.mean(each)] * 2, color=plot.INK, linestyle="-")
        ax.set_xticks(range(len(kinds)), kinds, rotation=40, ha="right", rotation_mode="anchor")
        ax.grid(axis="x", visible=False)
        if bottom is not None:
            ax.set_ylim(bottom=bottom)
        ax.margins(x=0.2)
        plot.dress(ax, "", "", task)
    axes[0].set_ylabel(ylabel)
    return fig


def revival(back, depths):
    """{kind: [seeds, depths]}: the share of shut units that came back, with a band from the least to the greatest."""
    means = {kind: shares.mean(axis=0) for kind, shares in back.items()}
    spread = {kind: (shares.min(axis=0), shares.max(axis=0)) for kind, shares in back.items()}
    return plot.lines(means, depths, spread=spread, xlabel="how far shut: −choice", ylabel="share of units awake again",
                      title=f"After 100 steps of Adam, {len(next(iter(back.values())))} seeds")


def first_step(norms, rows):
    """[pattern, matrix]: the length of each matrix's gradient; a zero is black and says so."""
    fig, ax = plot.figure(width=8.0, height=4.2)
    ax.set_facecolor(plot.INK)
    plot.heat_on(fig, ax, np.ma.masked_equal(norms, 0), label="length of the gradient", x=["gate", "up", "down"],
                 y=rows, low=0, high=norms.max())
    ax.invert_yaxis()
    for (row, column), norm in np.ndenumerate(norms):
        bright = norm > 0.6 * norms.max()
        ax.text(column, row, f"{norm:.2f}" if norm else "0", ha="center", va="center",
                color=plot.INK if bright else "white")
    plot.dress(ax, "gradient of …", "matrices that begin at zero", "the first step")
    return fig


def who_moves(maps):
    """{name: [T, S]}: how far each gate moves when the input at a time is nudged; nothing at all is black."""
    fig, axes = plot.figure(1, len(maps), width=9.6, height=4.2, sharey=True)
    for ax, (name, moved) in zip(axes, maps.items(), strict=True):
        ax.set_facecolor(plot.INK)
        shares = np.ma.masked_less_equal(moved / moved.max(), 1e-12)
        image = plot.heat_on(fig, ax, shares, label="", log=True, low=1e-3, high=1, bar=False)
        ax.invert_yaxis()
        plot.dress(ax, "input at time S", "", name)
    axes[0].set_ylabel("gates at time T")
    key = fig.colorbar(image, ax=axes, label="movement (largest = 1; black: none)", pad=0.02, extend="min")
    key.outline.set_visible(False)
    return fig


def down_the_stack(grads):
    """{name: [seeds, L + 1]}: lengths of gradients on their way down; the band is from the least to the greatest."""
    means = {name: np.exp(np.mean(np.log(each), axis=0)) for name, each in grads.items()}
    spread = {name: (np.min(each, axis=0), np.max(each, axis=0)) for name, each in grads.items()}
    return plot.lines(means, xlabel="← layer L", ylabel="length of the gradient (rms)", log="y", spread=spread,
                      width=9.6, height=3.6, title="Sent in at the top with length 1")
