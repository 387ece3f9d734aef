"""What every check rests on: a stranger's function is run safely, and a verdict is fair."""
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from gemma_edu.course import check
from gemma_edu.course.check import sandbox
from gemma_edu.course.check.exercise import SEED, Exercise, outcome
from gemma_edu.course.check.sandbox import Hung
from gemma_edu.course.check.verdict import NotAttempted, NotYet


def endless(*_):
    while True:
        pass


def stubborn(*_):
    while True:
        try:
            time.sleep(0.001)
        except SystemExit:
            stubborn.asked += 1
            if stubborn.asked > 3:
                raise


def inputs(random):
    return (1 + random.random(3),)


def doubling(**choices):
    return Exercise(lambda x: 2 * x, inputs, {"You squared it.": lambda x: x * x}, name="double", **choices)


def said(exercise, answer):
    with pytest.raises(NotYet) as caught:
        exercise(answer)
    return str(caught.value)


# ---- what never returns
def test_a_function_that_never_returns_is_stopped_after_ten_seconds():
    before, start = threading.active_count(), time.monotonic()
    assert "did not return within 10 seconds" in said(doubling(), endless)
    assert 10 <= time.monotonic() - start < 13
    assert threading.active_count() == before


def test_one_that_catches_what_should_stop_it_is_asked_again(monkeypatch):
    monkeypatch.setattr(sandbox, "SECONDS", 0.2)
    stubborn.asked, before = 0, threading.active_count()
    assert isinstance(outcome(stubborn, ()), Hung)
    assert threading.active_count() == before


def test_an_interrupted_wait_stops_the_function_and_is_no_verdict(monkeypatch):
    before, join = threading.active_count(), threading.Thread.join
    waits = iter([KeyboardInterrupt])

    def interrupted(thread, seconds=None):
        for interrupt in waits:
            raise interrupt
        join(thread, seconds)
    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        doubling()(endless)
    assert threading.active_count() == before


@pytest.mark.parametrize("error", [SystemExit("bye"), RecursionError("too deep"), MemoryError(), GeneratorExit()])
def test_no_error_of_an_answer_gets_out(error):
    def answer(x):
        raise error
    assert f"Your function raised {type(error).__name__}" in said(doubling(), answer)


# ---- verdicts
def test_a_mistake_that_raises_is_recognised_by_what_it_raises():
    exercise = Exercise(lambda x: (1 + np.tanh(x / 2)) / 2, [lambda random: (np.array([-1e4, 1.0]),)],
                        {"You cubed it.": lambda x: x**3, "Does it overflow?": lambda x: 1 / (1 + np.exp(-x))},
                        errstate={"over": "raise"})
    assert "Does it overflow?" in said(exercise, lambda x: 1 / (1 + np.exp(-x)))


def test_where_the_reference_raises_the_answer_has_to_raise_the_same_kind(capsys):
    def reference(x):
        raise ValueError("NaN")

    def another_word(x):
        raise ValueError("not a number")
    exercise = Exercise(reference, inputs, {})
    exercise(another_word)
    assert "correct" in capsys.readouterr().out
    assert "should raise ValueError here; it returned 3" in said(exercise, lambda x: 3)
    assert "raised TypeError" in said(exercise, lambda: 3)


def test_another_seed_draws_other_inputs_and_the_same_seed_the_same(monkeypatch):
    drawn = []
    for seed in "1", "2", "class of 2026", "1":
        monkeypatch.setenv(SEED, seed)
        drawn.append(doubling().cases()[0][0])
    assert np.array_equal(drawn[0], drawn[3])
    assert len({array.tobytes() for array in drawn}) == 3


def test_success_folds_the_hints_again(capsys):
    exercise = doubling(hints=["Add.", "Add it to itself."])
    assert [said(exercise, lambda x: x).count("Hint") for _ in range(4)] == [0, 1, 2, 2]
    exercise(lambda x: x + x)
    assert said(exercise, lambda x: x).count("Hint") == 0


def test_a_stub_inside_an_answer_is_not_attempted():
    with pytest.raises(NotAttempted, match="not attempted"):
        doubling()(lambda x: [None for _ in x if not_written()])


def not_written():
    raise NotImplementedError("your turn")


# ---- names
def test_a_check_that_bears_the_name_of_its_chapter_stays_the_check():
    for _ in range(2):
        assert isinstance(check.rms_norm, Exercise)
    assert "rms_norm" in dir(check)


def test_an_unknown_check_is_told_which_there_are():
    with pytest.raises(AttributeError, match="there is no check 'rms_morn'; there are .*rms_norm"):
        check.rms_morn  # noqa: B018


def test_a_check_of_a_numpy_chapter_needs_no_jax():
    code = "import sys; from gemma_edu.course import check; check.rms_norm; print('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
