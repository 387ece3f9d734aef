"""How fast programs write, beside what the memory allows: `python -m gemma_edu.course.figures.speed FIGURES.json`."""
import json
import sys
from pathlib import Path

from ..plot import BLUE, GREY, INK, SKY, VERMILION, figure

OURS = "gemma-edu"


def speed(found):
    """A bar for each row of a benchmark; a stroke where the memory's speed ends it, each weight read once a token."""
    rows = found["rows"]
    fig, ax = figure(width=8.0, height=1.4 + 0.42 * len(rows))
    rates = [row["decode_tokens_per_s"] for row in rows]
    floors = [row["read_bytes_per_s"] / row["bytes_per_token"] for row in rows]
    places = range(len(rows))
    ax.barh(places, rates, color=[colour(row) for row in rows], height=0.62)
    for place, rate, most in zip(places, rates, floors, strict=True):
        ax.plot([most, most], [place - 0.42, place + 0.42], color=VERMILION, linestyle="-", linewidth=2.5)
        ax.text(max(rate, most), place, f"  {rate:.3g}  ({rate / most:.2f})", va="center", color=INK, fontsize=9.5)
    ax.set_yticks(places, [f"{row['program']}, {row['dtype']}" for row in rows])
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.set_xlim(0, 1.22 * max([*rates, *floors]))
    ax.set_xlabel("tokens written per second, one text at a time\n"
                  "red: what the memory allows; in brackets: the share of it")
    ax.set_title(f"{found['model'].removeprefix('random:')} on {found['device']}, {found['cores']} cores", color=GREY)
    return fig


def colour(row):
    return BLUE if row["program"].startswith(OURS) else SKY


def main(paths):
    """A picture beside each file of figures."""
    for path in map(Path, paths):
        speed(json.loads(path.read_text(encoding="utf-8"))).savefig(path.with_suffix(".png"), dpi=110)
        print(path.with_suffix(".png"))


if __name__ == "__main__":
    main(sys.argv[1:])
