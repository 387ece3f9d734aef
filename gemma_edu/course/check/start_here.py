"""The checks of chapter 00, and the mistakes they know."""
from functools import partial

import numpy as np

from ...lab.start_here.family import FAMILY, with_experts
from .exercise import Exercise


# ---- broadcasting
def square(random):
    """As many tokens as numbers: here a wrong axis raises no error."""
    return random.normal(1, 2, (4, 4)), random.uniform(0.5, 2, 4)


def oblong(random):
    return random.normal(1, 2, (3, 5)), random.uniform(0.5, 2, 3)


def centred(x, axis=1):
    return x - np.mean(x, axis=axis, keepdims=True)


weigh_rows = Exercise(
    lambda x, w: centred(x) * w[:, None], [square, oblong],
    wrong={
        "Your weights lie along D: row 0 should be multiplied by w[0] alone. With T = D nothing complains.":
            lambda x, w: centred(x) * w,
        "You took one mean of the whole array; each row has a mean of its own.":
            lambda x, w: (x - np.mean(x)) * w[:, None],
        "You took the mean of each column, over the tokens; a row's mean is over D.":
            lambda x, w: centred(x, axis=0) * w[:, None],
        "Your means lie along D: take row 0's mean from row 0. Which axis is gone after np.mean, and where should it "
        "be?": lambda x, w: (x - np.mean(x, axis=1)) * w[:, None],
        "The mean is still in it. Take it away before you multiply.": lambda x, w: x * w[:, None],
        "You took the mean away after weighing, and unweighed. Which of the two comes first?":
            lambda x, w: x * w[:, None] - np.mean(x, axis=1, keepdims=True),
    },
    hints=["NumPy lines shapes up from the right: [T] beside [T, D] is taken for [D].",
           "keepdims=True, or [:, None], makes [T, 1] out of [T]; the 1 reaches over D."])

silent_line = Exercise(
    lambda: "b", [lambda random: ()],
    wrong={
        "It is wrong, but not always silent: what happens with three tokens of five numbers?": lambda: "a",
        "That one does what it should: each row is divided by its own sum.": lambda: "c",
        "It is wrong, and a look at the shape of the result gives it away.": lambda: "d",
    },
    hints=["Write down the shape of each sum. Which of them fit beside [T, D], whatever T and D are?"])


# ---- the chain rule
def draw(random):
    """w, x and y of ordinary size, and no two of them nearly alike."""
    return tuple(float(random.uniform(low, low + 0.3)) for low in (0.5, 1.1, -0.6))


def slope(w, x, y, outside=1.0, inside=1.0, two=2.0, bend=lambda t: 1 - t * t, reach=None):
    t = np.tanh(w * x)
    return float(two * (w * t - y) * (outside * t + inside * w * bend(t) * (x if reach is None else reach)))


two_ways_down = Exercise(
    slope, [draw, draw],
    wrong={
        "You went down one way, to the w in front. The other w, inside the tanh, moves the loss as well.":
            partial(slope, inside=0.0),
        "You went down one way, to the w inside the tanh. The other w, in front, moves the loss as well.":
            partial(slope, outside=0.0),
        "You multiplied the two ways. Each of them is a product, but where two ways meet, gradients are added.":
            lambda w, x, y: float(slope(w, x, y, outside=0.0) * np.tanh(w * x)),
        "The square in the loss has a derivative, too: where is its 2?": partial(slope, two=1.0),
        "Inside the tanh stands w times x. What is the derivative of that?": partial(slope, reach=1.0),
        "You left the tanh out on the way down: it bends, and its slope is less than one.":
            partial(slope, bend=lambda t: 1.0),
        "The slope of a tanh is one minus its square; you have one minus itself.": partial(slope, bend=lambda t: 1 - t),
        "Your sign is turned round. Is it prediction minus target?": partial(slope, two=-2.0),
    },
    hints=["Name the pieces: z = w x, t = tanh z, p = w t. What is the derivative of the loss at p?",
           "p is a product of two things that both depend on w: the product rule gives two terms."])


# ---- einsum
def compared(letters):
    return lambda q, k: np.einsum(f"BTNH,BSH->{letters}", q, k)


