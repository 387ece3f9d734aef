"""Will it fit: the prediction against what is then allocated, and what is said where it will not."""
import jax
import jax.numpy as jnp
import pytest

from gemma_edu.config import GEMMA3_1B, GEMMA_2B, GEMMA_7B, NANO, PRESETS, TINY
from gemma_edu.inference import sample
from gemma_edu.inference.request import request
from gemma_edu.params import empty_cache, init, shapes, unstack
from gemma_edu.pretrained import fit, huggingface
from gemma_edu.pretrained.load import load


def bytes_of(tree):
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_prediction_is_what_is_allocated(dtype):
    params = init(TINY, jax.random.key(0), dtype)
    assert fit.weight_bytes(TINY, dtype) == bytes_of(params)
    for layers in params["layers"], unstack(params["layers"]):
        cache = empty_cache(TINY, params | {"layers": layers}, 3, 96)
        assert fit.cache_bytes(TINY, dtype, S=96, B=3) == bytes_of(cache)


def test_the_figures_of_the_report():
    """Per token, in bfloat16: 18 432 bytes of cache for the 2B and 458 752 for the 7B."""
    assert fit.weight_bytes(GEMMA_2B, "bfloat16") == 5_012_344_832
    assert fit.weight_bytes(GEMMA_7B, "bfloat16") == 17_075_361_792
    assert [fit.cache_bytes(cfg, "bfloat16", S=1) for cfg in (GEMMA_2B, GEMMA_7B)] == [18_432, 458_752]


def test_the_compiler_says_what_it_needs_before_there_are_weights():
    """From shapes alone; a longer prompt needs more."""
    def asked(T):
        how, text, lengths, S = request(NANO, [[2] * T], 8, 0.0, None, 1.0, 0, ())
        return fit.workspace_bytes(sample.prefill, NANO, shapes(NANO), how, text, lengths, S=S)
    short, long = asked(32), asked(128)
    assert 32 * NANO.F * 4 < short < long < 50e6


def test_a_device_that_is_too_small_is_told_so_before_loading():
    fit.check_fit(GEMMA_2B, "bfloat16", free=5_012_344_832)
    with pytest.raises(MemoryError, match=r"2,506,172,416 weights in float32 take 10.0 GB, and this \w+ has 6.0 GB "
                                          r'free; they would fit with dtype="bfloat16" \(5.0 GB\)'):
        fit.check_fit(GEMMA_2B, "float32", free=6e9)
    with pytest.raises(MemoryError, match=r"the largest whose weights would fit is gemma3-1b in bfloat16 \(2.0 GB\)"):
        fit.check_fit(GEMMA_7B, "bfloat16", free=4e9)
    with pytest.raises(MemoryError, match="no Gemma would fit"):
        fit.check_fit(GEMMA3_1B, "bfloat16", free=10)


@pytest.mark.parametrize("free, name", [
    (4e9, "gemma3-1b"), (6e9, "gemma2-2b"), (18e9, "gemma-7b"), (1e12, "gemma2-27b")])
def test_the_largest_that_fits_is_the_largest(free, name):
    assert fit.largest(free) == name
    assert fit.weight_bytes(PRESETS[name], "bfloat16") <= free


def test_something_is_free():
    assert 1e7 < fit.free_bytes() < 1e14


def test_a_container_has_its_own_limit(tmp_path, monkeypatch):
    most, used = tmp_path / "max", tmp_path / "current"
    most.write_text("3000000\n"), used.write_text("1000000\n")
    monkeypatch.setattr(fit, "LIMITS", [(most, used)])
    assert fit.free_bytes(jax.devices("cpu")[0]) == 2_000_000
    for counted in "inactive_file 400000\n", "inactive_file 100000\ntotal_inactive_file 400000\n":
        (tmp_path / "memory.stat").write_text("anon 600000\n" + counted)      # of a download, say
        assert fit.free_bytes(jax.devices("cpu")[0]) == 2_400_000
    most.write_text("max\n")
    assert fit.free_bytes(jax.devices("cpu")[0]) > 2_000_000


def test_reduced_shapes_are_true_in_every_product():
    small = fit.reduced(GEMMA_2B)
    whole, part = shapes(GEMMA_2B, jnp.bfloat16)["layers"], shapes(small, jnp.bfloat16)["layers"]
    assert jax.tree.map(lambda leaf: leaf.shape[1:], whole) == jax.tree.map(lambda leaf: leaf.shape[1:], part)
    assert fit.weight_bytes(small, "float32") < 1e9


@pytest.mark.parametrize("name", ["tiny", "random:nano"])
def test_nothing_is_loaded_that_does_not_fit(name, monkeypatch):
    monkeypatch.setattr(fit, "free_bytes", lambda: 1000)
    monkeypatch.setattr(huggingface, "read", lambda tensor: pytest.fail("a weight was read"))
    with pytest.raises(MemoryError, match="has 0.0 GB free; no Gemma would fit"):
        load(name)
