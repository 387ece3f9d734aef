"""The checks of chapter 01, and the mistakes they know."""
import numpy as np

from ...numpy_gemma import gates, recurrent
from .exercise import Exercise

gate = gates.gate


def draw_numbers(random):
    return (3 * random.standard_normal((4, 5)),)


def draw_far(random):
    """Numbers at which a switch is long decided, on both sides."""
    return (np.concatenate([[-1000.0, -745, -100, 0, 100, 745, 1000], random.uniform(-1000, 1000, 5)]),)


sigmoid = Exercise(
    gates.sigmoid, [draw_numbers, draw_far, lambda random: (np.float32(draw_numbers(random)[0]),)],
    errstate={"over": "raise", "invalid": "raise"},
    wrong={
        "That is 1 - σ(x): the switch opens where it should shut. Look at the sign in the exponent.":
            lambda x: gates.sigmoid(-x),
        "That is a tanh, which goes from -1 to 1. A switch that is shut is at 0.": np.tanh,
        "Moved and halved, a tanh becomes a sigmoid. Yours is twice as steep: at which x should it reach 0.88?":
            lambda x: (1 + np.tanh(x)) / 2,
        "Far from 0 you cut x off: what is cut at ±5 is neither quite open nor quite shut.":
            lambda x: gates.sigmoid(np.clip(x, -5, 5)),
        "That is the logarithm of the sigmoid. One exponential is still to come.": lambda x: -np.logaddexp(0, -x),
        "You computed in float64 and forgot to go back: the result has the dtype of x.":
            lambda x: gates.sigmoid(x.astype(np.float64)),
    },
    hints=["exp of a large number overflows, exp of a negative one never does. Which sign can you make sure of?",
           "Write σ twice, once for x ≥ 0 with exp(-x), once for x < 0 with exp(x); what do they share?",
           "np.where evaluates both of its branches: an overflow in the one that is not taken is still an overflow."])


def triple(random, D=3, C=4):
    """A gate's weights: (w, u, b)."""
    return random.standard_normal((D, C)), random.standard_normal((C, C)), random.standard_normal(C)


def negative(part):
    """The weights of the gate that is open where this one is shut."""
    return tuple(-each for each in part)


def draw_lstm(random):
    x, h, c = random.standard_normal((2, 3)), random.standard_normal((2, 4)), 2 * random.standard_normal((2, 4))
    return x, (h, c), triple(random), triple(random), triple(random), triple(random)


def lstm(x, state, forget, input, output, candidate, *, squash=np.tanh, new=recurrent.rnn_cell, show=None):
    """An LSTM's step with one thing changed."""
    h, c = state
    c = gate(x, h, *forget) * c + gate(x, h, *input) * new(x, h, *candidate)
    return gate(x, h, *output) * squash(c if show is None else show), c


lstm_cell = Exercise(
    recurrent.lstm_cell, [draw_lstm],
    wrong={
        "You returned (c, h). What is shown comes first: (h, c).": lambda *args: recurrent.lstm_cell(*args)[::-1],
        "You unpacked the state as (c, h). It is (h, c): what is shown, then what is kept.":
            lambda x, state, *parts: recurrent.lstm_cell(x, state[::-1], *parts),
        "The candidate is no gate: it may also take away, so it goes from -1 to 1.":
            lambda *args: lstm(*args, new=gate),
        "What is shown passes a tanh before the output gate.": lambda *args: lstm(*args, squash=lambda c: c),
        "You showed the old c. The output gate stands in front of the new one.":
            lambda x, state, *parts: lstm(x, state, *parts, show=state[1]),
        "Your forget and input gates are swapped: which of them looks at the old c?":
            lambda x, state, forget, input, *parts: recurrent.lstm_cell(x, state, input, forget, *parts),
        "An open forget gate keeps. (The name is unlucky: it says how much is *not* forgotten.)":
            lambda x, state, forget, *parts: recurrent.lstm_cell(x, state, negative(forget), *parts),
    },
    hints=["Two lines: c = f · c + i · candidate, and h = o · tanh(c).",
           "Every gate, and the candidate, looks at x and at the old h, never at c."])


def draw_gru(random):
    x, h = random.standard_normal((2, 3)), random.standard_normal((2, 4))
    return x, h, triple(random), triple(random), triple(random)


def gru(x, h, update, reset, candidate, *, flipped=False, seen=lambda r, h: r * h, nonlinear=np.tanh, after=False):
    """A GRU's step with one thing changed."""
    (z, r), (w, u, b) = (gate(x, h, *update), gate(x, h, *reset)), candidate
    new = nonlinear(x @ w + (r * (h @ u) if after else seen(r, h) @ u) + b)
    return (1 - z) * h + z * new if flipped else z * h + (1 - z) * new


