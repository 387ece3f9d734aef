"""Chapter 19's arithmetic against what is allocated and computed, and its ports against the model itself."""
from dataclasses import replace
from math import inf, prod

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gemma_edu import numpy_gemma
from gemma_edu.config import GEMMA2_2B, GEMMA3_1B, GEMMA3_4B, GEMMA_2B, GEMMA_7B, NANO, PRESETS, in_numpy
from gemma_edu.jax_gemma import hidden, unembed
from gemma_edu.lab.gemma_2b import effects, measure, mistakes, opened, ported, predict, real_270m, work
from gemma_edu.lab.gemma_2b.checkpoints import dictionary, tensors
from gemma_edu.lab.gemma_2b.devices import VENDORS
from gemma_edu.lab.gemma_2b.misread import read
from gemma_edu.lab.gemma_2b.next_gemma import NEXT, foreign
from gemma_edu.params import empty_cache, init, unstack
from gemma_edu.pretrained import orbax_names

NUMPY_NANO = in_numpy(NANO)


@pytest.fixture(scope="module")
def nano():
    params = init(NANO, jax.random.key(0))
    return NANO, params | {"layers": unstack(params["layers"])}


# ---- the roof
def counted(cfg, S, B, T):
    """Operations of every einsum and every product of heads in a program, counted in its jaxpr."""
    def count(tokens, positions, cache, params):
        x, _ = hidden(cfg, params, tokens, positions, cache)
        return unembed(cfg, params, x[:, -1:])
    params = predict.layer_by_layer(cfg, "float32")
    cache = jax.eval_shape(lambda: empty_cache(cfg, params, B, S))
    ids = jax.ShapeDtypeStruct((B, T), jnp.int32)
    return sum(cost(eqn) for eqn in products(jax.make_jaxpr(count)(ids, ids, cache, params).jaxpr))


def products(jaxpr):
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "dot_general":
            yield eqn
        for inner in eqn.params.values():
            if hasattr(inner, "jaxpr"):
                yield from products(inner.jaxpr)


def cost(eqn):
    """Two operations for each number of the result and each term that is summed."""
    (summed, _), _ = eqn.params["dimension_numbers"]
    return 2 * prod(eqn.outvars[0].aval.shape) * prod(eqn.invars[0].aval.shape[axis] for axis in summed)


@pytest.mark.parametrize("cfg", [NANO, GEMMA_2B, GEMMA_7B, GEMMA3_1B], ids=["nano", "2B", "7B", "Gemma 3 1B"])
@pytest.mark.parametrize("S, B, T", [(64, 1, 1), (64, 4, 1), (64, 2, 16)])
def test_the_operations_are_those_of_the_program(cfg, S, B, T):
    """But for the norms' weights, which are multiplied outside of any product."""
    assert work.flops(cfg, S, B, T) == pytest.approx(counted(cfg, S, B, T), rel=1e-2 if cfg is NANO else 1e-3)


def test_the_bytes_are_those_of_the_arrays(nano):
    cfg, params = nano
    held = measure.bytes_of((params, empty_cache(cfg, params, 3, 32)))
    assert work.bytes_read(cfg, "float32", 32, 3) == held


def test_the_roof_is_reached_from_two_sides():
    peak, bandwidth = 100.0, 5.0
    assert work.attainable(np.array([1.0, 20.0, 1000.0]), peak, bandwidth).tolist() == [5.0, 100.0, 100.0]


def test_one_text_is_read_at_the_speed_of_the_memory():
    """FACTS of the makers: 5.01 GB through 3.35 TB/s are 668 tokens a second."""
    h100 = VENDORS["H100"]
    assert work.ceiling(GEMMA_2B, "bfloat16", h100) == pytest.approx(3350e9 / 5_012_363_264, rel=1e-6)
    assert work.ceiling(GEMMA_2B, "bfloat16", h100, B=10**6) < h100.rate / 2 / 2.5e9


