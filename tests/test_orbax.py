"""Google's Orbax checkpoints, written by Orbax with small sizes, against DeepMind's einsums on their own arrays."""
import subprocess
import sys
from dataclasses import replace
from math import inf

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_orbax import STYLES, logits_of, of_2024, standard, tensors, with_ocdbt

from gemma_edu import jax_gemma
from gemma_edu.config import GEMMA2_2B, GEMMA3_4B, GEMMA_2B, GEMMA_7B, PRESETS
from gemma_edu.data import tokenizer
from gemma_edu.params import count
from gemma_edu.pretrained import huggingface
from gemma_edu.pretrained.load import load
from gemma_edu.pretrained.orbax_names import needed, read_config

ONE = replace(GEMMA_2B, V=50, D=20, L=2, N=4, K=1, H=6, F=28)
TWO = replace(GEMMA2_2B, V=50, D=20, L=3, N=4, K=2, H=6, F=28, S=64, window=(3, inf), query_scale=0.5**0.5,
              score_cap=2.0, logit_cap=3.0)
THREE = replace(GEMMA3_4B, V=50, D=20, L=4, N=4, K=1, H=6, F=28, S=64, window=(2, 2, inf), base=(50.0, 50.0, 900.0),
                stretch=(1.0, 1.0, 4.0))
MODELS = {
    "Gemma 1": (ONE, {}), "Gemma 1, shared keys": (replace(ONE, K=2), {}),
    "Gemma 1, a key per query": (replace(ONE, K=4), {"together": True}), "Gemma 2": (TWO, {}),
    "Gemma 2, turned": (TWO, {"turned": True}), "Gemma 3": (THREE, {"turned": True})}
TOKENS = np.array([2, 7, 7, 49, 0, 31, 5, 30, 12])


def bits(tree):
    return [(leaf.dtype, leaf.shape, np.asarray(leaf).tobytes()) for leaf in jax.tree.leaves(tree)]


@pytest.fixture(params=MODELS.values(), ids=MODELS.keys())
def model(request, monkeypatch):
    cfg, how = request.param
    monkeypatch.setitem(PRESETS, "of the test", cfg)      # what shapes do not say, it says
    return cfg, tensors(cfg, **how)


def test_a_checkpoint_computes_what_deepmind_s_einsums_say(model, tmp_path):
    cfg, tree = model
    of_2024(tmp_path / "2b", tree)
    given = load(tmp_path / "2b", "float32")
    needed = logits_of(tree, cfg, TOKENS)
    assert given.cfg == cfg
    logits, _ = jax_gemma.forward(given.cfg, given.params, TOKENS[None])
    assert np.abs(logits[0] - needed).max() <= 1e-5 * needed.std()


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())
def test_every_style_of_checkpoint_is_read_alike(style, tmp_path):
    tree = tensors(ONE)
    style(tmp_path / "given", tree)
    cfg, params, _ = load(tmp_path / "given", "stored")
    assert cfg == ONE and isinstance(params["layers"], tuple)
    w = {name.removeprefix("transformer/layer_1/"): leaf["w"] for name, leaf in tree.items() if "w" in leaf}
    layer = params["layers"][1]
    assert bits([params["embed"], layer["mixer"]["wo"], layer["mlp"]["gate"], layer["mlp"]["up"], layer["mlp"]["down"]]
                ) == bits([tree["transformer/embedder"]["input_embedding"], w["attn/attn_vec_einsum"],
                           *w["mlp/gating_einsum"], w["mlp/linear"]])
    for n in range(ONE.N):
        assert np.array_equal(layer["mixer"]["wq"][:, n], w["attn/q_einsum"][n])
    for ours, theirs in zip(("wk", "wv"), w["attn/kv_einsum"], strict=True):
        assert np.array_equal(layer["mixer"][ours][:, 0], theirs[0])


def test_in_the_hugging_face_layout_it_is_the_same_bit_by_bit(model, tmp_path):
    cfg, tree = model
    of_2024(tmp_path / "given", tree)
    given = load(tmp_path / "given", "stored")
    huggingface.save(tmp_path / "saved", given)
    again = load(tmp_path / "saved", "stored")
    assert again.cfg.fixed == cfg.fixed and again.params["embed"].dtype == jnp.bfloat16
    assert bits(again.params) == bits(given.params)
    one, other = (jax_gemma.forward(each.cfg, each.params, TOKENS[None])[0] for each in (given, again))
    assert bits(one) == bits(other)


# ---- sizes
SHAPES = {      # of the released checkpoints, in full
    "gemma-2b": (18, {"attn/q_einsum": (8, 2048, 256), "attn/kv_einsum": (2, 1, 2048, 256),
                      "attn/attn_vec_einsum": (8, 256, 2048), "mlp/gating_einsum": (2, 2048, 16384),
                      "mlp/linear": (16384, 2048)}),
    "gemma-7b": (28, {"attn/qkv_einsum": (3, 16, 3072, 256), "attn/attn_vec_einsum": (16, 256, 3072),
                      "mlp/gating_einsum": (2, 3072, 24576), "mlp/linear": (24576, 3072)})}


