"""The checks of chapter 07, and the mistakes they know."""
from functools import partial

import numpy as np

from ...lab.attention import suspects
from ...lab.attention.heads import pooled
from ...numpy_gemma import attend as right_attend
from ...numpy_gemma import causal_mask as right_mask
from ...numpy_gemma import softmax
from ...numpy_gemma.attention import attend_backward as right_backward
from .exercise import Exercise


def a_window(random):
    """Two texts in one batch, the second of them further on; only the last few positions are seen."""
    return np.stack([np.arange(3), np.arange(4, 7)]), 9, int(random.integers(2, 5))


def mask(sees):
    """A mask by a rule for how many steps ago a key lies, and how far the window reaches."""
    return lambda positions, S, window=np.inf: sees(positions[:, :, None] - np.arange(S), window)


causal_mask = Exercise(
    right_mask, [lambda random: (np.arange(6)[None], 6), a_window, lambda random: (random.integers(2, 6, (3, 1)), 8)],
    wrong={
        "Your mask hides a position from itself. What is left for the very first one to look at?":
            mask(lambda ago, window: (ago > 0) & (ago < window)),
        "You opened the future and shut the past. Which sign has the number of steps ago?":
            mask(lambda ago, window: (ago <= 0) & (-ago < window)),
        "Your True says that a key is hidden. Here it says that it is seen.": lambda *given: ~right_mask(*given),
        "The window is one too wide. It counts the position itself: a window of 1 sees nothing else.":
            mask(lambda ago, window: (ago >= 0) & (ago <= window)),
        "The window makes no difference in your mask. It ends sight towards the past.":
            mask(lambda ago, window: ago >= 0),
        "You numbered the queries 0, 1, 2, … . Where a query stands is said by `positions`; it may be one new token.":
            lambda positions, *rest: right_mask(0 * positions + np.arange(positions.shape[1]), *rest),
        "The mask says who is seen: True and False. What to do with the scores is the business of `attend`.":
            lambda *given: np.where(right_mask(*given), 0.0, -np.inf),
    },
    hints=["How many steps ago does key s lie, seen from position t? An array [B, T, S] of differences says it.",
           "positions[:, :, None] has an axis to broadcast over; np.arange(S) are the positions of the keys.",
           "Seen is what lies at least 0 and fewer than `window` steps ago."])


def heads(random, N, K, T=5, S=5):
    """Queries, keys, values, and a mask in which each query sees its past."""
    q, (k, v) = random.standard_normal((2, T, N, 4)), random.standard_normal((2, 2, S, K, 4))
    return q, 2 * k, v, np.repeat(np.tri(T, S, S - T, dtype=bool)[None], 2, axis=0)


def extreme(random, loud, first):
    """Scores in the hundred thousands, beyond any exponential; or a first query that sees nobody."""
    q, k, v, seen = heads(random, N=2, K=1)
    return loud * q, k, v, seen & (np.arange(5) >= first)[:, None]


GROUPS = [partial(heads, N=3, K=3), partial(heads, N=4, K=2), partial(heads, N=4, K=1, T=2, S=6)]


