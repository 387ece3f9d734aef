"""The tree of weights is read off the signatures: what it counts, how it begins, what it refuses."""
from dataclasses import replace
from functools import cache
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import GEMMAS, SMALL, close, weights

from gemma_edu import jax_gemma, numpy_gemma
from gemma_edu.axes import BTD, DF, FD, letters, weights_of
from gemma_edu.config import GEMMA_2B, GEMMA_7B, TINY, Config, in_numpy
from gemma_edu.params import count, empty_cache, init, param_axes, shapes, stack, unstack

REPORT = {      # Gemma's technical report (arXiv 2403.08295), table 2: embedding, and everything else
    "2B": (GEMMA_2B, 524_550_144, 1_981_884_416),
    "7B": (GEMMA_7B, 786_825_216, 7_751_248_896),
}
PADDED_V = 256_128      # the report counts 128 rows that only fill up the table


@pytest.mark.parametrize("cfg, total", [(GEMMA_2B, 2_506_172_416), (GEMMA_7B, 8_537_680_896)], ids=["2B", "7B"])
def test_gemma_has_the_right_number_of_weights(cfg, total):
    assert count(cfg) == total


@pytest.mark.parametrize("cfg, embedding, rest", REPORT.values(), ids=REPORT)
def test_the_report_counts_the_same(cfg, embedding, rest):
    padded = replace(cfg, V=PADDED_V)
    of_table = prod(shapes(padded)["embed"].shape)
    assert (of_table, count(padded) - of_table) == (embedding, rest)


def test_the_count_is_the_formula():
    """Per layer: queries and outputs, keys and values, three matrices of the MLP, two norms."""
    for cfg in SMALL, TINY, GEMMA_7B:
        V, D, L, N, K, H, F = (getattr(cfg, letter) for letter in "VDLNKHF")
        assert count(cfg) == V * D + L * (2 * N * D * H + 2 * K * D * H + 3 * D * F + 2 * D) + D


def test_the_tree_is_read_off_the_signatures():
    assert param_axes(SMALL) == {
        "embed": "VD", "place": {},
        "layers": {"mixer_norm": {"scale": "LD"},
                   "mixer": {"wq": "LDNH", "wk": "LDKH", "wv": "LDKH", "wo": "LNHD"},
                   "mlp_norm": {"scale": "LD"},
                   "mlp": {"gate": "LDF", "up": "LDF", "down": "LFD"}},
        "final_norm": {"scale": "D"}}


def test_a_choice_brings_its_own_weights():
    other = replace(SMALL, norm=jax_gemma.layer_norm, mlp=jax_gemma.plain_mlp, place=jax_gemma.learned)
    axes = param_axes(other)
    assert axes["place"] == {"table": "SD"}
    assert axes["layers"]["mlp"] == {"up": "LDF", "down": "LFD"}
    assert axes["final_norm"] == {"scale": "D", "bias": "D"}
    assert param_axes(replace(SMALL, norm=jax_gemma.no_norm))["layers"]["mlp_norm"] == {}


def test_both_rooms_declare_the_same_weights():
    for name, part in vars(numpy_gemma).items():
        if callable(part):
            assert letters(part) == letters(getattr(jax_gemma, name))


def test_an_argument_without_axes_is_an_error_that_says_what_to_write():
    def my_mlp(x: BTD, gate: DF, up, down: FD) -> BTD:
        return x
    assert weights_of(my_mlp) == {"gate": "DF", "down": "FD"}
    with pytest.raises(TypeError, match='my_mlp: annotate "up" with its axes, e.g. up: DF'):
        shapes(replace(SMALL, mlp=my_mlp))


MIDDLE = Config(V=512, D=64, L=2, N=6, K=2, H=32, F=128, S=256, place=jax_gemma.learned)


@cache
def fresh(seed=0):
    return init(MIDDLE, jax.random.key(seed))


def test_weights_begin_at_the_size_that_keeps_length():
    """Mean 0, deviation 1 / sqrt(the number of terms that are added up), no two alike; norms at their neutral 0."""
    params = fresh()
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(lambda leaf: leaf.shape, shapes(MIDDLE))
    mixer, mlp = params["layers"]["mixer"], params["layers"]["mlp"]
    terms = [(params["embed"], 64), (params["place"]["table"], 64),
             (mixer["wq"], 64), (mixer["wk"], 64), (mixer["wv"], 64), (mixer["wo"], 6 * 32),
             (mlp["gate"], 64), (mlp["up"], 64), (mlp["down"], 128)]
    for weight, n in terms:
        assert np.std(weight) * n**0.5 == pytest.approx(1, abs=0.05)
        assert np.mean(weight) * n**0.5 == pytest.approx(0, abs=0.05)
    firsts = [float(weight.ravel()[0]) / n**-0.5 for weight, n in terms]
    assert len(set(np.round(firsts, 4))) == len(firsts)
    for norm in params["final_norm"], params["layers"]["mixer_norm"], params["layers"]["mlp_norm"]:
        close(norm["scale"], 0 * norm["scale"], 0)


