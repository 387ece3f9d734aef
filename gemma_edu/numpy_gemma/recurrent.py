"""Memory in a loop: RNN, LSTM and GRU cells, and the walk through time and back.

A cell is a function `cell(x, state, *weights) -> state`.
"""
import numpy as np

from ..axes import BC, BD, BTC, BTD, CC, DC, C, Gate
from .gates import gate, gate_backward, tanh, tanh_backward, weigh, weigh_backward
from .gradient import backward
from .tap import untapped
from .tree import tree_map


def rnn_cell(x: BD, h: BC, w: DC, u: CC, b: C) -> BC:
    """Overwrite the whole memory at every step."""
    return tanh(weigh(x, h, w, u, b))


def rnn_cell_backward(dh, x, h, w, u, b):
    dz = tanh_backward(dh, weigh(x, h, w, u, b))
    return weigh_backward(dz, x, h, w, u, b)


def lstm_cell(x: BD, state: tuple[BC, BC], forget: Gate, input: Gate, output: Gate, candidate: Gate) -> tuple[BC, BC]:
    """Keep what the forget gate leaves, add what the input gate lets in, show what the output gate opens.

    Hochreiter and Schmidhuber 1997; the forget gate is by Gers, Schmidhuber and Cummins 2000.
    """
    h, c = state
    c = gate(x, h, *forget) * c + gate(x, h, *input) * rnn_cell(x, h, *candidate)
    return gate(x, h, *output) * tanh(c), c


def lstm_cell_backward(dstate, x, state, forget, input, output, candidate):
    (dh, dc), (h, c) = dstate, state
    f, i, o, new = gate(x, h, *forget), gate(x, h, *input), gate(x, h, *output), rnn_cell(x, h, *candidate)
    after = f * c + i * new
    dc = dc + tanh_backward(dh * o, after)
    dx_f, dh_f, *dforget = gate_backward(dc * c, x, h, *forget)
    dx_i, dh_i, *dinput = gate_backward(dc * new, x, h, *input)
    dx_o, dh_o, *doutput = gate_backward(dh * tanh(after), x, h, *output)
    dx_n, dh_n, *dcandidate = rnn_cell_backward(dc * i, x, h, *candidate)
    dx, dh = dx_f + dx_i + dx_o + dx_n, dh_f + dh_i + dh_o + dh_n
    return dx, (dh, dc * f), tuple(dforget), tuple(dinput), tuple(doutput), tuple(dcandidate)


def gru_cell(x: BD, h: BC, update: Gate, reset: Gate, candidate: Gate) -> BC:
    """Slide from the old memory to a new one; the reset gate says how much of the old the new may see.

    Cho et al. 2014: a fully open update gate keeps the old memory.
    """
    z, r = gate(x, h, *update), gate(x, h, *reset)
    return z * h + (1 - z) * rnn_cell(x, r * h, *candidate)


def gru_cell_backward(dh, x, h, update, reset, candidate):
    z, r = gate(x, h, *update), gate(x, h, *reset)
    new = rnn_cell(x, r * h, *candidate)
    dx_n, dseen, *dcandidate = rnn_cell_backward(dh * (1 - z), x, r * h, *candidate)
    dx_z, dh_z, *dupdate = gate_backward(dh * (h - new), x, h, *update)
    dx_r, dh_r, *dreset = gate_backward(dseen * h, x, h, *reset)
    dh = dh * z + dseen * r + dh_z + dh_r
    return dx_n + dx_z + dx_r, dh, tuple(dupdate), tuple(dreset), tuple(dcandidate)


def unroll(cell, x: BTD, state, weights):
    """The state after each step of a sequence."""
    states = []
    for t in range(x.shape[1]):
        state = cell(x[:, t], state, *weights)
        states.append(state)
    return tree_map(lambda *moments: np.stack(moments, axis=1), *states)


def unroll_backward(dstates, cell, x, state, weights, tap=untapped):
    """Backpropagation through time: (dx, dstate, dweights), gathered from the last step to the first.

    The tap "state" sees the whole gradient that arrives at the state after each step.
    """
    states = unroll(cell, x, state, weights)
    dx, dstate, dweights = np.zeros_like(x), tree_map(np.zeros_like, state), tree_map(np.zeros_like, weights)
    for t in reversed(range(x.shape[1])):
        dstate = tap("state", tree_map(lambda later, now: later + now[:, t], dstate, dstates))
        before = tree_map(lambda each: each[:, t - 1], states) if t else state
        dx[:, t], dstate, *dw = backward(cell)(dstate, x[:, t], before, *weights)
        dweights = tree_map(np.add, dweights, tuple(dw))
    return dx, dstate, dweights


def rnn(x: BTD, h: BC, w: DC, u: CC, b: C) -> BTC:
    """A plain recurrent network: what it shows after each step."""
    return unroll(rnn_cell, x, h, (w, u, b))


def rnn_backward(dy, x, h, w, u, b):
    dx, dh, dweights = unroll_backward(dy, rnn_cell, x, h, (w, u, b))
    return dx, dh, *dweights


def lstm(x: BTD, state: tuple[BC, BC], forget: Gate, input: Gate, output: Gate, candidate: Gate) -> BTC:
    """Long short-term memory: what it shows after each step; the cell c stays inside."""
    h, _ = unroll(lstm_cell, x, state, (forget, input, output, candidate))
    return h


def lstm_backward(dy, x, state, forget, input, output, candidate):
    gates = forget, input, output, candidate
    dx, dstate, dgates = unroll_backward((dy, np.zeros_like(dy)), lstm_cell, x, state, gates)
    return dx, dstate, *dgates


def gru(x: BTD, h: BC, update: Gate, reset: Gate, candidate: Gate) -> BTC:
    """Gated recurrent units: what they show after each step."""
    return unroll(gru_cell, x, h, (update, reset, candidate))


def gru_backward(dy, x, h, update, reset, candidate):
    dx, dh, dgates = unroll_backward(dy, gru_cell, x, h, (update, reset, candidate))
    return dx, dh, *dgates
