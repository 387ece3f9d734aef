"""The tokenizer against Google's published ids, SentencePiece itself, and BPE by hand."""
import gzip
import io
import random
import re
from collections import Counter
from pathlib import Path

import pytest
import sentencepiece

from gemma_edu.data.tokenizer import GEMMA, NEWLINES, Tokenizer, train

GEMMA_1 = Path(__file__).parents[2] / "shared" / "tokenizer" / "gemma1_reconstructed.model.gz"

OFFICIAL = {      # Hugging Face tests/models/gemma/test_tokenization_gemma.py, unless marked
    "This is a test": [1596, 603, 476, 2121],
    "生活的真谛是": [122182, 235710, 245467, 235427],
    "A sample test": [235280, 6453, 2121],
    " " * 47: [168, 153],
    "\t\t\t\t \n\n61": [255971, 235248, 109, 235318, 235274],
    "The quick brown fox jumps over the lazy dog.":
        [651, 4320, 8426, 25341, 36271, 1163, 573, 27894, 5929, 235265],
    # DeepMind's colabs/tokenizer.ipynb
    "Derinkuyu is an underground city.": [8636, 979, 78904, 603, 671, 30073, 3413, 235265],
    "Hello world!": [4521, 2134, 235341],
    # the chat template
    "<start_of_turn>user\nKnock knock.<end_of_turn>\n<start_of_turn>model\n":
        [106, 1645, 108, 94210, 26021, 235265, 107, 108, 106, 2516, 108],
    # SentencePiece's own reading: a control piece typed as text stays text
    "Hey<eos>.": [6750, 235322, 96396, 32229],
    # measured with the public vocabulary: digits apart, runs of spaces, indentation, bytes
    "3.14159": [235304, 235265, 235274, 235310, 235274, 235308, 235315],
    "Hi  Hello": [2151, 139, 4521],
    "def f(x):\n    return x": [1293, 517, 235278, 235297, 1245, 108, 141, 773, 1141],
    "𓀀": [457, 364, 345, 345],
}
TYPED = ["<start_of_turn>model\n", "<<end_of_turn>>", "<start_of_<end_of_turn>turn>" * 2, "a < b <"]


@pytest.fixture(scope="module")
def gemma(tmp_path_factory):
    if not GEMMA_1.exists():
        pytest.skip("Gemma's vocabulary is not on this machine")
    folder = tmp_path_factory.mktemp("gemma")
    (folder / "tokenizer.model").write_bytes(gzip.decompress(GEMMA_1.read_bytes()))
    return Tokenizer.load(folder)


TEXTS = [Path(module.__file__).read_text("utf-8") for module in (re, random, sentencepiece)]


@pytest.fixture(scope="module")
def small():
    return train(TEXTS, 1000)


@pytest.mark.parametrize("text", OFFICIAL)
def test_gemma_reads_as_published(gemma, text):
    assert gemma.encode(text, bos=False) == OFFICIAL[text]
    assert gemma.encode(text) == [2, *OFFICIAL[text]]
    assert gemma.decode(gemma.encode(text)) == text


def test_gemma_writes_as_published(gemma):
    assert gemma.decode([869]) == "og" and gemma.decode([30112, 869]) == " expenditureog"
    assert gemma.decode([4567]) == "Med"


def test_gemmas_special_tokens_stand_where_they_should(gemma):
    special = gemma.pad, gemma.eos, gemma.bos, gemma.start_of_turn, gemma.end_of_turn
    assert special == (0, 1, 2, 106, 107) and gemma.size == 256_000


def test_a_trained_tokenizer_numbers_its_special_tokens_as_gemma_does(small):
    assert small.size == 1000 and (small.pad, small.eos, small.bos) == (0, 1, 2)
    assert small.decode([small.start_of_turn, small.end_of_turn]) == "<start_of_turn><end_of_turn>"
    assert small.decode([small.pad, small.eos, small.bos]) == ""


def test_a_model_without_turns_has_none():
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["some words"]), model_writer=model, model_type="bpe",
        vocab_size=300, byte_fallback=True, hard_vocab_limit=False, minloglevel=2)
    assert Tokenizer(model.getvalue()).start_of_turn is None


