"""Bad input at the door of `load`: one error that says what was given, what is needed, and what to do."""
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gemma_edu.config import Config
from gemma_edu.data import tokenizer
from gemma_edu.pretrained import huggingface
from gemma_edu.pretrained import load as loading
from gemma_edu.pretrained.load import load, random_model

CFG = Config(V=300, D=8, L=1, N=2, K=1, H=4, F=12, S=32)
Q = "model.layers.0.self_attn.q_proj.weight"


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    huggingface.save(folder, random_model(CFG))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def folder(good, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for name, content in good.items():
        (folder / name).write_bytes(content)
    return folder


def tensors(change):
    """Break the weights: `change` returns what differs, None for what is to go."""
    def breaks(folder):
        w = load_file(folder / "model.safetensors")
        w |= change(w)
        save_file({name: tensor for name, tensor in w.items() if tensor is not None}, folder / "model.safetensors")
    return breaks


def config(**change):
    """Break config.json: `...` is for what is to go."""
    def breaks(folder):
        given = json.loads((folder / "config.json").read_text()) | change
        text = json.dumps({key: value for key, value in given.items() if value is not ...})
        (folder / "config.json").write_text(text)
    return breaks


def content(name, change):
    def breaks(folder):
        old = (folder / name).read_bytes() if (folder / name).exists() else b""
        (folder / name).write_bytes(change(old))
    return breaks


def both(*breaks):
    return lambda folder: [each(folder) for each in breaks]


def gone(name):
    return lambda folder: (folder / name).unlink()


def index(weight_map):
    return both(lambda folder: (folder / "model.safetensors").rename(folder / "a.safetensors"),
                content("model.safetensors.index.json", lambda _: json.dumps(weight_map).encode()))


def spoil(value):
    def change(w):
        w[Q][3, 5] = value
        return {}
    return change


def twice(folder):
    w = load_file(folder / "a.safetensors")
    save_file({Q: w[Q]}, folder / "b.safetensors")


WEIGHTS, CONFIG, INDEX = "model.safetensors", "config.json", "model.safetensors.index.json"
DOWN, UP = "model.layers.0.mlp.down_proj.weight", "model.layers.0.mlp.up_proj.weight"
BIAS, NORM = "model.layers.0.self_attn.q_proj.bias", "model.norm.weight"
MAP = {"weight_map": {Q: "a.safetensors", "x": "b.safetensors"}}
CUT = "not a whole safetensors file"
GEMMA3 = {"model_type": "gemma3_text", "rope_theta": 1e6, "rope_local_base_freq": 1e4, "sliding_window": 4,
          "query_pre_attn_scalar": 4, "rope_scaling": None}
BAD = {
    "no weights": (gone(WEIGHTS), FileNotFoundError, ["neither model.safetensors nor model.safetensors.index.json"]),
    "no config": (gone(CONFIG), FileNotFoundError, ["there is no", "config.json", "download"]),
    "an empty file": (content(WEIGHTS, lambda _: b""), ValueError, [WEIGHTS, CUT, "again"]),
    "a file cut short": (content(WEIGHTS, lambda old: old[:-1]), ValueError, [WEIGHTS, CUT]),
    "a file too long": (content(WEIGHTS, lambda old: old + b"?"), ValueError, [WEIGHTS, CUT]),
    "half a header": (content(WEIGHTS, lambda old: old[:40]), ValueError, [WEIGHTS, CUT]),
    "a web page": (content(WEIGHTS, lambda _: b"<!doctype html>" * 9), ValueError, [CUT]),
    "a large-file pointer": (content(WEIGHTS, lambda _: b"version of a large file elsewhere"), ValueError, [CUT]),
    "a missing tensor": (tensors(lambda w: {Q: None, NORM: None}), ValueError, [f"missing: {Q}, {NORM}"]),
    "an unexpected tensor": (tensors(lambda w: {BIAS: w[NORM]}), ValueError, [f"unexpected: {BIAS})"]),
    "a head of its own": (tensors(lambda w: {"lm_head.weight": -w["model.embed_tokens.weight"]}), ValueError,
                          ["unexpected: lm_head.weight"]),
    "another model's names": (tensors(lambda w: {name: None for name in w} | {"wte.weight": w[Q]}), ValueError,
                              ["missing: model.embed_tokens.weight", "unexpected: wte.weight"]),
    "a turned matrix": (tensors(lambda w: {DOWN: w[UP]}), ValueError, [f"{DOWN} is (12, 8) and should be (8, 12)"]),
    "another size": (config(hidden_size=16), ValueError, ["embed_tokens.weight is (300, 8) and should be (300, 16)"]),
    "more layers": (config(num_hidden_layers=30), ValueError, ["missing: model.layers.1.", "and 249 more"]),
    "NaN": (tensors(spoil(np.nan)), ValueError, [Q, "not finite"]),
    "infinity": (tensors(spoil(-np.inf)), ValueError, [Q, "not finite"]),
    "eight bits": (tensors(lambda w: {Q: w[Q].astype(np.int8)}), ValueError, [Q, "I8", "BF16", "quantized"]),
    "an absent shard": (index(MAP), FileNotFoundError, ["names b.safetensors", "no such file", "download"]),
    "a shard elsewhere": (index({"weight_map": {Q: "../model/a.safetensors"}}), FileNotFoundError, ["../model"]),
    "an index without a map": (index({"metadata": {}}), ValueError, [INDEX, "weight_map"]),
    "an index that is a list": (index([1]), ValueError, [INDEX, "weight_map"]),
    "an index of numbers": (index({"weight_map": {Q: 1}}), ValueError, [INDEX, "weight_map"]),
    "a tensor in two files": (both(index(MAP), twice), ValueError, [f"both hold {Q}"]),
    "no JSON": (content(CONFIG, lambda old: old[:-3]), ValueError, [CONFIG, "is not JSON"]),
    "no text": (content(CONFIG, lambda old: b"\xff\xfe\xfa"), ValueError, [CONFIG, "is not JSON"]),
    "a list of JSON": (content(CONFIG, lambda old: b"[1, 2]"), ValueError, ["holds no JSON object but [1, 2]"]),
    "another model": (config(model_type="llama"), ValueError, ["model_type = 'llama'", "gemma, gemma2, gemma3_text"]),
    "Gemma 2 by name alone": (config(model_type="gemma2"), ValueError, ["attn_logit_softcapping = None"]),
    "no model at all": (config(model_type=..., head_dim=...), ValueError, ["lacks model_type, head_dim"]),
    "biases": (config(attention_bias=True), ValueError, ["attention_bias = True"]),
    "another epsilon": (config(rms_norm_eps=1e-5), ValueError, ["rms_norm_eps = 1e-05", "1e-06"]),
    "an untied head": (config(tie_word_embeddings=False), ValueError, ["tie_word_embeddings = False"]),
    "a stretched rotation": (config(rope_scaling={"type": "linear", "factor": 2.0}), ValueError,
                             ["a rotation {", "linear"]),
    "a new stretched rotation": (config(rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}),
                                 ValueError, ["a rotation {", "linear"]),
    "a rotation of words": (config(rope_parameters="yarn"), ValueError, ["a rotation {", "'rope_type': 'yarn'"]),
    "no rotation": (config(rope_theta=0), ValueError, ["rope_theta = 0"]),
    "a rotation by truth": (config(rope_theta=True), ValueError, ["rope_theta = True"]),
    "another activation": (config(hidden_act="silu"), ValueError, ["hidden_act = 'silu'", "gelu_pytorch_tanh"]),
    "the exact gelu": (config(hidden_activation="gelu"), ValueError,
                       ["hidden_activation = 'gelu'", "'gelu_pytorch_tanh'"]),
    "sight of the future": (config(use_bidirectional_attention=True), ValueError,
                            ["use_bidirectional_attention = True"]),
    "a quantized model": (config(quantization_config={"bits": 4}), ValueError, ["quantization_config = {'bits': 4}"]),
    "heads that share unevenly": (config(num_key_value_heads=3), ValueError, [CONFIG, "2 query heads cannot share 3"]),
    "a kind in brackets": (config(model_type=[[1]]), ValueError, [CONFIG, "of a kind that it cannot have"]),
    "a pattern of nothing": (config(**GEMMA3, sliding_window_pattern=0), ValueError, [CONFIG, "of a kind that"]),
    "brackets without end": (content(CONFIG, lambda old: b"[" * 100_000), ValueError, [CONFIG, "of a kind that"]),
    "a size in words": (config(hidden_size="8"), ValueError, [CONFIG, "D = '8' is no size"]),
    "no tokenizer model": (content("tokenizer.model", lambda _: b"{}"), ValueError, ["not a SentencePiece model"]),
    "a spoiled tokenizer": (content("tokenizer.model", lambda old: old.replace(b"<unk>", b"\xa1unk>")), ValueError,
                            ["not a SentencePiece model"]),
    "an empty tokenizer": (content("tokenizer.model", lambda _: b""), ValueError, ["not a SentencePiece model"]),
}


