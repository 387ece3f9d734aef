"""The checks are checked: each mistake that they know is recognised, and nothing that is right is refused."""
import ast
import re
from collections import Counter
from dataclasses import replace
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from gemma_edu import numpy_gemma
from gemma_edu.course import check
from gemma_edu.course.check.exercise import CHANGED, SEED, Exercise, outcome
from gemma_edu.course.check.sandbox import fresh
from gemma_edu.course.check.verdict import NotAttempted, NotYet

ROOT = Path(__file__).parents[1]
EXERCISES = [(chapter, name) for chapter in check.chapters() for name in check.names(chapter)]
MISTAKES = [(*where, question) for where in EXERCISES for question in check.exercises(where[0])[where[1]].wrong]
SEEDS = ["0", "1", "2", "3"]

# The chapter that first explains a file of the package; what is not here may be used anywhere.
TAUGHT = {"numpy_gemma.gates": 1, "numpy_gemma.recurrent": 1, "numpy_gemma.train": 3, "data.tokenizer": 4,
          "numpy_gemma.norm": 5, "numpy_gemma.position": 6, "numpy_gemma.attention": 7, "numpy_gemma.mlp": 8,
          "numpy_gemma.block": 9, "numpy_gemma.model": 9, "numpy_gemma.loss": 9, "numpy_gemma.sample": 9,
          "jax_gemma": 10}


@pytest.fixture
def exercise(chapter, name):
    """An exercise that nobody has failed yet."""
    return replace(check.exercises(chapter)[name], failures=0)


def each(cases, *names):
    return pytest.mark.parametrize(("chapter", "name", *names), cases,
                                   ids=["-".join(map(str, case[1:]))[:70] for case in cases])


def refused(exercise, answer):
    """What is said of an answer that is not right; a notebook shows these words and nothing else."""
    with pytest.raises(NotYet) as caught:
        exercise(answer)
    said = str(caught.value)
    assert caught.value._render_traceback_() == [said] and "Traceback" not in said
    return said.removeprefix(f"✗ {exercise.name}: not yet. ")


def passes(exercise, answer, capfd):
    assert exercise(answer) is None
    assert capfd.readouterr() == (f"✓ {exercise.name}: correct\n", "")


