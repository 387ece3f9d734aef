"""Live against Hugging Face's Gemma 2 and 3: windows, caps, post-norms, QK-norm, two rotations, another query scale."""
from math import inf

import jax
import pytest
from small import FAMILY, stirred
from test_transformers import assert_close, logits_of, ours, torch, transformers

from gemma_edu.pretrained import huggingface
from gemma_edu.pretrained.load import Model, load


def theirs(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager").eval()


@pytest.mark.parametrize("cfg", FAMILY.values(), ids=FAMILY)
def test_what_we_save_they_load_and_compute_the_same(tmp_path, cfg):
    params = stirred(cfg, seed=2)      # on some draws float32 alone, ours and theirs alike, is 1e-5 from float64
    huggingface.save(tmp_path, Model(cfg, params, None))
    needed = logits_of(theirs(tmp_path))
    for given in ours(Model(cfg, params, None)):
        assert_close(given, needed)
    again = load(tmp_path)
    assert again.cfg.fixed == cfg.fixed
    assert jax.tree.all(jax.tree.map(lambda a, b: bool((a == b).all()), again.params, params))


def config_of(cfg):
    """Their own words for it, written by them."""
    kinds = ["full_attention" if layer["window"] == inf else "sliding_attention" for layer in cfg.fixed]
    same = dict(
        vocab_size=cfg.V, hidden_size=cfg.D, num_hidden_layers=cfg.L, num_attention_heads=cfg.N, head_dim=cfg.H,
        num_key_value_heads=cfg.K, intermediate_size=cfg.F, max_position_embeddings=cfg.S, layer_types=kinds,
        sliding_window=int(min(cfg.window)), query_pre_attn_scalar=round(cfg.H / cfg.query_scale**2),
        attn_implementation="eager")
    if cfg.logit_cap < inf:
        return transformers.Gemma2Config(
            **same, attn_logit_softcapping=cfg.score_cap, final_logit_softcapping=cfg.logit_cap,
            rope_parameters={"rope_type": "default", "rope_theta": cfg.base[0]})
    local, globally = cfg.fixed[0], cfg.fixed[len(cfg.window) - 1]
    linear = {"rope_type": "linear", "factor": globally["stretch"]} if globally["stretch"] > 1 else {
        "rope_type": "default"}
    return transformers.Gemma3TextConfig(**same, rope_parameters={
        "sliding_attention": {"rope_type": "default", "rope_theta": local["base"]},
        "full_attention": linear | {"rope_theta": globally["base"]}})


@pytest.mark.parametrize("cfg", FAMILY.values(), ids=FAMILY)
def test_what_they_save_we_load_and_compute_the_same(tmp_path, cfg):
    torch.manual_seed(1)
    model = transformers.AutoModelForCausalLM.from_config(config_of(cfg)).eval()
    with torch.no_grad():
        for w in model.parameters():
            w.normal_(0, 0.3 if w.ndim == 1 else w.shape[-1]**-0.5)
    model.save_pretrained(tmp_path)
    loaded = load(tmp_path)
    assert loaded.cfg.fixed == cfg.fixed
    for given in ours(loaded):
        assert_close(given, logits_of(model))