@pytest.mark.parametrize("breaks, kind, words", BAD.values(), ids=BAD.keys())
def test_a_broken_folder_is_refused_with_what_to_do(folder, breaks, kind, words):
    load(folder)
    breaks(folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(kind) as error:
        load(folder)
    assert [word for word in words if word not in str(error.value)] == []
    assert error.value.__cause__ is None and "\n" not in str(error.value)
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["pytorch_model.bin", "gemma-2b.ckpt", "model.pt"])
def test_pickles_are_never_opened(folder, tmp_path, name):
    class Trap:
        def __reduce__(self):
            return Path.touch, (tmp_path / "sprung",)
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pickle.dumps(Trap()))
    for place in (folder, folder / name):
        with pytest.raises(ValueError, match=f"{name}: pickled weights .* never .*save_pretrained"):
            load(place)
    assert not (tmp_path / "sprung").exists()


def test_a_tokenizer_of_another_model_is_refused(folder):
    pieces = tokenizer.train(["one two three four five " * 50], 301)
    pieces.save(folder)
    with pytest.raises(ValueError, match="301 pieces and the model V = 300 rows"):
        load(folder)


def test_a_tokenizer_of_another_model_is_not_saved(tmp_path):
    pieces = tokenizer.train(["one two three four five " * 50], 301)
    with pytest.raises(ValueError, match="301 pieces and the model V = 300 rows"):
        huggingface.save(tmp_path / "new", random_model(CFG)._replace(tokenizer=pieces))
    assert not (tmp_path / "new").exists()


