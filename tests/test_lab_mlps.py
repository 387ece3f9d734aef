"""Contests between MLPs, gates read off a model, and a layer without a stream: what they claim to measure, they do."""
from functools import partial

import numpy as np
import pytest
from small import GEMMAS, TOKENS, weights

from gemma_edu import check_gradient
from gemma_edu.lab.geglu import mlps
from gemma_edu.lab.geglu.gates import alone, alone_backward, choices, forget_gates, influence, visible
from gemma_edu.lab.geglu.suspects import SUSPECTS, by_probe, from_two
from gemma_edu.numpy_gemma import geglu, gelu, lstm_cell, plain_mlp, reglu, rms_norm, sigmoid
from gemma_edu.numpy_gemma.tree import leaves

TASKS = [mlps.products, mlps.folds, mlps.text]
each_task = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
NUMPY = GEMMAS["numpy"]


def random():
    return np.random.default_rng(0)


# ---- contests
def test_in_a_contest_all_mlps_have_as_many_weights():
    sizes = {sum(leaf.size for leaf in leaves(mlps.fresh_weights(mlp, 8, mlps.equal_width(mlp, 32), random())))
             for mlp in mlps.KINDS}
    assert sizes == {3 * 8 * 32}


@each_task
def test_the_gradient_of_a_task_is_that_of_its_loss(task):
    examples, grade = task(64, random())
    _, wanted = examples(random(), 3)
    y = random().standard_normal((1, 3, 64))
    check_gradient(lambda y: np.array(grade(y, wanted)[0] * (np.log(2) if task is mlps.text else 1)),
                   lambda dloss, y: dloss * grade(y, wanted)[1], y)


@each_task
def test_to_learn_is_to_err_less_on_what_was_held_out(task):
    before, after = (mlps.contests(task, seeds=1, kinds=[geglu], steps=steps)["geglu"][0] for steps in (0, 40))
    assert after < 0.8 * before


def test_no_training_sees_the_text_that_is_held_out():
    seen, held = mlps.places(random(), 100_000), mlps.places(random(), 0, held_out=True)
    assert mlps.SEEN <= seen.min() and seen.max() < held.min() and len(held) == mlps.HELD_OUT


def test_a_relu_that_is_shut_for_all_stays_shut_and_a_gelu_does_not():
    assert mlps.revived(reglu, 3, seed=0, steps=60) == 0 < mlps.revived(geglu, 3, seed=0, steps=60)


# ---- gates of a model
@pytest.mark.usefixtures("float64")
def test_the_choices_are_what_the_first_mlp_reads():
    params = weights(NUMPY)
    seen = choices(NUMPY.cfg, params, TOKENS[:1])
    assert seen.shape == (NUMPY.cfg.L, TOKENS.shape[1], NUMPY.cfg.F)
    params["layers"][0]["mlp"]["gate"][:, 3] = 0
    assert np.all(choices(NUMPY.cfg, params, TOKENS[:1])[0, :, 3] == 0) and np.all(seen[0, :, 3] != 0)


@pytest.mark.usefixtures("float64")
def test_the_same_mlp_is_invisible_and_another_is_not():
    params = weights(NUMPY)
    assert visible(NUMPY.cfg, params, TOKENS, geglu) == (0, 0)
    moved, _ = visible(NUMPY.cfg, params, TOKENS, reglu)
    assert moved > 1e-3


def a_cell(D=3, C=4):
    draw = random().standard_normal
    return [(draw((D, C)), draw((C, C)), draw(C)) for _ in range(4)]


def test_the_forget_gates_are_those_of_the_loop():
    x, (h, c), cell = random().standard_normal((1, 5, 3)), np.zeros((2, 1, 4)), a_cell()
    gates, (w, u, b) = forget_gates(x, (h, c), *cell), cell[0]
    for t in range(5):
        assert np.allclose(gates[:, t], sigmoid(x[:, t] @ w + h @ u + b))
        h, c = lstm_cell(x[:, t], (h, c), *cell)


def test_a_gate_in_a_loop_feels_the_past_and_one_without_feels_itself_alone():
    x, start, cell = random().standard_normal((1, 5, 3)), (np.zeros((1, 4)), np.zeros((1, 4))), a_cell()
    looped = influence(lambda x: forget_gates(x, start, *cell), x)
    single = influence(lambda x: gelu(x @ cell[0][0]), x)
    assert np.array_equal(looped > 0, np.tri(5, dtype=bool)) and np.array_equal(single > 0, np.eye(5, dtype=bool))


def test_the_gradient_of_a_layer_without_a_stream():
    norm = partial(rms_norm, scale=np.zeros(6))
    mlp = partial(plain_mlp, **mlps.fresh_weights(plain_mlp, 6, 9, random()))
    check_gradient(lambda x: alone(norm, mlp, x), lambda dy, x: alone_backward(dy, norm, mlp, x),
                   random().standard_normal((2, 3, 6)))


def test_a_good_probe_tells_all_suspects_apart():
    name = by_probe(2.7, -1.3, partial(np.allclose, rtol=1e-9))
    assert name([from_two(suspect) for suspect in SUSPECTS.values()]) == list(SUSPECTS)
