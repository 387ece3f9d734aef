"""The checks of chapter 08, and the mistakes they know."""
import math

import numpy as np

from ...lab.geglu import suspects
from ...lab.geglu.suspects import SUSPECTS, by_branches, by_probe, from_two, right_v, right_z
from ...numpy_gemma import gates, mlp
from ...numpy_gemma.gates import gelu as right_gelu
from ...numpy_gemma.gates import gelu_backward, gelu_erf, relu, sigmoid, silu
from .exercise import Exercise

RATE = math.sqrt(2 / math.pi)


def a_switch(u):
    """What GELU makes of the inside of its tanh."""
    return lambda x: 0.5 * x * (1 + np.tanh(u(x)))


gelu = Exercise(
    gates.gelu,
    [lambda random: (2 * random.standard_normal((3, 4)),), lambda random: (np.array([-30.0, -2.7, 0.0, 2.7, 30.0]),),
     lambda random: (random.standard_normal((2, 3, 4)).astype(np.float32),)],
    wrong={
        "Is that the exact GELU, with the error function? It is close, but Gemma was trained with another form.":
            gelu_erf,
        "A sigmoid of 1.702 x is the quick GELU of other models. Gemma's comes closer to the exact one.":
            lambda x: x * sigmoid(1.702 * x),
        "That is SiLU, the gate of Llama. Which function of x sets the switch in a GELU?": silu,
        "Your result is twice as large as it should be. How large may the switch be when it is fully open?":
            lambda x: x * (1 + np.tanh(RATE * (x + 0.044715 * x**3))),
        "Your correction has the same sign on both sides. An odd power of x would not.":
            a_switch(lambda x: RATE * (x + 0.044715 * x**2)),
        "Is there a square root of 2/π in your tanh? Without it the switch is too sharp.":
            a_switch(lambda x: x + 0.044715 * x**3),
        "Does the square root multiply both terms, or the first alone? Look at the brackets.":
            a_switch(lambda x: RATE * x + 0.044715 * x**3),
        "You returned the switch. GELU is x times its switch.":
            lambda x: 0.5 * (1 + np.tanh(RATE * (x + 0.044715 * x**3))),
    },
    hints=["Three factors: a half, x, and one plus a tanh.",
           "Inside the tanh stands √(2/π) times a bracket; in the bracket x and 0.044715 x³ are added."])


def draw(random, dtype=np.float64, D=5, F=7):
    """A batch and the three matrices, not square, so that a transposed one shows itself."""
    shapes = [(2, 3, D), (D, F), (D, F), (F, D)]
    return tuple(random.standard_normal(shape).astype(dtype) for shape in shapes)


geglu = Exercise(
    mlp.geglu, [draw, lambda random: draw(random, D=4, F=4), lambda random: draw(random, np.float32)],
    wrong={
        "Your gate and your value are swapped. Which of the two branches is bent?":
            from_two(SUSPECTS["swapped"]),
        "You bent both branches. The value passes as it is.": from_two(SUSPECTS["twice"]),
        "You bent the product. The gate is bent first, and multiplies afterwards.":
            from_two(lambda z, v: right_gelu(z * v)),
        "You added the branches. What does a gate do to what passes through it?":
            from_two(lambda z, v: right_gelu(z) + v),
        "Nothing is bent: that is a bilinear layer. Where is the GELU?": from_two(lambda z, v: z * v),
        "Your gate is a SiLU: that is SwiGLU, Llama's MLP.": from_two(SUSPECTS["silu"]),
        "Your gate is a sigmoid: that is the first GLU, of 2016.": from_two(lambda z, v: sigmoid(z) * v),
        "Your gate is a ReLU: that is ReGLU.": from_two(lambda z, v: relu(z) * v),
        "Your GELU is the exact one, with the error function. Gemma's has a tanh.": from_two(SUSPECTS["erf"]),
        "Your result does not depend on `gate`: that is a plain MLP.": from_two(lambda z, v: right_gelu(v)),
    },
    hints=["Two products with x, one bent; then one product of the two, number by number; then down.",
           "Write z = x @ gate and v = x @ up first, and look at their shapes: [B, T, F]."])


def draw_backward(random):
    x, *weights = draw(random)
    return random.standard_normal(x.shape), x, *weights


