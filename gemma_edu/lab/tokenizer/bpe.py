"""Byte-pair encoding by hand: learn merges from words, cut text with them, slowly or with a heap."""
import re
from collections import Counter, deque
from heapq import heappop, heappush
from itertools import pairwise
from math import inf

from ...data.tokenizer import GEMMA

WHOLE = sorted(GEMMA["user_defined_symbols"], key=len, reverse=True)      # pieces that nobody may cut
SPLIT = re.compile(f"({'|'.join(map(re.escape, WHOLE))})")


# ---- learning
def learn(words, merges):
    """The pairs to merge, most frequent first, from {word: how often it occurs}."""
    cuts, learned = {tuple(word): count for word, count in words.items()}, []
    while len(learned) < merges and (pairs := count_pairs(cuts)):
        best = max(pairs, key=pairs.get)                # of equals, the one met first
        learned.append(best)
        cuts = {merged(pieces, best): count for pieces, count in cuts.items()}
    return learned


def count_pairs(cuts):
    """How often two pieces stand side by side within a word, from {pieces: how often}."""
    pairs = Counter()
    for pieces, count in cuts.items():
        for pair in pairwise(pieces):
            pairs[pair] += count
    return pairs


def merged(pieces, pair):
    """The same word with this pair joined wherever it stands, from left to right."""
    joined = []
    for piece in pieces:
        if joined and (joined[-1], piece) == pair:
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


# ---- cutting
def steps(text, ranks):
    """Start from characters; join the neighbours whose piece was learned first; repeat.

    `ranks` is {piece: when it was learned}; yields the pieces after each step.
    """
    pieces = [*text]
    while True:
        yield [*pieces]
        found = [ranks.get(left + right, inf) for left, right in pairwise(pieces)]
        if min(found, default=inf) == inf:
            return
        at = found.index(min(found))
        pieces[at:at + 2] = [pieces[at] + pieces[at + 1]]


def cut(text, ranks):
    """The pieces when nothing is left to join."""
    return deque(steps(text, ranks), maxlen=1).pop()


def cut_with_heap(text, ranks):
    """The same pieces, but each look at a pair is remembered in a heap: n log n, not n squared."""
    pieces, heap, end = [*text], [], len(text)
    before, after = [*range(-1, end - 1)], [*range(1, end + 1)]     # neighbours; a joined piece drops out

    def offer(left):
        if left >= 0 and (right := after[left]) < end:
            piece = pieces[left] + pieces[right]
            if (rank := ranks.get(piece, inf)) < inf:
                heappush(heap, (rank, left, piece))

    for left in range(end - 1):
        offer(left)
    while heap:
        _, left, piece = heappop(heap)
        right = after[left]
        if right >= end or not pieces[left] or pieces[left] + pieces[right] != piece:
            continue                                                # a neighbour has changed since
        pieces[left], pieces[right], after[left] = piece, "", after[right]
        if after[right] < end:
            before[after[right]] = left
        offer(before[left])
        offer(left)
    return [piece for piece in pieces if piece]


def cut_longest(text, ranks):
    """A rival: from left to right, always the longest piece there is."""
    pieces, at, most = [], 0, max(map(len, ranks), default=1)
    while at < len(text):
        ends = range(min(len(text), at + most), at + 1, -1)
        end = next((end for end in ends if text[at:end] in ranks), at + 1)
        pieces.append(text[at:end])
        at = end
    return pieces


# ---- Gemma's rules
def learned(tokenizer):
    """What a tokenizer trained by `data.tokenizer` has learned: its merges in order, and its characters."""
    first = tokenizer.find("<0xFF>") + 1
    pieces = [tokenizer.pieces.id_to_piece(token) for token in range(first, tokenizer.size)]
    return [piece for piece in pieces if len(piece) > 1], {piece for piece in pieces if len(piece) == 1}


def size(letters, merges):
    """How many pieces a vocabulary with so many merges has: names, bytes, characters, merges."""
    return 4 + len(WHOLE) + 256 + len(letters) + merges


def cut_text(text, ranks, letters):
    """A text as Gemma cuts it: spaces become ▁, runs of them stay whole, unknown characters become bytes."""
    pieces = []
    for part in SPLIT.split(text.replace(" ", "▁")):
        pieces += [part] if part in WHOLE else cut_with_heap(part, ranks)
    return [token for piece in pieces for token in spelled(piece, letters)]


def spelled(piece, letters):
    """The piece itself, or the bytes of a character that the vocabulary lacks."""
    known = len(piece) > 1 or piece in letters or piece in WHOLE
    return [piece] if known else [f"<0x{byte:02X}>" for byte in piece.encode()]


def in_order(pieces):
    """{piece: rank} of pieces that come in the order in which they were learned."""
    return {piece: rank for rank, piece in enumerate(pieces)}


class Counted(dict):
    """Ranks that remember how often they were asked."""
    asked = 0

    def get(self, *piece):
        self.asked += 1
        return super().get(*piece)
