"""The map of the course: Gemma as a drawing, each block with the number of the chapter that builds it."""
from matplotlib.patches import FancyBboxPatch

from .. import plot

TINTS = {"I": plot.ORANGE, "II": plot.BLUE, "III": plot.GREEN, "IV": plot.PURPLE}
TITLES = {"I": "Why gates", "II": "Gemma by hand", "III": "Experiments", "IV": "Gemma at work"}
SIDES = {
    "I": [(1, "gates", "switches that are half open"), (2, "vanishing gradients", "where the signal dies"),
          (3, "exploding gradients", "the cliff, and the leap")],
    "III": [(10, "numpy to jax", "the lines that differ"), (11, "pretraining", "text, mixed and filtered"),
            (12, "gradient flow", "the heat map inside"), (13, "ablations", "which part matters"),
            (14, "evaluation", "how a score lies"), (15, "scale", "one program, many chips")],
    "IV": [(16, "fine tuning", "learning to answer"), (17, "rag", "looking things up"),
           (18, "deployment", "serving many at once"), (19, "gemma 2b", "the real one")]}
LETTERS = {"B": "batch", "T": "time", "D": "stream", "V": "vocabulary", "L": "layers"}
WIDE, ROW = 29, 8.4                          # a side's panel, and the line of a chapter in it
STREAM, SIDEWAYS, FLOW = 58.5, 44.5, 65.8    # where the stream runs up, its branches, and the gradient down


def course_map(here=range(10)):
    """Gemma in the middle, from text at the foot to scores at the head; `here` are the chapters that exist."""
    fig, ax = plot.figure(width=9.2, height=9.4)
    ax.set(xlim=(-0.5, 100.5), ylim=(-0.5, 100.5))
    ax.axis("off")
    panel(ax, 31.5, 0, 37, 100, "II")
    model(ax)
    layer(ax)
    for part, left, top in [("I", 0, 100), ("III", 71, 100), ("IV", 71, 5 + 4 * ROW)]:
        side(ax, part, left, top, here)
    gate_returns(ax)
    legend(ax)
    return fig


# ---- a part of the course
def side(ax, part, left, top, here):
    chapters = SIDES[part]
    panel(ax, left, top - 5 - ROW * len(chapters), WIDE, 5 + ROW * len(chapters), part)
    for row, (number, name, about) in enumerate(chapters):
        y = top - 8.4 - ROW * row
        badge(ax, left + 3.4, y, f"{number:02}", TINTS[part], number in here)
        ax.text(left + 6.4, y + 0.2, name, fontsize=11, weight="bold", va="bottom")
        ax.text(left + 6.4, y - 0.4, about, fontsize=10, va="top")


def panel(ax, left, bottom, width, height, part):
    rounded(ax, left, bottom, width, height, 1.2, facecolor=TINTS[part], alpha=0.10, edgecolor="none")
    ax.text(left + 1.6, bottom + height - 1.3, f"{part}.  {TITLES[part]}", fontsize=12.5, weight="bold", va="top")


def badge(ax, x, y, number, colour, solid=True):
    """A chapter's number; an outline alone is a chapter that is still to come."""
    look = {"facecolor": colour, "edgecolor": colour} if solid else {
        "facecolor": "white", "edgecolor": plot.INK, "linestyle": (0, (2, 2))}
    rounded(ax, x - 2, y - 1.8, 4, 3.6, 0.6, linewidth=1.3, zorder=5, **look)
    ink = plot.INK if not solid or colour in (plot.ORANGE, plot.PURPLE) else "white"
    ax.text(x, y - 0.1, number, ha="center", va="center", fontsize=10.5, weight="bold", zorder=6, color=ink)


def rounded(ax, left, bottom, width, height, radius, **look):
    ax.add_patch(FancyBboxPatch((left, bottom), width, height, boxstyle=f"round,pad=0,rounding_size={radius}", **look))


# ---- the model
def model(ax):
    """From the text at the foot to the scores at the head, and the gradient's way back."""
    ax.text(STREAM - 3, 3.6, "“The with statement”", ha="center", va="center", fontsize=11, style="italic")
    block(ax, 41, 8.4, 23, "tokenizer", "04")
    block(ax, 41, 17.6, 23, "embedding × √D", "09")
    block(ax, 41, 77.4, 23, "norm", "05")
    block(ax, 41, 84.6, 23, "head, same table", "09")
    for low, high, shape in [(5, 8.2, ""), (13.7, 17.4, "B T"), (22.9, 77.2, "B T D"), (82.7, 84.4, ""),
                             (89.9, 92, "B T V")]:
        up(ax, STREAM, low, high)
        ax.text(STREAM - 1, min(low + 1.7, high - 0.8), shape, fontsize=10, family="monospace", ha="right", va="center",
                color=plot.BLUE)
    badge(ax, STREAM, 94, "09", plot.BLUE)
    ax.text(STREAM - 2.8, 94, "next token", ha="right", va="center", fontsize=11)
    ax.text(STREAM + 2.8, 94, "loss", va="center", fontsize=11, weight="bold", color=plot.VERMILION)
    ax.annotate("", xy=(FLOW, 23.2), xytext=(FLOW, 92.4), zorder=4, arrowprops=arrow(plot.VERMILION, linestyle="--"))
    ax.text(FLOW - 0.8, 50, "the gradient, by hand", rotation=90, ha="right", va="center", color=plot.VERMILION)


