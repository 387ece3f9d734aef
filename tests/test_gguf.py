"""GGUF against llama.cpp's own package: its writer, its names and its reader, and against blocks unpacked by hand."""
import gzip
import subprocess
import sys
from dataclasses import replace
from math import inf

import gguf
import jax
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind
from small import FAMILY, SMALL, apart, stirred
from small_gguf import converted, metadata_of, pieces_of, vocabulary_of
from test_tokenizer import GEMMA_1, OFFICIAL, TEXTS, TYPED

from gemma_edu.config import PRESETS, Config, difference
from gemma_edu.data.tokenizer import Tokenizer, train
from gemma_edu.params import count
from gemma_edu.pretrained import gguf_file, gguf_tokenizer, huggingface
from gemma_edu.pretrained.gguf_config import understood
from gemma_edu.pretrained.huggingface_config import config_json
from gemma_edu.pretrained.load import Model, load, random_model

SMALLS = {"gemma": SMALL, "gemma2": replace(FAMILY["gemma2"], score_cap=0.75, logit_cap=1.5),
          "gemma3": FAMILY["gemma3"], "gemma3, stretched": FAMILY["gemma3, stretched"]}
RELEASED = {name: cfg for name, cfg in PRESETS.items() if name.startswith("gemma")}
WIDE = replace(SMALL, V=256, D=256, L=1, N=2, K=1, H=128, F=512)      # its rows are whole blocks of any type
UP = "blk.0.ffn_up.weight"


def folder_of(cfg, folder, tokenizer=None):
    """A model with random weights, in the Hugging Face layout."""
    huggingface.save(folder, Model(cfg, stirred(cfg), tokenizer))
    return folder


@pytest.fixture(scope="module")
def spoken():
    return train(TEXTS, 1000)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    return folder_of(WIDE, tmp_path_factory.mktemp("wide"))


# ---- sizes, choices and weights
@pytest.mark.parametrize("cfg", SMALLS.values(), ids=SMALLS)
def test_a_file_and_the_folder_it_was_made_of_are_the_same_model(tmp_path, cfg):
    needed = load(folder_of(cfg, tmp_path / "folder"))
    given = load(converted(tmp_path / "folder", tmp_path / "model.gguf"))
    assert difference(given.cfg, cfg) == {}
    assert 0 < apart(given.params, needed.params) < 1e-7       # what a norm loses when 1 is added
    huggingface.save(tmp_path / "again", given)
    again = load(tmp_path / "again")
    assert again.cfg.fixed == cfg.fixed and difference(again.cfg, cfg).keys() <= {"stretch"}      # (1.0,) six times
    assert apart(again.params, given.params) == 0


@pytest.mark.parametrize("name", RELEASED)
def test_every_released_gemma_is_understood(name):
    cfg, kind = RELEASED[name], name.partition("-")[0]
    said = metadata_of(config_json(cfg, None, "bfloat16"))
    assert difference(understood(about(kind, said), cfg.V), cfg) == {}


def about(kind, said):
    return {"general.architecture": kind} | {f"{kind}.{key}": value for key, value in said.items()}


def test_what_early_files_leave_out_is_as_it_was_released():
    cfg = RELEASED["gemma2-9b"]
    said = metadata_of(config_json(cfg, None, "bfloat16"))
    for key in ("attn_logit_softcapping", "final_logit_softcapping", "attention.sliding_window",
                "attention.key_length", "attention.value_length"):
        del said[key]
    assert difference(understood(about("gemma2", said), cfg.V), cfg) == {}


def test_what_new_files_add_is_read():
    said = metadata_of(config_json(RELEASED["gemma3-4b"], None, "bfloat16"))
    cfg = understood(about("gemma3", said | {"rope.freq_base_swa": 500.0, "rope.scaling.factor": 2.0}), 262_144)
    assert cfg.base == (*[500.0] * 5, 1e6) and cfg.stretch == (*[1.0] * 5, 2.0) and cfg.window == (*[1024] * 5, inf)


def test_the_padding_of_old_tables_is_left_out(tmp_path, spoken):
    folder = folder_of(replace(SMALL, V=spoken.size + 128), tmp_path / "folder")
    given = load(converted(folder, tmp_path / "model.gguf", vocabulary=vocabulary_of(spoken)))
    needed = load(folder)
    assert given.cfg.V == spoken.size
    assert np.array_equal(given.params["embed"], needed.params["embed"][:spoken.size])


def test_what_is_said_twice_is_read_once(tmp_path, wide):
    needed = load(converted(wide, tmp_path / "plain.gguf")).params
    embed = np.asarray(needed["embed"])
    for name, w in {"output.weight": embed, "rope_freqs.weight": np.ones(64, np.float32)}.items():
        given = load(converted(wide, tmp_path / "more.gguf", tensors={name: (w, Kind.F32)}))
        assert apart(given.params, needed) == 0
        for other in (w * 2, embed[:-32], embed.reshape(-1, 2 * WIDE.D)):
            file = converted(wide, tmp_path / "other.gguf", tensors={name: (other, Kind.F32)})
            with pytest.raises(ValueError, match=f"unexpected: {name}"):
                load(file)


