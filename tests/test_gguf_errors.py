"""Bad GGUF files at the door of `load`: one error that says what was given, what is needed, and what to do."""
import sys
from dataclasses import replace

import gguf
import numpy as np
import pytest
from small import FAMILY, SMALL, stirred
from small_gguf import F32, converted, vocabulary_of
from test_tokenizer import TEXTS

from gemma_edu.data.tokenizer import train
from gemma_edu.pretrained import huggingface
from gemma_edu.pretrained.load import Model, load

Q, NORM, UP = "blk.0.attn_q.weight", "output_norm.weight", "blk.0.ffn_up.weight"
ONE, TABLE = np.ones(16, np.float32), np.ones((599, 16), np.float32)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A small model of each generation, in the Hugging Face layout."""
    place, spoken = tmp_path_factory.mktemp("folders"), train(TEXTS, 600)
    for name, cfg in {"gemma": replace(SMALL, V=600), "gemma2": FAMILY["gemma2"], "gemma3": FAMILY["gemma3"]}.items():
        huggingface.save(place / name, Model(cfg, stirred(cfg), spoken if name == "gemma" else None))
    return place, vocabulary_of(spoken)


def says(**metadata):
    """Metadata that is changed; None for what is to go, and _ in a key for a dot."""
    return {"metadata": {f"{{arch}}.{key.replace('__', '.')}": value for key, value in metadata.items()}}


def holds(name, w, kind=F32):
    return {"tensors": {name: None if w is None else (w, kind)}}


def vocabulary(**changes):
    return {"metadata": {f"tokenizer.ggml.{key}": value for key, value in changes.items()}}


def spoil(value):
    w = np.ones(SMALL.D, np.float32)
    w[3] = value
    return holds(NORM, w)


KIND = gguf.GGMLQuantizationType
BAD = {
    "no sizes": (says(embedding_length=None), ["lacks gemma.embedding_length", "another conversion"]),
    "no heads": (says(attention__head_count_kv=None), ["lacks gemma.attention.head_count_kv"]),
    "no epsilon": (says(attention__layer_norm_rms_epsilon=None), ["lacks gemma.attention.layer_norm_rms_epsilon"]),
    "another epsilon": (says(attention__layer_norm_rms_epsilon=1e-5), ["layer_norm_rms_epsilon = ", "no Gemma"]),
    "a size in words": (says(embedding_length="16"), ["gemma.embedding_length = '16' should be a number"]),
    "a size per layer": (says(feed_forward_length=[10, 10]), ["gemma.feed_forward_length = [10, 10]"]),
    "a size that is none": (says(context_length=0), ["S = 0 is no size"]),
    "heads that share unevenly": (says(attention__head_count_kv=3), ["4 query heads cannot share 3"]),
    "wider values": (says(attention__value_length=8), ["keys have 6 numbers and its values 8"]),
    "an odd head": (says(attention__key_length=5, attention__value_length=5), ["H = 5", "make H even"]),
    "a window": (says(attention__sliding_window=4), ["gemma.attention.sliding_window = 4", "no Gemma was released so"]),
    "a cap": (says(final_logit_softcapping=30.0), ["gemma.final_logit_softcapping = 30.0"]),
    "a stretch": (says(rope__scaling__type="yarn"), ["gemma.rope.scaling.type = yarn"]),
    "a part": ({"metadata": {"split.count": 3}}, ["one of 3 files", "llama-gguf-split --merge"]),
    "another width": (says(embedding_length=32), ["blk.0.attn_k.weight is (12, 16) and should be (12, 32)"]),
    "more layers": (says(block_count=30), ["missing: blk.10.", "and 240 more"]),
    "fewer layers": (says(block_count=1), ["unexpected: blk.1."]),
    "a missing tensor": (holds(Q, None), [f"missing: {Q}"]),
    "no table": (holds("token_embd.weight", None), ["lacks token_embd.weight", "whole model"]),
    "a bias": (holds("blk.0.attn_q.bias", ONE), ["unexpected: blk.0.attn_q.bias"]),
    "a norm too many": (holds("blk.0.post_ffw_norm.weight", ONE), ["unexpected: blk.0.post_ffw_norm.weight"]),
    "a turned matrix": (holds(UP, np.ones((16, 10), np.float32)), [f"{UP} is (16, 10) and should be (10, 16)"]),
    "NaN": (spoil(np.nan), [NORM, "not finite"]),
    "infinity": (spoil(-np.inf), [NORM, "not finite"]),
    "whole numbers": (holds(Q, np.ones((24, 16), np.int32), KIND.I32), [Q, "packed as I32", "Q8_0"]),
    "blocks that nobody unpacks": (holds(Q, np.ones((24, 40), np.uint8), KIND.Q8_1), [Q, "packed as Q8_1"]),
    "another kind of vocabulary": (vocabulary(model="gpt2"), ["vocabulary of the kind 'gpt2'", "tokenizer.model"]),
    "no pieces": (vocabulary(tokens=None), ["no vocabulary of a Gemma"]),
    "fewer scores": (vocabulary(scores=[0.0] * 9), ["no vocabulary of a Gemma"]),
    "pieces without a bos": (vocabulary(tokens=[f"piece {n}" for n in range(600)]), ["no vocabulary of a Gemma"]),
}


@pytest.mark.parametrize("change, words", BAD.values(), ids=BAD)
def test_a_broken_file_is_refused_with_what_to_do(folders, tmp_path, change, words):
    place, spoken = folders
    good = converted(place / "gemma", tmp_path / "good.gguf", vocabulary=spoken)
    load(good)
    refused(converted(place / "gemma", tmp_path / "bad.gguf", vocabulary=spoken, **change), words)


def test_a_larger_vocabulary_is_refused(folders, tmp_path):
    place, spoken = folders
    with pytest.raises(ValueError, match="600 pieces and the model V = 599 rows"):
        load(converted(place / "gemma", tmp_path / "bad.gguf", vocabulary=spoken, **holds("token_embd.weight", TABLE)))


def refused(path, words):
    with pytest.raises(ValueError) as error:
        load(path)
    assert [word for word in [str(path), *words] if word not in str(error.value)] == []
    assert error.value.__cause__ is None and "\n" not in str(error.value)


@pytest.mark.parametrize("name, change, words", [
    ("gemma3", says(rope__freq_base=None), ["lacks gemma3.rope.freq_base"]),
    ("gemma3", says(attention__sliding_window=None), ["lacks gemma3.attention.sliding_window"]),
    ("gemma3", says(final_logit_softcapping=30.0), ["gemma3.final_logit_softcapping"]),
    ("gemma3", holds("blk.3.attn_q_norm.weight", None), ["missing: blk.3.attn_q_norm.weight"]),
    ("gemma2", says(rope__scaling__factor=8.0), ["gemma2.rope.scaling.factor"]),
    ("gemma2", holds("blk.3.post_ffw_norm.weight", None), ["missing: blk.3.post_ffw_norm.weight"])])
def test_each_generation_asks_for_its_own(folders, tmp_path, name, change, words):
    refused(converted(folders[0] / name, tmp_path / "bad.gguf", **change), words)


def bytes_changed(at, new):
    return lambda old: old[:at] + new + old[at + len(new):]


CUT = {
    "empty": (lambda old: b"", ["not a GGUF file"]),
    "a web page": (lambda old: b"<!doctype html>" * 9, ["not a GGUF file"]),
    "weights of another kind": (lambda old: b"\x08" + bytes(99), ["not a GGUF file"]),
    "four letters": (lambda old: old[:4], ["ends within its header"]),
    "half the metadata": (lambda old: old[:200], ["ends within its header"]),
    "all but a byte": (lambda old: old[:-65], ["cut short", "download it again"]),
    "the first version": (bytes_changed(4, b"\1"), ["version 1, and only 2 and 3", "newer llama.cpp"]),
    "bytes in the other order": (bytes_changed(4, b"\0\0\0\3"), ["version 50331648"]),
    "a number of entries out of the air": (bytes_changed(16, b"\xff" * 8), ["ends within its header"]),
    "a number of tensors out of the air": (bytes_changed(8, b"\xff" * 8), ["damaged or cut short"]),
    "a key without an end": (bytes_changed(24, b"\xff" * 8), ["ends within its header"]),
    "a value of no type": (bytes_changed(24 + 8 + 20, b"\x63"), ["a value of type 99"]),
    "text that is none": (bytes_changed(24 + 8, b"\xff\xfe"), ["damaged", "utf-8"]),
    "another model": (lambda old: old.replace(b"\5\0\0\0\0\0\0\0gemma", b"\5\0\0\0\0\0\0\0llama"),
                      ["architecture is 'llama'", "gemma, gemma2, gemma3", "Gemma 1, 2 or 3"]),
    "blocks of a later day": (lambda old: old.replace(q_entry(0), q_entry(99)), [Q, "packed as type 99"]),
}


def q_entry(kind):
    """The query matrix in the header: its name, two sizes, and the type of its blocks."""
    numbers = [(2, 4), (16, 8), (24, 8), (kind, 4)]
    return Q.encode() + b"".join(value.to_bytes(size, "little") for value, size in numbers)


@pytest.mark.parametrize("change, words", CUT.values(), ids=CUT)
def test_a_damaged_file_is_refused(folders, tmp_path, change, words):
    good = converted(folders[0] / "gemma", tmp_path / "good.gguf").read_bytes()
    assert change(good) != good
    (tmp_path / "bad.gguf").write_bytes(change(good))
    refused(tmp_path / "bad.gguf", words)


def test_every_cut_is_seen(folders, tmp_path):
    """Wherever a file ends before its end, there is one clear error."""
    good = converted(folders[0] / "gemma", tmp_path / "good.gguf", vocabulary=folders[1]).read_bytes()
    for length in np.linspace(0, len(good) - 65, 60, dtype=int):
        (tmp_path / "bad.gguf").write_bytes(good[:length])
        refused(tmp_path / "bad.gguf", ["again"])


def test_rows_are_whole_blocks(folders, tmp_path):
    """The package itself writes no others, so a byte of the header is changed: a type of blocks of 32 for one of 1."""
    good = converted(folders[0] / "gemma", tmp_path / "good.gguf").read_bytes()
    (tmp_path / "bad.gguf").write_bytes(good.replace(q_entry(KIND.F32), q_entry(KIND.Q8_0)))
    refused(tmp_path / "bad.gguf", [Q, "rows of 16 numbers in blocks of 32"])


def test_a_missing_package_is_named(folders, tmp_path, monkeypatch):
    file = converted(folders[0] / "gemma", tmp_path / "good.gguf")
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(OSError, match=r'needs the package gguf; install it with: pip install "gemma-edu\[gguf\]"'):
        load(file)


def test_two_files_are_one_too_many(folders, tmp_path):
    for name in ("Q4", "Q8"):
        converted(folders[0] / "gemma", tmp_path / f"{name}.gguf")
    refused(tmp_path, ["should hold one GGUF file and holds Q4.gguf, Q8.gguf"])