def layer(ax):
    """What is repeated L times: two additions to the stream."""
    rounded(ax, 33, 26.5, 34.4, 48.2, 1.2, facecolor="white", edgecolor=plot.BLUE, linewidth=1.3, alpha=0.85)
    ax.text(34.6, 73.2, "L layers", fontsize=11, weight="bold", va="top", color=plot.BLUE)
    for foot, name, number, height in [(28.5, "attention", "07", 10.2), (53.5, "GeGLU", "08", 5.3)]:
        head = foot + 11.6 + height
        ax.plot([STREAM, SIDEWAYS, SIDEWAYS], [foot, foot, foot + 1.4], color=plot.INK, linewidth=1.4, linestyle="-")
        block(ax, 35.3, foot + 1.5, 18.5, "norm", "05")
        up(ax, SIDEWAYS, foot + 6.9, foot + 9)
        block(ax, 35.3, foot + 9.2, 18.5, name, number, height)
        ax.plot([SIDEWAYS, SIDEWAYS], [head - 2.3, head], color=plot.INK, linewidth=1.4, linestyle="-")
        ax.annotate("", xy=(STREAM - 1.5, head), xytext=(SIDEWAYS, head), arrowprops=arrow(plot.INK))
        ax.plot(STREAM, head, "o", markersize=15, color="white", markeredgecolor=plot.INK, zorder=5)
        ax.plot(STREAM, head, "+", markersize=10, color=plot.INK, markeredgewidth=1.8, zorder=6)
    badge(ax, 41.6, 40.6, "06", plot.BLUE)
    ax.text(44.4, 40.5, "rope", fontsize=11, va="center", zorder=6)


def block(ax, left, bottom, width, name, number, height=5.3):
    """A part of the model, and the chapter that builds it."""
    rounded(ax, left, bottom, width, height, 0.9, facecolor="white", edgecolor=plot.BLUE, linewidth=1.6, zorder=3)
    badge(ax, left + 3.1, bottom + height - 2.65, number, plot.BLUE)
    ax.text(left + 5.9, bottom + height - 2.7, name, fontsize=11, va="center", zorder=6)


def up(ax, x, low, high):
    ax.annotate("", xy=(x, high), xytext=(x, low), arrowprops=arrow(plot.INK), zorder=2)


def arrow(colour, **more):
    return {"arrowstyle": "-|>", "color": colour, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 13,
            **more}


# ---- how to read it
def gate_returns(ax):
    ax.plot([WIDE, 30.3, 30.3], [91.6, 91.6, 65.4], color=plot.ORANGE, linewidth=1.8, linestyle=":")
    ax.annotate("", xy=(35.2, 65.4), xytext=(30.3, 65.4), arrowprops=arrow(plot.ORANGE, linestyle=":", linewidth=1.8))
    ax.text(29.4, 65.4, "the gate returns", ha="right", va="center", style="italic")


def legend(ax):
    for y, solid, text in [(54, True, "here today"), (49, False, "still to come")]:
        badge(ax, 3.4, y, "", plot.GREY, solid)
        ax.text(6.4, y, text, va="center")
    for y, name, colour, dash in [(43.5, "forward", plot.INK, "-"), (39.5, "backward", plot.VERMILION, "--")]:
        ax.annotate("", xy=(5.5, y), xytext=(1.3, y), arrowprops=arrow(colour, linestyle=dash))
        ax.text(6.4, y, name, va="center", color=colour)
    for row, (letter, word) in enumerate(LETTERS.items()):
        ax.text(3.4, 33 - 3.5 * row, letter, family="monospace", ha="center", va="center", color=plot.BLUE)
        ax.text(6.4, 33 - 3.5 * row, word, va="center")
    badge(ax, 3.4, 3.6, "00", plot.INK)
    ax.text(6.4, 3.6, "start here", weight="bold", va="center")
    ax.annotate("", xy=(43, 3.6), xytext=(19, 3.6), arrowprops=arrow(plot.INK))