compare_all = Exercise(
    compared("BNTS"),
    [lambda random: (random.standard_normal((2, 3, 3, 4)), random.standard_normal((2, 3, 4))),
     lambda random: (random.standard_normal((2, 3, 4, 5)), random.standard_normal((2, 6, 5)))],
    wrong={
        "Your axes come in another order: a head's scores should lie together, B N T S.": compared("BTNS"),
        "You have keys before queries; a row is a query: T, then S.": compared("BNST"),
        "Your heads are gone: N does not return in your result, so it was summed over.": compared("BTS"),
        "You divided by the number of terms; a dot product is a sum.":
            lambda q, k: compared("BNTS")(q, k) / q.shape[-1],
        "You divided by the root of H. That is attention's next step (chapter 07), and not asked for here.":
            lambda q, k: compared("BNTS")(q, k) / np.sqrt(q.shape[-1]),
        "H is still there, so nothing has been added up.": compared("BNTSH"),
    },
    hints=["Write each shape as a word of letters: q is BTNH, k is BSH, the result BNTS.",
           "np.einsum('first,second->result', q, k): what is not in the result is summed over."])


# ---- counting
def sizes_of(name, E):
    return lambda random: (*(FAMILY[name][letter] for letter in "VDLNKHF"), E)


def some_sizes(random):
    V, D, L, N, H, F = (int(random.integers(2, 9)) * unit for unit in (100, 64, 1, 4, 16, 128))
    return V, D, L, N, N // 4, H, F, int(random.integers(2, 9))


def counted(V, D, L, N, K, H, F, E):
    return with_experts(E, V=V, D=D, L=L, N=N, K=K, H=H, F=F)


def corrected(change):
    """The right count and a change to it."""
    return lambda V, D, L, N, K, H, F, E: counted(V, D, L, N, K, H, F, E) + change(V, D, L, N, K, H, F, E)


weights_with_experts = Exercise(
    counted, [sizes_of("Gemma 1 2B", 1), sizes_of("Gemma 1 7B", 1), sizes_of("Gemma 1 2B", 2), some_sizes],
    wrong={
        "You counted a table for the head as well. In Gemma it is the embedding, once more.":
            corrected(lambda V, D, *_: V * D),
        "Where is the embedding? It is a fifth of the 2B.": corrected(lambda V, D, *_: -V * D),
        "Your norms are missing; without them the report's number does not come out.":
            corrected(lambda V, D, L, *_: -(2 * L + 1) * D),
        "One norm is missing: it stands after the last layer.": corrected(lambda V, D, *_: -D),
        "An MLP of Gemma has three matrices; you counted two.":
            corrected(lambda V, D, L, N, K, H, F, E: -L * E * D * F),
        "You gave every query head a key and a value of its own. In the 2B all share one: K, not N.":
            lambda V, D, L, N, K, H, F, E: counted(V, D, L, N, N, H, F, E),
        "A dense layer has nothing to choose from: with E = 1 there is no router.":
            corrected(lambda V, D, L, N, K, H, F, E: L * D if E == 1 else 0),
        "With several experts somebody must choose. Where are the weights of the router?":
            corrected(lambda V, D, L, N, K, H, F, E: -L * D * E if E > 1 else 0),
        "One router is missing in each layer but one: each layer chooses for itself.":
            corrected(lambda V, D, L, N, K, H, F, E: -(L - 1) * D * E if E > 1 else 0),
        "You multiplied attention by E as well. Experts are MLPs; attention is there once.":
            corrected(lambda V, D, L, N, K, H, F, E: (E - 1) * L * 2 * D * H * (N + K)),
    },
    hints=["One layer first: attention, E times an MLP, perhaps a router, two norms. Then times L.",
           "With E = 1 the 2B must come out to the last digit; your difference from it may tell you what is missing."])

costs_weights = Exercise(
    lambda: {"norm after each part", "norm on queries and keys"}, [lambda random: ()],
    wrong={
        "One more: a norm has a scale to learn, wherever it stands.": lambda: {"norm after each part"},
        "One more: Gemma 2 put a scale to learn behind each part.": lambda: {"norm on queries and keys"},
        "A soft cap is a tanh with a fixed limit. What is there to learn in it?":
            lambda: {"norm after each part", "norm on queries and keys", "soft caps"},
        "A base is a constant that somebody chose. Does a gradient change it?":
            lambda: {"norm after each part", "norm on queries and keys", "second rope base"},
        "A window says who may look at whom; that is a mask, and nobody learns it.":
            lambda: {"norm after each part", "norm on queries and keys", "windows"},
    },
    hints=["Ask of each: is there an array of numbers that training changes?"])
