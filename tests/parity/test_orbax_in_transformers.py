"""From Google's layout through ours to Hugging Face's: three computations of the same numbers."""
from dataclasses import replace

import pytest
from small import FAMILY
from small_orbax import logits_of as deepmind_s
from small_orbax import of_2024, tensors
from test_family import theirs
from test_transformers import CONFIGS, TOKENS, assert_close, logits_of, ours

from gemma_edu.cli import main
from gemma_edu.config import PRESETS
from gemma_edu.pretrained.load import load

HOW = {"a key per query": {"together": True}, "shared keys": {}, "one key": {}} | {
    name: {"turned": name.startswith("gemma3") or "27B" in name} for name in FAMILY}


@pytest.mark.parametrize("name", HOW)
def test_an_exported_orbax_checkpoint_computes_the_same_in_transformers(tmp_path, monkeypatch, name):
    cfg = replace((CONFIGS | FAMILY)[name], V=99)
    monkeypatch.setitem(PRESETS, "of the test", cfg)      # what shapes do not say, it says
    tree = tensors(cfg, **HOW[name], seed=2, spread=0.2)      # longer scores cost float32 more than 1e-5, theirs, too
    of_2024(tmp_path / "orbax", tree)
    assert main(["export", str(tmp_path / "orbax"), str(tmp_path / "out"), "--dtype", "float32"]) == 0
    given = logits_of(theirs(tmp_path / "out"))
    for row, logits in zip(TOKENS, given, strict=True):
        assert_close(logits, deepmind_s(tree, cfg, row))
    for logits in ours(load(tmp_path / "orbax", "float32")):
        assert_close(logits, given)
