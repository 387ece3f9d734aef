"""What chapter 10 counts, measures and hunts."""
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gemma_edu import jax_gemma
from gemma_edu.course.check import exercises
from gemma_edu.course.figures.programs import PADDED, arriving, bill
from gemma_edu.lab.numpy_to_jax import clock, gradients, measure, miscounted, programs, rooms, suspects, trials
from gemma_edu.lab.numpy_to_jax.verdicts import by_questions

ONE = jnp.ones(3)


# ---- the two rooms
def test_what_is_rewritten_has_a_reason_and_nothing_else_has():
    assert set(sum(rooms.REASONS.values(), [])) == set(rooms.differing())


def test_every_line_of_the_numpy_room_is_counted_once():
    for file in rooms.FILES:
        assert rooms.kinds(file).total() == sum(map(len, rooms.code("numpy_gemma", file).values()))


def test_a_line_that_only_renames_numpy_is_found():
    assert rooms.matched(["a = np.exp(x)", "b = a"], ["a = jnp.exp(x)", "b = 2"]) == [(0, 0)]


def test_half_of_the_numpy_room_is_gradients():
    lines = sum((rooms.kinds(file) for file in rooms.FILES), start=rooms.Counter())
    assert 0.5 <= lines[rooms.GRADIENT] / lines.total() < 0.65
    rest = lines.total() - lines[rooms.GRADIENT]
    assert 0.8 < (lines[rooms.SAME] + lines[rooms.RENAMED]) / rest < 0.95


# ---- gradients
def test_a_gradient_that_is_a_little_off_is_seen(monkeypatch):
    from gemma_edu.numpy_gemma import gates
    right = gates.gelu_backward
    with gradients.sixteen_digits():
        assert gradients.apart("gelu", "gates", np.random.default_rng(0)) < 1e-13
        monkeypatch.setattr(gates, "gelu_backward", lambda dy, x: right(dy, x) * (1 + 1e-6))
        assert gradients.apart("gelu", "gates", np.random.default_rng(0)) == pytest.approx(1e-6, rel=0.1)
    assert jnp.ones(1).dtype == jnp.float32      # and afterwards JAX is as it was


def test_what_cannot_be_drawn_is_an_assembly():
    assemblies = {"block", "layers", "loss", "forward", "embed", "unembed", "attention", "contract"}
    assert assemblies <= gradients.only_inside()


# ---- programs
def test_fusion_leaves_fewer_kernels_than_operations():
    assert programs.operations(jax_gemma.gelu, ONE) == 8
    assert programs.kernels(jax_gemma.gelu, ONE) == 1


def test_a_loops_body_is_counted_once():
    def turned(x, times):
        return jax.lax.fori_loop(0, times, lambda i, x: jnp.sin(jnp.cos(x)), x)
    assert programs.operations(lambda x: turned(x, 3), ONE) == programs.operations(lambda x: turned(x, 9), ONE) < 8


def test_a_trace_is_counted_and_a_call_is_not():
    f, traces = clock.counted(lambda x: x + 1)
    for x in (ONE, 2 * ONE, jnp.ones(4)):
        f(x)
    assert len(traces) == 2


def test_the_rule_for_retraces_is_what_jax_does():
    exercise = exercises("numpy_to_jax")["count_traces"]
    for [calls] in exercise.cases():
        assert miscounted.traced(calls) == miscounted.distinct(calls)


# ---- what was measured
def test_the_file_says_how_it_was_made_and_holds_every_length():
    seen = measure.measured()
    assert seen["command"].endswith("numpy_to_jax.measure") and seen["jax"] and seen["machine"]
    assert len(seen["length"]["run"]) == len(seen["length"]["compile"]) == measure.TINY.S
    assert seen["depth"]["operations"]["stacked"][0] == seen["depth"]["operations"]["stacked"][-1]


@pytest.mark.parametrize("way", PADDED)
def test_padding_never_cuts_a_text_and_a_program_is_paid_for_once(way):
    padded, waited = bill(way)
    assert np.all(padded >= arriving()) and padded.max() <= measure.TINY.S
    length = measure.measured()["length"]
    assert waited[-1] == pytest.approx(sum(length["run"][n - 1] for n in padded)
                                       + sum(length["compile"][n - 1] for n in set(padded.tolist())))


# ---- trials and suspects
def test_only_one_suspect_is_fine_and_each_other_one_is_told_apart():
    names = ["right", "unsafe", "clamped", "together", "frozen", "lost"]
    verdicts = [by_questions(getattr(suspects, name)) for name in names]
    assert verdicts == ["fine", "nan", "clamped", "one key", "frozen", "lost"]


def test_what_breaks_under_jit_is_said_in_a_plain_sentence():
    with pytest.raises(TypeError) as caught:
        trials.traced(lambda x: x if x[0] > 0 else -x)(ONE)
    assert str(caught.value) == "Python asked a tracer for a yes or no"


def test_a_loop_over_layers_is_told_from_a_scan():
    layers = {"by": jnp.ones((5, 3))}

    def layer(x, w):
        return x * w["by"]
    trials.of_one_length(miscounted.scanned)(layer, ONE, layers)
    for read_by_python in layer, jax.jit(layer):      # compiled, it is read once, and yet the program grows
        with pytest.raises(trials.Unrolled, match="for twice as many layers"):
            trials.of_one_length(miscounted.unrolled)(read_by_python, ONE, layers)