attend = Exercise(
    right_attend, [*GROUPS, partial(extreme, loud=100_000, first=0), partial(extreme, loud=1, first=1)],
    wrong={
        "A score that is seen may be lower than your low number, and then what is hidden is heard. How low can you go?":
            partial(suspects.by_shares, lambda scores, seen: softmax(np.where(seen, scores, -1e4))),
        "Your scores are too far apart. By what does a dot product of H terms grow?":
            lambda q, k, v, mask: right_attend(q * q.shape[-1]**0.5, k, v, mask),
        "You divided by H; a dot product of H random terms grows like its root.":
            lambda q, k, v, mask: right_attend(q * q.shape[-1]**-0.5, k, v, mask),
        "Keys and values have changed places: the key is compared, the value is averaged.":
            lambda q, k, v, mask: right_attend(q, v, k, mask),
        "You set hidden scores to zero, and a score of zero has a share: e to the 0 is 1.":
            partial(suspects.by_shares, suspects.silenced),
        "You hid shares after the softmax, so what is left of a row no longer adds up to one. Hide scores before it.":
            partial(suspects.by_shares, lambda scores, seen: softmax(scores) * seen),
        "Your softmax runs along the queries. What has to add up to one: the looks of a query, or the looks at a key?":
            partial(suspects.by_shares, suspects.along_queries),
        "Your mask is not in use: a query sees its future.":
            partial(suspects.by_shares, lambda scores, seen: softmax(scores)),
        "Query heads 0 and 1 share key 0. Your copies come in another order: k0 k1 k0 k1.":
            partial(suspects.by_copies, suspects.tiled),
        "A row in which everything is hidden became NaN. Hide with the lowest number there is, not with infinity.":
            partial(suspects.by_shares, lambda scores, seen: softmax(np.where(seen, scores, -np.inf))),
        "Large scores overflow your exponentials. What can be taken from a whole row without changing its shares?":
            partial(suspects.by_shares, suspects.overflowing),
    },
    hints=["Begin with as many keys as queries: scores by np.einsum('BTNH,BSNH->BNTS', …), divided by the root of H.",
           "The mask is [B, T, S]; mask[:, None] gives it an axis for the heads. Replace before the softmax.",
           "With fewer keys, k.repeat(N // K, axis=2) puts the copies side by side; then all is as before."])


def share(w, K):
    return pooled(w[None], K)[0]


