"""From a py:percent source to notebooks: `python -m gemma_edu.course.build [NN …]`, which `make notebooks` runs.

`chapters/NN_name.py` gives one notebook, executed.  `solutions/NN_name.py` gives two: itself, executed, and
`exercises/NN_name.ipynb`, where a stub stands for what was between the markers.
"""
import re
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient.exceptions import CellExecutionError

from .frame import framed
from .glossary import glossary
from .kernel import run
from .widgets import LIVE

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = 'raise NotImplementedError("your turn")'
SECONDS = 300                                   # for one cell, at most
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
          "language_info": {"name": "python"}}


def main(root, numbers=()):
    """Build the units with these numbers, or all of them; then the glossary."""
    for source in sources(root, numbers):
        print(source.relative_to(root), flush=True)
        for path, notebook in notebooks(source).items():
            write(path, executed(notebook, path.parent) if path.parent.name != "exercises" else notebook)
    (root / "chapters" / "glossary.md").write_text(glossary(root), encoding="utf-8")


def sources(root, numbers=()):
    """The py:percent files of chapters and solutions, in order; an unknown number is an error."""
    found = sorted([*root.glob("chapters/[0-9][0-9]_*.py"), *root.glob("solutions/[0-9][0-9]_*.py")])
    known = sorted({path.name[:2] for path in found})
    if not known:
        raise ValueError(f"there are no chapters/NN_name.py in {root}; build at the root of the project")
    if unknown := sorted(set(numbers) - set(known)):
        raise ValueError(f"there is no chapter {', '.join(unknown)}; there are {', '.join(known)}")
    return [path for path in found if not numbers or path.name[:2] in numbers]


def notebooks(source):
    """Every notebook that a source gives, by its path, not yet executed."""
    whole, path = read(source), source.with_suffix(".ipynb")
    made = {path: framed(whole, path)}
    if source.parent.name == "solutions":
        exercise = path.parents[1] / "exercises" / path.name
        made[exercise] = framed(without_answers(whole), exercise)
    for notebook in made.values():
        for cell in notebook.cells:
            cell.metadata.pop("waits", None)
    return made


def read(source):
    """A source as a notebook, with what nbgrader and nbval want to know about each cell."""
    notebook = jupytext.read(source, fmt="py:percent")
    for number, cell in enumerate(notebook.cells):
        tags, marks = cell.metadata.get("tags", []), dict(cell.metadata)
        cell.metadata = nbformat.NotebookNode({"tags": tags} if tags else {})
        if "answer" in marks or "check" in marks:
            cell.metadata.nbgrader = graded(marks)
        if "check" in marks or marks.get("open"):
            cell.metadata.waits = True                  # for an answer; dropped again above
        cell.id = f"{source.stem.replace('_', '-')}-{number:03}"
    notebook.metadata = nbformat.from_dict(KERNEL)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def graded(marks):
    """nbgrader's own marks (schema 3) of an answer's cell, or of the locked cell that checks it."""
    answer = "answer" in marks
    about = {"grade": not answer, "grade_id": f"answer-{marks['answer']}" if answer else f"check-{marks['check']}",
             "locked": not answer, "schema_version": 3, "solution": answer, "task": False}
    return about if answer else about | {"points": int(marks["points"])}


def without_answers(notebook):
    """The same notebook for the student: a stub for each answer, and nothing printed yet."""
    student = nbformat.from_dict(notebook)
    for cell in student.cells:
        cell.source, stubs = re.subn(rf"( *){BEGIN}.*?{END}", rf"\1{STUB}", cell.source, flags=re.DOTALL)
        if not stubs and cell.metadata.get("nbgrader", {}).get("solution"):
            raise ValueError(f"{cell.metadata.nbgrader.grade_id} gives itself away; put {BEGIN} and {END} around it")
        if cell.metadata.get("waits"):
            cell.metadata.tags = [*cell.metadata.get("tags", []), "raises-exception"]
    return student


def executed(notebook, folder):
    """Run it from top to bottom; only what a page can show is kept."""
    run(notebook, folder, SECONDS)
    notebook.metadata = nbformat.from_dict(KERNEL)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(LIVE, None)      # its state is gone with the kernel; the picture stays
    return notebook


def write(path, notebook):
    path.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    try:
        main(Path.cwd(), sys.argv[1:])
    except (ValueError, CellExecutionError) as error:
        sys.exit(f"build: {error}")
