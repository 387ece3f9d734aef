"""What the teacher's page and chapter 00 say of minutes and points is what the sources add up to."""
import re
from math import ceil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEACHING = (ROOT / "chapters" / "teaching.md").read_text(encoding="utf-8")
START = (ROOT / "chapters" / "00_start_here.py").read_text(encoding="utf-8")
UNITS = sorted(path.stem for path in ROOT.glob("solutions/[0-9][0-9]_*.py"))      # the appendix has no exercises


def source(folder, unit):
    return (ROOT / folder / f"{unit}.py").read_text(encoding="utf-8")


def minutes(unit):
    """To read it, and for all of its exercises."""
    return (int(re.search(r"\*\*Time\.\*\* (\d+) minutes", source("chapters", unit))[1]),
            sum(map(int, re.findall(r"^# ## .*\((\d+) minutes\)", source("solutions", unit), re.MULTILINE))))


def points(unit):
    return {name: int(each) for name, each in re.findall(r'check="(\w+)" points=(\d+)', source("solutions", unit))}


def rows(unit):
    """The rows of the term that speak of a unit, as lists of cells."""
    lines = [line.split("|")[1:-1] for line in TEACHING.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in cells] for cells in lines if re.match(rf" \[?{unit[:2]}\b", cells[1])]


def asked(cells, unit):
    """The points of the exercises that a row sets."""
    names = re.findall(r"`(\w+)`", cells[3])
    return sum(points(unit)[name] for name in names) if names else sum(points(unit).values())


@pytest.mark.parametrize("unit", UNITS)
def test_the_term_counts_as_the_solutions_do(unit):
    assert f"]({unit}.ipynb)" in TEACHING
    assert sum(int(cells[4] or 0) for cells in rows(unit)) == sum(points(unit).values())
    assert [cells[5] for cells in rows(unit) if cells[5]] == ["{} + {}".format(*minutes(unit))]
    for cells in rows(unit):
        assert f"({asked(cells, unit)})" in cells[3]


def test_the_sums_of_the_term_are_right():
    whole = sum(sum(points(unit).values()) for unit in UNITS)
    wanted = sum(asked(cells, unit) for unit in UNITS for cells in rows(unit))
    assert f"In all, {whole} points, of which {wanted} are set" in TEACHING


@pytest.mark.parametrize("unit", UNITS)
def test_page_one_knows_how_long_a_chapter_takes(unit):
    read, solve = minutes(unit)
    assert re.search(rf"^# \| {unit[:2]} \| .* \| {read} \| {solve} \|$", START, re.MULTILINE)


def test_page_one_rounds_the_hours_up():
    read, solve = (sum(each) / 60 for each in zip(*map(minutes, UNITS), strict=True))
    words = {11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen", 15: "fifteen", 16: "sixteen"}
    nearly = words[ceil(read)], words[ceil(solve)]
    assert "Nearly {} hours of reading and nearly {} of exercises".format(*nearly) in START


def test_what_the_teachers_page_points_to_is_there():
    for target in re.findall(r"\]\(([^)]+)\)", TEACHING):
        assert (ROOT / "chapters" / target).exists(), target
