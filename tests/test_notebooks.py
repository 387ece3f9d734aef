"""The notebooks are what their sources make, give no answer away, and keep the rules of the house."""
import ast
import re
from pathlib import Path

import nbformat
import pytest

from gemma_edu.course import build, check, kernel
from gemma_edu.course.glossary import glossary, terms

ROOT = Path(__file__).parents[1]
APPENDIX = "20_bug_museum"
SOURCES = sorted([*ROOT.glob("chapters/[0-9][0-9]_*.py"), *ROOT.glob("solutions/[0-9][0-9]_*.py")])
BUILT = {folder: sorted(ROOT.glob(f"{folder}/*.ipynb")) for folder in ("chapters", "exercises", "solutions")}
NOTEBOOKS = [path for paths in BUILT.values() for path in paths]
EXECUTED = BUILT["chapters"] + BUILT["solutions"]

LONGEST = 10            # lines of a function in a chapter; a longer one lives in the package
IGNORED = 1 / 4         # of a chapter's code cells may have outputs that are not compared
WIDGET = "application/vnd.jupyter.widget"
OURS = re.compile(r"(?<![\w.:/])/(?:work|root|tmp|home|Users)\b")      # a path of somebody's machine


def name(path):
    return f"{path.parent.name}/{path.stem}"


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=name)


def read(path):
    return nbformat.read(path, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code(notebook) for output in cell.outputs]


def tags(cell):
    return cell.metadata.get("tags", [])


# ---- what is committed
def test_a_chapter_its_exercises_and_its_solutions_bear_the_same_name():
    """An appendix has no exercises; whatever has some has all three."""
    built = {folder: [path.stem for path in paths] for folder, paths in BUILT.items()}
    written = {folder: [path.stem for path in SOURCES if path.parent.name == folder] for folder in built}
    assert built["chapters"] == written["chapters"]
    assert built["exercises"] == built["solutions"] == written["solutions"]
    assert [name for name in built["chapters"] if name not in built["solutions"]] == [APPENDIX]


@each(SOURCES)
def test_a_notebook_is_what_its_source_makes(path):
    """In cells, ids, types, tags and metadata; what it prints is compared by nbval."""
    again = f"run: make notebooks UNITS={path.name[:2]}"
    for target, made in build.notebooks(path).items():
        assert target.exists(), again
        committed = read(target)
        assert list(map(shape, committed.cells)) == list(map(shape, made.cells)), again
        assert committed.metadata == made.metadata, again


def shape(cell):
    return cell.id, cell.cell_type, cell.source, cell.metadata


@each(EXECUTED)
def test_every_cell_has_been_run_in_order_and_without_an_error(path):
    notebook = read(path)
    assert [cell.execution_count for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))
    assert [output for output in outputs(notebook) if output.output_type == "error"] == []


@each(BUILT["exercises"])
def test_an_exercise_has_not_been_run(path):
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code(read(path)))


# ---- exercises
@each(BUILT["solutions"])
def test_no_answer_stands_in_the_exercise(path):
    """No line of an answer, unless it stands outside the answers, too."""
    solution = "\n".join(cell.source for cell in read(path).cells)
    marked = re.compile(f"{build.BEGIN}(.*?){build.END}", re.DOTALL)
    given = "\n".join(cell.source for cell in read(ROOT / "exercises" / path.name).cells)
    answers = [answer.strip() for answer in marked.findall(solution)]
    assert answers and not any(answer in given for answer in answers)
    lines = {line.strip() for answer in answers for line in answer.splitlines() if len(line.strip()) > 20}
    elsewhere = marked.sub("", solution)
    assert [line for line in lines if line in given and line not in elsewhere] == []
    assert "SOLUTION" not in given


