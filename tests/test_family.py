"""The later Gemmas as differences: their counts, their words, and decoding past a window."""
import json
from dataclasses import replace
from math import inf

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import FAMILY, close, stirred

from gemma_edu import jax_gemma
from gemma_edu.config import GEMMA2_2B, GEMMA2_9B, GEMMA2_27B, GEMMA3_1B, GEMMA3_4B, GEMMA_2B, PRESETS, difference
from gemma_edu.lab.start_here import family
from gemma_edu.params import count, empty_cache, stack
from gemma_edu.pretrained import huggingface
from gemma_edu.pretrained.huggingface_config import config_json, understood
from gemma_edu.pretrained.load import Model, load

PUBLISHED = {name.lower().replace("gemma 1 ", "gemma-").replace("gemma 2 ", "gemma2-").replace("gemma 3 ", "gemma3-"):
             sizes for name, sizes in family.FAMILY.items()}


def test_every_published_gemma_has_a_preset():
    assert PUBLISHED.keys() == PRESETS.keys() - {"nano", "tiny"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_preset_has_the_published_sizes_and_windows(name):
    cfg, sizes = PRESETS[name], PUBLISHED[name]
    assert {letter: getattr(cfg, letter) for letter in "VDLNKHF"} == {letter: sizes[letter] for letter in "VDLNKHF"}
    reach = {"G": inf, "L": sizes["window"]}
    assert [layer["window"] for layer in cfg.fixed] == [reach[kind] for kind in family.layers(**sizes)]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_weights_read_off_the_signatures_are_as_many_as_the_parts_add_up_to(name):
    assert count(PRESETS[name]) == family.weights(**PUBLISHED[name])


def test_the_next_gemma_is_a_few_lines():
    assert difference(GEMMA_2B, GEMMA_2B) == {}
    assert difference(GEMMA2_2B, GEMMA2_9B) == {
        "D": (2304, 3584), "L": (26, 42), "N": (8, 16), "K": (4, 8), "F": (9216, 14_336)}
    changed = difference(GEMMA_2B, GEMMA2_2B)
    assert changed.keys() - set("DLKF") == {"block", "cap", "score_cap", "logit_cap", "window"}
    assert changed["block"] == (jax_gemma.block, jax_gemma.block_with_post_norms)


def test_the_27b_divides_its_queries_by_another_root():
    for cfg, width in (GEMMA2_27B, 144), (PRESETS["gemma3-27b"], 168):
        assert cfg.query_scale * cfg.H**-0.5 == pytest.approx(width**-0.5, rel=1e-12)


@pytest.mark.parametrize("name", ["gemma2, tight caps", "gemma3, stretched"])
def test_decoding_past_the_window_equals_the_full_forward(name):
    """A prompt of 11 tokens, then one at a time to the 40th; layers as a tuple and stacked."""
    cfg = FAMILY[name]
    tokens = jnp.array(np.random.default_rng(2).integers(0, cfg.V, (2, 40)))
    loose, step = stirred(cfg), jax.jit(jax_gemma.forward)
    for params in loose, loose | {"layers": stack(loose["layers"])}:
        needed, _ = step(cfg, params, tokens)
        logits, cache = step(cfg, params, tokens[:, :11], None, empty_cache(cfg, params, 2, 40))
        close(logits, needed[:, :11], 2e-5 * needed.std())
        for t in range(11, 40):
            logits, cache = step(cfg, params, tokens[:, t:t + 1], jnp.full((2, 1), t), cache)
            close(logits[:, 0], needed[:, t], 2e-5 * needed.std())


def test_the_window_decides_what_is_seen():
    """Without it the logits differ, from the first position that it reaches past."""
    cfg = FAMILY["gemma3"]
    params, tokens = stirred(cfg), np.random.default_rng(3).integers(0, cfg.V, (1, 20))
    near, _ = jax_gemma.forward(cfg, params, tokens)
    far, _ = jax_gemma.forward(replace(cfg, window=(inf,)), params, tokens)
    close(near[:, :6], far[:, :6], 1e-5)
    assert np.abs(near - far)[:, 6:].max(-1).min() > 0.01


# ---- config.json
@pytest.mark.parametrize("cfg", [*FAMILY.values(), *(PRESETS[name] for name in PUBLISHED)],
                         ids=[*FAMILY, *PUBLISHED])
def test_a_config_comes_back_from_its_words(cfg):
    said = understood(json.loads(json.dumps(config_json(cfg, None, "bfloat16"))))
    assert difference(said, cfg) == {}


def test_the_first_words_of_gemma_3_mean_the_same():
    """The keys of the files of March 2025: a pattern as a number, and two bases."""
    new = config_json(GEMMA3_4B, None, "bfloat16")
    old = {key: value for key, value in new.items() if key != "layer_types"} | {"sliding_window_pattern": 6}
    assert understood(old) == GEMMA3_4B
    assert old["rope_scaling"] == {"rope_type": "linear", "factor": 8.0}
    assert (old["rope_theta"], old["rope_local_base_freq"]) == (1e6, 1e4)


def test_a_gemma_2_without_layer_types_begins_local():
    words = config_json(GEMMA2_2B, None, "bfloat16")
    del words["layer_types"]
    assert understood(words) == GEMMA2_2B


@pytest.mark.parametrize("change, error", [
    ({"model_type": "gemma3"}, "model_type = 'gemma3' .* reads text alone: gemma, gemma2, gemma3_text"),
    ({"layer_types": ["full_attention"]}, "layer_types = .* give 26 times"),
    ({"layer_types": ["chunked_attention"] * 26}, "layer_types = .* give 26 times"),
    ({"sliding_window": None}, "sliding_window = None; give a number above 0"),
    ({"query_pre_attn_scalar": "H"}, "query_pre_attn_scalar = 'H'; give a number above 0"),
    ({"final_logit_softcapping": 30.0}, "final_logit_softcapping = 30.0; a Gemma 3 has no cap"),
    ({"rope_parameters": {"rope_theta": 1e4}}, "rope_parameters = .* one for sliding_attention and one for full"),
    ({"rope_scaling": {"rope_type": "yarn", "factor": 8.0}}, "a rotation .*yarn.* by the rope_type default or lin"),
    ({"rope_scaling": {"rope_type": "linear", "factor": -1}}, "factor = -1; give a number above 0"),
])
def test_words_that_say_something_else_are_refused(change, error):
    with pytest.raises(ValueError, match=error):
        understood(config_json(GEMMA3_1B, None, "bfloat16") | change)


@pytest.mark.parametrize("difference, error", [
    ({"stretch": (2.0,)}, r"stretch = \(2.0,\): config.json of a Gemma 2 cannot say that"),
    ({"window": (4, 6, inf)}, r"window = .*: config.json of a Gemma 2 cannot say that"),
    ({"query_scale": 0.9}, "query_scale = 0.9: config.json of a Gemma 2 cannot say that"),
    ({"mixer": jax_gemma.attention_with_qk_norm}, "mixer = attention_with_qk_norm: config.json of a Gemma 2"),
])
def test_a_mixture_of_gemmas_is_not_saved(tmp_path, difference, error):
    cfg = replace(FAMILY["gemma2"], **difference)
    with pytest.raises(ValueError, match=error):
        huggingface.save(tmp_path / "model", Model(cfg, stirred(cfg), None))
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("name", FAMILY)
def test_a_folder_comes_back_bit_by_bit(tmp_path, name):
    params = stirred(FAMILY[name])
    huggingface.save(tmp_path, Model(FAMILY[name], params, None))
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), load(tmp_path).params, params))
