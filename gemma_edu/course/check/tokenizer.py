"""The checks of chapter 04, and the mistakes they know."""
from collections import Counter

import numpy as np

from ...lab.tokenizer import miscut, prompts
from ...lab.tokenizer.bpe import cut_longest, learn, merged
from ...lab.tokenizer.miscut import by_bytes, ids, join_best, pairs_in, spaced
from .exercise import Exercise


def word(random, letters="abc", most=7):
    return "".join(random.choice([*letters], random.integers(2, most)))


# ---- 1. one merge
def in_pieces(random):
    """A text of some words, each a list of pieces, some of which are joined already."""
    return ([[*merged(word(random), ("a", "b"))] for _ in range(12)],)


def in_a_row(random):
    """The frequent pair overlaps with itself."""
    return ([[*"aaaa"], [*"aaab"], [*"aaa"], [*"cb"], [*"cb"]],)


def one_word_often(random):
    return ([[*"xy"]] * 5 + [[*"pq"], [*"pqr"], [*"spq"]],)


def at_borders(random):
    return ([[*"acb"], [*"adb"], [*"aeb"], [*"acb"], [*"ba"]],)


def equals(random):
    return ([[*"ab"], [*"cd"], [*"dcd"], [*"eab"], [*"f"]],)


bpe_merge = Exercise(
    lambda words: join_best(words, pairs_in(words)), [in_pieces, in_a_row, one_word_often, at_borders, equals],
    wrong={
        "You counted pairs across the border of two words. A merge never joins the end of one to the start of another.":
            lambda words: join_best(words, miscut.pairs_across(words)),
        "You counted each word once, however often it stands in the text. Frequent words count more.":
            lambda words: join_best(words, miscut.pairs_of_kinds(words)),
        "Does the pair occur twice in one word? Join it wherever it stands.":
            lambda words: join_best(words, pairs_in(words), miscut.first_only),
        "Where a pair overlaps with itself, as in a·a·a, which one comes first? Read from the left.":
            lambda words: join_best(words, pairs_in(words), miscut.from_the_right),
        "Two pairs were equally frequent, and you took the later one. Take the one that was met first.":
            miscut.last_of_equals,
        "You joined neighbours two by two. Only one pair is joined in one merge: the most frequent.": miscut.two_by_two,
        "Nothing was joined. Is the pair a pair of pieces, and do you return the new words?": lambda words: words,
    },
    hints=["Two passes: count every pair of neighbours in every word; then rebuild each word, joining the best pair.",
           "max(counts, key=counts.get) gives the first of equals, if the counts were filled in order of meeting.",
           "To rebuild a word, walk from left to right; where the pair begins, add both at once and skip one."])


# ---- 2. cutting by rank
def as_published(random):
    """The part of Gemma's vocabulary that these words touch; DeepMind gives 4521 2134 235341."""
    return "Hello world!", dict(prompts.HELLO)


def a_vocabulary(random):
    """Some merges learned from words, numbered as Gemma numbers them, and a text of such words."""
    words = [f"▁{word(random, 'abcd', 9)}" for _ in range(60)]
    merges = dict.fromkeys("".join(pair) for pair in learn(Counter(words), 40))
    table = {piece: 473 + rank for rank, piece in enumerate(merges)}
    table |= {letter: 235_248 + rank for rank, letter in enumerate("▁abcd")}
    return " ".join(word(random, "abcd", 12) for _ in range(8)), table


bpe_cut = Exercise(
    miscut.right_ids, [a_vocabulary, a_vocabulary, as_published],
    wrong={
        "You took pieces from left to right, the longest that fits. BPE does not look at lengths: it repeats merges in "
        "the order in which they were learned.": lambda text, table: ids(cut_longest(spaced(text), table), table),
        "Where have the spaces gone? Each becomes a character of its own, ▁, before anything is joined.":
            miscut.without_spaces,
        "You joined the highest id first. Which were learned first, the low ids or the high?": miscut.from_the_highest,
        "You stopped after one join. The pieces that you made can be joined again.": miscut.one_join,
        "You returned characters. Nothing was joined.": lambda text, table: ids(spaced(text), table),
    },
    hints=["Begin with the list of characters, in which a space has become ▁.",
           "In each turn, look up every pair of neighbours; of those in the table join the one with the lowest id.",
           "Stop when no pair of neighbours is in the table. Then look up the ids."])


# ---- 3. bytes for what is unknown
def mixed(random):
    known = {letter: 235_248 + rank for rank, letter in enumerate("▁aeio")}
    return "".join(random.choice([*"▁aeioé中𓀀🤗ñ"], 14)), known


def hieroglyph(random):
    return "𓀀", {}         # Gemma gives 457 364 345 345


