"""The Hugging Face layout, against matrices multiplied as their names say, and the safetensors library."""
import json
import subprocess
import sys
from dataclasses import replace
from math import sqrt

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gemma_edu import jax_gemma, numpy_gemma
from gemma_edu.config import GEMMA_2B, GEMMA_7B, TINY, Config, in_numpy
from gemma_edu.data import tokenizer
from gemma_edu.numpy_gemma.tree import tree_map
from gemma_edu.params import count, shapes, stack
from gemma_edu.pretrained import huggingface, model
from gemma_edu.pretrained import load as loading
from gemma_edu.pretrained.huggingface_names import as_theirs
from gemma_edu.pretrained.load import Model, load
from gemma_edu.pretrained.shards import split

SMALL = {"vocab_size": 50, "hidden_size": 20, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "head_dim": 6, "intermediate_size": 28, "max_position_embeddings": 64}
TOKENS = np.array([[2, 7, 7, 49, 0, 31, 5], [2, 1, 3, 30, 31, 32, 33]])


def config_of_2024(**sizes):
    """The keys of google/gemma-2b's own config.json, in another size."""
    return SMALL | {
        "architectures": ["GemmaForCausalLM"], "attention_bias": False, "attention_dropout": 0.0, "bos_token_id": 2,
        "eos_token_id": 1, "pad_token_id": 0, "hidden_act": "gelu", "hidden_activation": None,
        "initializer_range": 0.02, "model_type": "gemma", "rms_norm_eps": 1e-06, "rope_scaling": None,
        "rope_theta": 10000.0, "torch_dtype": "bfloat16", "transformers_version": "4.38.0.dev0",
        "use_cache": True} | sizes


def matrices(config, seed=0):
    """Random weights under the official names, each (out, in), with norms that do something."""
    rng = np.random.default_rng(seed)
    D, F, H = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    N, K = config["num_attention_heads"], config["num_key_value_heads"]
    sizes = {"model.embed_tokens": (config["vocab_size"], D), "model.norm": (D,)}
    for i in range(config["num_hidden_layers"]):
        sizes |= {f"model.layers.{i}.{name}": size for name, size in {
            "self_attn.q_proj": (N * H, D), "self_attn.k_proj": (K * H, D), "self_attn.v_proj": (K * H, D),
            "self_attn.o_proj": (D, N * H), "mlp.gate_proj": (F, D), "mlp.up_proj": (F, D), "mlp.down_proj": (D, F),
            "input_layernorm": (D,), "post_attention_layernorm": (D,)}.items()}
    return {f"{name}.weight": (rng.standard_normal(size) * size[-1]**-0.5).astype(np.float32)
            for name, size in sizes.items()}


