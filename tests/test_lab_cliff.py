"""The experiments of chapter 03: claims about a cliff, about sixteen units, and about decay."""
import numpy as np
import pytest

from gemma_edu.lab.exploding_gradients import cliff, first_bit, flight_log, misclipped
from gemma_edu.lab.exploding_gradients.cells import back_in_time
from gemma_edu.lab.exploding_gradients.decay import adam_l2, adamw, left_over
from gemma_edu.numpy_gemma.gradient import check_gradient
from gemma_edu.numpy_gemma.recurrent import rnn, rnn_backward, rnn_cell
from gemma_edu.numpy_gemma.train import adam, adam_start, clip_by_global_norm, global_norm

POINTS = np.array([1.1, 1.6, 2.3]), np.array([0.2, -0.1, 0.5])


@pytest.mark.parametrize("unit", [cliff.plain, cliff.gated])
def test_the_gradient_of_the_cliff_is_right(unit):
    def loss(u, b):
        return cliff.loss(u, b, unit)
    check_gradient(loss, lambda dloss, u, b: cliff.loss_backward(dloss, u, b, unit), *POINTS)


def test_the_unit_is_one_of_the_package():
    u, b = 1.7, 0.3
    h = np.array([[0.5], [-0.5]])
    ours = cliff.plain(h, u, b)
    theirs = rnn_cell(np.zeros((2, 1)), h, np.ones((1, 1)), np.array([[u]]), np.array([b]))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_many_walks_are_the_walks_one_by_one():
    u, b = cliff.starts(3)
    together, lengths = cliff.walk(u, b, rate=0.1, steps=20, clip=cliff.by_norm(0.3))
    for i in range(3):
        alone, length = cliff.walk(u[i], b[i], rate=0.1, steps=20, clip=cliff.by_norm(0.3))
        np.testing.assert_allclose(together[:, :, i], alone, rtol=1e-9)
        np.testing.assert_allclose(lengths[:, i], length, rtol=1e-9)


def test_clipping_by_norm_is_that_of_the_package():
    grads = np.random.default_rng(0).standard_normal((2, 5))
    for i, each in enumerate(grads.T):
        np.testing.assert_allclose(cliff.by_norm(0.7)(grads)[:, i], clip_by_global_norm(each, 0.7), rtol=1e-12)


def test_the_first_walk_leaps_and_the_clipped_one_arrives():
    places, lengths = cliff.walk(2.1, 0.35, rate=0.1, steps=60)
    assert np.max(lengths[:58]) < 0.5 and lengths[58] > 500 and np.abs(places[59]).max() > 20
    clipped, _ = cliff.walk(2.1, 0.35, rate=0.1, clip=cliff.by_norm(0.3))
    assert np.all(cliff.loss(*clipped[-100:].T) < 0.02)


def test_on_the_edge_the_slope_is_a_power():
    assert np.isclose(cliff.slope_on_the_edge(1.8), 0.1 * 0.75 * (1.35**50 - 1) / 0.35, rtol=1e-4)


def test_each_remedy_does_on_the_cliff_what_the_chapter_says():
    u, b = cliff.starts(100)

    def share(unit=cliff.plain, **choice):
        ends, _ = cliff.walk(u, b, **{"rate": 0.1, **choice}, unit=unit)
        return np.mean(cliff.loss(*ends[-1], unit) < 0.02)
    assert share() < 0.15
    assert share(clip=cliff.by_norm(0.3)) > 0.75
    assert share(rate=0.01) < 0.4
    assert 0.3 < share(decay=0.03) < 0.8
    assert share(decay=0.3) < 0.05
    assert share(unit=cliff.gated) > 0.85


def test_many_networks_are_the_package_s_network_many_times():
    random = np.random.default_rng(0)
    weights = first_bit.draw(1.2, M=2, C=5, D=3)
    w, u, b, _ = weights.values()
    x = random.standard_normal((7, 4, 3))
    h = first_bit.unroll(x, w, u, b)
    dlast = random.standard_normal(h[-1].shape)
    ours, _ = first_bit.unroll_backward(dlast, x, h, w, u, b)
    for m in range(2):
        batch, empty = np.moveaxis(x, 0, 1), np.zeros((4, 5))
        shown = rnn(batch, empty, w[m], u[m], b[m, 0])
        np.testing.assert_allclose(np.moveaxis(h[1:, m], 0, 1), shown, rtol=1e-12)
        dy = np.zeros_like(shown)
        dy[:, -1] = dlast[m]
        theirs = rnn_backward(dy, batch, empty, w[m], u[m], b[m, 0])[2:]
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine[m].reshape(other.shape), other, rtol=1e-9, atol=1e-12)


