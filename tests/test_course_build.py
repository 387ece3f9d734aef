"""The builder: a source gives the same notebooks each time, and an exercise gives nothing away."""
import nbformat
import pytest
import small_course
from nbclient.exceptions import CellExecutionError

from gemma_edu.course import build


def read(path):
    return nbformat.read(path, as_version=4)


def files(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    root = small_course.write(tmp_path_factory.mktemp("course"))
    build.main(root)
    return root


@pytest.fixture
def sources(tmp_path):
    return small_course.write(tmp_path)


def test_a_rebuild_without_a_change_changes_nothing(course):
    before = files(course)
    build.main(course, ["01"])
    assert files(course) == before


def test_a_chapter_gives_one_notebook_and_a_solution_two(course):
    made = {name for name in files(course) if not name.endswith((".py", ".toml"))}
    assert made == {"chapters/01_doubling.ipynb", "exercises/01_doubling.ipynb", "solutions/01_doubling.ipynb",
                    "chapters/glossary.md"}


def test_a_notebook_opens_in_colab_from_the_address_in_pyproject(course):
    for folder in "chapters", "exercises", "solutions":
        first, second, *_ = read(course / folder / "01_doubling.ipynb").cells
        assert f"colab.research.google.com/github/somebody/fork/blob/main/{folder}/01_doubling.ipynb" in first.source
        assert "git+https://github.com/somebody/fork" in second.source


def test_the_student_finds_a_stub_where_the_answer_was_and_nothing_printed(course):
    exercise = read(course / "exercises" / "01_doubling.ipynb")
    answer, = [cell for cell in exercise.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    assert answer.source == 'def double(x):\n    raise NotImplementedError("your turn")'
    code = [cell for cell in exercise.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    waiting = [cell.source for cell in code if "raises-exception" in cell.metadata.get("tags", [])]
    assert waiting == ["check(double)", "print(double(4.0))"]


def test_the_teacher_finds_nbgraders_marks_on_the_answer_and_on_its_check(course):
    marks = [cell.metadata.nbgrader for cell in read(course / "solutions" / "01_doubling.ipynb").cells
             if "nbgrader" in cell.metadata]
    common = {"schema_version": 3, "task": False}
    assert marks == [
        common | {"grade_id": "answer-double", "grade": False, "locked": False, "solution": True},
        common | {"grade_id": "check-double", "grade": True, "locked": True, "solution": False, "points": 3}]


def test_a_widget_leaves_its_picture_and_no_trace_of_its_kernel(course):
    notebook = read(course / "chapters" / "01_doubling.ipynb")
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    shown = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    assert [set(data) for data in shown] == [{"image/png", "text/plain"}] * 2


def test_the_glossary_has_the_terms_of_the_chapter(course):
    page = (course / "chapters" / "glossary.md").read_text(encoding="utf-8")
    assert "| double | 加倍 | [01](01_doubling.ipynb) |\n| half | 一半 | [01](01_doubling.ipynb) |\n" in page


def test_what_cannot_be_built_is_said_in_a_sentence(sources, tmp_path_factory):
    with pytest.raises(ValueError, match="there is no chapter 77; there are 01"):
        build.main(sources, ["77"])
    with pytest.raises(ValueError, match="there are no chapters"):
        build.main(tmp_path_factory.mktemp("empty"))


def test_an_answer_without_markers_is_never_published(sources):
    solution = sources / "solutions" / "01_doubling.py"
    solution.write_text(small_course.SOLUTION.replace("### END SOLUTION", ""), encoding="utf-8")
    with pytest.raises(ValueError, match="answer-double gives itself away"):
        build.main(sources)
    assert not (sources / "exercises").exists()


def test_a_cell_that_fails_leaves_the_notebook_as_it_was(sources):
    old = sources / "chapters" / "01_doubling.ipynb"
    old.write_text("as it was")
    (sources / "chapters" / "01_doubling.py").write_text("# %% [markdown]\n# # 01\n\n# %%\n1 / 0\n")
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        build.main(sources)
    assert old.read_text() == "as it was"
