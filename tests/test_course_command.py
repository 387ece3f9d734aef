"""`gemma-edu check`: what a student, and a teacher's script, is told about a folder of notebooks."""
import json
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from gemma_edu.cli import main
from gemma_edu.course import command
from gemma_edu.course.check import notebooks

CHECKS = """\
from gemma_edu.course.check.exercise import Exercise
def check(name):
    return Exercise(lambda x: 2.0 * x, [lambda random: (1 + random.random(),)],
                    wrong={"You squared it.": lambda x: x * x}, hints=["Add."], name=name)"""
RIGHT = "def f(x): return x + x"
STUB = "def f(x): raise NotImplementedError('your turn')"
WRONG = "def f(x): return x * x"


def notebook(answers):
    """What a student hands in: {exercise: answer}, three points each."""
    cells = [new_code_cell(CHECKS)]
    for name, answer in answers.items():
        about = {"grade": True, "grade_id": f"check-{name}", "points": 3, "solution": False}
        cells += [new_code_cell(answer), new_code_cell(f"check('{name}')(f)", metadata={"nbgrader": about})]
    return new_notebook(cells=cells)


@pytest.fixture
def hand_in(tmp_path):
    """Put notebooks into a folder, as NN_name: {exercise: answer}; returns the folder."""
    def put(**all_answers):
        for name, answers in all_answers.items():
            nbformat.write(notebook(answers), tmp_path / f"{name.removeprefix('n')}.ipynb")
        return tmp_path
    return put


@pytest.fixture
def check(capsys):
    """Run `gemma-edu check`; returns its exit code and what it printed."""
    def run(*arguments):
        return main(["check", *map(str, arguments)]), *capsys.readouterr()
    return run


def test_each_exercise_has_its_state_its_points_and_the_reason(hand_in, check):
    folder = hand_in(n01_doubling={"right": RIGHT, "stub": STUB, "wrong": WRONG, "slip": "def f(x) return x"},
                     n02_more={"again": RIGHT})
    before = {path: path.read_bytes() for path in folder.iterdir()}
    code, out, _ = check("--folder", folder, "--json", folder / "table.json")
    assert (code, out.splitlines()) == (0, [
        "01_doubling: 3 of 12 points",
        "  right                      correct         3 of 3",
        "  stub                       not attempted   0 of 3",
        "  wrong                      not yet         0 of 3   You squared it.",
        "  slip                       not yet         0 of 3   You squared it.",      # f is still the one before
        "",
        "02_more: 3 of 3 points",
        "  again                      correct         3 of 3",
        "",
        "in all: 6 of 15 points"])
    assert {path: path.read_bytes() for path in before} == before

    table = json.loads((folder / "table.json").read_text(encoding="utf-8"))
    assert {name: table[name] for name in ("folder", "points", "out_of")} == {
        "folder": str(folder), "points": 6, "out_of": 15}
    assert [(each["chapter"], each["points"], each["out_of"]) for each in table["chapters"]] == [
        ("01_doubling", 3, 12), ("02_more", 3, 3)]
    assert table["chapters"][0]["exercises"][2] == {
        "exercise": "wrong", "state": "not yet", "points": 0, "out_of": 3, "message": "You squared it."}
    assert sorted(path.name for path in folder.iterdir()) == ["01_doubling.ipynb", "02_more.ipynb", "table.json"]


def test_a_number_chooses_a_notebook(hand_in, check):
    folder = hand_in(n01_doubling={"right": RIGHT}, n02_more={"slip": "def f(x) return x"})
    code, out, _ = check("02", "--folder", folder)
    assert code == 0 and "01_doubling" not in out
    assert "slip                       error           0 of 3   NameError: name 'f' is not defined" in out


def test_a_student_sees_words_and_no_traceback(hand_in):
    folder = hand_in(n01_doubling={"wrong": WRONG})
    handed_in = notebook({"wrong": WRONG})
    notebooks.run(handed_in, folder, 60, allow_errors=True)
    error, = handed_in.cells[-1].outputs
    assert error.traceback == ["✗ wrong: not yet. You squared it."]