def test_stop_watches_measure_something(nano):
    cfg, params = nano
    parts = measure.parts(cfg, params)
    assert set(parts) == {"attention", "MLP", "norm", "head"}
    assert all(0 < spent < 1 for spent, _ in parts.values())
    assert sum(size for _, size in parts.values()) == measure.bytes_of(params) - 4 * cfg.D      # but the last norm
    assert 0 < measure.decode_seconds(cfg, params, 2, rounds=1) < 10
    assert 0 < measure.prefill_seconds(cfg, params, 32, rounds=1) < 10


# ---- predictions and names
def test_the_compiler_is_asked_about_what_is_then_run(nano):
    cfg, params = nano
    shapes = predict.layer_by_layer(cfg, "float32")
    assert jax.tree.map(jnp.shape, params) == jax.tree.map(lambda leaf: leaf.shape, shapes)
    assert predict.workspace(cfg, "float32", T=32, new=8) < predict.workspace(cfg, "float32", T=128, new=8)
    programs = predict.programs(cfg, "float32", T=32, new=8)
    assert all(100 < predict.operations(program) < 3000 for program in programs.values())


def test_three_names_for_each_weight_of_a_layer():
    rows = list(dictionary(GEMMA_2B))
    sizes = {ours[0]: tuple(map(lambda each: prod(each[2]), (ours, face))) for ours, _, face in rows}
    assert all(one == other for one, other in sizes.values()) and len(rows) == 9
    kaggle = {name.partition("[")[0]: shape for _, (name, _, shape), _ in rows}
    assert {f"layer_0/{name}" for name in kaggle} < set(orbax_names.needed(GEMMA_2B, {}))
    assert sum(map(prod, kaggle.values())) == sum(one for one, _ in sizes.values())
    assert [tensors(cfg) for cfg in (GEMMA_2B, GEMMA_7B)] == [164, 254]


def test_what_is_not_there_is_said_and_replaced(capsys, monkeypatch):
    monkeypatch.setattr(opened, "random_model", lambda cfg: cfg)
    assert opened.opened("no/such/model") == opened.opened(opened.REDUCED)
    said = capsys.readouterr().out
    assert "there is no model 'no/such/model'" in said and "stands in" in said


# ---- effects
def test_a_window_bounds_the_slots_of_its_layer():
    """26 layers of the 1B: 22 with a window of 512, and four that see everything."""
    assert effects.slots(GEMMA3_1B, 32_768) == 22 * 512 + 4 * 32_768
    assert effects.slots(GEMMA3_1B, 100) == effects.slots(GEMMA3_1B, 100, windows_only=False) == 2600
    assert effects.slots(GEMMA_2B, 8192) == 18 * 8192


def test_a_pair_is_slow_if_its_wave_is_longer_than_the_text():
    longest = 2 * np.pi * 10_000 ** (126 / 128)      # of base 10 000, H = 128
    assert effects.slow_pairs(1e4, 1, 128, int(longest)) == 1
    assert effects.slow_pairs(1e4, 1, 128, int(longest) + 1) == 0
    assert effects.slow_pairs(1e4, 8, 128, 8 * int(longest)) == 1


def test_scores_grow_with_the_square_are_held_or_do_not_grow():
    first, second, third = ([effects.largest_score(growth, n) for growth in (1, 10)] for n in (1, 2, 3))
    assert first[1] == pytest.approx(100 * first[0])
    assert 49.9 < second[1] <= 50 and second[0] == pytest.approx(first[0], rel=0.01)
    assert third[1] == pytest.approx(third[0], rel=1e-4)


def test_a_norm_behind_a_part_hides_how_loud_it_is():
    first, second = (effects.added(cfg, 100) / effects.added(cfg, 1)
                     for cfg in (NUMPY_NANO, in_numpy(replace(GEMMA2_2B, V=64, D=64, L=2, N=4, H=32, F=96))))
    assert first > 50 and second == pytest.approx(1, rel=1e-3)