# ---- there and back
def any_text(seed, length=200):
    """Characters of one to four bytes, spaces and newlines; no ▁, which stands for a space."""
    pick = random.Random(seed)
    letters = ["ab 12\n\t", " \n", "éßñ", "生活的…", "🤗𓀀", "\x01\x7f\r"]
    return "".join(pick.choice(pick.choice(letters)) for _ in range(length))


@pytest.mark.parametrize("seed", range(20))
def test_every_text_comes_back(small, seed):
    text = any_text(seed)
    for markers in True, False:
        assert small.decode(small.encode(text, markers=markers)) == text


def test_every_piece_is_written_as_sentencepiece_writes_it(small):
    readable = [i for i in range(small.size) if i != small.pieces.unk_id()]
    assert [small.decode([i]) for i in readable] == [small.pieces.decode([i]) for i in readable]


@pytest.mark.parametrize("seed", range(20))
def test_any_bytes_are_read_as_python_reads_utf8(small, seed):
    noise = random.Random(seed).choices(b"A\xc3\xa9\xe2\x82\xac\xf0\x9f\xff", k=30)
    tokens = [small.find(f"<0x{byte:02X}>") for byte in noise]
    assert small.decode(tokens) == bytes(noise).decode("utf-8", "replace")
    assert "".join(small.decode_stream(tokens)) == small.decode(tokens)


def test_a_stream_never_shows_half_a_character(small):
    tokens = small.encode("né 生 🤗 end")
    shown = [*small.decode_stream(tokens)]
    assert "".join(shown) == "né 生 🤗 end" and not any("\ufffd" in part for part in shown)


def test_a_stream_does_not_wait_for_its_end(small):
    arriving = iter(small.encode("a🤗b", bos=False))
    stream = small.decode_stream(arriving)
    assert [next(stream), next(stream)] == ["a", "🤗"]
    assert small.decode(arriving) == "b"


# ---- how a vocabulary is learned and used
def by_hand(tokenizer, text):
    """BPE in plain Python: first the pieces nobody may cut, then the best pair, then the next."""
    whole = sorted(GEMMA["user_defined_symbols"], key=len, reverse=True)
    parts = re.split(f"({'|'.join(map(re.escape, whole))})", text.replace(" ", "▁"))
    cut = [known(tokenizer, p) if p in whole else merged(tokenizer, [*p]) for p in parts]
    return [token for tokens in cut for token in tokens]


def merged(tokenizer, pieces):
    def rank(i):
        return tokenizer.find(pieces[i] + pieces[i + 1]) or tokenizer.size
    while len(pieces) > 1 and rank(best := min(range(len(pieces) - 1), key=rank)) < tokenizer.size:
        pieces[best:best + 2] = [pieces[best] + pieces[best + 1]]
    return [token for piece in pieces for token in known(tokenizer, piece)]


def known(tokenizer, piece):
    found = tokenizer.find(piece)
    return [tokenizer.find(f"<0x{b:02X}>") for b in piece.encode()] if found is None else [found]


def test_bpe_by_hand_agrees(small):
    for line in Path(gzip.__file__).read_text("utf-8").splitlines(keepends=True)[:150]:
        assert small.encode(line, bos=False) == by_hand(small, line)
    assert small.encode(any_text(0), bos=False) == by_hand(small, any_text(0))


def test_the_first_merge_is_the_most_frequent_pair():
    words = ["hug"] * 10 + ["pug"] * 5 + ["pun"] * 12 + ["bun"] * 4 + ["hugs"] * 5
    pairs = Counter(word[i:i + 2] for word in words for i in range(len(word) - 1))
    first = 4 + len(GEMMA["user_defined_symbols"]) + 256
    learned = train(words, first + 1 + len(set("".join(words))))
    assert pairs.most_common(1)[0] == ("ug", 20)
    assert learned.pieces.id_to_piece(first) == "ug"


def test_digits_stand_alone_however_frequent():
    years = train(["In 1984 and in 1984 "] * 99, 305)
    assert [*map(years.spelling, years.encode("1984", bos=False))] == [b"1", b"9", b"8", b"4"]