def test_a_saved_output_counts_for_nothing(tmp_path):
    handed_in = notebook({"dead": "import os; os._exit(1)"})
    handed_in.cells[-1].outputs = [new_output("stream", name="stdout", text="✓ dead: correct\n")]
    found, = notebooks.results(tmp_path / "01_doubling.ipynb", handed_in)
    assert (found.state, found.points) == ("error", 0) and "the kernel died" in found.message


def test_a_cell_that_never_ends_is_stopped_and_the_rest_is_run(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "SECONDS", 3)
    handed_in = notebook({"before": RIGHT, "hung": WRONG, "after": RIGHT})
    handed_in.cells[4].source = "while True: pass"      # the check of the second
    before, hung, after = notebooks.results(tmp_path / "01_doubling.ipynb", handed_in)
    assert (before.state, hung.state, after.state) == ("correct", "error", "correct")
    assert hung.message == "a cell may take 3 seconds; this one took more"


def test_a_check_that_was_deleted_is_missed_and_one_that_was_copied_counts_once(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "declared", lambda path: ["kept", "lost"])
    handed_in = notebook({"kept": RIGHT})
    handed_in.cells.append(handed_in.cells[-1].copy())
    kept, lost = notebooks.results(tmp_path / "01_doubling.ipynb", handed_in)
    assert (kept.state, kept.points) == ("correct", 3)
    assert (lost.exercise, lost.state, lost.message) == ("lost", "error", "its check is no longer in the notebook")


@pytest.mark.parametrize("arguments, says", [
    (["--folder", "nowhere"], "there is no folder nowhere; give the one with your notebooks"),
    (["77"], "has no notebook 77; it has 01, 02, 03"),
    (["02"], "02_torn.ipynb is not a notebook"),
    (["03"], "03_plain.ipynb has no checks"),
    (["01", "--json", "no/such/folder/table.json"], "there is no folder no/such/folder to write table.json into")])
def test_what_cannot_be_checked_is_one_line_and_exit_code_2(arguments, says, hand_in, check):
    folder = hand_in(n01_doubling={"right": RIGHT}, n03_plain={})
    (folder / "02_torn.ipynb").write_text('{"cells": [')
    code, out, err = check("--folder", folder, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("gemma-edu: error: ") and says in err and err.count("\n") == 1


def test_a_folder_without_exercises_is_an_error(hand_in, check):
    code, _, err = check("--folder", hand_in(n03_plain={}))
    assert code == 2 and "no notebook in" in err


@pytest.mark.parametrize("text", ["[]", "{}", "7", '{"nbformat": 4}', "\x00"])
def test_what_is_no_notebook_is_said_to_be_none(text, tmp_path):
    (tmp_path / "01_doubling.ipynb").write_text(text)
    with pytest.raises(ValueError, match="is not a notebook"):
        notebooks.find(tmp_path)


def test_without_the_machine_for_notebooks_it_says_what_to_install(hand_in, check, monkeypatch):
    monkeypatch.setattr(command, "NEEDED", ("no_such_package",))
    code, _, err = check("--folder", hand_in(n01_doubling={"right": RIGHT}))
    assert code == 2 and "no_such_package; install it with: pip install 'gemma-edu[course]'" in err


def test_the_table_for_a_script_is_whole_or_not_there(tmp_path, monkeypatch):
    path = tmp_path / "table.json"
    command.write(path, {"points": 1})
    monkeypatch.setattr(command.json, "dumps", lambda *_, **__: "half")
    monkeypatch.setattr(command.os, "replace", lambda *_: sys.exit())      # killed before the end
    with pytest.raises(SystemExit):
        command.write(path, {"points": 2})
    assert path.read_text() == '{\n  "points": 1\n}\n'
