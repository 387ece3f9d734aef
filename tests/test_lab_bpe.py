"""BPE by hand against SentencePiece, and what chapter 04 counts with it."""
import gzip
import random
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from gemma_edu.data.tokenizer import Tokenizer, train
from gemma_edu.lab.tokenizer import bpe, prompts
from gemma_edu.lab.tokenizer.fertility import CHINESE_TO_LEARN_FROM, GEMMA, TEXTS, curve, rival, tokens

GEMMA_1 = Path(__file__).parents[2] / "shared" / "tokenizer" / "gemma1_reconstructed.model.gz"
LIBRARY = [Path(module.__file__).read_text("utf-8") for module in (random, re, gzip)]
VERDICTS = {"no bos": "bos missing", "two bos": "bos twice", "bos between the turns": "bos twice", "fine": "fine",
            "turn not closed": "turn not closed", "no newline after model": "newline missing"}


@pytest.fixture(scope="module")
def library():
    tokenizer = train([*LIBRARY, 20 * CHINESE_TO_LEARN_FROM], 1600)
    return tokenizer, *bpe.learned(tokenizer)


# ---- cutting
@pytest.mark.parametrize("seed", range(20))
def test_the_heap_gives_the_pieces_of_the_slow_way(seed):
    pick = random.Random(seed)
    words = Counter("".join(pick.choices("abc", k=pick.randrange(2, 9))) for _ in range(40))
    ranks = bpe.in_order(dict.fromkeys("".join(pair) for pair in bpe.learn(words, 25)))
    for text in ("", "a", "".join(pick.choices("abcd", k=300))):
        assert bpe.cut(text, ranks) == bpe.cut_with_heap(text, ranks)


def test_the_heap_looks_less_often():
    ranks = bpe.in_order(["ab", "abab", "abababab"])
    slow, quick = bpe.Counted(ranks), bpe.Counted(ranks)
    assert bpe.cut("ab" * 200, slow) == bpe.cut_with_heap("ab" * 200, quick)
    assert quick.asked < slow.asked / 20


@pytest.mark.parametrize("name", TEXTS)
def test_forty_lines_agree_with_sentencepiece(library, name):
    tokenizer, merges, letters = library
    theirs = [tokenizer.pieces.id_to_piece(token) for token in tokenizer.encode(TEXTS[name], bos=False)]
    assert bpe.cut_text(TEXTS[name], bpe.in_order(merges), letters) == theirs


def test_first_learned_and_longest_are_not_the_same():
    ranks = bpe.in_order(["bc", "bcd", "ab"])
    assert bpe.cut("abcd", ranks) == ["a", "bcd"]
    assert bpe.cut_longest("abcd", ranks) == ["ab", "c", "d"]


def test_every_step_joins_one_pair():
    lengths = [len(pieces) for pieces in bpe.steps("abcabc", bpe.in_order(["ab", "abc"]))]
    assert lengths == [6, 5, 4, 3, 2]


# ---- learning
def test_what_is_learned_by_hand_is_what_sentencepiece_learns():
    words = {"▁run": 80, "▁sun": 61, "▁sung": 33, "▁rung": 27, "▁sunny": 46}
    texts = [word.replace("▁", " ") for word, count in words.items() for _ in range(count)]
    theirs, _ = bpe.learned(train(texts, bpe.size("▁runsgy", merges=4)))
    assert ["".join(pair) for pair in bpe.learn(words, 4)] == theirs


def test_a_pair_that_overlaps_with_itself_is_joined_from_the_left():
    assert bpe.merged("aaa", ("a", "a")) == ("aa", "a")
    assert bpe.merged("aaaa", ("a", "a")) == ("aa", "aa")


def test_learning_ends_when_nothing_is_left_to_join():
    assert bpe.learn({"ab": 2, "c": 9}, 50) == [("a", "b")]


def test_a_smaller_vocabulary_begins_a_larger_one(library):
    _, merges, letters = library
    smaller, few = bpe.learned(train([*LIBRARY, 20 * CHINESE_TO_LEARN_FROM], 1100))
    assert smaller == merges[:len(smaller)] and few == letters
    assert bpe.size(letters, len(merges)) == 1600


# ---- what a text costs
def test_what_was_never_seen_costs_a_token_for_each_byte():
    merges, letters = bpe.learned(train(LIBRARY, 600))
    for most in (0, len(merges)):
        assert tokens("雨停了", merges, letters, most) == 9


def test_more_pieces_never_cost_more(library):
    _, merges, letters = library
    for text in TEXTS.values():
        rising = curve(text, merges, letters, [bpe.size(letters, most) for most in (0, 30, 200, len(merges))])
        assert rising == sorted(rising)


def test_a_rival_differs_by_its_rule_alone():
    assert rival(LIBRARY, 500).model == train(LIBRARY, 500).model
    merged = rival(["1984 "] * 50, 310, split_digits=False, hard_vocab_limit=False)
    assert len(merged.encode("1984", bos=False)) < 4


def test_gemmas_counts_are_gemmas(tmp_path):
    if not GEMMA_1.exists():
        pytest.skip("Gemma's vocabulary is not on this machine")
    (tmp_path / "tokenizer.model").write_bytes(gzip.decompress(GEMMA_1.read_bytes()))
    gemma = Tokenizer.load(tmp_path)
    assert {name: len(gemma.encode(text, bos=False)) for name, text in TEXTS.items()} == GEMMA
    assert {piece: gemma.find(piece) for piece in prompts.HELLO} == prompts.HELLO


# ---- prompts
@pytest.mark.parametrize("kind", prompts.KINDS)
def test_each_spoilt_prompt_has_the_mistake_that_it_is_given(kind):
    random = np.random.default_rng(0)
    for turns in (1, 2, 3):
        assert prompts.diagnosed(prompts.spoilt([*prompts.prompt(random, turns)], kind)) == VERDICTS[kind]


def test_the_bits_of_a_first_token_on_paper():
    after_bos, without = prompts.first_token_bits([[0, 1], [0, 2]], V=4)
    assert after_bos == -np.log2(3 / 6) and without == -np.log2(3 / 8)