def logits_of(config, w, tokens, base=10_000.0):
    """Gemma 1 for one text in float64, head by head and position by position, from (out, in) matrices."""
    w = {name.removesuffix(".weight"): tensor.astype(np.float64) for name, tensor in w.items()}
    D, H = config["hidden_size"], config["head_dim"]
    N, K = config["num_attention_heads"], config["num_key_value_heads"]

    def norm(x, scale):
        return np.array([row / sqrt(np.mean(row**2) + 1e-6) * (1 + scale) for row in x])

    def turned(row, position):
        pairs = (row[:H // 2] + 1j * row[H // 2:]) * np.exp(1j * position * base ** (-2 * np.arange(H // 2) / H))
        return np.concatenate([pairs.real, pairs.imag])

    def gelu(x):
        return x / (1 + np.exp(-2 * sqrt(2 / np.pi) * (x + 0.044715 * x**3)))

    x = w["model.embed_tokens"][tokens] * sqrt(D)
    for i in range(config["num_hidden_layers"]):
        layer = {name.removeprefix(f"model.layers.{i}."): tensor for name, tensor in w.items()}
        h, mixed = norm(x, layer["input_layernorm"]), np.zeros((len(x), N * H))
        for n in range(N):
            mine, key = slice(n * H, (n + 1) * H), n // (N // K)
            shared = slice(key * H, (key + 1) * H)
            for t in range(len(x)):
                q = turned(layer["self_attn.q_proj"][mine] @ h[t], t)
                keys = [turned(layer["self_attn.k_proj"][shared] @ h[s], s) for s in range(t + 1)]
                values = [layer["self_attn.v_proj"][shared] @ h[s] for s in range(t + 1)]
                shares = np.exp(keys @ q / sqrt(H))
                mixed[t, mine] = shares @ values / shares.sum()
        x = x + mixed @ layer["self_attn.o_proj"].T
        h = norm(x, layer["post_attention_layernorm"])
        x = x + (gelu(h @ layer["mlp.gate_proj"].T) * (h @ layer["mlp.up_proj"].T)) @ layer["mlp.down_proj"].T
    return norm(x, w["model.norm"]) @ w["model.embed_tokens"].T


def write(folder, config, w):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    save_file(w, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "model", config_of_2024(), matrices(config_of_2024()))


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def bits(tree):
    return [(leaf.dtype, leaf.shape, np.asarray(leaf).tobytes()) for leaf in jax.tree.leaves(tree)]


@pytest.mark.parametrize("heads", [(4, 1), (4, 2), (4, 4), (1, 1)])
def test_a_folder_computes_what_its_matrices_say(tmp_path, heads):
    config = config_of_2024(num_attention_heads=heads[0], num_key_value_heads=heads[1])
    w = matrices(config)
    cfg, params, _ = load(write(tmp_path / "model", config, w))
    needed = np.array([logits_of(config, w, row) for row in TOKENS])
    assert isinstance(params["layers"], tuple) and len(params["layers"]) == 2
    for given in (jax_gemma.forward(cfg, params, TOKENS)[0],
                  numpy_gemma.forward(in_numpy(cfg), tree_map(np.asarray, params), TOKENS)[0]):
        assert np.abs(given - needed).max() <= 1e-5 * needed.std()


def test_the_slowest_rotation_is_read_from_old_and_from_new_files(tmp_path):
    w = matrices(SMALL)
    needed = logits_of(SMALL, w, TOKENS[0], base=500.0)
    new = config_of_2024(hidden_act="gelu_pytorch_tanh", rope_parameters={"rope_theta": 500.0, "rope_type": "default"})
    del new["rope_theta"], new["rope_scaling"], new["hidden_activation"]
    for config in (config_of_2024(rope_theta=500), new):
        cfg, params, _ = load(write(tmp_path / "model", config, w))
        given, _ = jax_gemma.forward(cfg, params, TOKENS[:1])
        assert np.abs(given - needed).max() <= 1e-5 * needed.std()


def test_many_files_hold_what_one_holds(folder, tmp_path):
    w = load_file(folder / "model.safetensors")
    names = sorted(w)
    parts = {"one.safetensors": names[::2], "two.safetensors": names[1::2]}      # layers across files
    shards = write(tmp_path / "shards", config_of_2024(), {})
    (shards / "model.safetensors").unlink()
    for file, part in parts.items():
        save_file({name: w[name] for name in part}, shards / file)
    (shards / "model.safetensors.index.json").write_text(json.dumps(
        {"metadata": {}, "weight_map": {name: file for file, part in parts.items() for name in part}}))
    assert bits(load(shards).params) == bits(load(folder).params)


@pytest.mark.parametrize("V", [256_000, 256_128])
def test_both_vocabularies_are_read(tmp_path, V):
    config = config_of_2024(vocab_size=V, hidden_size=2)
    w = matrices(config)
    cfg, params, _ = load(write(tmp_path / "model", config, w))
    assert cfg.V == V
    assert np.array_equal(params["embed"], w["model.embed_tokens.weight"])


def test_a_repeated_embedding_is_no_head_of_its_own(folder):
    needed = bits(load(folder).params)
    w = load_file(folder / "model.safetensors")
    save_file(w | {"lm_head.weight": w["model.embed_tokens.weight"]}, folder / "model.safetensors")
    assert bits(load(folder).params) == needed
    save_file(w | {"lm_head.weight": w["model.embed_tokens.weight"] * 2}, folder / "model.safetensors")
    with pytest.raises(ValueError, match="unexpected: lm_head.weight"):
        load(folder)


@pytest.mark.parametrize("form", [tuple, stack])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("largest", [10**9, 10_000])
def test_what_was_loaded_is_saved_bit_by_bit(folder, tmp_path, form, dtype, largest):
    cfg, params, _ = load(folder, dtype)
    huggingface.save(tmp_path / "again", Model(cfg, params | {"layers": form(params["layers"])}, None), largest)
    files = sorted((tmp_path / "again").glob("*.safetensors"))
    assert (len(files) > 1) == (largest < 10**9)
    given = {name: tensor for file in files for name, tensor in load_file(file).items()}
    needed = {name: tensor.astype(dtype) for name, tensor in load_file(folder / "model.safetensors").items()}
    assert given.keys() == needed.keys()
    assert bits([given[name] for name in needed]) == bits(list(needed.values()))
    again = load(tmp_path / "again", dtype)
    assert again.cfg == cfg
    assert bits(again.params) == bits(params)


def test_the_index_says_where_each_tensor_lies(folder, tmp_path):
    huggingface.save(tmp_path / "many", load(folder), largest=10_000)
    index = json.loads((tmp_path / "many" / "model.safetensors.index.json").read_text())
    files = {file: load_file(tmp_path / "many" / file) for file in set(index["weight_map"].values())}
    assert index["weight_map"] == {name: file for file, tensors in files.items() for name in tensors}
    sizes = {file: sum(tensor.nbytes for tensor in tensors.values()) for file, tensors in files.items()}
    assert sum(sizes.values()) == index["metadata"]["total_size"]
    assert all(size <= 10_000 for size in sizes.values())


@pytest.mark.parametrize("cfg, tensors, parts", [
    (GEMMA_2B, 164, [4_945_223_680, 67_121_152]),        # the two files of google/gemma-2b
    (GEMMA_7B, 254, None)])
def test_released_sizes_are_cut_as_on_the_hub(cfg, tensors, parts):
    def empty(each):
        return np.broadcast_to(np.zeros((), jnp.bfloat16), each.shape)      # of any size in two bytes
    theirs = as_theirs(cfg, jax.tree.map(empty, shapes(cfg)))
    sizes = [sum(theirs[name].nbytes for name in part) for part in split(theirs, 5 * 10**9)]
    assert len(theirs) == tensors
    assert sum(sizes) == 2 * count(cfg)
    assert sizes == (parts or sizes) and max(sizes) <= 5 * 10**9


def test_the_config_is_written_in_every_version_s_words(folder, tmp_path):
    huggingface.save(tmp_path / "again", load(folder, "bfloat16"))
    given = json.loads((tmp_path / "again" / "config.json").read_text())
    assert given.items() >= (SMALL | {
        "architectures": ["GemmaForCausalLM"], "model_type": "gemma", "hidden_act": "gelu_pytorch_tanh",
        "hidden_activation": "gelu_pytorch_tanh", "rms_norm_eps": 1e-6, "rope_theta": 10_000.0, "attention_bias": False,
        "tie_word_embeddings": True, "torch_dtype": "bfloat16", "bos_token_id": 2, "eos_token_id": 1,
        "pad_token_id": 0}).items()


def test_a_small_checkpoint_is_widened_on_a_cpu_and_a_large_one_stays(tmp_path, monkeypatch):
    w = {name: tensor.astype(jnp.bfloat16) for name, tensor in matrices(SMALL).items()}
    folder = write(tmp_path / "model", config_of_2024(), w)
    stored, wide = load(folder, "bfloat16").params, load(folder, jnp.float32).params
    assert {leaf.dtype.name for leaf in jax.tree.leaves(stored)} == {"bfloat16"}
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    assert bits(load(folder).params) == bits(wide) == bits(jax.tree.map(lambda x: x.astype("float32"), stored))
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert bits(load(folder).params) == bits(stored)
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    monkeypatch.setattr(model, "SMALL", sum(tensor.nbytes for tensor in w.values()))
    assert bits(load(folder).params) == bits(stored)


def test_a_tokenizer_comes_along_and_may_be_absent(folder, tmp_path):
    assert load(folder).tokenizer is None
    pieces = tokenizer.train(["one two three " * 50], 300)
    config = config_of_2024(vocab_size=pieces.size + 128)      # rows without a piece: padding, as in Gemma's 256128
    spoken = write(tmp_path / "spoken", config, matrices(config))
    pieces.save(spoken)
    huggingface.save(tmp_path / "again", load(spoken))
    assert load(tmp_path / "again").tokenizer.model == pieces.model
    assert not (tmp_path / "again" / "model.safetensors.index.json").exists()


def test_a_full_disk_leaves_the_old_model_as_it_was(folder, tmp_path):
    resource = pytest.importorskip("resource", reason="limits what a process may write")
    big = load("random:tiny")
    old, limit = contents(folder), resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, limit[1]))      # less than the model takes
        (tmp_path / "empty").mkdir()
        for place in (folder, tmp_path / "new", tmp_path / "empty"):
            with pytest.raises(OSError):
                huggingface.save(place, big)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert contents(folder) == old
    assert not (tmp_path / "new").exists() and contents(tmp_path / "empty") == {}


