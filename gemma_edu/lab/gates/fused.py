"""RNN, LSTM and GRU for speed: all gates in one matrix, several networks side by side.

The cells of `numpy_gemma/recurrent.py` are the ones to read, and the oracle for these.  Here `z` [T, R, B, G·C] is what
the input says to all G gates at every step, of R networks at once, and `u` [R, C, G·C] is what the state says.  A
forward returns the last h and a tape of what its backward needs; a backward returns (dz, du).
"""
import numpy as np

FORGET, INPUT, OUTPUT = 0, 1, 2        # the order of the gates of lstm_cell; the candidate is last
UPDATE, RESET = 0, 1                   # and of gru_cell


def rnn(z, u):
    h, tape = nothing(z, u), []
    for now in z:
        before, h = h, np.tanh(now + h @ u)
        tape.append((before, h))
    return h, tape


def rnn_backward(dh, tape, u):
    dz, du = [], np.zeros_like(u)
    for before, h in reversed(tape):
        dnow = dh * (1 - h * h)
        dh = dnow @ flip(u)
        du += flip(before) @ dnow
        dz.append(dnow)
    return np.stack(dz[::-1]), du


def lstm(z, u):
    h, c, tape = nothing(z, u), nothing(z, u), []
    for now in z:
        *gates, new = np.split(now + h @ u, 4, axis=-1)
        (f, i, o), new, before = map(half_open, gates), np.tanh(new), (h, c)
        c = f * c + i * new
        seen = np.tanh(c)
        h = o * seen
        tape.append((*before, f, i, o, new, seen))
    return h, tape


def lstm_backward(dh, tape, u):
    dc, dz, du = np.zeros_like(dh), [], np.zeros_like(u)
    for h, c, f, i, o, new, seen in reversed(tape):
        dc = dc + dh * o * (1 - seen * seen)
        dnow = np.concatenate([dc * c * f * (1 - f), dc * new * i * (1 - i), dh * seen * o * (1 - o),
                               dc * i * (1 - new * new)], axis=-1)
        dh, dc = dnow @ flip(u), dc * f
        du += flip(h) @ dnow
        dz.append(dnow)
    return np.stack(dz[::-1]), du


def gru(z, u):
    h, tape, C = nothing(z, u), [], u.shape[1]
    for now in z:
        keep, reset = map(half_open, np.split(now[..., :2 * C] + h @ u[..., :2 * C], 2, axis=-1))
        new = np.tanh(now[..., 2 * C:] + (reset * h) @ u[..., 2 * C:])
        tape.append((h, keep, reset, new))
        h = keep * h + (1 - keep) * new
    return h, tape


def gru_backward(dh, tape, u):
    dz, du, C = [], np.zeros_like(u), u.shape[1]
    of_gates, of_new = u[..., :2 * C], u[..., 2 * C:]
    for h, keep, reset, new in reversed(tape):
        dnew = dh * (1 - keep) * (1 - new * new)
        dseen = dnew @ flip(of_new)
        dgates = np.concatenate([dh * (h - new) * keep * (1 - keep), dseen * h * reset * (1 - reset)], axis=-1)
        du += np.concatenate([flip(h) @ dgates, flip(reset * h) @ dnew], axis=-1)
        dh = dh * keep + dseen * reset + dgates @ flip(of_gates)
        dz.append(np.concatenate([dgates, dnew], axis=-1))
    return np.stack(dz[::-1]), du


def half_open(z):
    """The sigmoid again, by way of a tanh, which is quick: σ(z) = (1 + tanh(z/2)) / 2."""
    return 0.5 * np.tanh(0.5 * z) + 0.5


def nothing(z, u):
    """An empty memory, [R, B, C]."""
    return np.zeros((*z.shape[1:3], u.shape[1]), z.dtype)


def flip(matrices):
    return np.swapaxes(matrices, -1, -2)


PARTS = {"rnn": 1, "lstm": 4, "gru": 3}        # how many gates and candidates each has
FORWARD = {"rnn": (rnn, rnn_backward), "lstm": (lstm, lstm_backward), "gru": (gru, gru_backward)}