def test_numbers_too_large_for_the_dtype_are_refused(folder):
    tensors(spoil(1e6))(folder)
    assert np.abs(np.asarray(load(folder).params["layers"][0]["mixer"]["wq"])).max() == 1e6
    with pytest.raises(ValueError, match="q_proj.* not finite in float16.* wider dtype"):
        load(folder, "float16")


@pytest.mark.parametrize("dtype", ["int8", "bf16", "float8_e4m3fn", 16, "complex64"])
def test_an_unknown_dtype_is_refused(folder, dtype):
    for name in (folder, "random:tiny"):
        with pytest.raises(ValueError, match="dtype = .* choose from bfloat16, float16, float32, float64"):
            load(name, dtype)


def test_float64_asks_for_jax_s_switch(folder):
    with pytest.raises(ValueError, match="jax_enable_x64"):
        load(folder, "float64")


@pytest.mark.parametrize("name", ["gemma-2b", "random:gemma-3", "no/such/folder"])
def test_an_unknown_name_lists_the_known_ones(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=f"there is no model '{name}'") as error:
        load(name)
    for known in ('"tiny"', "'random:gemma-2b'", "'random:gemma-7b'", "a folder with config.json"):
        assert known in str(error.value)


@pytest.mark.parametrize("name", [None, 2, ["tiny"], b"tiny"])
def test_a_name_is_text_or_a_path(name):
    with pytest.raises(TypeError, match="load takes the name of a model or its folder, not"):
        load(name)


def test_a_missing_bundle_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "BUNDLED", tmp_path / "tiny")
    with pytest.raises(FileNotFoundError, match="missing from this installation.*gemma-edu train --preset tiny"):
        load("tiny")


def test_a_file_is_no_folder(folder):
    with pytest.raises(NotADirectoryError, match="give the one that holds config.json"):
        load(folder / "model.safetensors")
    with pytest.raises(NotADirectoryError, match="give a folder"):
        huggingface.save(folder / "model.safetensors", load(folder))