share_the_keys = Exercise(
    share, [lambda random: (random.standard_normal((3, 8, 2)), int(random.choice([2, 4]))),
            lambda random: (random.standard_normal((3, 6, 2)), 1)],
    wrong={
        "You averaged heads that stand K apart. Which query heads ask the same key: neighbours, or every K-th?":
            lambda w, K: w.reshape(len(w), -1, K, w.shape[-1]).mean(axis=1),
        "You added the heads of a group up. Then the shared key is G times as loud, and so are its scores.":
            lambda w, K: share(w, K) * (w.shape[1] // K),
        "You kept the first head of each group and threw the others away. All of them shall have a say.":
            lambda w, K: w[:, ::w.shape[1] // K],
        "You gave every group the mean of all heads. Each group has its own.":
            lambda w, K: np.repeat(w.mean(axis=1, keepdims=True), K, axis=1),
        "Your result still has N heads, with copies. The point is not to keep copies: K heads are enough.":
            lambda w, K: share(w, K).repeat(w.shape[1] // K, axis=1),
    },
    hints=["Reshape the heads into K groups of N/K neighbours; one axis becomes two.",
           "Then take the mean over the axis of the neighbours."])


def sizes(random):
    """Free memory and a model, drawn; N is there to be tempting."""
    return (int(random.integers(2e8, 9e8)), int(random.integers(4, 40)), 8, int(random.choice([2, 4])),
            64 * int(random.integers(1, 5)), 4)


def fit(memory, L, N, K, H, size):
    return memory // (2 * L * K * H * size)


tokens_that_fit = Exercise(
    fit, [lambda random: (288 * 2**20 + 5000, 18, 8, 1, 256, 4), sizes,
          lambda random: (80 * 10**9, 28, 16, 16, 256, 2)],
    wrong={
        "You counted keys. What else does a later query need of an old token?":
            lambda memory, *model: fit(2 * memory, *model),
        "You counted query heads. Are queries of old tokens ever needed again?":
            lambda memory, L, N, K, H, size: fit(memory, L, N, N, H, size),
        "You counted one layer. Each has keys and values of its own.": lambda memory, L, *rest: fit(memory, 1, *rest),
        "You counted numbers, not bytes. How large is a number?": lambda *model: fit(*model[:-1], 1),
        "A token fits whole or not at all. Round down.":
            lambda memory, L, N, K, H, size: memory / (2 * L * K * H * size),
        "You rounded up, and the last token does not fit.": lambda memory, *model: -fit(-memory, *model),
    },
    hints=["How many numbers does one token leave behind in one layer? Keys and values, K heads, H numbers each.",
           "Times layers, times bytes per number; and how often does that go into the memory?"],
    tolerance=1e-9)


def with_dy(draw, random):
    q, *rest = draw(random)
    return random.standard_normal(q.shape), q, *rest


attend_backward = Exercise(
    right_backward, [partial(with_dy, each) for each in GROUPS],
    wrong={
        "In softmax each share also lowers all the others: the average of dy, weighed by the shares, is missing.":
            partial(suspects.through, lambda dshares, shares: shares * dshares),
        "You took away the plain mean of the gradients. Weigh it by the shares.":
            partial(suspects.through, lambda dshares, shares: shares * (dshares - np.mean(dshares, -1, keepdims=True))),
        "The softmax is missing on your way down: the gradient of the shares is not that of the scores.":
            partial(suspects.through, lambda dshares, shares: dshares),
        **{f"The root of H is missing in {where}: the scores were divided by it, so their gradient is, too.":
           partial(suspects.scaled, of_q, of_k)
           for where, of_q, of_k in (("dq", 0.5, 0), ("dk", 0, 0.5), ("dq and dk", 0.5, 0.5))},
        "Your mask is not in use: what was hidden on the way up gets no gradient on the way down.":
            lambda dy, q, k, v, mask: right_backward(dy, q, k, v, np.ones_like(mask)),
        "Have dk and dv changed places? They come in the order of the arguments.":
            lambda *arguments: tuple(right_backward(*arguments)[i] for i in (0, 2, 1)),
        "A shared key moves the scores of all its heads. Are their gradients averaged, or do they add up?":
            partial(suspects.gathered, pooled),
        "In your gradient a shared key hears only from the first of its heads.":
            partial(suspects.gathered, lambda dk, K: dk[:, :, ::dk.shape[2] // K]),
        "Your gradients of a shared key come from every K-th head. Which heads ask the same key?":
            partial(suspects.gathered, lambda dk, K: sum(np.split(dk, dk.shape[2] // K, axis=2))),
    },
    hints=["Go backwards: values and shares, softmax, scores, queries and keys. For Y = A B: dA = dY Bᵀ, dB = Aᵀ dY.",
           "softmax_backward(dshares, scores) wants the masked scores; where a share is zero, so is the gradient.",
           "With fewer keys: work with copies, as in `attend`, then add the gradients of the copies up."])

GUILT = {"A": "no scale", "B": "tiled keys", "C": "right", "D": "future audible", "E": "blind to itself"}


def exchanged(a, b):
    """The verdicts on two suspects, exchanged."""
    return lambda: GUILT | {a: GUILT[b], b: GUILT[a]}


line_up = Exercise(
    lambda: GUILT, [lambda random: ()],
    wrong={
        "A or C? One of them is too sure of itself: make all queries ten times shorter, and see who loosens up.":
            exchanged("A", "C"),
        "A or B? Give all key heads the same keys and values: one of the two then has nothing left to confuse.":
            exchanged("A", "B"),
        "B or C? With queries of zero all shares are even. Give each key head values of its own: who answers whom?":
            exchanged("B", "C"),
        "C or D? Change the last value only. Whose answers at earlier positions move?": exchanged("C", "D"),
        "C or E? Give position 1 a value that nobody else has, and look at its own answer.": exchanged("C", "E"),
        "D or E? Change the last value only, and look at the answer of position 1.": exchanged("D", "E"),
    },
    hints=["Begin with queries of zero: then all scores are zero, and shares are even over all that is seen.",
           "Values that are 1 at one position and 0 elsewhere show the shares themselves.",
           "Four query heads and two key heads: let the two differ in their values alone."])