@each(BUILT["solutions"])
def test_every_check_of_the_chapter_is_set_and_bears_the_name_of_its_exercise(path):
    marks = [(cell.metadata["nbgrader"], cell.source) for cell in read(path).cells if "nbgrader" in cell.metadata]
    checked = [about["grade_id"].removeprefix("check-") for about, _ in marks if about["grade"]]
    answered = [about["grade_id"].removeprefix("answer-") for about, _ in marks if about["solution"]]
    assert checked == answered and sorted(checked) == sorted(check.names(path.stem[len("NN_"):]))
    assert 3 <= len(checked) <= 6
    assert all(f"check.{name}(" in source for name, (_, source) in zip(checked, marks[1::2], strict=True))


@each(BUILT["exercises"])
def test_before_anything_is_solved_only_what_waits_for_an_answer_raises(path):
    notebook = kernel.run(read(path), path.parent, 120, allow_errors=True)
    for cell in code(notebook):
        raised = [output.ename for output in cell.outputs if output.output_type == "error"]
        waits = "raises-exception" in tags(cell)
        assert set(raised) <= ({"NotImplementedError", "NotAttempted"} if waits else set()), cell.source
        assert raised or not cell.metadata.get("nbgrader", {}).get("grade"), cell.source


# ---- the rules of the house
@each(NOTEBOOKS)
def test_it_opens_in_colab_and_installs_itself_there(path):
    first, second, *_ = read(path).cells
    assert first.cell_type == "markdown" and f"/blob/main/{path.parent.name}/{path.name})" in first.source
    assert "colab.research.google.com/github/" in first.source and "\n# " in first.source
    assert second.cell_type == "code" and "import gemma_edu\nexcept ImportError:" in second.source


@each(BUILT["chapters"])
def test_no_function_of_a_chapter_is_long(path):
    functions = [node for cell in code(read(path)) for node in ast.walk(ast.parse(without_magic(cell.source)))
                 if isinstance(node, ast.FunctionDef)]
    assert {each.name: each.end_lineno - each.lineno + 1 for each in functions
            if each.end_lineno - each.lineno + 1 > LONGEST} == {}


def without_magic(source):
    return re.sub(r"^(\s*)[%!].*", r"\1pass", source, flags=re.MULTILINE)


@each(BUILT["chapters"])
def test_most_of_what_a_chapter_prints_is_compared(path):
    cells = code(read(path))
    ignored = [cell for cell in cells if "nbval-ignore-output" in tags(cell)]
    assert len(ignored) <= IGNORED * len(cells)


@each(EXECUTED)
def test_every_picture_is_a_png_with_words_for_those_who_do_not_see_it(path):
    for output in outputs(read(path)):
        data = output.get("data", {})
        assert not {"image/svg+xml", "image/jpeg", "application/pdf"} & data.keys()
        assert "<svg" not in data.get("text/html", "")
        if "image/png" in data:
            assert len(data["text/plain"]) > 20 and not data["text/plain"].startswith("<")


@each(NOTEBOOKS)
def test_no_widget_leaves_the_state_of_its_kernel(path):
    notebook = read(path)
    assert set(notebook.metadata) == {"kernelspec", "language_info"} and notebook.metadata.kernelspec.name == "python3"
    assert [key for output in outputs(notebook) for key in output.get("data", {}) if key.startswith(WIDGET)] == []


@each(NOTEBOOKS)
def test_nothing_names_a_path_of_somebodys_machine(path):
    notebook = read(path)
    texts = [cell.source for cell in notebook.cells]
    texts += [str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", "")) +
              str(output.get("data", {}).get("text/html", "")) for output in outputs(notebook)]
    assert [text for text in texts if OURS.search(text)] == []


# ---- the glossary
@each([path for path in SOURCES if path.parent.name == "chapters"])
def test_a_chapter_names_its_terms_in_both_languages(path):
    pairs = list(terms(path.read_text(encoding="utf-8")))
    page = (ROOT / "chapters" / "glossary.md").read_text(encoding="utf-8")
    assert pairs and all(f"| {english} |" in page for english, _ in pairs)
    assert all(re.search("[\u4e00-\u9fff]", chinese) for _, chinese in pairs)


def test_the_glossary_is_what_the_chapters_make():
    assert (ROOT / "chapters" / "glossary.md").read_text(encoding="utf-8") == glossary(ROOT)