geglu_backward = Exercise(
    mlp.geglu_backward, [draw_backward],
    wrong={
        "x is read twice, and you followed the gate's path only. What comes back through `up`?":
            suspects.one_path("gate"),
        "x is read twice, and you followed the value's path only. What comes back through `gate`?":
            suspects.one_path("up"),
        "On its way to the choice the gradient passes the GELU: where is its slope?":
            by_branches(lambda dh, z, v: dh * v, right_v),
        "You used the height of the GELU where its slope belongs, on the way to the choice.":
            by_branches(lambda dh, z, v: dh * v * right_gelu(z), right_v),
        "The gradient of the choice does not know how large the value is. A product hands each factor the other one.":
            by_branches(lambda dh, z, v: gelu_backward(dh, z), right_v),
        "The gradient of the value does not know how open the gate is. A product hands each factor the other one.":
            by_branches(right_z, lambda dh, z, v: dh),
        "In a product each factor gets the *other* one. You gave each its own.":
            by_branches(lambda dh, z, v: gelu_backward(dh * right_gelu(z), z), lambda dh, z, v: dh * v),
        "dgate and dup stand in each other's place. The order is that of the arguments.": suspects.exchanged,
        "`down` read the gated value on the way up, not the open gate alone: what multiplies dy?":
            suspects.without_the_value,
        "You averaged over batch and time. Each use of a weight adds its gradient.": suspects.averaged,
    },
    hints=["Begin at the end: dh = dy @ down.T, and ddown pairs what `down` read with dy.",
           "dv = dh * gelu(z). For dz, multiply dh by the value first, then pass it through `gelu_backward(dy, x)`.",
           "dx is a sum of two terms; dgate and dup pair x with dz and dv: np.einsum('BTD,BTF->DF', x, dz)."])


def up_to(multiple, width):
    """The next multiple, or this one."""
    return -(-width // multiple) * multiple


gated_width = Exercise(
    lambda F, multiple: up_to(multiple, -(-2 * F // 3)),
    [lambda random: (16_384, 256), lambda random: (12_800, 256), lambda random: (24_576, 128), lambda random: (13, 8),
     lambda random: (3 * int(random.integers(100, 900)) + 1, 8)],
    wrong={
        "You dropped the thirds that were left before you went up. What is the next multiple of 8 above 8⅔?":
            lambda F, multiple: up_to(multiple, 2 * F // 3),
        "You kept the width. Three matrices of that width have half as many weights again as two.":
            lambda F, multiple: up_to(multiple, F),
        "Half the width is too narrow: the number of matrices grows from two to three, not to four.":
            lambda F, multiple: up_to(multiple, F // 2),
        "That is the way from gated to plain, and makes it wider. Which of the two has more matrices?":
            lambda F, multiple: up_to(multiple, 3 * F // 2),
        "You rounded to the nearest multiple. Up was asked for.":
            lambda F, multiple: round(2 * F / 3 / multiple) * multiple,
        "You rounded down. Up was asked for.": lambda F, multiple: 2 * F // 3 // multiple * multiple,
        "A width that is a multiple already needs no more rounding. Is yours one step too wide then?":
            lambda F, multiple: (2 * F // 3 // multiple + 1) * multiple,
    },
    hints=["Write down both counts of weights, 2 · D · F and 3 · D · F', and set them equal. D drops out.",
           "To round up with whole numbers: -(-a // b) is a / b rounded up."])


ALL = [(), ("gate",), ("up",), ("down",), ("gate", "up"), ("gate", "down"), ("up", "down"), ("gate", "up", "down")]


def shuffled(things):
    """An input that is all of them, in an order of its own."""
    return lambda random: ([things[i] for i in random.permutation(len(things))],)


can_learn = Exercise(
    lambda beginnings: [len(zeros) < 2 for zeros in beginnings], [shuffled(ALL)],
    wrong={
        "A single zero stops nothing: its own gradient is a product of the other two.":
            lambda beginnings: [not zeros for zeros in beginnings],
        "Two zeros are already too many. Which of the three matrices would move first?":
            lambda beginnings: [len(zeros) < 3 for zeros in beginnings],
        "Starting `down` at zero is common: what is its own gradient then? And what if it begins elsewhere?":
            lambda beginnings: ["down" not in zeros for zeros in beginnings],
        "gelu(0) is 0, but its slope there is not. Can a zero gate move?":
            lambda beginnings: [len(zeros) < 2 and "gate" not in zeros for zeros in beginnings],
        "You let all of them learn. Try the gradient when every matrix is zero.":
            lambda beginnings: [True for zeros in beginnings],
    },
    hints=["y is a product of three: gelu(x @ gate), x @ up and down. Each one's gradient has the other two in it.",
           "When one matrix is zero, whose gradient survives? When two are?"])


def equal(a, b):
    return np.allclose(a, b, rtol=1e-9)


name_the_mistakes = Exercise(
    by_probe(2.7, -1.3, equal), [shuffled([from_two(suspect) for suspect in SUSPECTS.values()])],
    wrong={
        "You call the erf right. The two GELUs are nowhere more than 4.8e-4 apart: how close is close enough for you?":
            by_probe(2.7, -1.3, lambda a, b: np.allclose(a, b, rtol=2e-3)),
        "You call the swapped one right, as the test with ones does. Can they differ where choice and value are equal?":
            by_probe(2.0, 2.0, equal),
        "So far out every GELU is a straight line, tanh or erf. Where do they differ?": by_probe(12.0, 3.0, equal),
        "You call them all right. If you compared the place of the largest number: it does not change.":
            by_probe(2.7, -1.3, lambda a, b: np.argmax(a) == np.argmax(b)),
    },
    hints=["One unit is enough: x = [[[1.0]]], gate = [[z]], up = [[v]], down = [[1.0]] gives gelu(z) · v.",
           "Choose z where tanh and erf differ most, v different from z and below zero, and compare to many digits."])