@pytest.mark.parametrize("name", SHAPES)
def test_the_released_shapes_are_the_presets(name):
    layers, shapes = SHAPES[name]
    D = shapes["mlp/linear"][1]
    shapes = shapes | {"pre_attention_norm/scale": (D,), "pre_ffw_norm/scale": (D,)}
    sizes = {"embedder/input_embedding": (256_128, D), "final_norm/scale": (D,)}
    sizes |= {f"layer_{i}/{name}": size for i in range(layers) for name, size in shapes.items()}
    stored = {name: jax.ShapeDtypeStruct(size, "float32") for name, size in sizes.items()}
    rows = read_config(stored)
    assert needed(rows, stored) == sizes
    assert replace(rows, V=256_000) == {"gemma-2b": GEMMA_2B, "gemma-7b": GEMMA_7B}[name]
    assert count(rows) - count(replace(rows, V=256_000)) == 128 * D


@pytest.mark.parametrize("name", [name for name in PRESETS if name.startswith("gemma")])
def test_every_preset_is_found_by_its_shapes(name):
    empty = {name: jax.ShapeDtypeStruct(size, "float32") for name, size in needed(PRESETS[name], {}).items()}
    assert read_config(empty) == PRESETS[name]


def test_unreleased_sizes_take_the_rest_from_their_generation(tmp_path):
    for cfg, generation in [(ONE, GEMMA_2B), (TWO, GEMMA2_2B), (THREE, PRESETS["gemma3-1b"])]:
        with_ocdbt(tmp_path / str(cfg.L), tensors(cfg))
        given = load(tmp_path / str(cfg.L)).cfg
        assert given == replace(generation, **{letter: getattr(cfg, letter) for letter in "VDLNKHF"})


# ---- tokens
@pytest.fixture(scope="module")
def pieces():
    return tokenizer.train(["one two three " * 50], 300)


@pytest.mark.parametrize("more, left", [(0, 0), (127, 127), (128, 0), (129, 129)])
def test_128_rows_without_a_piece_are_padding_and_go(tmp_path, pieces, more, left):
    tree = tensors(replace(ONE, V=300), rows=300 + more)
    with_ocdbt(tmp_path / "2b", tree)
    pieces.save(tmp_path)
    cfg, params, _ = load(tmp_path / "2b", "stored")
    assert cfg.V == 300 + left
    assert bits(params["embed"]) == bits(tree["transformer/embedder"]["input_embedding"][:300 + left])


@pytest.mark.parametrize("rows, V", [(256_128, 256_000), (256_000, 256_000), (262_144, 262_144), (256_127, 256_127)])
def test_without_a_tokenizer_the_released_number_of_rows_says_it(tmp_path, rows, V):
    with_ocdbt(tmp_path / "2b", tensors(replace(ONE, L=1, D=2), rows=rows))
    assert load(tmp_path / "2b").params["embed"].shape == (V, 2)


@pytest.mark.parametrize("place", ["2b", "."])
def test_the_tokenizer_lies_in_it_or_beside_it(tmp_path, pieces, place):
    with_ocdbt(tmp_path / "2b", tensors(replace(ONE, V=300)))
    assert load(tmp_path / "2b").tokenizer is None
    pieces.save(tmp_path / place)
    for given in ("2b", "."):
        assert load(tmp_path / given).tokenizer.model == pieces.model


# ---- what else is in checkpoints
def test_what_reads_pictures_is_left_out(tmp_path):
    tree = tensors(ONE)
    eyes = {"SigLiPFromPatches_0/siglip_encoder/embedding": {"kernel": jnp.ones((3, 3))},
            "transformer/embedder/mm_input_projection": {"w": jnp.ones((3, 20))}}
    standard(tmp_path / "seeing", tree | eyes)
    standard(tmp_path / "blind", tree)
    assert bits(load(tmp_path / "seeing").params) == bits(load(tmp_path / "blind").params)


def test_the_precision_is_as_everywhere(tmp_path, monkeypatch):
    with_ocdbt(tmp_path / "2b", tensors(ONE))
    stored, wide = load(tmp_path / "2b", "bfloat16").params, load(tmp_path / "2b", "float32").params
    assert bits(wide) == bits(jax.tree.map(lambda x: x.astype("float32"), stored))
    for backend, usual in [("cpu", wide), ("gpu", stored)]:
        monkeypatch.setattr(jax, "default_backend", lambda backend=backend: backend)
        assert bits(load(tmp_path / "2b").params) == bits(usual)


LOADS = """
import sys, jax
import tensorstore
from gemma_edu.pretrained.load import load
status = lambda key: 1024 * int(open("/proc/self/status").read().split(key + ":")[1].split()[0])
load(sys.argv[2])
before = status("VmRSS")
model = load(sys.argv[1], "bfloat16")
print(status("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_loading_takes_little_more_memory_than_the_weights(tmp_path):
    cfg = replace(ONE, V=16_000, D=512, L=12, N=8, H=64, F=4096)
    of_2024(tmp_path / "large", tensors(cfg))
    of_2024(tmp_path / "small", tensors(ONE))
    taken = int(subprocess.run([sys.executable, "-c", LOADS, tmp_path / "large", tmp_path / "small"],
                               capture_output=True, text=True, check=True).stdout)
    print(f"{taken / 1e6:.0f} MB for {2 * count(cfg) / 1e6:.0f} MB of weights")
    assert taken < 1.15 * 2 * count(cfg) + 100e6      # what TensorStore holds on the way
