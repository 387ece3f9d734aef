"""`gemma-edu export`: what it writes, and what it never touches."""
import json

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file
from small_orbax import of_2024, tensors
from test_load_errors import CFG

from gemma_edu.cli import main
from gemma_edu.data import tokenizer
from gemma_edu.pretrained import huggingface
from gemma_edu.pretrained.load import BUNDLED, load, random_model


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def checkpoint(tmp_path):
    """An Orbax checkpoint in bfloat16, with its tokenizer beside it."""
    of_2024(tmp_path / "given/2b", tensors(CFG))
    tokenizer.train(["one two three " * 50], 300).save(tmp_path / "given")
    return tmp_path / "given"


def test_the_bundled_model_comes_out_byte_by_byte(tmp_path, capsys):
    assert main(["export", "tiny", str(tmp_path / "out")]) == 0
    for name, content in contents(tmp_path / "out").items():
        assert content == (BUNDLED / name).read_bytes()
    assert capsys.readouterr().out == f"{tmp_path / 'out'}: bfloat16, 0.01 GB\n"


@pytest.mark.parametrize("dtype", ["stored", "bfloat16", "float16", "float32"])
def test_a_checkpoint_keeps_its_numbers_and_its_words(checkpoint, tmp_path, dtype):
    assert main(["export", str(checkpoint), str(tmp_path / "out"), "--dtype", dtype]) == 0
    needed, given = load(checkpoint, dtype), load(tmp_path / "out", "stored")
    assert given.tokenizer.model == needed.tokenizer.model
    assert jax.tree.all(jax.tree.map(lambda a, b: a.dtype == b.dtype and np.array_equal(a, b),
                                     given.params, needed.params))
    stored = {tensor.dtype.name for tensor in load_file(tmp_path / "out" / "model.safetensors").values()}
    assert stored == {"bfloat16" if dtype == "stored" else dtype}


def test_random_weights_say_that_they_have_no_tokenizer(tmp_path, capsys):
    assert main(["export", "random:nano", str(tmp_path)]) == 0
    assert "no tokenizer" in capsys.readouterr().out and json.loads((tmp_path / "config.json").read_text())


def test_an_older_model_is_replaced(checkpoint, tmp_path):
    huggingface.save(tmp_path / "out", random_model(CFG))
    old = contents(tmp_path / "out")
    assert main(["export", str(checkpoint), str(tmp_path / "out")]) == 0
    assert contents(tmp_path / "out").keys() == old.keys() | {"tokenizer.model"}
    assert contents(tmp_path / "out")["model.safetensors"] != old["model.safetensors"]


@pytest.mark.parametrize("target, says", [
    ("given", "is there already, and no model in this layout (2b, tokenizer.model)"),      # around the checkpoint
    ("given/2b", "is the model itself"), ("given/../given/2b", "is the model itself"), ("link", "is the model itself"),
    ("notes", "is there already, and no model in this layout (one.txt)"),
    ("app", "is there already, and no model in this layout (config.json)"),
    ("notes/one.txt", "is there already, and no model in this layout (a file)")])
def test_nothing_else_is_overwritten(checkpoint, tmp_path, capsys, target, says):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/one.txt").write_text("mine")
    (tmp_path / "app").mkdir()
    (tmp_path / "app/config.json").write_text('{"port": 80}')
    (tmp_path / "link").symlink_to(checkpoint / "2b")
    before = contents(tmp_path)
    assert main(["export", str(checkpoint / "2b"), str(tmp_path / target)]) == 2
    error = capsys.readouterr().err
    assert says in error and error.count("\n") == 1
    assert contents(tmp_path) == before


def test_the_bundled_model_is_not_written_over_itself(capsys):
    before = contents(BUNDLED)
    assert main(["export", "tiny", str(BUNDLED)]) == 2
    assert "is the model itself" in capsys.readouterr().err and contents(BUNDLED) == before


def test_a_model_that_cannot_be_loaded_leaves_nothing(tmp_path, capsys):
    assert main(["export", "no/such/model", str(tmp_path / "out")]) == 2
    assert "no/such/model" in capsys.readouterr().err and not (tmp_path / "out").exists()
