"""A deep chain, its remedies, and memories over a hundred steps: gradients by hand, and the chapter's claims."""
from functools import partial

import numpy as np
import pytest

from gemma_edu.lab.vanishing_gradients import recall, spirals
from gemma_edu.lab.vanishing_gradients.chain import chain, climb, descend, flow, lengths
from gemma_edu.lab.vanishing_gradients.wiring import batch_norm, highway, no_norm, plain, residual
from gemma_edu.numpy_gemma.gates import gelu, relu, sigmoid, tanh
from gemma_edu.numpy_gemma.gradient import backward, check_gradient
from gemma_edu.numpy_gemma.tree import tree_map

ACTIVATIONS = [sigmoid, tanh, relu, gelu]


@pytest.mark.parametrize("norm", [no_norm, batch_norm])
@pytest.mark.parametrize("wiring", [plain, residual, highway])
@pytest.mark.parametrize("activation", [sigmoid, tanh, gelu])
def test_every_wiring_brings_its_gradient_down(wiring, activation, norm):
    random, layer = np.random.default_rng(0), partial(wiring, activation, norm)
    [w] = chain(layer, L=1, D=5, keep=1.0)
    check_gradient(layer, lambda dy, *args: backward(wiring)(dy, activation, norm, *args),
                   random.standard_normal((7, 5)), *w.values())


def test_the_whole_network_is_brought_down():
    layer, (points, arm) = partial(highway, tanh, no_norm), spirals.spirals(16)
    params = spirals.network(layer, L=3, D=4)

    def loss(params):
        return np.array(spirals.loss(layer, params, points, arm))

    def loss_backward(dy, params):
        grads, _ = spirals.loss_backward(layer, params, points, arm)
        return tree_map(lambda g: dy * g, grads)
    check_gradient(loss, loss_backward, params)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_a_layer_multiplies_a_gradient_by_scale_times_slope(activation, scale):
    layer, x = partial(plain, activation, no_norm), np.random.default_rng((0, 1)).standard_normal((64, 64))
    weights = chain(layer, L=18, D=64, scale=scale)
    slopes = [backward(activation)(np.ones_like(x), x @ w["w"])
              for w, x in zip(weights, climb(layer, weights, x), strict=False)]
    foretold = scale * lengths([np.array(slopes)])[0]
    assert flow(layer, scale=scale)[0] ** (1 / 18) == pytest.approx(foretold, rel=0.04)


def test_a_fresh_sigmoid_chain_dies_without_one_unit_in_a_hundred_being_flat():
    layer, x = partial(plain, sigmoid, no_norm), np.random.default_rng(1).standard_normal((64, 64))
    weights = chain(layer, L=18, D=64)
    y = np.array(climb(layer, weights, x)[1:])
    assert flow(layer)[0] < 1e-10 and np.mean(y * (1 - y) < 0.1) < 0.01


def test_a_silent_residual_layer_passes_the_gradient_as_it_is():
    layer = partial(residual, tanh, no_norm)
    assert np.allclose(flow(layer, L=64, scale=0.0), 1)


def test_a_highway_passes_what_its_gate_keeps():
    layer = partial(highway, sigmoid, no_norm)
    for keep in (0.0, 3.0):
        assert flow(layer, keep=keep)[0] ** (1 / 18) == pytest.approx(sigmoid(np.array(keep)), rel=0.1)


def test_batch_norm_with_relu_explodes_at_the_rate_that_theory_says():
    layer = partial(plain, relu, batch_norm)      # Yang et al. 2019, for wide layers: sqrt(π / (π - 1)) = 1.21
    assert flow(layer, L=64)[0] ** (1 / 64) == pytest.approx((np.pi / (np.pi - 1))**0.5, rel=0.02)


def test_weights_are_read_off_the_wiring():
    assert [list(chain(partial(wiring, tanh, no_norm), 1, 3)[0]) for wiring in (plain, residual, highway)] == \
        [["w"], ["w"], ["w", "u", "b"]]


def test_descend_agrees_with_the_product_of_jacobians():
    layer, random = partial(plain, tanh, no_norm), np.random.default_rng(0)
    weights, x, dy = chain(layer, L=4, D=5), random.standard_normal((1, 5)), random.standard_normal((1, 5))
    stream, J = climb(layer, weights, x), np.eye(5)
    for w, y in zip(weights, stream[1:], strict=True):
        J = np.diag(1 - y[0]**2) @ w["w"].T @ J
    assert np.allclose(descend(dy, layer, weights, stream)[0][0], dy @ J)


def test_an_open_gate_hears_a_hundred_steps_back_and_a_half_open_one_does_not():
    heard = {name: recall.through_time(memory)[0] for name, memory in recall.MEMORIES.items()}
    assert heard["GRU, bias 3"] > 0.01 and heard["LSTM, bias 3"] > 0.01
    assert heard["GRU, bias 0"] < heard["RNN"] > heard["LSTM, bias 0"]


def test_the_file_of_results_is_what_its_command_computes():
    losses = [loss for loss, _ in recall.learn(recall.MEMORIES["RNN"], steps=5, seed=1)]
    assert np.allclose(losses, recall.results()["RNN"][1]["loss"][:5], atol=0.01)
    assert {name: len(each) for name, each in recall.results().items()} == dict.fromkeys(recall.MEMORIES, recall.SEEDS)


def test_a_deaf_chain_learns_nothing_and_a_residual_one_does():
    losses = [spirals.train(partial(wiring, sigmoid, no_norm))[1] for wiring in (plain, residual)]
    assert losses[0] > 0.69 > 0.3 > losses[1]
