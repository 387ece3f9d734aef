"""From a py:percent source to notebooks: `python -m gemma_edu.course.build [NN …]`, which `make notebooks` runs.

`chapters/NN_name.py` gives one notebook, executed.  `solutions/NN_name.py` gives two: itself, executed, and
`exercises/NN_name.ipynb`, where a stub stands for what was between the markers.
"""
import re
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

from .frame import framed

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = 'raise NotImplementedError("your turn")'
SECONDS = 300                                   # for one cell, at most
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
          "language_info": {"name": "python"}}
LIVE = "application/vnd.jupyter.widget-view+json"


def main(root, numbers=()):
    """Build the units with these numbers, or all of them; then the glossary."""
    from .glossary import glossary
    for source in sources(root, numbers):
        print(source.relative_to(root), flush=True)
        for path, notebook in notebooks(source).items():
            write(path, executed(notebook, path.parent) if path.parent.name != "exercises" else notebook)
    (root / "chapters" / "glossary.md").write_text(glossary(root))


def sources(root, numbers=()):
    """The py:percent files of chapters and solutions, in order; an unknown number is an error."""
    found = sorted([*root.glob("chapters/[0-9][0-9]_*.py"), *root.glob("solutions/[0-9][0-9]_*.py")])
    known = {path.name[:2] for path in found}
    if unknown := set(numbers) - known:
        raise ValueError(f"there is no chapter {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    return [path for path in found if not numbers or path.name[:2] in numbers]


def notebooks(source):
    """Every notebook that a source gives, by its path, not yet executed."""
    whole = read(source)
    path = source.with_suffix(".ipynb")
    if source.parent.name == "chapters":
        return {path: framed(whole, path)}
    exercise = path.parents[1] / "exercises" / path.name
    return {path: framed(whole, path), exercise: framed(without_answers(whole), exercise)}


def read(source):
    """A source as a notebook, with what nbgrader and nbval want to know about each cell."""
    notebook = jupytext.read(source, fmt="py:percent")
    for number, cell in enumerate(notebook.cells):
        tags, marks = cell.metadata.get("tags", []), dict(cell.metadata)
        cell.metadata = nbformat.NotebookNode({"tags": tags} if tags else {})
        if "answer" in marks or "check" in marks:
            cell.metadata.nbgrader = graded(marks)
        if "check" in marks or marks.get("open"):
            cell.metadata.waits = True                  # for an answer; dropped again below
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
        cell.source = re.sub(rf"( *){BEGIN}.*?{END}", rf"\1{STUB}", cell.source, flags=re.DOTALL)
        if cell.metadata.get("waits"):
            cell.metadata.tags = [*cell.metadata.get("tags", []), "raises-exception"]
    return student


def executed(notebook, folder):
    """Run it from top to bottom; only what a page can show is kept."""
    client = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", record_timing=False,
                            coalesce_streams=True, resources={"metadata": {"path": str(folder)}})
    client.execute()
    notebook.metadata = nbformat.from_dict(KERNEL)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(LIVE, None)      # its state is gone with the kernel; the picture stays
    return notebook


def write(path, notebook):
    for cell in notebook.cells:
        cell.metadata.pop("waits", None)
    path.parent.mkdir(exist_ok=True)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    main(Path.cwd(), sys.argv[1:])
