"""A student's own notebooks: run them, and read off what each check says."""
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient.exceptions import DeadKernelError

from ..kernel import run
from . import chapters, names

CORRECT, NOT_YET, NOT_ATTEMPTED, ERROR = "correct", "not yet", "not attempted", "error"
VERDICTS = {"NotYet": NOT_YET, "NotAttempted": NOT_ATTEMPTED}
SAID_ALREADY = re.compile(r"\S \w+: not (yet|attempted)\. ")      # by the columns beside it
SECONDS = 120        # for one cell


@dataclass(frozen=True)
class Result:
    """One exercise: its state, the points earned and the points it has, and why."""
    exercise: str
    state: str
    points: float
    out_of: float
    message: str


def find(folder, numbers=()):
    """The exercise notebooks of a folder, or those with these numbers, as {path: notebook}."""
    if not Path(folder).is_dir():
        raise NotADirectoryError(f"there is no folder {folder}; give the one with your notebooks: --folder FOLDER")
    found = sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))
    known = sorted({path.name[:2] for path in found})
    if unknown := sorted(set(numbers) - set(known)):
        raise ValueError(f"{folder} has no notebook {', '.join(unknown)}; it has {', '.join(known) or 'none'}")
    opened = {path: opened_notebook(path) for path in found if not numbers or path.name[:2] in numbers}
    checked = {path: notebook for path, notebook in opened.items() if graded(notebook)}
    if missing := sorted(opened.keys() - checked.keys() if numbers else []):
        raise ValueError(f"{missing[0]} has no checks; is it an exercise of this course?")
    if not checked:
        raise ValueError(f"no notebook in {folder} has checks; give a folder with exercises: --folder FOLDER")
    return checked


def opened_notebook(path):
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError):
        raise ValueError(f"{path} is not a notebook, or only a part of one; save it again") from None


def graded(notebook):
    """The cells that check an exercise, by its name; of a cell and its copies, the last."""
    marks = [(cell.metadata.get("nbgrader", {}), cell) for cell in notebook.cells if cell.cell_type == "code"]
    return {about["grade_id"].removeprefix("check-"): cell for about, cell in marks if about.get("grade")}


def results(path, notebook):
    """Run it where it lies, and say how each exercise stands; the file stays as it is."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None      # what was saved may be from another answer
    with suppress(DeadKernelError):                             # the cells after it say nothing
        run(notebook, path.parent, SECONDS, allow_errors=True, interrupt_on_timeout=True)
    checks = graded(notebook)
    gone = [name for name in declared(path) if name not in checks]
    return [*(result(name, cell) for name, cell in checks.items()),
            *(Result(name, ERROR, 0, 0, "its check is no longer in the notebook") for name in gone)]


def declared(path):
    """The exercises of the chapter that a notebook belongs to."""
    chapter = path.stem[len("NN_"):]
    return names(chapter) if chapter in chapters() else []


def result(name, cell):
    """What the outputs of a check's cell say."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    printed = any(output.get("name") == "stdout" for output in cell.outputs)
    state = VERDICTS.get(errors[0].ename, ERROR) if errors else CORRECT if printed else ERROR
    out_of = cell.metadata.nbgrader.get("points", 0)
    return Result(name, state, out_of if state == CORRECT else 0, out_of, message(state, errors))


def message(state, errors):
    """The first line of what was said, where the state does not say it all."""
    if state in (CORRECT, NOT_ATTEMPTED):
        return ""
    if not errors:
        return "it did not finish: the kernel died, or was not to be stopped"
    name, said = errors[0].ename, SAID_ALREADY.sub("", errors[0].evalue.strip().partition("\n")[0], count=1)
    if name == "KeyboardInterrupt":
        return f"a cell may take {SECONDS} seconds; this one took more"
    return said if state != ERROR else f"{name}: {said}"
