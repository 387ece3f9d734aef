"""The head that learns where to point: its gradient, what it learns, and the ropes with one mistake."""
from functools import partial

import numpy as np
import pytest

from gemma_edu import check_gradient
from gemma_edu.lab.rope import misturned, pointer
from gemma_edu.numpy_gemma import rope

WAYS = pointer.WAYS


@pytest.mark.parametrize("name", WAYS)
def test_the_scores_gradient_is_right(name):
    random = np.random.default_rng(0)
    x, positions = pointer.words(random, 2, 6), 40 + np.tile(np.arange(6), (2, 1))
    score, backward = partial(pointer.scores, WAYS[name]), partial(gradient, WAYS[name])
    check_gradient(partial(of_weights, score, x, positions), partial(backward, x, positions),
                   pointer.start(WAYS[name], random))


def of_weights(score, x, positions, w):
    return score(w, x, positions)


def gradient(way, x, positions, dscores, w):
    return pointer.scores_backward(dscores, way, w, x, positions)


@pytest.mark.parametrize("name", WAYS)
def test_the_surprise_falls_along_its_gradient_as_fast_as_it_says(name):
    way, random = WAYS[name], np.random.default_rng(1)
    x, positions, w = pointer.words(random, 2), np.tile(np.arange(pointer.T), (2, 1)), pointer.start(WAYS[name], random)
    _, grads = pointer.surprise(way, w, x, positions)

    def after(step):
        return pointer.surprise(way, w | {"key": w["key"] - step * grads["key"]}, x, positions)[0]
    assert (after(-1e-6) - after(1e-6)) / 2e-6 == pytest.approx(np.sum(grads["key"]**2), rel=1e-5)


def test_rope_points_as_well_a_thousand_positions_further_on():
    way = WAYS["rope"]
    w = pointer.learn(way, seed=0)
    assert pointer.hits(way, w) > 0.98
    assert pointer.hits(way, w, begin=1000) == pointer.hits(way, w)


def test_a_table_knows_no_place_past_its_end():
    way = WAYS["learned"]
    w = pointer.learn(way, seed=0)
    assert pointer.hits(way, w) > 0.98
    assert pointer.hits(way, w, begin=pointer.T) < 0.2


def test_without_a_place_there_is_only_guessing():
    way = WAYS["unrotated"]
    assert pointer.hits(way, pointer.learn(way, seed=0)) < 0.3


def scores(turn, start=0, T=40):
    q, k = (np.tile(each, (1, T, 1, 1)) for each in np.random.default_rng(2).standard_normal((2, 8)))
    turned_q, turned_k = turn(q, k, start + np.arange(T)[None])
    return turned_q[0, :, 0] @ turned_k[0, :, 0].T


@pytest.mark.parametrize("turn", [misturned.right, misturned.from_one, misturned.neighbours, misturned.backwards])
def test_a_proper_rotation_sees_only_distance(turn):
    assert np.allclose(scores(turn), scores(turn, start=1000))


@pytest.mark.parametrize("turn", [misturned.queries_only, misturned.in_bfloat16])
def test_these_mistakes_see_more_than_distance(turn):
    assert not np.allclose(scores(turn), scores(turn, start=1000))


def test_counting_from_one_changes_no_score_and_the_others_do():
    near = {name: np.allclose(scores(turn), scores(misturned.right)) for name, turn in misturned.MISTAKES.items()}
    assert near == {"neighbours": False, "backwards": False, "queries only": False, "bfloat16": True, "from one": True}


def test_backwards_is_the_right_one_mirrored_in_time():
    assert np.allclose(scores(misturned.backwards, start=0)[9, 4], scores(misturned.right)[4, 9])


def test_neighbours_turn_as_complex_numbers_side_by_side():
    x, positions = np.random.default_rng(3).standard_normal((1, 5, 1, 6)), np.arange(5)[None]
    z = x[..., ::2] + 1j * x[..., 1::2]
    z = z * np.exp(1j * positions[..., None, None] / 10_000.0 ** (np.arange(3) / 3))
    turned = misturned.braided(x, positions)
    assert np.allclose(turned[..., ::2], z.real) and np.allclose(turned[..., 1::2], z.imag)
    assert not np.allclose(turned, rope(x, positions))
