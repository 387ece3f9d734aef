"""What is wrong with a result is said in a sentence, and what is right is never called wrong."""
import re

import jax.numpy as jnp
import numpy as np
import pytest

from gemma_edu.course.check.difference import difference
from gemma_edu.course.check.sandbox import fresh, unchanged

ONE, INF, NAN = np.ones(2), np.full(2, np.inf), np.full(2, np.nan)
HALF = jnp.ones(2, jnp.bfloat16)


@pytest.mark.parametrize("given, wanted", [
    (1, 1.0), (np.float32(0.1), 0.1), (jnp.float32(2), 2.0), (np.array(2.0), 2.0), (True, np.True_), (None, None),
    ("a", "a"), ([1, 2], [1, 2]), ({"a": ONE}, {"a": ONE}), ((1, ONE), (1, ONE)), (jnp.ones(2), jnp.ones(2)),
    (HALF, HALF * 1.008), (ONE * (1 + 1e-12), ONE), (NAN, NAN), (-INF, -INF)])
def test_what_is_equal_but_for_rounding_is_right(given, wanted):
    assert difference(given, wanted) is None


@pytest.mark.parametrize("given, wanted, says", [
    (None, 1, "None. Does it end in a return"),
    ("1", 1, "a number; it returned '1'"),
    (1j, 1.0, "a number"),
    (object, 1, "a number"),
    (2.5, 2.0, "2.5 is not the right number"),
    (np.ones(3), ONE, r"The shape is \(3,\); it should be \(2,\)"),
    (ONE.astype("f4"), ONE, "The dtype is float32; it should be float64"),
    (ONE * (1 + 1e-6), ONE, "differ by up to 1e-06"),
    (HALF, HALF * 1.1, "differ by up to 0.1"),
    ([1.0, 1.0], ONE, r"an array of shape \(2,\); it returned a list of 2"),
    (NAN, ONE, "2 of 2 numbers are NaN"),
    (INF, ONE, "2 of 2 numbers are infinite"),
    (-1e9 * ONE, -INF, "2 of 2 numbers should be -inf"),
    (np.arange(3), np.zeros(3, int), "2 of 3 values are not right"),
    ([1, 2], [1, 3], "Item 1 of the list is not right; you have 2"),
    ([1], [1, 3], "has 1 items; 2 are needed"),
    ((1, 2), (1, 3), "Result 2 of 2: 2 is not"),
    (1, (1, 2), "2 results, as a tuple; it returned 1"),
    ({"a": 1}, {"b": 1}, "the keys b; it returned"),
    ({"a": 1}, {"a": 2}, "At 'a': 1 is not"),
    ("a", "b", "returned 'a'"),
    (ONE, "b", "an array of shape")])
def test_what_is_different_is_said_in_a_sentence(given, wanted, says):
    assert re.search(says, difference(given, wanted))


@pytest.mark.parametrize("given, wanted", [(3.0, 123.25), (np.float32(3), 123.25), (3, 123)])
def test_a_number_that_is_wrong_does_not_tell_the_right_one(given, wanted):
    assert "123" not in difference(given, wanted)


# ---- what an answer was given
@pytest.mark.parametrize("before", [ONE, NAN, [1, 2], {"a": [ONE]}, (1, "a", np.nan, None), []])
def test_what_is_only_read_is_unchanged(before):
    assert unchanged(fresh(before), before)


@pytest.mark.parametrize("before, after", [
    (ONE, 2 * ONE), (ONE, ONE[:1]), ([1], [1, 1]), ([1], [2]), ({"a": 1}, {}), ({"a": [ONE]}, {"a": [2 * ONE]}),
    ([ONE], [1]), (0 * ONE, -0.0 * ONE)])
def test_what_is_written_to_is_changed(before, after):
    assert not unchanged(after, before)


def test_a_random_generator_may_move_on():
    random = np.random.default_rng(0)
    moved = fresh(random)
    moved.random()
    assert unchanged((moved,), (random,))