gru_cell = Exercise(
    recurrent.gru_cell, [draw_gru],
    wrong={
        "Your update gate is turned round: here, as in Cho et al. 2014, an open one keeps.":
            lambda *args: gru(*args, flipped=True),
        "You reset after the matrix, as PyTorch does. Here the reset gate closes h before it meets u.":
            lambda *args: gru(*args, after=True),
        "Your candidate sees the whole old memory. What is the reset gate for?":
            lambda *args: gru(*args, seen=lambda r, h: h),
        "Your update and reset gates are swapped.":
            lambda x, h, update, reset, candidate: recurrent.gru_cell(x, h, reset, update, candidate),
        "The candidate is no gate: it needs a tanh, from -1 to 1.": lambda *args: gru(*args, nonlinear=gates.sigmoid),
        "You reset by 1 - r. An open reset gate lets the candidate see.":
            lambda *args: gru(*args, seen=lambda r, h: (1 - r) * h),
    },
    hints=["z and r are gates of x and h; the candidate is tanh(x w + (something) u + b).",
           "What is kept and what is written share one unit: z and 1 - z."])


def draw_gate_backward(random):
    dy, x, h = (random.standard_normal((3, width)) for width in (4, 3, 4))
    return dy, x, h, *triple(random)


def slope_of_output(dy, x, h, w, u, b):
    y = gate(x, h, w, u, b)
    return gates.weigh_backward(gates.sigmoid_backward(dy, y), x, h, w, u, b)


def tanh_slope(dy, x, h, w, u, b):
    return gates.weigh_backward(dy * (1 - gate(x, h, w, u, b)**2), x, h, w, u, b)


def untransposed(dy, x, h, w, u, b):
    dx, dh, *rest = gates.gate_backward(dy, x, h, w, u, b)
    dz = gates.sigmoid_backward(dy, gates.weigh(x, h, w, u, b))
    return dx, dz @ u, *rest


def mean_over_batch(dy, x, h, w, u, b):
    dx, dh, *dweights = gates.gate_backward(dy, x, h, w, u, b)
    return dx, dh, *(each / len(x) for each in dweights)


def bias_not_summed(dy, x, h, w, u, b):
    *others, _ = gates.gate_backward(dy, x, h, w, u, b)
    return *others, gates.sigmoid_backward(dy, gates.weigh(x, h, w, u, b))


gate_backward = Exercise(
    gates.gate_backward, [draw_gate_backward],
    wrong={
        "The gradient has not passed the sigmoid yet. What is its slope?": gates.weigh_backward,
        "The slope is σ(z)(1 - σ(z)). You took the sigmoid of a sigmoid: y itself is already σ(z).": slope_of_output,
        "1 - y² is the slope of a tanh. A sigmoid's is another.": tanh_slope,
        "On the way back to h the matrix u is transposed: letter by letter, dz [B, C] goes to the side h came from.":
            untransposed,
        "The gradients of the weights are sums over the batch, not means.": mean_over_batch,
        "b was the same for the whole batch; its gradient has the shape [C], so something must be summed.":
            bias_not_summed,
    },
    hints=["Name z = x w + h u + b. First find dz, the gradient before the switch.",
           "For y = x @ w: dx = dy @ w.T and dw = x.T @ dy. The shapes allow nothing else."])


def half_life_bias(steps):
    keep = 0.5**(1 / steps)
    return float(np.log(keep / (1 - keep)))


forget_bias = Exercise(
    half_life_bias,
    [lambda random: (2.0,), lambda random: (10.0,), lambda random: (float(random.uniform(50, 10_000)),),
     lambda random: (float(random.uniform(0.2, 0.8)),)],
    wrong={
        "That is how far the gate is open, a number from 0 to 1. The bias is what the sigmoid makes it from.":
            lambda steps: 0.5**(1 / steps),
        "The sign is turned round: a long memory needs an open gate, and an open gate a positive bias.":
            lambda steps: -half_life_bias(steps),
        "Close, for long memories only: ln(steps) is where it goes, not what it is. For one step, half open is bias 0; "
        "for two steps?": lambda steps: float(np.log(steps)),
        "You left 1/e of the memory, not a half.": lambda steps: float(-np.log(np.expm1(1 / steps))),
        "You divided the memory evenly among the steps. Each step multiplies: keep · keep · keep … = ½.":
            lambda steps: float(np.log(abs((1 - 0.5 / steps) / (0.5 / steps)))),
        "The gate is right, the last step is not: the inverse of σ needs 1 - keep as well as keep.":
            lambda steps: float(np.log(0.5**(1 / steps))),
    },
    hints=["First the gate: which keep gives keep**steps = ½?",
           "Then the bias: solve keep = 1 / (1 + exp(-b)) for b."])


turn_round = Exercise(
    negative, [lambda random: (triple(random),)],
    wrong={
        "1 - w does not make 1 - σ(z). How are σ(z) and σ(-z) related?":
            lambda update: tuple(1 - each for each in update),
        "You turned only the bias. The gate also looks at x and h.":
            lambda update: (update[0], update[1], -update[2]),
        "The bias is still as it was. z must change its sign as a whole.":
            lambda update: (-update[0], -update[1], update[2]),
        "You inverted the matrix; it is the sign of z that counts.":
            lambda update: (-update[0], np.linalg.inv(update[1]), -update[2]),
        "These are the weights as they came.": lambda update: update,
    },
    hints=["Their z must be our 1 - z. What do you have to do to the number inside a sigmoid?",
           "σ(-a) = 1 - σ(a). And what is inside is x w + h u + b."])