def test_prefill_and_decode_are_the_forward(nano):
    cfg, params = nano
    tokens = jnp.arange(12).reshape(2, 6)
    one, other = effects.through_a_cache(cfg, params, tokens, prompt=3)
    assert one.shape == other.shape and np.max(np.abs(one - other)) < 1e-4 * np.std(one)


# ---- ports
@pytest.mark.parametrize("generation", mistakes.PORTS)
def test_every_mistake_moves_a_logit(generation):
    found = mistakes.visibility(generation, seeds=1)
    assert all(change > 1e-4 for change, _ in found.values()) and len(found) == 8
    assert any(share == 0 for _, share in found.values()) and any(share > 0.5 for _, share in found.values())


def test_a_cap_on_logits_changes_no_order():
    _, share = mistakes.visibility("Gemma 2", seeds=3)["no cap on the logits"]
    assert share == 0


def test_the_right_port_reads_what_was_written():
    params = mistakes.weights(NEXT, 5)
    again = read(foreign(NEXT, params), NEXT)
    for one, other in zip(jax.tree.leaves(params), jax.tree.leaves(again), strict=True):
        assert np.allclose(one, other, atol=1e-12)
    assert jax.tree.structure(params) == jax.tree.structure(again)


def test_no_two_sizes_of_the_next_gemma_are_equal():
    sizes = [getattr(NEXT, letter) for letter in "VDLNKHF"]
    assert len(set(sizes)) == len(sizes) and NEXT.N * NEXT.H != NEXT.D


def test_no_argmax_sees_the_colleagues_mistake_and_position_0_is_spared():
    true, port = ported.true_logits(), ported.ported_logits()
    assert np.array_equal(np.argmax(true, -1), np.argmax(port, -1))
    apart = np.max(np.abs(true - port), axis=-1)[0] / np.std(true)
    assert apart[0] < 1e-9 and np.all(apart[1:] > 0.05)


def test_the_mistake_is_the_order_of_norm_and_rotation(monkeypatch):
    """Norms that are the same for all coordinates commute with a rotation: then the port is right."""
    def flat(layer):
        return layer | {"mixer": layer["mixer"] | {name: np.full_like(layer["mixer"][name], 0.2)
                                                   for name in ("q_norm", "k_norm")}}
    monkeypatch.setattr(ported, "PARAMS", ported.PARAMS | {"layers": tuple(map(flat, ported.PARAMS["layers"]))})
    assert np.max(np.abs(ported.true_logits() - ported.ported_logits())) < 1e-5


# ---- the real one
def test_what_was_written_of_the_270m_is_of_its_form():
    found = real_270m.measured()
    assert all(len(found[name]) == PRESETS["gemma3-270m"].L
               for name in ("stream", "stream_after_bos", "score", "score_without_norm"))
    assert max(found["stream"]) > 65_504 > max(found["stream_after_bos"])


def test_scores_are_recorded_as_attention_sees_them():
    """One position sees itself alone: its largest score is |q · k| / sqrt(H)."""
    cfg = replace(GEMMA3_4B, V=11, D=16, L=1, N=2, K=1, H=8, F=12, window=(inf,))
    params = jax.tree.map(jnp.asarray, mistakes.weights(cfg, 3, np.float32))
    streams, [score], bits = real_270m.inside(cfg, params, jnp.array([[4, 4]]))
    x = numpy_gemma.rms_norm(params["embed"][np.array([[4]])] * 4,      # the root of D
                             np.asarray(params["layers"][0]["mixer_norm"]["scale"]))
    w = jax.tree.map(np.asarray, params["layers"][0]["mixer"])
    q = numpy_gemma.head_norm(np.einsum("BTD,DNH->BTNH", x, w["wq"]), w["q_norm"])
    k = numpy_gemma.head_norm(np.einsum("BTD,DKH->BTKH", x, w["wk"]), w["k_norm"])
    alone = np.max(np.abs(np.einsum("BTNH,BTKH->N", q, k))) * 8**-0.5
    assert score >= float(f"{alone:.3g}") - 1e-6 and len(streams) == 1 and bits > 0
