"""The checks of chapter 09, and the mistakes they know."""
from copy import deepcopy
from functools import partial
from types import SimpleNamespace

import numpy as np

from ... import numpy_gemma
from ...lab.gemma_in_numpy import suspects
from ...numpy_gemma import block as right_block
from .exercise import Exercise


def attention(*args, cache=None, **more):
    """Gemma's, on a copy of the cache: what a check hands out should stay as it is."""
    return numpy_gemma.attention(*args, cache=deepcopy(cache), **more)


PARTS = SimpleNamespace(norm=numpy_gemma.rms_norm, mixer=attention, rotate=numpy_gemma.rope, mlp=numpy_gemma.geglu,
                        cap=numpy_gemma.uncapped, query_scale=1.0, score_cap=np.inf)
FIXED = {"window": np.inf, "base": 10_000.0, "stretch": 1.0}


# ---- the block
def layer(random, parts=PARTS):
    """A layer's arguments, without a cache: D = 8, N = 2, K = 1, H = 4, F = 6."""
    def draw(*sizes):
        return 0.5 * random.standard_normal(sizes)
    w = {"mixer_norm": {"scale": draw(8)}, "mixer": {"wq": draw(8, 2, 4), "wk": draw(8, 1, 4), "wv": draw(8, 1, 4),
                                                     "wo": draw(2, 4, 8)},
         "mlp_norm": {"scale": draw(8)}, "mlp": {"gate": draw(8, 6), "up": draw(8, 6), "down": draw(6, 8)}}
    return parts, FIXED, 2 * random.standard_normal((2, 5, 8)), np.tile(np.arange(5), (2, 1)), *w.values()


def with_cache(random):
    """The same with room to remember."""
    return *layer(random), {"k": np.zeros((2, 7, 1, 4)), "v": np.zeros((2, 7, 1, 4))}


block = Exercise(
    right_block, [layer, with_cache],
    wrong={
        "Both halves only ever add to the stream; yours replace it. Where did x go?": suspects.no_stream,
        "Your MLP reads the stream from before attention. In Gemma it reads what attention has added to.":
            suspects.side_by_side,
        "You normalised the stream itself. Normalise a copy for the layer to read, and add to the stream as it is.":
            suspects.norm_kept,
        "Each half has a norm of its own, with its own scale; you used the first twice.": suspects.one_norm,
        "You handed each half the norm of the other.": suspects.norms_swapped,
        "The MLP should read a normalised stream, too.": suspects.no_mlp_norm,
    },
    hints=["Two halves with the same rhythm: normalise, compute, add.",
           "cfg.norm(x, **mixer_norm) hands a norm its weights by name; the mixer returns (h, cache).",
           "Do not call tap: it is for those who want to look inside, and by default it is None."])


# ---- the table that is used twice
def both_ends(random):
    """Tokens (one of them twice), the gradient at the foot, the stream at the head, its gradient, the table."""
    tokens = np.array([[1, 4, 4, 2], [0, 4, 3, 1]])
    dx, h = random.standard_normal((2, 2, 4, 9))
    return tokens, dx, h, random.standard_normal((2, 4, 6)), random.standard_normal((6, 9))


def tied(tokens, dx, h, dlogits, table, foot=1.0, head=1.0):
    dtable = np.zeros_like(table)
    np.add.at(dtable, tokens, foot * dx * np.sqrt(table.shape[1]))
    return dtable + head * np.einsum("BTV,BTD->VD", dlogits, h)


def last_wins(tokens, dx, h, dlogits, table):
    dtable = np.zeros_like(table)
    dtable[tokens] += dx * np.sqrt(table.shape[1])
    return dtable + tied(tokens, dx, h, dlogits, table, foot=0)


tied_gradient = Exercise(
    tied, [both_ends],
    wrong={
        "The table is also read at the foot: each token's row was looked up there, and a gradient comes down to it.":
            partial(tied, foot=0),
        "The table also makes the logits: at the head every row hears from every position.": partial(tied, head=0),
        "A token that stands twice in the text sends two gradients to its row. With dtable[tokens] += …, NumPy keeps "
        "only one of them.": last_wins,
        "On the way up the row was multiplied by the root of D; so is its gradient on the way down.":
            lambda tokens, dx, h, dlogits, table: tied(tokens, dx, h, dlogits, table, foot=table.shape[1]**-0.5),
        "Two uses of one weight: do their gradients add up, or are they averaged?": partial(tied, foot=0.5, head=0.5),
    },
    hints=["Two paths, two gradients, one sum. Write them one after the other.",
           "np.add.at(dtable, tokens, …) adds as often as a token occurs.",
           "The logits are h times the table transposed: an einsum over B and T gives [V, D]."])


# ---- what the cache saves
def reads(prompt, new):
    """Positions read for `new` tokens after a prompt, with a cache and without one."""
    return prompt + new - 1, new * prompt + new * (new - 1) // 2