def test_the_seed_decides():
    first, again, other = fresh(), init(MIDDLE, jax.random.key(0)), fresh(1)
    close(first, again, 0)
    assert np.std(first["embed"] - other["embed"]) > 0.1


def test_a_new_model_is_as_surprised_as_one_that_guesses():
    """Its logits are of the size of one, so its loss is that of a guess, log V, and a little."""
    tokens = np.random.default_rng(0).integers(0, MIDDLE.V, (2, 65))
    excess = jax.jit(jax_gemma.loss)(MIDDLE, fresh(), tokens) - np.log(MIDDLE.V)
    assert 0 < excess < 1.5


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float32])
def test_weights_have_the_dtype_asked_for(dtype):
    begun = jax.eval_shape(lambda key: init(SMALL, key, dtype), jax.random.key(0))
    assert {leaf.dtype for leaf in jax.tree.leaves(begun)} == {jnp.dtype(dtype)}
    assert {leaf.dtype for leaf in jax.tree.leaves(shapes(SMALL, dtype))} == {jnp.dtype(dtype)}


def test_the_shapes_of_seven_billion_weights_cost_nothing():
    assert shapes(GEMMA_7B)["layers"]["mixer"]["wq"].shape == (28, 3072, 16, 256)      # N · H = 4096, and D = 3072


def test_unstack_undoes_stack():
    loose = weights(GEMMAS["jax"], np.float32)["layers"]
    assert len(loose) == SMALL.L
    close(unstack(stack(loose)), loose, 0)
    together = fresh()["layers"]
    close(stack(unstack(together)), together, 0)


def test_an_empty_cache_has_the_form_and_the_dtype_of_the_weights():
    params = weights(GEMMAS["jax"], jnp.bfloat16)
    slots = empty_cache(SMALL, {**params, "layers": stack(params["layers"])}, B=3, S=7)
    assert {name: (each.shape, each.dtype) for name, each in slots.items()} == {
        "k": ((SMALL.L, 3, 7, SMALL.K, SMALL.H), jnp.bfloat16), "v": ((SMALL.L, 3, 7, SMALL.K, SMALL.H), jnp.bfloat16)}
    loose = empty_cache(SMALL, params, B=3, S=7)
    assert [each["k"].shape for each in loose] == [(3, 7, SMALL.K, SMALL.H)] * SMALL.L
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(slots))


@pytest.mark.parametrize("difference, error", [
    ({"N": 8, "K": 3}, "8 query heads cannot share 3 key heads evenly; let K divide N"),
    ({"D": 0}, "D = 0 is no size"),
    ({"L": -1}, "L = -1 is no size"),
    ({"F": 10.0}, r"F = 10\.0 is no size"),
    ({"V": True}, "V = True is no size"),
    ({"H": 5}, "a head of width H = 5 has no two halves"),
])
def test_a_config_that_cannot_be_is_refused(difference, error):
    with pytest.raises(ValueError, match=error):
        replace(SMALL, **difference)


def test_patterns_repeat_down_the_layers():
    cfg = replace(SMALL, L=5, window=(4, 4, np.inf), base=(1e4, 1e6))
    assert [layer["window"] for layer in cfg.fixed] == [4, 4, np.inf, 4, 4]
    assert [layer["base"] for layer in cfg.fixed] == [1e4, 1e6, 1e4, 1e6, 1e4]


def test_in_numpy_swaps_every_function_for_its_namesake():
    swapped = in_numpy(SMALL)
    assert (swapped.norm, swapped.mixer, swapped.block) == (
        numpy_gemma.rms_norm, numpy_gemma.attention, numpy_gemma.block)
    assert param_axes(swapped) == param_axes(SMALL)


def test_what_numpy_lacks_is_named():
    def my_norm(x: BTD) -> BTD:
        return x
    with pytest.raises(NotImplementedError, match="my_norm: not written in NumPy"):
        in_numpy(replace(SMALL, norm=my_norm))


def test_a_config_prints_its_choices_by_name():
    assert "mlp=geglu" in repr(TINY) and "0x" not in repr(TINY)


@pytest.mark.parametrize("pattern", [(), 5, (0.0,), [1.0], (float("nan"),)])
@pytest.mark.parametrize("name", ["window", "base", "stretch"])
def test_a_pattern_that_is_none_is_refused(name, pattern):
    with pytest.raises(ValueError, match=f"{name} = .* is no pattern; give a tuple of positive numbers"):
        Config(**{name: pattern})