def test_a_new_model_replaces_the_old_one_s_files_and_no_others(folder, tmp_path):
    (folder / "notes.txt").write_text("mine")
    small = load(folder)
    huggingface.save(folder, small, largest=10_000)
    assert not (folder / "model.safetensors").exists()
    assert bits(load(folder).params) == bits(small.params)
    huggingface.save(folder, small)
    assert contents(folder).keys() == {"config.json", "model.safetensors", "notes.txt"}
    assert bits(load(folder).params) == bits(small.params)


@pytest.mark.parametrize("choice", [
    {"norm": jax_gemma.layer_norm}, {"rotate": jax_gemma.unrotated}, {"mlp": jax_gemma.swiglu},
    {"place": jax_gemma.sinusoidal}, {"window": (4, float("inf"))}, {"stretch": (8.0,)}, {"base": (1e4, 1e6)}])
def test_a_model_with_other_choices_is_not_saved_as_gemma(folder, tmp_path, choice):
    cfg, params, _ = load(folder)
    with pytest.raises(ValueError, match=f"{next(iter(choice))} = .*config.json of a Gemma 1 cannot say that"):
        huggingface.save(tmp_path / "other", Model(replace(cfg, **choice), params, None))
    assert not (tmp_path / "other").exists()


def test_weights_of_another_size_are_not_saved(folder, tmp_path):
    cfg, params, _ = load(folder)
    with pytest.raises(ValueError, match=r"weight FD is float32 of \(28, 20\) and should be floats of \(14, 20\)"):
        huggingface.save(tmp_path / "other", Model(replace(cfg, F=14), params, None))
    with pytest.raises(ValueError, match="do not have the weights of their cfg"):
        huggingface.save(tmp_path / "other", Model(cfg, params | {"extra": params["embed"]}, None))
    assert not (tmp_path / "other").exists()


