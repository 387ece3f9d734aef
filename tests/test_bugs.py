"""Who tests the tests?  Each known bug of a Gemma, put into ours, must make a test fail.

The bugs are those that were found in released implementations, and the mutations whose visibility
was measured: half of them change not a single argmax.
"""
from contextlib import ExitStack
from functools import partial, wraps

import numpy as np
import pytest
import test_forward
import test_golden
import test_parts
from numpy.testing import assert_array_almost_equal
from small import GEMMAS, SMALL, TOKENS, apart, but, close, compiled, logits_of, weights

from gemma_edu.lab.gemma_in_numpy.bugs import BUGS, D, N, infected

pytestmark = pytest.mark.usefixtures("float64")

LOGITS = test_golden.test_the_logits_of_the_first_release
MLP = partial(test_golden.test_the_mlp_as_published, x=1, y=11.72758674)
NORM = test_golden.test_rms_norm_as_published
ROPE = partial(test_golden.test_rope_as_published, position=3, turned=[-1.1311126, 0.6598157, -0.8488725, 1.2508571])
ROOT = partial(test_golden.test_in_bfloat16_the_embedding_grows_by_a_rounded_root, D=3072)
QUIET = test_parts.test_epsilon_stands_inside_the_root
ROUNDED = test_parts.test_in_bfloat16_a_norm_is_rounded_once
DIVIDED = test_parts.test_a_position_is_divided_and_not_multiplied_by_an_inverse
DISTANCE = test_forward.test_rope_sees_only_distance
FUTURE = test_forward.test_the_future_does_not_leak
SHARED = test_forward.test_shared_keys_are_repeated_keys
DECODING = test_forward.test_decoding_equals_training
PADDING = test_forward.test_padding_is_invisible
WINDOW = test_forward.test_a_window_ends_sight
CHECKS = [LOGITS, MLP, NORM, ROPE, ROOT, QUIET, ROUNDED, DIVIDED, DISTANCE, FUTURE, SHARED, DECODING, PADDING, WINDOW]

NOTICED_BY = {
    "no embedding scale": LOGITS, "embedding 0.134 % off": LOGITS, "the root is not rounded": ROOT,
    "no final norm": LOGITS, "norm without + 1": NORM, "epsilon outside the root": QUIET, "no epsilon": QUIET,
    "LayerNorm for RMSNorm": NORM, "BatchNorm for RMSNorm": FUTURE, "1 + w in bfloat16": ROUNDED,
    "cast before the scale": ROUNDED, "GELU: erf": MLP, "GELU: quick": MLP, "GELU: SiLU": MLP,
    "gate and up swapped": LOGITS, "RoPE interleaved": ROPE, "RoPE: sign flipped": ROPE, "RoPE on q only": DISTANCE,
    "all positions 0": ROPE, "positions in bfloat16": DISTANCE, "position · (1/t)": DIVIDED,
    "no query scale": LOGITS, "query scale (d/N)^-1/2": LOGITS, "k and v swapped": LOGITS,
    "keys tiled, not repeated": SHARED, "strict causal: no self": FUTURE, "no mask": FUTURE, "window + 1": WINDOW,
    "no window": WINDOW, "the cache a slot late": DECODING, "padding starts over": PADDING}


def infect(gemma, stack, bug):
    """The same model with one thing wrong, and nothing compiled from when it was right."""
    cfg = stack.enter_context(infected(gemma.room, gemma.cfg, bug))
    return gemma._replace(cfg=cfg, forward=compiled(gemma, lambda *args: gemma.room.forward(*args)))


def fails(check, gemma):
    try:
        check(gemma)
    except AssertionError:
        return True
    return False


def name_of(check):
    return getattr(check, "func", check).__name__


@pytest.mark.parametrize("bug", BUGS)
def test_a_known_bug_makes_a_test_fail(bug, record_property):
    with ExitStack() as stack:
        gemma = infect(GEMMAS["numpy"], stack, bug)
        noticed = [name_of(each) for each in CHECKS if fails(each, gemma)]
    record_property("noticed by", ", ".join(noticed))
    print(f"{bug}: noticed by {', '.join(noticed)}")
    assert name_of(NOTICED_BY[bug]) in noticed


@pytest.mark.parametrize("bug", BUGS)
def test_the_same_test_fails_in_jax(bug):
    with ExitStack() as stack:
        assert fails(NOTICED_BY[bug], infect(GEMMAS["jax"], stack, bug))


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_without_a_bug_nothing_fails(check):
    assert not fails(check, GEMMAS["numpy"])


def test_every_bug_has_a_test_that_must_notice_it():
    assert NOTICED_BY.keys() == BUGS.keys() and (N, D) == (SMALL.N, SMALL.D)


def test_one_bug_is_none():
    """Counting positions from 1 changes no logit at all: rope sees only distance."""
    gemma = GEMMAS["numpy"]

    @wraps(gemma.room.rope)
    def from_one(x, positions, base, stretch):
        return gemma.room.rope(x, positions + 1, base, stretch)
    params = weights(gemma)
    close(logits_of(but(gemma, rotate=from_one), params, TOKENS), logits_of(gemma, params, TOKENS), 1e-12)


def test_our_closeness_is_no_number_of_decimals():
    """The third argument of NumPy's own is one: with 1e-5 there, logits of 0.02 pass against nonsense.

    So did a test of DeepMind's first release (gemma/transformer_test.py, test_forward_no_cache).
    """
    logits = 0.02 * np.random.default_rng(0).standard_normal((2, 9, 32))
    assert_array_almost_equal(logits, -logits, 1e-5)
    for wrong in -logits, logits + 9.9e-5, logits * np.nan:
        with pytest.raises(AssertionError):
            close(wrong, logits, 1e-5)
    with pytest.raises(AssertionError):
        close(logits[0], logits, 1e9)      # nor does a missing row spread out
    assert apart(logits, logits) == 0
