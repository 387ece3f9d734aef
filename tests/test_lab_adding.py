"""The adding problem, and the fast cells that learn it: the package's own cells are their judge."""
import numpy as np
import pytest

from gemma_edu.course.figures.gates import open_gates
from gemma_edu.lab.gates import fused, opened
from gemma_edu.lab.gates.adding import GUESS, adding, clip_each, loss_and_gradient, start, steps_until, train
from gemma_edu.numpy_gemma.tree import leaves, tree_map

CELLS = ["rnn", "lstm", "gru"]
each_cell = pytest.mark.parametrize("cell", CELLS)


def random_networks(cell, seeds=range(3)):
    """Some networks in float64, whose answer listens to their memory."""
    random = np.random.default_rng(0)
    params = tree_map(lambda leaf: leaf.astype(np.float64), start(cell, seeds, C=5, bias=0.5))
    return tree_map(lambda leaf: leaf + 0.3 * random.standard_normal(leaf.shape), params)


def tasks(R, B=4, T=6):
    random = np.random.default_rng(1)
    x, y = zip(*(adding(random, B, T) for _ in range(R)), strict=True)
    return np.stack(x), np.stack(y)


# ---- the task
def test_one_number_is_marked_in_each_half_and_the_two_are_to_be_added():
    x, y = adding(np.random.default_rng(0), B=50, T=9)
    number, mark = x[..., 0], x[..., 1]
    assert np.all(mark[:, :4].sum(1) == 1) and np.all(mark[:, 4:].sum(1) == 1) and set(np.unique(mark)) == {0, 1}
    assert np.allclose([row[marked == 1].sum() for row, marked in zip(number, mark, strict=True)], y)


def test_who_always_says_one_is_wrong_by_a_sixth():
    _, y = adding(np.random.default_rng(0), B=100_000, T=4)
    assert np.mean((y - 1)**2) == pytest.approx(GUESS, abs=0.002)


def test_an_lstm_of_one_unit_can_be_set_by_hand_to_add():
    x, y = adding(np.random.default_rng(0), B=100, T=30)
    assert opened.error("lstm", x, y, opened.by_hand(), np.array([[10.0]]), np.zeros((1, 1))) < GUESS / 1000


# ---- the fast cells
@each_cell
def test_the_fast_cells_err_as_the_package_errs(cell):
    params, (x, y) = random_networks(cell), tasks(3)
    loss, _ = loss_and_gradient(cell, params, x, y)
    assert np.allclose(loss, [opened.errors(cell, params, x[r], y[r])[r] for r in range(3)], rtol=1e-10)


@each_cell
def test_the_fast_gradient_is_the_package_s(cell):
    params, (x, y) = random_networks(cell, seeds=[4]), tasks(1)
    _, grads = loss_and_gradient(cell, params, x, y)
    assert np.allclose(grads["u"][0], opened.slow_gradient(cell, params, x[0], y[0]), rtol=1e-10)


@each_cell
def test_every_weight_s_gradient_is_what_nudging_says(cell):
    params, (x, y) = random_networks(cell), tasks(3)
    _, grads = loss_and_gradient(cell, params, x, y)
    random, step = np.random.default_rng(2), 1e-6
    for name in params:
        by = random.standard_normal(params[name].shape)
        up, down = (loss_and_gradient(cell, params | {name: params[name] + way * step * by}, x, y)[0]
                    for way in (1, -1))
        assert np.allclose(np.sum(grads[name] * by, axis=(1, 2)), (up - down) / (2 * step), rtol=1e-6, atol=1e-8), name


@each_cell
def test_a_network_learns_the_same_in_any_company(cell):
    alone, _ = train(cell, start(cell, [2]), [2], T=8, B=4, steps=3)
    among, _ = train(cell, start(cell, [1, 2]), [1, 2], T=8, B=4, steps=3)
    assert all(np.allclose(a[0], b[1], atol=1e-4) for a, b in zip(leaves(alone), leaves(among), strict=True))


def test_a_gated_cell_learns_a_short_sum_quickly():
    _, losses = train("gru", start("gru", range(3), bias=1.0), range(3), T=8, B=32, steps=120)
    assert np.median(losses[:, -20:]) < GUESS / 10


def test_each_network_is_clipped_by_its_own_length():
    grads = clip_each({"a": np.array([[[3.0, 4.0]], [[0.3, 0.4]]])}, longest=1.0)
    assert np.allclose(grads["a"], [[[0.6, 0.8]], [[0.3, 0.4]]])


def test_the_quick_sigmoid_is_the_sigmoid():
    z = np.array([-1000.0, -3, 0, 2, 1000])
    assert np.allclose(fused.half_open(z), [0, 1 / (1 + np.exp(3)), 0.5, 1 / (1 + np.exp(-2)), 1], atol=1e-12)


def test_what_is_never_learned_takes_forever():
    losses = np.array([[1.0] * 5 + [0.0] * 5, [1.0] * 10])
    assert list(steps_until(losses, below=0.5, window=2)) == [7, np.inf]


# ---- networks opened
@pytest.mark.parametrize(("cell", "gate"), [(cell, gate) for cell in CELLS for gate in opened.GATES[cell]])
def test_a_nailed_gate_stands_still_where_it_was_on_average(cell, gate):
    x, weights = tasks(1)[0][0], opened.weights(random_networks(cell))
    before = opened.openness(cell, x, weights)[gate]
    after = opened.openness(cell, x, opened.nailed(cell, x, weights, gate))[gate]
    assert np.allclose(after, np.mean(before, axis=(0, 1))) and np.std(before) > 0.01


@pytest.mark.parametrize("openness", [np.eye(3), {"one gate": np.eye(3), "another": np.zeros((2, 3))}])
def test_gates_are_drawn_one_panel_each_and_one_key_for_all(openness):
    fig = open_gates(openness, tokens=["a", "b", "c"], marks=[1])
    assert len(fig.axes) == (len(openness) if isinstance(openness, dict) else 1) + 1
