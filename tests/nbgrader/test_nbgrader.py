"""A teacher drops our solutions into nbgrader, unchanged: it makes the assignment, and grades it as we do."""
import os
import shutil
import sys
from pathlib import Path

import pytest
from traitlets.config import Config

nbgrader = pytest.importorskip("nbgrader.apps", reason="nbgrader is not installed here: make nbgrader")

SOLUTIONS = sorted(Path(__file__).parents[2].glob("solutions/[0-9][0-9]_*.ipynb"))


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """An empty course, as `nbgrader quickstart` leaves it."""
    root, config = tmp_path_factory.mktemp("course"), Config()
    config.CourseDirectory.root, config.CourseDirectory.course_id = str(root), "gemma"
    config.Exchange.root = str(root / "exchange")
    config.ExecutePreprocessor.timeout = 300
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)      # nbgrader calls its alembic
        yield nbgrader.NbGraderAPI(config=config)


def place(course, notebook, *folders):
    folder = Path(course.coursedir.root, *folders, notebook.stem)
    folder.mkdir(parents=True)
    shutil.copy(notebook, folder)


def graded(course, assignment, student, handed_in):
    """The score of what a student hands in, and the highest that there is."""
    place(course, handed_in, "submitted", student)
    done = course.autograde(assignment, student)
    assert done["success"], done["log"]
    with course.gradebook as gradebook:
        submission = gradebook.find_submission(assignment, student)
        return submission.score, submission.max_score


@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda path: path.stem)
def test_nothing_done_earns_nothing_and_all_done_earns_all(solution, course):
    place(course, solution, "source")
    made = course.generate_assignment(solution.stem)
    assert made["success"], made["log"]
    released = Path(course.coursedir.root, "release", solution.stem, solution.name)
    assert "### BEGIN SOLUTION" not in released.read_text(encoding="utf-8")

    score, most = graded(course, solution.stem, "idle", released)
    assert score == 0 < most
    score, most = graded(course, solution.stem, "able", solution)
    assert score == most
