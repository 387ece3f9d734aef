"""Weights in other stores: the same numbers, or as near as eight bits come."""
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import SMALL, TOKENS

from gemma_edu.inference import pairs, quantize
from gemma_edu.inference.by_output import ByOutput, by_output
from gemma_edu.inference.fast import load_fast
from gemma_edu.inference.pairs import Pairs, for_cpu
from gemma_edu.inference.quantize import Int8
from gemma_edu.inference.sample import generate
from gemma_edu.jax_gemma import contract, forward, lookup
from gemma_edu.params import init, shape, unstack
from gemma_edu.pretrained.load import load

FORMULAS = ["BTD,DNH->BTNH", "BTD,DKH->BTKH", "BTNH,NHD->BTD", "BTD,DF->BTF", "BTF,FD->BTD", "BTD,VD->BTV"]
WIDE = replace(SMALL, D=2048, F=4096, N=2, K=1, H=8, V=32)      # several pieces of an input
ODD = replace(SMALL, D=15, F=7)                  # rows without a pair for their last number


def numbers(cfg, formula, B, T):
    """The letters of a weight, random activations and random weights."""
    x, w = formula.split("->")[0].split(",")
    random = np.random.default_rng(0)
    sizes = (B, T, *shape(cfg, x[2:]))
    return w, *(jnp.array(random.standard_normal(s), jnp.float32) for s in (sizes, shape(cfg, w)))


def near(cfg, got, expected):
    bound = 5e-6 if cfg is WIDE else 1e-6      # thousands of terms in a sum, or some
    np.testing.assert_allclose(got, expected, rtol=0, atol=bound * np.abs(expected).max())


@pytest.mark.parametrize("B, T", [(1, 1), (1, 3), (2, 1), (2, 3), (2, 5)])
@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("cfg", [SMALL, WIDE, ODD], ids=["small", "wide", "odd"])
def test_a_bfloat16_weight_for_a_cpu_multiplies_like_the_same_numbers_in_float32(cfg, formula, B, T):
    axes, x, w = numbers(cfg, formula, B, T)
    w = w.astype(jnp.bfloat16)
    expected = np.einsum(formula, np.float64(x), np.float64(w))
    near(cfg, jax.jit(contract, static_argnums=0)(formula, x, pairs.store(axes, w)), expected)


@pytest.mark.parametrize("B, T", [(1, 1), (1, 3), (2, 1), (2, 3), (2, 5)])
@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("cfg", [SMALL, WIDE, ODD], ids=["small", "wide", "odd"])
def test_eight_bits_move_no_weight_by_more_than_half_a_step(cfg, formula, B, T):
    axes, x, w = numbers(cfg, formula, B, T)
    matrix = np.array(by_output(axes, w))
    stored = quantize.store(axes, w)
    rounded = stored.matrix * stored.scale[:, None]
    assert np.all(np.abs(rounded - matrix) <= stored.scale[:, None] * 0.5001)
    inputs = np.float64(x).reshape(B * T, -1)
    got = jax.jit(contract, static_argnums=0)(formula, x, stored).reshape(B * T, -1)
    near(cfg, got, inputs @ np.float64(rounded).T)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
@pytest.mark.parametrize("store, step", [(pairs.store, 0), (quantize.store, 1 / 254)])
def test_a_look_up_is_a_row_of_the_table(store, step, dtype):
    table = jax.random.normal(jax.random.key(0), (WIDE.V, WIDE.F), dtype)
    expected = np.float32(table[TOKENS])
    error = np.abs(lookup(store("VD", table), TOKENS) - expected)
    assert np.all(error <= step * 1.001 * np.abs(expected).max(axis=-1, keepdims=True))


def test_a_weight_for_a_cpu_stays_where_it_lay():
    """The memory of a 2B is not there twice."""
    table = jnp.ones((64, 32), jnp.bfloat16)
    place = table.unsafe_buffer_pointer()
    stored = pairs.store("VD", table)
    assert isinstance(stored, Pairs) and table.is_deleted()
    assert stored.words.unsafe_buffer_pointer() == place
    assert np.all(lookup(stored, jnp.array([3])) == 1)


@pytest.mark.parametrize("restore, bound", [(for_cpu, 1e-5), (quantize.quantize, 0.1)])
def test_the_model_never_knows(restore, bound):
    params = init(SMALL, jax.random.key(0))
    params = params | {"layers": unstack(params["layers"])}
    expected, _ = forward(SMALL, params, TOKENS)
    logits, _ = jax.jit(forward)(SMALL, restore(SMALL, params), TOKENS)
    assert np.abs(logits - expected).max() < bound


@pytest.mark.parametrize("dtype", [None, "bfloat16", "int8"])
def test_a_model_stored_for_writing_writes_as_the_model_itself(dtype):
    """The same text at the likeliest; in eight bits logits that stay near."""
    plain, fast = load("tiny", None if dtype == "int8" else dtype), load_fast("tiny", dtype)
    prompt = "The with statement is used to"
    if dtype == "int8":
        tokens = np.array([plain.tokenizer.encode(prompt)])
        needed, given = (jax.jit(forward)(*model[:2], tokens)[0] for model in (plain, fast))
        assert np.abs(given - needed).max() < 0.15 * needed.std()
    else:
        assert generate(fast, prompt, tokens=12) == generate(plain, prompt, tokens=12)
    kinds = {type(leaf) for leaf in jax.tree.leaves(fast.params["layers"], is_leaf=lambda w: hasattr(w, "shape"))}
    assert {None: ByOutput, "bfloat16": Pairs, "int8": Int8}[dtype] in kinds
