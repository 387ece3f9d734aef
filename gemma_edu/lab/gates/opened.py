"""One recurrent network, opened: its answers, its gates over time, its gradient, by the package's own cells.

The weights of a cell are a tuple, in the order of its arguments; the first gate is the one that keeps the memory.
"""
import numpy as np

from ...numpy_gemma.gates import gate
from ...numpy_gemma.recurrent import gru_cell, lstm_cell, rnn_cell, unroll, unroll_backward
from ...numpy_gemma.tree import leaves

CELLS = {"rnn": rnn_cell, "lstm": lstm_cell, "gru": gru_cell}
GATES = {"rnn": [], "lstm": ["forget gate f", "input gate i", "output gate o"],
         "gru": ["update gate z", "reset gate r"]}


def weights(params, run=0):
    """The weights of one of the networks that `adding.train` returns."""
    w, u, b = (params[name][run].astype(np.float64) for name in "wub")
    G = w.shape[1] // u.shape[0]
    parts = tuple(zip(np.split(w, G, axis=1), np.split(u, G, axis=1), np.split(b[0], G), strict=True))
    return parts if G > 1 else parts[0]


def by_hand(sharp=16.0):
    """An LSTM of one unit that adds, and was never trained: it keeps all, and lets in what is marked."""
    def part(of_number, of_mark, bias):
        return np.array([[of_number], [of_mark]]), np.zeros((1, 1)), np.array([bias])
    forget, output, candidate = part(0.0, 0.0, sharp), part(0.0, 0.0, sharp), part(0.1, 0.0, 0.0)
    return forget, part(0.0, sharp, -sharp / 2), output, candidate


def empty(cell, x, weights):
    """The state before the first step."""
    h = np.zeros((x.shape[0], leaves(weights)[1].shape[0]))
    return (h, h) if cell == "lstm" else h


def shown(cell, x, weights, step=None):
    """What a network shows after each step, [B, T, C]; `step` is another cell to do it with."""
    states = unroll(step or CELLS[cell], x, empty(cell, x, weights), weights)
    return states[0] if cell == "lstm" else states


def errors(cell, params, x, y, change=lambda weights: weights, step=None):
    """The mean squared error of each trained network, [R]; `change` does something to the weights of its cell first."""
    return np.array([error(cell, x, y, change(weights(params, run)), params["out"][run], params["bias"][run], step)
                     for run in range(len(params["out"]))])


def error(cell, x, y, weights, out, bias, step=None):
    """The mean squared error of one network, which answers with `out` [C, 1] and `bias` [1, 1]."""
    return float(np.mean((shown(cell, x, weights, step)[:, -1] @ out[:, 0] + bias[0, 0] - y)**2))


def openness(cell, x, weights):
    """How far each gate is open at each step: {name: [B, T, C]}."""
    h = shown(cell, x, weights)
    before = np.concatenate([np.zeros_like(h[:, :1]), h[:, :-1]], axis=1)
    return {name: np.stack([gate(x[:, t], before[:, t], *part) for t in range(x.shape[1])], axis=1)
            for name, part in zip(GATES[cell], weights, strict=False)}


def nailed(cell, x, weights, name):
    """The same weights, but one gate stands still: each of its switches where it is on average over `x`."""
    number = GATES[cell].index(name)
    stays = np.mean(openness(cell, x, weights)[name], axis=(0, 1))
    w, u, _ = weights[number]
    return (*weights[:number], (0 * w, 0 * u, np.log(stays / (1 - stays))), *weights[number + 1:])


def gradient_at_the_end(cell, x, weights, dh):
    """The gradient of the weights, and its length at the memory after each step, [T].

    `dh` [B, C] is the gradient of what is shown at the end.
    """
    dshown, lengths = np.zeros((*x.shape[:2], dh.shape[1])), []
    dshown[:, -1] = dh

    def tap(_, dstate):
        lengths.append(np.linalg.norm(leaves(dstate)[-1]))      # of c, where there is one
        return dstate
    dstates = (dshown, np.zeros_like(dshown)) if cell == "lstm" else dshown
    _, _, dweights = unroll_backward(dstates, CELLS[cell], x, empty(cell, x, weights), weights, tap)
    return dweights, np.array(lengths[::-1])


def slow_gradient(cell, params, x, y):
    """What `adding.loss_and_gradient` must find for the u of the first network, found by the package's own cells."""
    ours, out = weights(params), params["out"][0].astype(np.float64)
    error = shown(cell, x, ours)[:, -1] @ out + params["bias"][0] - y[:, None]
    dweights, _ = gradient_at_the_end(cell, x, ours, 2 / len(y) * error @ out.T)
    return dweights[1] if cell == "rnn" else np.concatenate([du for _, du, _ in dweights], axis=1)
