# %% [markdown]
# # Exercises 04 · Tokenizer
#
# Six exercises, about an hour. Replace the line that raises `NotImplementedError`, run the cell, then run the check
# below it. It says **correct**, **not yet** (and why), or **not attempted**. From the second failure on it unfolds
# hints.

# %%
from collections import Counter
from itertools import pairwise
from math import inf

import numpy as np

from gemma_edu.course import check
from gemma_edu.data.sums import sums
from gemma_edu.lab.tokenizer.prompts import HELLO

# %% [markdown]
# ## 1 · One merge ⭐⭐ (15 minutes)
#
# **Goal.** One step of learning: find the pair of neighbours that occurs most often, and join it wherever it
# stands.
#
# **In** `words`, a text as a list of words, each a list of pieces: `[["r", "un"], ["s", "un", "g"], …]`. A word may
# stand in it several times. **Out** a new list of the same words with that one pair joined. Of equally frequent
# pairs, take the one that is met first; in `a a a`, join from the left. No word is empty.

# %% answer="bpe_merge"
def bpe_merge(words):
    ### BEGIN SOLUTION
    counts = Counter(pair for pieces in words for pair in pairwise(pieces))
    best = max(counts, key=counts.get)
    merged = []
    for pieces in words:
        word = []
        for piece in pieces:
            if word and (word[-1], piece) == best:
                word[-1] += piece
            else:
                word.append(piece)
        merged.append(word)
    return merged
    ### END SOLUTION

# %% check="bpe_merge" points=3
check.bpe_merge(bpe_merge)

# %% [markdown]
# Merge a small text four times, and watch it grow together:

# %% open=true
text = [[*word] for word in ("she", "sells", "sea", "shells", "she", "sees")]
for _ in range(4):
    text = bpe_merge(text)
    print("  ".join("·".join(word) for word in text))

# %% [markdown]
# ## 2 · Cut as Gemma does ⭐⭐ (15 minutes)
#
# **Goal.** Cut a text with a finished vocabulary. Gemma numbers its merges in the order in which they were learned,
# so the id of a piece is its rank.
#
# **In** `text`, and `table`, which gives the id of each piece; it holds every character that occurs, and ▁ for the
# space. **Out** the list of ids. Here is a corner of Gemma's real vocabulary:

# %%
print(HELLO)

# %% answer="bpe_cut"
def bpe_cut(text, table):
    ### BEGIN SOLUTION
    pieces = [*text.replace(" ", "▁")]
    while True:
        found = [table.get(left + right, inf) for left, right in pairwise(pieces)]
        if min(found, default=inf) == inf:
            return [table[piece] for piece in pieces]
        at = found.index(min(found))
        pieces[at:at + 2] = [pieces[at] + pieces[at + 1]]
    ### END SOLUTION

# %% check="bpe_cut" points=3
check.bpe_cut(bpe_cut)

# %% [markdown]
# DeepMind's own notebook (`colabs/tokenizer.ipynb`) cuts `Hello world!` into 4521, 2134 and 235341. So do you:

# %% open=true
assert bpe_cut("Hello world!", HELLO) == [4521, 2134, 235341]
print("the ids of DeepMind")

# %% [markdown]
# ## 3 · Nothing is unknown ⭐ (5 minutes)
#
# **Goal.** Spell what has no piece in bytes. In Gemma's vocabulary the bytes 0 to 255 have the ids 217 to 472.
#
# **In** `text`, and `known`, which gives the ids of some characters. **Out** the list of ids: for each character
# its own, or those of its bytes in UTF-8.

# %% answer="byte_fallback"
def byte_fallback(text, known):
    ### BEGIN SOLUTION
    ids = []
    for char in text:
        ids += [known[char]] if char in known else [217 + byte for byte in char.encode()]
    return ids
    ### END SOLUTION

# %% check="byte_fallback" points=1
check.byte_fallback(byte_fallback)

# %% [markdown]
# ## 4 · The turn format ⭐ (10 minutes)
#
# **Goal.** Write the prompt that an instruction-tuned Gemma expects, to the letter. Chapter 04 shows it for one
# turn.
#
# **In** `turns`, a list of pairs `(role, text)`, where the role is `"user"` or `"assistant"`; the last turn is the
# user's. **Out** the prompt as one str. White space at both ends of what was said is stripped. The tokenizer adds
# bos, so the str has none. The prompt ends where the model shall begin to speak.

# %% answer="turn_format"
def turn_format(turns):
    ### BEGIN SOLUTION
    names = {"user": "user", "assistant": "model"}
    said = "".join(f"<start_of_turn>{names[role]}\n{text.strip()}<end_of_turn>\n"
                   for role, text in turns)
    return said + "<start_of_turn>model\n"
    ### END SOLUTION

# %% check="turn_format" points=2
check.turn_format(turn_format)

# %% [markdown]
# ## 5 · Why bos ⭐⭐ (10 minutes)
#
# **Goal.** Measure what a bos is worth. A model that only counts is to guess the first token of a document, once
# knowing that a document begins here, once without knowing where it is.
#
# **In** `documents`, a list of lists of ids below V, none empty; and `V`. **Out** the pair `(after_bos, without)`:
# the mean over the documents of the bits $-\log_2 p$ of their first token. After bos, $p$ is counted among the
# first tokens of all documents; without, among all tokens of all documents. Add one to each of the V counts, so
# that nothing is impossible.
#
# **Predict first.** For generated sums, which all begin with `>>>`: is the difference half a bit, two bits, or
# four?

# %% answer="why_bos"
def why_bos(documents, V):
    ### BEGIN SOLUTION
    first = [document[0] for document in documents]
    everything = [token for document in documents for token in document]

    def bits(seen):
        counts = np.bincount(seen, minlength=V) + 1
        return float(np.mean(-np.log2(counts[first] / np.sum(counts))))
    return bits(first), bits(everything)
    ### END SOLUTION

# %% check="why_bos" points=2
check.why_bos(why_bos)

# %% open=true
after_bos, without = why_bos([[*text.encode()] for _, _, text in sums(2000, seed=0)], V=256)
print(f"bos is worth {without - after_bos:.1f} bits on the first byte")

# %% [markdown]
# ## 6 · The hunt ⭐⭐⭐ (15 minutes)
#
# **Goal.** Several people built prompts for Gemma by hand, and most of them made a mistake. Find it in the bare
# ids. You know that bos is 2, `<start_of_turn>` 106, `<end_of_turn>` 107, a newline 108, `user` 1645 and `model`
# 2516. A right one:
#
# `2 106 1645 108 94210 26021 235265 107 108 106 2516 108`
#
# **In** `prompts`, a list of lists of ids, of one or several turns. **Out** a list of str, one for each: `"fine"`,
# `"bos missing"`, `"bos twice"`, `"turn not closed"` (somewhere an `<end_of_turn>` is missing) or `"newline
# missing"` (after the last `model`). No prompt has two mistakes. There may be newlines in what was said.

# %% answer="prompt_bugs"
def prompt_bugs(prompts):
    ### BEGIN SOLUTION
    def bug(ids):
        if ids[0] != 2:
            return "bos missing"
        if ids.count(2) > 1:
            return "bos twice"
        if ids.count(107) != ids.count(106) - 1:
            return "turn not closed"
        return "fine" if ids[-3:] == [106, 2516, 108] else "newline missing"
    return [bug(ids) for ids in prompts]
    ### END SOLUTION

# %% check="prompt_bugs" points=3
check.prompt_bugs(prompt_bugs)