byte_fallback = Exercise(
    by_bytes, [hieroglyph, mixed, mixed],
    wrong={
        "You added the number of the character (its code point). Ask for its bytes in UTF-8: one to four of them.":
            miscut.by_code_point,
        "The bytes are numbers from 0 to 255; where in Gemma's vocabulary does byte 0 live?":
            lambda text, known: by_bytes(text, known, first=0),
        "You are off by one: is byte 0 at 217 or at 218?": lambda text, known: by_bytes(text, known, first=218),
        "One unknown character should not turn the whole text into bytes. Decide for each character.":
            miscut.all_or_nothing,
        "You wrote unk, 3: the character is lost, and nothing can bring it back.":
            lambda text, known: [known.get(char, 3) for char in text],
        "The bytes of a character stand in the wrong order: the first byte comes first.":
            lambda text, known: by_bytes(text, known, encode=lambda char: char.encode()[::-1]),
        "Which encoding gave these bytes? Gemma's are those of UTF-8.":
            lambda text, known: by_bytes(text, known, encode=lambda char: char.encode("utf-16-le")),
    },
    hints=["char.encode() gives the bytes of a character in UTF-8, and a loop over them gives numbers.",
           "Byte b has the id 217 + b."])


# ---- 4. the turn format
def knock(random):
    return ([("user", "Knock knock.")],)


def dialogue(random):
    return ([("user", "  Which is longer, 9 or 10?\n"), ("assistant", "10 is longer: two tokens. "),
             ("user", "\nAnd in Chinese?")],)


def spoken(**belief):
    return lambda turns: prompts.formatted(turns, **belief)


turn_format = Exercise(
    prompts.formatted, [knock, dialogue],
    wrong={
        "After the last `model` comes a newline, as after every role. Without it the model has to write one itself.":
            lambda turns: prompts.formatted(turns).removesuffix("\n"),
        "No newline follows the role. The model has never seen the role and the text on one line.":
            spoken(opening="<start_of_turn>{role}"),
        "There is a newline after each <end_of_turn>.": spoken(closing="<end_of_turn>"),
        "There is no newline before <end_of_turn>.": spoken(closing="\n<end_of_turn>\n"),
        "bos is not text: the tokenizer adds it. Typed here it would be several pieces of text, or a second bos.":
            lambda turns: "<bos>" + prompts.formatted(turns),
        "Gemma calls itself `model`, not `assistant`.": spoken(model="assistant"),
        "White space around what is said does not belong to it: strip it.": spoken(strip=str),
        "Whose turn is it now? The prompt has to end by opening the model's.":
            lambda turns: prompts.formatted(turns).removesuffix("<start_of_turn>model\n"),
        "You closed the model's turn before it could speak.":
            lambda turns: prompts.formatted(turns) + "<end_of_turn>\n",
    },
    hints=["One turn: <start_of_turn>, the role, a newline, what was said, <end_of_turn>, a newline.",
           "At the end: <start_of_turn>model and a newline, and nothing more."])


# ---- 5. why bos
def measured(**belief):
    return lambda documents, V: prompts.first_token_bits(documents, V, **belief)


why_bos = Exercise(
    prompts.first_token_bits, [prompts.few_beginnings, prompts.many_beginnings],
    wrong={
        "You swapped the two: first the bits where a bos stands before the document, then those without.":
            lambda documents, V: prompts.first_token_bits(documents, V)[::-1],
        "You measured in nats. Bits take the logarithm to the base 2.": measured(log=np.log),
        "Add one to each of the V counts, or a token that was never seen would be impossible.": measured(smooth=0),
        "You added one to each count, but no V to the total: the probabilities sum to more than one.":
            prompts.not_a_share,
        "You averaged probabilities and took the logarithm at the end. Take the bits of each document, then the mean.":
            prompts.bits_of_the_mean,
        "You summed over the documents; the mean was asked for.": measured(average=np.sum),
    },
    hints=["After bos stands the first token of a document: count those. Without bos it may be any token: count all.",
           "p = (count + 1) / (total + V) for each token; a document's bits are -log2 of the p of its first token."])


# ---- 6. the hunt
def hunt(**belief):
    return lambda suspects: [prompts.diagnosed(ids, **belief) for ids in suspects]


prompt_bugs = Exercise(
    hunt(), [prompts.suspects, prompts.suspects],
    wrong={
        "You looked for a second bos at the start only. It may also stand between the turns, where two prompts were "
        "glued together.": hunt(bos=lambda ids: 1 + (ids[:2] == [2, 2])),
        "You asked whether there is a bos. Ask how many there are.": hunt(bos=lambda ids: 1),
        "Is there a newline after the last `model`? Newlines elsewhere do not help.":
            hunt(newline=lambda ids: 108 in ids),
        "One <end_of_turn> is not enough: each turn but the one that the model shall speak has its own.":
            hunt(closed=lambda ids: 107 in ids),
        "Each turn that was opened has to be closed, but for the last: the model closes it itself.":
            hunt(closed=lambda ids: ids.count(107) == ids.count(106)),
    },
    hints=["Four questions. Does it begin with 2? How often is 2 in it? How many turns are opened and how many closed? "
           "What are the last three ids?",
           "A good prompt has one 107 fewer than 106, and ends with 106 2516 108."])