def test_a_folder_with_one_file_will_do(tmp_path, wide):
    (tmp_path / "kaggle").mkdir()
    needed = load(converted(wide, tmp_path / "kaggle" / "one.gguf"))
    assert apart(load(tmp_path / "kaggle").params, needed.params) == 0
    (tmp_path / "kaggle" / "config.json").write_text("{}")             # as some on the hub have it
    assert apart(load(tmp_path / "kaggle").params, needed.params) == 0
    (tmp_path / "kaggle" / "one.gguf").rename(tmp_path / "blob")       # as Ollama names it
    assert apart(load(tmp_path / "blob").params, needed.params) == 0


def test_weights_come_in_the_precision_that_they_have(tmp_path, wide):
    def dtypes(*asked):
        return {leaf.dtype.name for leaf in jax.tree.leaves(load(tmp_path / "model.gguf", *asked).params)}
    for kind, stored in {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "Q8_0": "bfloat16"}.items():
        converted(wide, tmp_path / "model.gguf", Kind[kind])
        assert dtypes("stored") == {stored} and dtypes("float16") == {"float16"}
        assert dtypes() == {"float32" if jax.default_backend() == "cpu" else stored}


# ---- blocks, unpacked number by number as ggml describes them
def half(block, at):
    return float(np.frombuffer(block[at:at + 2], "<f2")[0])


def q8_0(block):
    return [half(block, 0) * np.int8(np.uint8(q)) for q in block[2:]]


def q5_0(block):
    high, low = int.from_bytes(block[2:6], "little"), [q & 15 for q in block[6:]] + [q >> 4 for q in block[6:]]
    return [half(block, 0) * (low[j] + 16 * (high >> j & 1) - 16) for j in range(32)]


