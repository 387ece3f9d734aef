"""Gemma's prompts, right and spoilt, and what a bos is worth."""
import numpy as np

BOS, START, END, NEWLINE, USER, MODEL = 2, 106, 107, 108, 1645, 2516       # Gemma's ids
FULL_STOP = 235_265

# The part of Gemma's vocabulary that `Hello world!` touches; DeepMind's colabs/tokenizer.ipynb cuts it into
# 4521 2134 235341
HELLO = {"or": 483, "▁w": 513, "el": 521, "ll": 529, "lo": 545, "ld": 706, "ell": 806, "wo": 1100, "▁wor": 1322,
         "He": 1949, "▁world": 2134, "Hel": 2405, "orld": 2780, "llo": 3979, "rl": 4366, "Hello": 4521, "▁wo": 5202,
         "world": 9097, "ello": 13444, "wor": 17987, "Hell": 34074, "▁": 235248, "e": 235249, "o": 235253, "r": 235255,
         "l": 235257, "d": 235258, "w": 235271, "H": 235314, "!": 235341}


# ---- the turn format
def formatted(turns, opening="<start_of_turn>{role}\n", closing="<end_of_turn>\n", strip=str.strip, model="model"):
    roles = {"user": "user", "assistant": model}
    body = "".join(opening.format(role=roles[role]) + strip(text) + closing for role, text in turns)
    return body + opening.format(role="model")


# ---- what a bos is worth
def few_beginnings(random):
    """Documents that begin with one of two tokens, and go on with any of twenty."""
    return [[int(random.integers(2)), *map(int, random.integers(0, 20, random.integers(5, 12)))] for _ in range(30)], 20


def many_beginnings(random):
    return [[*map(int, random.integers(0, 6, random.integers(2, 5)))] for _ in range(7)], 6


def first_token_bits(documents, V, smooth=1, log=np.log2, average=np.mean):
    """Surprise at the first token of each document: after bos, and out of the blue."""
    first, anything = [each[0] for each in documents], [token for each in documents for token in each]

    def surprise(seen):
        counts = np.bincount(seen, minlength=V) + smooth
        return float(average(-log(counts[first] / counts.sum())))
    return surprise(first), surprise(anything)


def bits_of_the_mean(documents, V):
    first, anything = [each[0] for each in documents], [token for each in documents for token in each]
    shares = [(np.bincount(seen, minlength=V) + 1) / (len(seen) + V) for seen in (first, anything)]
    return tuple(float(-np.log2(share[first].mean())) for share in shares)


def not_a_share(documents, V):
    after, without = first_token_bits(documents, V)
    some, more = len(documents), sum(map(len, documents))
    return after + float(np.log2(some / (some + V))), without + float(np.log2(more / (more + V)))


# ---- prompts in ids
KINDS = ["fine", "no bos", "two bos", "turn not closed", "no newline after model", "bos between the turns"]


def prompt(random, turns):
    yield BOS
    for turn in range(2 * turns - 1):
        yield from (START, [USER, MODEL][turn % 2], NEWLINE)
        yield from (int(token) for token in random.integers(473, 235_248, random.integers(3, 6)))
        yield from (NEWLINE, FULL_STOP, END, NEWLINE)
    yield from (START, MODEL, NEWLINE)


def spoilt(ids, kind):
    last = len(ids) - ids[::-1].index(END) - 1
    match kind:
        case "no bos":
            return ids[1:]
        case "two bos":
            return [BOS, *ids]
        case "turn not closed":
            return ids[:last] + ids[last + 1:]
        case "no newline after model":
            return ids[:-1]
        case "bos between the turns":
            return ids[:last + 2] + [BOS] + ids[last + 2:]
    return ids


def diagnosed(ids, bos=lambda ids: ids.count(BOS), begins=lambda ids: ids[0] == BOS,
              closed=lambda ids: ids.count(END) == ids.count(START) - 1,
              newline=lambda ids: ids[-3:] == [START, MODEL, NEWLINE]):
    if not begins(ids):
        return "bos missing"
    if bos(ids) > 1:
        return "bos twice"
    return "fine" if closed(ids) and newline(ids) else "newline missing" if closed(ids) else "turn not closed"


def suspects(random):
    """Prompts of one to three turns, each with one of the mistakes or with none."""
    kinds = 3 * KINDS
    return ([spoilt([*prompt(random, 1 + number // len(KINDS))], kind) for number, kind in enumerate(kinds)],)
