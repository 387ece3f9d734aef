"""Byte-pair encoding as it is often misread: merges, cuts and bytes that come out almost right."""
from collections import Counter
from itertools import pairwise

from .bpe import cut, merged

BYTES = 217         # the id of byte 0 in Gemma's vocabulary


# ---- one merge
def join_best(words, counts, join=merged):
    """Join the pair that these counts favour."""
    best = max(counts, key=counts.get)
    return [[*join(pieces, best)] for pieces in words]


def pairs_in(words):
    return Counter(pair for pieces in words for pair in pairwise(pieces))


def pairs_across(words):
    return Counter(pairwise([piece for pieces in words for piece in pieces]))


def pairs_of_kinds(words):
    return pairs_in(dict.fromkeys(map(tuple, words)))


def first_only(pieces, pair):
    at = next((at for at, each in enumerate(pairwise(pieces)) if each == pair), None)
    return pieces if at is None else [*pieces[:at], "".join(pair), *pieces[at + 2:]]


def from_the_right(pieces, pair):
    backwards = merged([piece[::-1] for piece in reversed(pieces)], tuple(piece[::-1] for piece in reversed(pair)))
    return [piece[::-1] for piece in reversed(backwards)]


def last_of_equals(words):
    counts = pairs_in(words)
    best = [pair for pair in counts if counts[pair] == max(counts.values())][-1]
    return [[*merged(pieces, best)] for pieces in words]


def two_by_two(words):
    return [[*map("".join, zip(pieces[::2], [*pieces[1::2], ""], strict=False))] for pieces in words]


# ---- cutting by rank
def joinable(table):
    return {piece: token for piece, token in table.items() if len(piece) > 1}


def ids(pieces, table):
    return [table[piece] for piece in pieces]


def spaced(text):
    return text.replace(" ", "▁")


def right_ids(text, table):
    """As it should be, to compare with."""
    return ids(cut(spaced(text), joinable(table)), table)


def without_spaces(text, table):
    return right_ids(text.replace(" ", ""), table)


def one_join(text, table):
    """One join, the right one, and no more."""
    return ids(join_once(spaced(text), joinable(table)), table)


def join_once(text, ranks):
    pieces = [*text]
    best = min((rank for pair in pairwise(pieces) if (rank := ranks.get("".join(pair))) is not None), default=None)
    at = [at for at, pair in enumerate(pairwise(pieces)) if ranks.get("".join(pair)) == best]
    if at:
        pieces[at[0]:at[0] + 2] = ["".join(pieces[at[0]:at[0] + 2])]
    return pieces


def from_the_highest(text, table):
    backwards = {piece: -token for piece, token in joinable(table).items()}
    return ids(cut(spaced(text), backwards), table)


# ---- bytes for what is unknown
def by_code_point(text, known):
    return [known.get(char, BYTES + ord(char)) for char in text]


def by_bytes(text, known, encode=lambda char: char.encode(), first=BYTES):
    return [token for char in text for token in ([known[char]] if char in known else [first + b for b in encode(char)])]


def all_or_nothing(text, known):
    whole = all(char in known for char in text)
    return by_bytes(text, known) if whole else [BYTES + byte for byte in text.encode()]
