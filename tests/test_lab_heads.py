"""What chapter 07 measures: maps of attention, slips in it, gradients through it."""
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from gemma_edu.config import TINY, in_numpy
from gemma_edu.lab.attention.heads import attention_maps, echoes, influence, pooled, slips, visibility
from gemma_edu.lab.attention.reach import listen, listen_backward, reach
from gemma_edu.lab.attention.suspects import SUSPECTS, by_copies, by_shares, gathered, scaled, through
from gemma_edu.numpy_gemma import attend, softmax
from gemma_edu.numpy_gemma.attention import attend_backward
from gemma_edu.numpy_gemma.gradient import check_gradient
from gemma_edu.numpy_gemma.tree import per_layer, tree_map
from gemma_edu.params import shapes

SIZES = replace(TINY, V=64, D=16, L=2, N=4, K=2, H=8, F=32)
SMALL = in_numpy(SIZES)
TOKENS = np.array([[2, 11, 7, 23, 5, 60]])
T = TOKENS.shape[1]


@pytest.fixture(scope="module")
def params():
    random = np.random.default_rng(0)
    drawn = tree_map(lambda leaf: random.standard_normal(leaf.shape) / leaf.shape[-1]**0.5, shapes(SIZES))
    return {**drawn, "layers": per_layer(drawn["layers"])}


def test_every_row_of_a_map_adds_up_to_one_and_sees_no_future(params):
    maps = attention_maps(SMALL, params, TOKENS)
    assert maps.shape == (SMALL.L, 1, SMALL.N, T, T)
    assert np.allclose(maps.sum(axis=-1), 1, atol=1e-6)
    assert not np.triu(maps, 1).any()


def test_a_map_belongs_to_its_head(params):
    """Silence one query head, and its map becomes even; the others stay as they are."""
    quiet = tree_map(np.copy, params)
    quiet["layers"][0]["mixer"]["wq"][:, 1] = 0
    before, after = (attention_maps(SMALL, each, TOKENS)[0, 0] for each in (params, quiet))
    assert np.allclose(after[1], np.tri(T) / np.arange(1, T + 1)[:, None], atol=1e-6)
    assert np.array_equal(np.delete(before, 1, axis=0), np.delete(after, 1, axis=0))


def test_only_a_mask_keeps_a_token_from_moving_what_came_before(params):
    assert np.max(np.triu(influence(SMALL, params, TOKENS, 1), 1)) < 1e-4
    assert np.min(influence(*slips(SMALL, params, T)["no mask at all"], TOKENS, 1)) > 1e-3


def test_a_slip_of_the_mask_is_a_moved_position(params):
    """A peek at the next token: the logits at T move when the token at T + 1 changes, and no further."""
    single = replace(SMALL, L=1), {**params, "layers": params["layers"][:1]}      # in two layers it would reach twice
    ahead = influence(*slips(*single, T)["a peek at the next token"], TOKENS, 1)
    assert np.min(np.diag(ahead, 1)) > 1e-3
    assert np.max(np.triu(ahead, 2)) < 1e-4


def test_every_slip_moves_the_logits(params):
    seen = visibility(SMALL, params, TOKENS)
    assert all(moved > 0.1 and 0 <= other <= 1 for moved, other, _ in seen.values())
    assert seen["scores not divided by √H"][2] < 1e-5       # position 0 has no choice


def test_a_model_whose_layers_add_nothing_echoes(params):
    silent = {**params, "layers": tree_map(np.zeros_like, params["layers"]), "final_norm": {"scale": np.zeros(SMALL.D)}}
    assert echoes(SMALL, {**silent, "embed": np.eye(64, 16)}, np.array([[3, 1, 4, 1]])) == 1
    assert echoes(SMALL, {**silent, "embed": -np.eye(64, 16)}, np.array([[3, 1, 4, 1]])) == 1
    assert echoes(SMALL, tree_map(np.zeros_like, params), TOKENS) == 0


def test_pooled_heads_are_means_of_neighbours():
    k = np.arange(4.0)[None, None, :, None] * np.ones((2, 3, 4, 5))
    assert pooled(k, 2)[0, 0, :, 0].tolist() == [0.5, 2.5]
    assert np.array_equal(pooled(k, 4), k)


def test_finite_differences_agree_with_the_gradient_of_listening():
    random = np.random.default_rng(0)
    check_gradient(listen, listen_backward, random.standard_normal((1, 5, 6)),
                   *(random.standard_normal((6, heads, 3)) for heads in (4, 2, 2)))


def test_attention_reaches_back_where_a_loop_does_not():
    far = {name: lengths[0] for name, lengths in reach(T=60, D=16, seed=1).items()}
    assert far["attention"] > 1e-4 > 1e-6 > far["recurrent network"]


def questions(N=4, K=2):
    random = np.random.default_rng(0)
    q, dy = random.standard_normal((2, 1, 5, N, 4))
    k, v = random.standard_normal((2, 1, 5, K, 4))
    return dy, q, k, v, np.tri(5, dtype=bool)[None]


def test_one_suspect_is_innocent():
    _, *arguments = questions()
    right = attend(*arguments)
    assert [name for name, suspect in SUSPECTS.items() if np.allclose(suspect(*arguments), right)] == ["C"]


def test_the_kit_of_mistakes_makes_none_when_asked_for_none():
    """Each of its functions, given the right rule, is attention and its gradient once more."""
    def hide(scores, seen):
        return softmax(np.where(seen, scores, -1e300))

    def down(dshares, shares):
        return shares * (dshares - np.sum(shares * dshares, axis=-1, keepdims=True))

    def add(dk, K):
        return pooled(dk, K) * (dk.shape[2] // K)
    dy, *arguments = questions()
    for made in (partial(by_shares, hide), partial(by_copies, lambda k, G: k.repeat(G, axis=2))):
        assert np.allclose(made(*arguments), attend(*arguments))
    for made in (partial(scaled, 0, 0), partial(gathered, add), partial(through, down)):
        for ours, theirs in zip(made(dy, *arguments), attend_backward(dy, *arguments), strict=True):
            assert np.allclose(ours, theirs)