def test_the_gradient_of_the_sixteen_units_is_right():
    x, bit = first_bit.sequences(np.random.default_rng(0))
    weights = first_bit.draw(1.1, M=1)
    names = list(weights)

    def loss(*arrays):
        return first_bit.loss_and_gradient(dict(zip(names, arrays, strict=True)), x, bit)[0]

    def backward(dloss, *arrays):
        grads = first_bit.loss_and_gradient(dict(zip(names, arrays, strict=True)), x, bit)[1]
        return tuple(dloss * each for each in grads.values())
    check_gradient(loss, backward, *weights.values(), tolerance=1e-5)


def test_the_radius_is_what_was_asked_for():
    u = first_bit.with_radius(np.random.default_rng(0).standard_normal((3, 6, 6)), np.array([0.5, 1.0, 2.0]))
    np.testing.assert_allclose(np.max(np.abs(np.linalg.eigvals(u)), axis=-1), [0.5, 1.0, 2.0], rtol=1e-9)


def test_in_silence_the_radius_decides_and_loud_noise_makes_it_vanish():
    weights = first_bit.draw(np.repeat([0.9, 1.1], 6), M=12, C=32, D=4)
    noise = np.random.default_rng(0).standard_normal((100, 4, 4))
    quiet, loud = (first_bit.reach(weights, loudness * noise)[-1].reshape(2, 6) for loudness in (0.0, 1.0))
    assert np.all(quiet[0] < 1e-3) and np.all(quiet[1] > 100) and np.all(loud < 1e-3)


def test_clipped_networks_learn_where_others_burst():
    losses, _, _ = first_bit.train()
    clipped, _, _ = first_bit.train(longest=1.0)
    assert np.sum(~(np.mean(losses[-20:], axis=0) < 2)) >= 1
    assert np.all(np.mean(clipped[-20:], axis=0) < 0.5)


def test_gates_explode_later_not_never():
    rnn_far, lstm_near, lstm_far = (back_in_time(name, radius)[-1]
                                    for name, radius in (("RNN", 3), ("LSTM", 3), ("LSTM", 8)))
    assert rnn_far > 100 * lstm_near and lstm_far > 1e4


def test_beside_adam_all_weights_decay_alike_and_inside_it_the_loud_are_spared():
    noise = [0.01, 100.0]
    inside, beside = (left_over(step, noise).mean(axis=1) for step in (adam_l2, adamw))
    assert inside[0] < 0.05 and inside[1] > 0.9
    np.testing.assert_allclose(beside, (1 - 0.003 * 0.3)**1000, atol=0.03)


def test_without_decay_adamw_is_adam():
    params, grads = {"w": np.ones(3)}, {"w": np.array([1.0, -2.0, 0.5])}
    ours, theirs = adamw(params, grads, adam_start(params), 0.1, 0.0), adam(params, grads, adam_start(params), 0.1)
    np.testing.assert_array_equal(ours[0]["w"], theirs[0]["w"])


def test_every_way_to_misclip_differs_from_clipping():
    grads, longest = misclipped.gradients(np.random.default_rng(0), 50.0), 2.0
    assert np.isclose(global_norm(grads), 50)
    right = clip_by_global_norm(grads, longest)["embed"]
    for mistake in (misclipped.each_by_itself, misclipped.by_value, misclipped.by_measure(misclipped.squares),
                    misclipped.by_measure(misclipped.largest)):
        assert not np.allclose(mistake(grads, longest)["embed"], right)


def test_the_step_that_exploded_comes_before_the_first_nan():
    norms, times, window = flight_log.drawn((33, 300), broken=36)(np.random.default_rng(0))
    assert flight_log.step_that_exploded(norms, times, window) == 33
    assert flight_log.first_broken(norms, times, window) == 36
    assert flight_log.step_that_exploded(np.full(5, 2.0), times, window) == -1
