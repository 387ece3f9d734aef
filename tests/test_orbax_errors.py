"""Orbax checkpoints that arrived in part, or are none of Gemma's: one error that says what to do."""
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
import tensorstore
from small_orbax import of_2024, standard, tensors, with_folders, with_ocdbt

from gemma_edu.config import GEMMA_2B
from gemma_edu.data import tokenizer
from gemma_edu.pretrained.load import load

CFG = replace(GEMMA_2B, V=300, D=20, L=2, N=4, K=2, H=6, F=28)
Q, GATES = "transformer/layer_1/attn/q_einsum", "transformer/layer_0/mlp/gating_einsum"
AGAIN = "download it again"


def gone(pattern):
    def breaks(place):
        path = next(place.glob(pattern))
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return breaks


def cut(pattern):
    def breaks(place):
        path = next(place.glob(pattern))
        os.truncate(path, path.stat().st_size // 2)
    return breaks


def without_value(key):
    def breaks(place):
        files = {"driver": "ocdbt", "base": f"file://{place}/"}
        tensorstore.KvStore.open(files).result().delete_range(tensorstore.KvStore.KeyRange(key, key + "~")).result()
    return breaks


INCOMPLETE = {
    "an array's folder": (with_folders, gone(f"{Q}.w"), ["q_einsum", AGAIN]),
    "an array's folder, of 2024": (of_2024, gone(f"{Q}.w"), ["q_einsum", AGAIN]),
    "an array's file": (with_folders, gone(f"{Q}.w/0.0.0"), ["q_einsum in ", "holds 0 of 1 pieces", AGAIN]),
    "an array's file, of 2024": (of_2024, gone(f"{Q}.w/0.0.0"), ["q_einsum in ", "holds 0 of 1 pieces", AGAIN]),
    "an array's own metadata": (of_2024, gone(f"{Q}.w/.zarray"), ["q_einsum", AGAIN]),
    "half an array's file": (of_2024, cut(f"{Q}.w/0.0.0"), ["not a whole Orbax checkpoint", "q_einsum", AGAIN]),
    "the metadata": (of_2024, gone("_METADATA"), ["lacks _METADATA", AGAIN]),
    "the metadata of today": (standard, gone("_METADATA"), ["lacks _METADATA", AGAIN]),
    "half the metadata": (of_2024, cut("_METADATA"), ["not a whole Orbax checkpoint", AGAIN]),
    "the manifest": (with_ocdbt, gone("manifest.ocdbt"), ["not a whole Orbax checkpoint", AGAIN]),
    "half the manifest": (with_ocdbt, cut("manifest.ocdbt"), ["not a whole Orbax checkpoint", AGAIN]),
    "a value among the data": (standard, without_value(f"{Q}.w/0.0.0"), ["q_einsum in ", "holds 0 of 1 pieces", AGAIN]),
    "the data": (standard, gone("d/*"), ["not a whole Orbax checkpoint", AGAIN]),
    "half the data": (standard, cut("d/*"), ["not a whole Orbax checkpoint", AGAIN])}


@pytest.mark.parametrize("style, breaks, words", INCOMPLETE.values(), ids=INCOMPLETE.keys())
def test_what_did_not_arrive_as_a_whole_is_refused(style, breaks, words, tmp_path):
    style(tmp_path / "2b", tensors(CFG))
    load(tmp_path / "2b")
    breaks(tmp_path / "2b")
    refused(tmp_path / "2b", words, (ValueError, FileNotFoundError))


REFUSES = """
import gc, sys
from gemma_edu.pretrained.load import load
try:
    load(sys.argv[1])
except ValueError as error:
    print(error)
gc.collect()
"""


def test_a_refusal_is_all_that_is_said(tmp_path):
    """No thread complains on its own, not even when Python clears up."""
    standard(tmp_path / "2b", tensors(CFG))
    next((tmp_path / "2b").glob("d/*")).unlink()
    said = subprocess.run([sys.executable, "-c", REFUSES, tmp_path / "2b"], capture_output=True, text=True, check=True)
    assert said.stdout.count("\n") == 1 and AGAIN in said.stdout and "Traceback" not in said.stderr


def refused(folder, words, kind=ValueError):
    with pytest.raises(kind) as error:
        load(folder)
    assert [word for word in words if word not in str(error.value)] == []
    assert error.value.__cause__ is None and "\n" not in str(error.value) and len(str(error.value)) < 1000


def without(*names):
    return lambda tree: {name: leaf for name, leaf in tree.items() if name not in names}


def resized(name, size):
    return lambda tree: tree | {name: {"w": jnp.ones(size)}}


def spoiled(tree):
    tree[Q]["w"] = tree[Q]["w"].at[1, 2, 3].set(jnp.nan)
    return tree


OTHERS = {
    "a tensor too few": (without(Q), ["missing: layer_1/attn/q_einsum)"]),
    "a tensor too many": (lambda tree: tree | {"transformer/head": {"w": jnp.ones(3)}}, ["unexpected: head)"]),
    "a tensor of another shape": (resized(Q, (4, 6, 20)), [f"{Q.removeprefix('transformer/')} is (4, 6, 20) and should "
                                                           "be (4, 20, 6)"]),
    "gates of another shape": (resized(GATES, (2, 20, 20)), ["gating_einsum is (2, 20, 20) and should be (2, 20, 28)"]),
    "one layer turned": (resized(GATES.replace("0", "1"), (2, 28, 20)), ["layer_1/mlp/gating_einsum is (2, 28, 20)"]),
    "no table": (without("transformer/embedder"), ["it lacks embedder/input_embedding", "Gemma 1, 2 or 3"]),
    "no layers": (lambda tree: {"transformer/embedder": tree["transformer/embedder"]}, ["layer_0/attn/kv_einsum"]),
    "a table with three axes": (lambda tree: tree | {"transformer/embedder": {"input_embedding": jnp.ones((3, 3, 3))}},
                                ["it lacks embedder/input_embedding, or they have other axes"]),
    "keys that share unevenly": (resized("transformer/layer_0/attn/kv_einsum", (2, 3, 20, 6)),
                                 ["4 query heads cannot share 3 key heads"]),
    "eight bits": (lambda tree: tree | {Q: {"w": jnp.ones((4, 20, 6), "int8")}}, ["holds int8", "quantized"]),
    "NaN": (spoiled, ["layer_1/attn/q_einsum", "not finite"]),
    "a Gemma 2 but for one norm": (lambda tree: tree | {"transformer/layer_0/post_attention_norm": {
        "scale": jnp.ones(20)}}, ["missing: layer_0/post_ffw_norm/scale, layer_1/post_"]),
    "another model": (lambda tree: {"params": {"dense": jnp.ones((3, 3))}}, ["it lacks embedder/input_embedding"])}


@pytest.mark.parametrize("changed, words", OTHERS.values(), ids=OTHERS.keys())
def test_what_is_no_gemma_is_refused(changed, words, tmp_path):
    with_ocdbt(tmp_path / "2b", changed(tensors(CFG)))
    refused(tmp_path / "2b", [str(tmp_path / "2b"), *words])


def test_a_square_mlp_does_not_say_which_way_it_stands(tmp_path):
    with_ocdbt(tmp_path / "2b", tensors(replace(CFG, F=20)))
    refused(tmp_path / "2b", ["D = F = 20", "does not say", "Hugging Face layout"])


def test_two_checkpoints_in_one_folder_are_asked_about(tmp_path):
    for name in ("2b", "2b-it"):
        with_ocdbt(tmp_path / name, tensors(CFG))
    refused(tmp_path, ["holds 2b, 2b-it", "give the folder of one"])


def test_a_tokenizer_of_another_model_is_refused(tmp_path):
    with_ocdbt(tmp_path / "2b", tensors(CFG))
    tokenizer.train(["one two three four five " * 50], 301).save(tmp_path)
    refused(tmp_path, ["301 pieces and the model V = 300 rows"])


@pytest.mark.parametrize("content", [[], ["notes.txt"], ["deeper/config.json"], ["tokenizer.model", "2b/readme.md"]])
def test_a_folder_that_is_no_model_is_told_what_can_be_given(tmp_path, content):
    for name in content:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text")
    refused(tmp_path, ["is no model", '"tiny"', '"hf:OWNER/NAME"', '"kaggle:', "a folder with config.json",
                       "an Orbax checkpoint"], FileNotFoundError)


def test_a_run_of_ours_is_no_model_of_theirs(tmp_path):
    standard(tmp_path / "state", {"params": {"embed": jnp.ones((5, 4))}, "step": jnp.asarray(3)})
    refused(tmp_path, ["it lacks embedder/input_embedding"])


def test_the_check_of_files_counts_pieces(tmp_path):
    """An array in several files, as a TPU's slice writes it, with one of them lost."""
    of_2024(tmp_path / "2b", tensors(CFG))
    needed = np.asarray(load(tmp_path / "2b").params["embed"])
    array = tmp_path / "2b/transformer/embedder.input_embedding"
    rewrite_in_pieces(array, 100)
    assert np.array_equal(load(tmp_path / "2b").params["embed"], needed)
    (array / "1.0").unlink()
    refused(tmp_path / "2b", ["embedder/input_embedding in ", "holds 2 of 3 pieces", AGAIN])


def rewrite_in_pieces(array, rows):
    spec = {"driver": "zarr", "kvstore": {"driver": "file", "path": str(array)}}
    numbers = tensorstore.open(spec).result().read().result()
    metadata = json.loads((array / ".zarray").read_text()) | {"chunks": [rows, numbers.shape[1]]}
    shutil.rmtree(array)
    tensorstore.open(spec, create=True, open=True, dtype=tensorstore.bfloat16, shape=numbers.shape, chunk_layout=(
        tensorstore.ChunkLayout(chunk_shape=metadata["chunks"]))).result().write(numbers).result()
