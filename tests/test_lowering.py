"""What no TPU is at hand to run is at least lowered for one: the 2B's prefill and decode, and for a GPU too."""
import re
from functools import partial

import jax
import jax.numpy as jnp
import pytest
from jax import export

from gemma_edu.config import GEMMA2_2B, GEMMA3_1B, GEMMA_2B
from gemma_edu.inference import sample
from gemma_edu.inference.request import request
from gemma_edu.params import shapes

PROMPT, NEW = [2] * 700, 200


def layer_by_layer(cfg):
    """The shapes of all weights in bfloat16, layers as a tuple; nothing is allocated."""
    whole = shapes(cfg, jnp.bfloat16)
    layer = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), whole["layers"])
    return {**whole, "layers": (layer,) * cfg.L}


def lowered(cfg, platform):
    """StableHLO of both, as text."""
    params = layer_by_layer(cfg)
    how, text, lengths, S = request(cfg, [PROMPT], NEW, 1.0, 40, 0.9, 0, (1, 107))
    state = jax.eval_shape(partial(sample.prefill, S=S), cfg, params, how, text, lengths)
    prefill = export.export(sample.prefill, platforms=[platform])(cfg, params, how, text, lengths, S=S)
    decode = export.export(sample.decode, platforms=[platform])(cfg, params, how, *state, NEW, S=S)
    assert prefill.platforms == decode.platforms == (platform,)
    return prefill.mlir_module(), decode.mlir_module()


@pytest.mark.parametrize("cfg", [GEMMA_2B, GEMMA2_2B, GEMMA3_1B], ids=["2B", "Gemma 2 2B", "Gemma 3 1B"])
@pytest.mark.parametrize("platform", ["tpu", "cuda"])
def test_prefill_and_decode_are_lowered(cfg, platform):
    """Weights stay in bfloat16, nothing is 64 bits wide but what counts, and the cache is given back in its place."""
    prefill, decode = lowered(cfg, platform)
    table = f"tensor<{cfg.V}x{cfg.D}x"
    for module in prefill, decode:
        assert f"{table}bf16>" in module and f"{table}f32>" not in module
        assert "f64" not in module
    heads = re.findall(rf"dot_general.*?-> tensor<(\d+)x{cfg.V}x", prefill)
    assert heads == ["1"]                                 # the head sees the last position alone
    assert len(re.findall(r"jax.buffer_donor = true|tf.aliasing_output", decode)) == 2 * cfg.L
    assert "stablehlo.while" in decode                    # the whole loop is on the device
