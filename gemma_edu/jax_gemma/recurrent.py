"""Memory in a loop: RNN, LSTM and GRU cells, and the walk through time.

A cell is a function `cell(x, state, *weights) -> state`.
"""
import jax
from jax import lax

from ..axes import BC, BD, BTC, BTD, CC, DC, C, Gate
from .gates import gate, tanh, weigh


def rnn_cell(x: BD, h: BC, w: DC, u: CC, b: C) -> BC:
    """Overwrite the whole memory at every step."""
    return tanh(weigh(x, h, w, u, b))


def lstm_cell(x: BD, state: tuple[BC, BC], forget: Gate, input: Gate, output: Gate, candidate: Gate) -> tuple[BC, BC]:
    """Keep what the forget gate leaves, add what the input gate lets in, show what the output gate opens.

    Hochreiter and Schmidhuber 1997; the forget gate is by Gers, Schmidhuber and Cummins 2000.
    """
    h, c = state
    c = gate(x, h, *forget) * c + gate(x, h, *input) * rnn_cell(x, h, *candidate)
    return gate(x, h, *output) * tanh(c), c


def gru_cell(x: BD, h: BC, update: Gate, reset: Gate, candidate: Gate) -> BC:
    """Slide from the old memory to a new one; the reset gate says how much of the old the new may see.

    Cho et al. 2014: a fully open update gate keeps the old memory.
    """
    z, r = gate(x, h, *update), gate(x, h, *reset)
    return z * h + (1 - z) * rnn_cell(x, r * h, *candidate)


def unroll(cell, x: BTD, state, weights):
    """The state after each step of a sequence."""
    def step(state, x):
        state = cell(x, state, *weights)
        return state, state
    _, states = lax.scan(step, state, x.swapaxes(0, 1))
    return jax.tree.map(lambda each: each.swapaxes(0, 1), states)


def rnn(x: BTD, h: BC, w: DC, u: CC, b: C) -> BTC:
    """A plain recurrent network: what it shows after each step."""
    return unroll(rnn_cell, x, h, (w, u, b))


def lstm(x: BTD, state: tuple[BC, BC], forget: Gate, input: Gate, output: Gate, candidate: Gate) -> BTC:
    """Long short-term memory: what it shows after each step; the cell c stays inside."""
    h, _ = unroll(lstm_cell, x, state, (forget, input, output, candidate))
    return h


def gru(x: BTD, h: BC, update: Gate, reset: Gate, candidate: Gate) -> BTC:
    """Gated recurrent units: what they show after each step."""
    return unroll(gru_cell, x, h, (update, reset, candidate))