positions_read = Exercise(
    reads, [lambda random: (10, 1), lambda random: (int(random.integers(5, 50)), int(random.integers(20, 90)))],
    wrong={
        "The last new token is written but never read: nobody asks what follows it.":
            lambda prompt, new: (prompt + new, new * prompt + new * (new + 1) // 2),
        "With a cache each token is read once, those of the prompt as well.":
            lambda prompt, new: (new, reads(prompt, new)[1]),
        "Without a cache the text grows with each token, and so does what has to be read again.":
            lambda prompt, new: (reads(prompt, new)[0], new * prompt),
        "You have the two the other way round: first with a cache, then without.":
            lambda prompt, new: reads(prompt, new)[::-1],
    },
    hints=["Write it down for a prompt of 3 and 2 new tokens: which positions does each forward pass read?",
           "Without a cache: prompt, then prompt + 1, then prompt + 2 … Sum it up."])


# ---- who tests the tests
def near(given, wanted, tolerance):
    return bool(given.shape == wanted.shape and np.all(np.abs(given - wanted) <= tolerance))


def pair(change):
    """Two arrays of small numbers, the second made from the first."""
    def draw(random):
        logits = 0.02 * random.standard_normal((3, 5))
        return change(logits), logits, 1e-5
    return draw


def large(random):
    """Too far apart for the tolerance, but near for their size."""
    numbers = 1000 * (1 + random.random((3, 5)))
    return numbers + 5e-3, numbers, 1e-5


def missing_rows(random):
    row = random.standard_normal((1, 5))
    return row, np.tile(row, (3, 1)), 1e-5


is_close = Exercise(
    near, [pair(lambda x: x.copy()), pair(lambda x: x + 9e-6), pair(lambda x: -x),
           pair(lambda x: x + 1e-4 * np.linspace(-1, 1, 5)), pair(lambda x: x - 1e-4),
           pair(lambda x: np.where(x == x.max(), np.nan, x)), missing_rows, large],
    wrong={
        "Your function broadcasts: one row is taken for three. Compare the shapes first.": suspects.unshaped,
        "Your function lets NaN pass: NaN > tolerance is False, and so is NaN <= tolerance. Which one do you need?":
            suspects.blind_to_nan,
        "You compared averages. Errors of both signs cancel out.": suspects.on_average,
        "You compared without an absolute value: what is far too small passes.": suspects.one_sided,
        "np.allclose and np.isclose allow more for large numbers, unless you tell them not to. Here no number may "
        "differ by more than the tolerance.": suspects.relative,
        "The third argument is a distance. You treat it as a number of decimals, and so did the test that let "
        "everything pass.": suspects.decimals,
    },
    hints=["Feed your function two arrays that no sane test should accept: NaN, a missing row, the wrong sign.",
           "Ask that all be within the tolerance, not that none be beyond it."])


# ---- the hunt
def diagnosis():
    from ...lab.gemma_in_numpy.hunt import truth
    return truth()


def confused(one, other):
    """The right diagnosis, but for two that were taken for each other."""
    swap = {one: other, other: one}
    return lambda: {number: swap.get(bug, bug) for number, bug in diagnosis().items()}


hunt = Exercise(
    diagnosis, [lambda random: ()],
    wrong={
        "Two patients have hardly any symptom, and you took one for the other. Only a faint stream tells them apart: "
        "make every weight of the embedding tiny, and look again.": confused("GELU: erf", "epsilon outside the root"),
        "Two of your patients are well at position 0, and you took one for the other. Which of them would be "
        "cured by smaller queries?": confused("RoPE on q only", "no query scale"),
        "Two of your patients see other positions than they should, and you took one for the other. Let only "
        "the first layer gather (wo = 0 in the second), and give them a text of two tokens: who is well at the "
        "second?": confused("no mask", "strict causal: no self"),
    },
    hints=["Position 0 sees only itself: its row is well if only the rotation or the query's scale is sick.",
           "You may change the weights. With all norm scales at zero, which of the suspects must show, and how?",
           "A cure is a proof: undo the suspected bug in the weights, and the patient's logits are the healthy ones."])


def silent():
    from ...lab.gemma_in_numpy import hunt as ward
    right = ward.healthy()
    return sum(ward.symptoms(ward.patient(number), right)[2] == 0 for number in ward.truth())


unseen_by_argmax = Exercise(
    silent, [lambda random: ()],
    wrong={
        "You counted the patients who change an argmax. Asked is for those who change none.": lambda: 8 - silent(),
        "One of them changes no argmax and hardly a logit, either; it counts all the same.": lambda: silent() - 1,
        "All eight are ill, but some do show in an argmax.": lambda: 8,
    },
    hints=["hunt.symptoms(logits, right) returns three numbers; the third counts the changed argmaxes."])