def alternative(chapter, name):
    path = ROOT / "tests" / "alternatives" / f"{chapter}.py"
    spec = spec_from_file_location(f"alternatives_{chapter}", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


# ---- right answers
@pytest.mark.parametrize("seed", SEEDS)
@each(EXERCISES)
def test_the_reference_and_an_answer_found_another_way_are_correct(exercise, chapter, name, seed, monkeypatch, capfd):
    monkeypatch.setenv(SEED, seed)
    passes(exercise, exercise.reference, capfd)
    passes(exercise, alternative(chapter, name), capfd)


# ---- known mistakes
@pytest.mark.parametrize("seed", SEEDS)
@each(MISTAKES, "question")
def test_a_known_mistake_is_answered_with_its_own_question(exercise, question, seed, monkeypatch):
    monkeypatch.setenv(SEED, seed)
    assert refused(exercise, exercise.wrong[question]) == question


@each(EXERCISES)
def test_an_exercise_knows_at_least_two_mistakes(exercise):
    assert len(exercise.wrong) >= 2


# ---- other bad answers
def floats(value):
    """Does a result hold any?"""
    if isinstance(value, (tuple, list, dict)):
        return any(map(floats, value.values() if isinstance(value, dict) else value))
    return np.asarray(value).dtype.kind == "f"


def as_nan(value):
    """The same result with NaN for every float."""
    if isinstance(value, dict):
        return {key: as_nan(part) for key, part in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(map(as_nan, value))
    return value * np.nan if floats(value) else value


def spoil(value):
    """Change the first array or list that an argument holds; is there any?"""
    if isinstance(value, np.ndarray) and value.size and value.dtype.kind in "biuf":
        value.flat[0] = not value.flat[0] if value.dtype == bool else value.flat[0] + 1
        return True
    if isinstance(value, list) and value and not any(isinstance(part, (list, np.ndarray)) for part in value):
        value.append(value[0])
        return True
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else []
    return any(map(spoil, parts))


def raising(*_):
    raise ValueError("my own words")


@each(EXERCISES)
def test_nothing_returned_is_said(exercise):
    assert refused(exercise, lambda *_: None).startswith("Your function returned None")


@pytest.mark.parametrize("result", [[], [None], np.zeros((7, 1, 7)), "a word", object(), {"key": 1}, 1j, (), np.nan],
                         ids=["no list", "a list", "another shape", "a word", "an object", "a dict", "1j", "()", "NaN"])
@each(EXERCISES)
def test_whatever_is_returned_the_verdict_is_a_sentence(exercise, result):
    assert refused(exercise, lambda *_: result)[-1] in ".?"


@each(EXERCISES)
def test_an_error_is_quoted_with_its_line(exercise):
    line = f'at line {raising.__code__.co_firstlineno + 1}: raise ValueError("my own words")'
    assert refused(exercise, raising).endswith(f"ValueError: my own words {line}")


@each(EXERCISES)
def test_nan_is_not_right(exercise):
    if floats([outcome(exercise.reference, fresh(arguments)) for arguments in exercise.cases()]):
        assert refused(exercise, lambda *arguments: as_nan(exercise.reference(*arguments)))


@each(EXERCISES)
def test_an_argument_that_is_changed_is_seen(exercise):
    def careless(*arguments):
        result = exercise.reference(*fresh(arguments))
        spoil(arguments)
        return result
    if any(spoil(fresh(arguments)) for arguments in exercise.cases()):
        assert refused(exercise, careless) == CHANGED


@each(EXERCISES)
def test_what_is_no_function_is_not_called(exercise):
    assert "takes your function itself" in refused(exercise, exercise.reference(*exercise.cases()[0]))


@each(EXERCISES)
def test_a_stub_is_not_attempted_and_not_wrong(exercise):
    def stub(*_):
        raise NotImplementedError("your turn")
    with pytest.raises(NotAttempted, match=f"{exercise.name}: not attempted"):
        exercise(stub)
    assert exercise.failures == 0


@each(EXERCISES)
def test_hints_unfold_one_by_one_from_the_second_failure_on(exercise):
    said = [refused(exercise, lambda *_: None) for _ in range(len(exercise.hints) + 2)]
    assert [text.count("\n  Hint ") for text in said] == [*range(len(exercise.hints) + 1), len(exercise.hints)]


# ---- the files
def test_every_check_has_a_name_of_its_own():
    assert [name for name, times in Counter(name for _, name in EXERCISES).items() if times > 1] == []


@pytest.mark.parametrize("chapter", check.chapters())
def test_the_names_read_off_a_file_are_those_that_it_declares(chapter):
    declared = vars(import_module(f"gemma_edu.course.check.{chapter}"))
    assert [name for name, value in declared.items() if isinstance(value, Exercise)] == check.names(chapter)


def used(chapter):
    """The files of the package that a chapter's checks import, as `numpy_gemma.norm`."""
    text = (Path(check.__file__).parent / f"{chapter}.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level == 3:
            for alias in node.names:
                yield f"{node.module or ''}.{alias.name}".lstrip(".")
                if node.module == "numpy_gemma":
                    yield getattr(vars(numpy_gemma).get(alias.name), "__module__", "").removeprefix("gemma_edu.")
                yield node.module or ""


@pytest.mark.parametrize("chapter", check.chapters())
def test_no_check_uses_what_a_later_chapter_teaches(chapter):
    number, = {int(path.name[:2]) for path in ROOT.glob(f"[cs]*s/[0-9][0-9]_{chapter}.py")}
    rooms = {known for name in used(chapter) for known in (name, name.split(".")[0])}
    too_early = {name for name in rooms if TAUGHT.get(name, 0) > number}
    assert too_early == set()
    assert number >= 10 or not re.search(r"^\s*(import|from) jax", Path(check.HERE, f"{chapter}.py").read_text(), re.M)