def test_a_model_trained_in_numpy_is_saved_too(folder, tmp_path):
    cfg, params, _ = load(folder)
    huggingface.save(tmp_path / "again", Model(in_numpy(cfg), tree_map(np.asarray, params), None))
    assert load(tmp_path / "again").cfg == cfg
    assert bits(load(tmp_path / "again").params) == bits(params)


def test_random_weights_have_the_shapes_and_the_lengths_of_the_model():
    cfg, params, nothing = load("random:tiny")
    assert cfg == TINY and nothing is None
    stacked = params | {"layers": stack(params["layers"])}
    given, needed = (jax.tree.map(lambda x: (x.shape, x.dtype), tree) for tree in (stacked, shapes(cfg)))
    assert given == needed
    terms = {"wq": TINY.D, "wk": TINY.D, "wo": TINY.N * TINY.H}
    for name, fan_in in terms.items():
        w = np.asarray(params["layers"][3]["mixer"][name])
        assert abs(w.mean()) < 0.05 * w.std() and w.std() == pytest.approx(fan_in**-0.5, rel=0.02)
    assert not np.array_equal(params["layers"][0]["mlp"]["up"], params["layers"][1]["mlp"]["up"])
    assert np.asarray(jax_gemma.forward(cfg, params, TOKENS)[0]).std() == pytest.approx(1, rel=0.2)


def test_random_weights_are_the_same_every_time():
    assert bits(load("random:tiny").params) == bits(load("random:tiny").params)
    narrow = load("random:tiny", "bfloat16").params
    assert bits(narrow) == bits(jax.tree.map(lambda x: x.astype("bfloat16"), load("random:tiny").params))


def test_the_bundled_model_is_a_folder_like_any_other(folder, monkeypatch):
    monkeypatch.setattr(loading, "BUNDLED", folder)
    assert bits(load("tiny").params) == bits(load(str(folder)).params)


LOADS = """
import sys, jax
from gemma_edu.pretrained.load import load
status = lambda key: 1024 * int(open("/proc/self/status").read().split(key + ":")[1].split()[0])
jax.numpy.zeros(1).block_until_ready()
before = status("VmRSS")
model = load(sys.argv[1], "bfloat16")
print(status("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_loading_takes_little_more_memory_than_the_weights(tmp_path):
    cfg = Config(V=16_000, D=512, L=12, N=8, K=1, H=64, F=2048)
    huggingface.save(tmp_path / "model", loading.random_model(cfg, "bfloat16"))
    grown = subprocess.run([sys.executable, "-c", LOADS, tmp_path / "model"], check=True, capture_output=True).stdout
    assert int(grown) <= 1.15 * 2 * count(cfg) + 20e6      # what JAX itself takes up meanwhile