def test_words_keep_their_space(small):
    first, second = (small.encode(text, bos=False)[0] for text in ("return", " return"))
    assert first != second and small.spelling(second).startswith(b" r")


def test_indentation_is_one_token(small):
    for text in "\n", "\n\n", "\n\n\n", " " * 4, " " * 8, " " * 24:
        assert len(small.encode(text, bos=False)) == 1


def test_a_long_text_is_learned_where_sentencepiece_alone_would_drop_it():
    text = "word " * 30_000
    assert train([text], 300).find("▁word") is not None
    with pytest.raises(RuntimeError, match="sentences_.empty"):
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([text]), model_writer=io.BytesIO(), vocab_size=300,
            minloglevel=2)


def test_no_piece_reaches_across_a_line():
    lines = train(["end\nstart\n\n" * 99], 303)
    assert lines.find("start") is not None
    assert [p for t in range(lines.size) if "\n" in (p := lines.pieces.id_to_piece(t))] == NEWLINES


def test_a_word_of_any_length_can_be_learned_from():
    assert train(["ab" * 100_000], 295).find("abab") is not None


def test_the_same_texts_give_the_same_bytes(small):
    assert train(iter(TEXTS), 1000).model == small.model


def test_training_is_silent_and_leaves_no_files(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    train(["some words and some more"] * 9, 310)
    assert capfd.readouterr() == ("", "") and not [*tmp_path.iterdir()]


def test_a_saved_tokenizer_is_the_same(small, tmp_path):
    small.save(tmp_path)
    assert Tokenizer.load(tmp_path / "tokenizer.model").model == small.model
    train(TEXTS, 1000).save(tmp_path / "mine.model")
    assert (tmp_path / "mine.model").read_bytes() == small.model


# ---- strangers and mistakes
@pytest.mark.parametrize("text", TYPED)
def test_a_stranger_cannot_type_a_turn(small, text):
    plain = small.encode(text, markers=False)
    assert not {small.start_of_turn, small.end_of_turn} & {*plain}
    assert small.decode(plain) == text
    typed = sum(text.count(turn) for turn in ("<start_of_turn>", "<end_of_turn>"))
    assert sum(t in (small.start_of_turn, small.end_of_turn) for t in small.encode(text)) == typed


def test_typed_control_names_stay_text(small):
    assert not {small.pad, small.eos, small.bos} & {*small.encode("<pad><eos><bos>", bos=False)}


@pytest.mark.parametrize("text, error, says", [
    (b"bytes", TypeError, "str, not bytes"),
    (None, TypeError, "str, not NoneType"),
    ("ab\0", ValueError, r"'\\x00' at position 2"),
    ("a\ud800", ValueError, r"'\\ud800' at position 1")])
def test_what_is_not_text_is_refused(small, text, error, says):
    with pytest.raises(error, match=says):
        small.encode(text)
    with pytest.raises(error, match=says):
        train(["fine", text], 300)


@pytest.mark.parametrize("token", [-1, 1000, 10**12])
def test_tokens_of_another_vocabulary_are_refused(small, token):
    with pytest.raises(ValueError, match=f"token {token} .* 0 to 999"):
        small.decode([5, token])


def test_a_token_is_a_whole_number(small):
    with pytest.raises(TypeError, match="float"):
        small.decode([5.0])


def test_a_missing_tokenizer_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no tokenizer at .*tokenizer\.model; train one"):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b'{"model": {}}', b"\n", bytes(100), b"\x93NUMPY" * 99])
def test_a_file_of_another_kind_is_refused(tmp_path, content, capfd):
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"tokenizer\.json is not a SentencePiece model"):
        Tokenizer.load(tmp_path / "tokenizer.json")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("texts, size, says", [
    ([], 300, "no text"), ([""], 300, "no text"), (["ab"], 0, "no room"),
    (["ab"], 10, "smaller than"), (["ab"], 4096, "too high")])
def test_a_vocabulary_that_cannot_be_learned_is_refused(texts, size, says):
    with pytest.raises(ValueError, match=f"cannot learn {size} pieces .*{says}"):
        train(texts, size)


def test_one_text_is_not_many():
    with pytest.raises(TypeError, match="put it into a list"):
        train("one text", 300)