def q4_k(block):
    s, q, numbers = block[4:16], block[16:], []
    for j in range(8):
        scale = s[j] & 63 if j < 4 else s[j + 4] & 15 | s[j - 4] >> 6 << 4
        least = s[j + 4] & 63 if j < 4 else s[j + 4] >> 4 | s[j] >> 6 << 4
        for each in q[j // 2 * 32:][:32]:
            numbers.append(half(block, 0) * scale * (each >> j % 2 * 4 & 15) - half(block, 2) * least)
    return numbers


def q6_k(block):
    low, high, scales, numbers = block[:128], block[128:192], np.frombuffer(block[192:208], np.int8), []
    for n in range(256):
        part, quarter, j = n // 128, n % 128 // 32, n % 32
        q = low[64 * part + 32 * (quarter % 2) + j] >> quarter // 2 * 4 & 15
        q |= (high[32 * part + j] >> 2 * quarter & 3) << 4
        numbers.append(half(block, 208) * int(scales[n // 16]) * (q - 32))
    return numbers


UNPACK = {Kind.Q8_0: (q8_0, [0]), Kind.Q5_0: (q5_0, [0]), Kind.Q4_K: (q4_k, [0, 2]), Kind.Q6_K: (q6_k, [208])}


@pytest.mark.parametrize("kind", UNPACK, ids=lambda kind: kind.name)
def test_blocks_are_unpacked_as_ggml_describes_them(tmp_path, wide, kind, monkeypatch):
    monkeypatch.setattr("gemma_edu.pretrained.gguf_blocks.STEP", 2**14)
    unpack, halves = UNPACK[kind]
    per_block, size = gguf.GGML_QUANT_SIZES[kind]
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (WIDE.F * WIDE.D // per_block, size), np.uint8)
    for at in halves:
        blocks[:, at:at + 2] = rng.normal(0, 0.01, (len(blocks), 1)).astype("<f2").view(np.uint8)
    file = converted(wide, tmp_path / "model.gguf", tensors={UP: (blocks.reshape(WIDE.F, -1), kind)})
    needed = np.array([unpack(block.tobytes()) for block in blocks]).reshape(WIDE.F, WIDE.D)
    given = np.asarray(load(file).params["layers"][0]["mlp"]["up"]).T
    assert needed.std() > 0.01 and np.abs(given - needed).max() <= 1e-6 * np.abs(needed).max()


@pytest.mark.parametrize("kind, bits", [(Kind.F16, 11), (Kind.BF16, 8), (Kind.Q8_0, 7), (Kind.Q5_0, 4), (Kind.Q4_0, 3)])
def test_what_was_packed_comes_back_as_fine_as_its_type(tmp_path, wide, kind, bits):
    needed, given = load(wide).params, load(converted(wide, tmp_path / "model.gguf", kind)).params
    for name in ("wq", "wk", "wv", "wo"):
        one, other = needed["layers"][0]["mixer"][name], given["layers"][0]["mixer"][name]
        assert 0 < apart(one, other) <= 1.01 * float(np.abs(one).max()) * 2.0**-bits


# ---- the header
def test_the_header_is_read_as_llama_cpp_reads_it(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "gemma")
    for name in ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"):
        getattr(writer, f"add_{name}")(name, 100 if name.startswith("u") else -100)
    writer.add_float32("float32", 1 / 3), writer.add_float64("float64", 1 / 3)
    writer.add_bool("yes", True), writer.add_bool("no", False)
    writer.add_string("text", "größer ▁𓀀"), writer.add_string("", "")
    for values in [1, -2, 3], [0.5, -1e9], ["", "▁a", "\n"], [True, False]:
        writer.add_array(f"several {type(values[0]).__name__}", values)
    writer.add_custom_alignment(128)
    for n, sizes in enumerate([(3,), (2, 5), (2, 3, 4)]):
        writer.add_tensor(f"tensor {n}", np.full(sizes, n, np.float32))
    writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file(), writer.close()
    given, needed = gguf_file.contents(tmp_path / "model.gguf"), gguf.GGUFReader(tmp_path / "model.gguf")
    facts = {name: field.contents() for name, field in needed.fields.items() if not name.startswith("GGUF.")}
    assert given.metadata == facts and len(facts) == 19
    assert {name: (each.start, each.kind, each.shape) for name, each in given.tensors.items()} == {
        each.name: (each.data_offset, each.tensor_type, tuple(each.shape.tolist()[::-1])) for each in needed.tensors}


# ---- the vocabulary
def read_back(vocabulary):
    return gguf_tokenizer.read_tokenizer(gguf_file.File("model.gguf", vocabulary, {}))


def test_a_vocabulary_cuts_text_as_the_tokenizer_it_was_made_of(tmp_path, spoken, wide):
    folder = folder_of(replace(SMALL, V=spoken.size), tmp_path / "folder", spoken)
    given = load(converted(folder, tmp_path / "model.gguf", vocabulary=vocabulary_of(spoken))).tokenizer
    ids = [(each.pad, each.eos, each.bos, each.start_of_turn, each.end_of_turn, each.size) for each in (given, spoken)]
    assert ids[0] == ids[1]
    for text in [*TEXTS, *TYPED, *OFFICIAL, "   four\n\n\n\n  spaces\t", "<unk><pad>"]:
        for markers in (True, False):
            assert given.encode(text, markers=markers) == spoken.encode(text, markers=markers)
        assert given.decode(given.encode(text)) == text.replace("▁", " ")


def test_the_fields_are_those_of_sentencepiece(spoken):
    given, needed = (pieces_of(each.model) for each in (read_back(vocabulary_of(spoken)), spoken))
    assert [(each.piece, each.type) for each in given.pieces] == [(each.piece, each.type) for each in needed.pieces]
    for name in ("model_type", "vocab_size", "byte_fallback", "unk_id", "bos_id", "eos_id", "pad_id",
                 "unk_piece", "bos_piece", "eos_piece", "pad_piece"):
        assert getattr(given.trainer_spec, name) == getattr(needed.trainer_spec, name)
    for name in ("name", "add_dummy_prefix", "remove_extra_whitespaces", "escape_whitespaces"):
        assert getattr(given.normalizer_spec, name) == getattr(needed.normalizer_spec, name)


def test_the_end_of_a_turn_does_not_end_the_text(spoken):
    """The files of tuned models name <end_of_turn> where the end of a text belongs."""
    given = read_back(vocabulary_of(spoken) | {"tokenizer.ggml.eos_token_id": spoken.end_of_turn})
    assert (given.eos, given.end_of_turn) == (spoken.eos, spoken.end_of_turn)


@pytest.mark.skipif(not GEMMA_1.exists(), reason="Gemma's vocabulary is not on this machine")
def test_gemmas_vocabulary_reads_as_published():
    given = read_back(vocabulary_of(Tokenizer(gzip.decompress(GEMMA_1.read_bytes()))))
    assert {text: given.encode(text, bos=False) for text in OFFICIAL} == OFFICIAL


def test_a_file_may_have_no_vocabulary(tmp_path, wide):
    assert load(converted(wide, tmp_path / "model.gguf")).tokenizer is None


# ---- memory
LOADS = """
import sys, jax, gguf
from gemma_edu.pretrained.load import load
status = lambda key: 1024 * int(open("/proc/self/status").read().split(key + ":")[1].split()[0])
jax.numpy.zeros(1).block_until_ready()
before = status("VmRSS")
model = load(sys.argv[1], "float32")
print(status("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_loading_takes_little_more_memory_than_the_weights(tmp_path):
    """Even where most of them are in one table."""
    cfg = Config(V=64_000, D=512, L=6, N=8, K=1, H=64, F=2048)
    huggingface.save(tmp_path / "folder", random_model(cfg, "float32"))
    file = converted(tmp_path / "folder", tmp_path / "model.gguf", Kind.Q8_0)
    grown = subprocess.run([sys.executable, "-c", LOADS, file], check=True, capture_output=True).stdout
    assert int(grown) <= 1.15 * 4 * count(cfg) + 30e6      # what JAX itself takes up meanwhile
