"""RNN, GRU and LSTM with recurrent weights as loud as one likes: what becomes of a gradient on its way back in time."""
import numpy as np

from ...numpy_gemma.recurrent import gru_cell, lstm_cell, rnn_cell, unroll, unroll_backward
from ...numpy_gemma.tree import leaves, tree_map
from .first_bit import with_radius

T, B, D, C = 50, 2, 4, 32


def gate(random, radius, bias=0.0):
    """The weights of one gate, or of a whole RNN: what it sees, what it remembers, and its bias."""
    return random.standard_normal((D, C)) / np.sqrt(D), with_radius(random.standard_normal((C, C)), radius), \
        np.full(C, bias)


def cell(name, radius, random):
    """A cell, its random weights, and an empty memory; the gates that keep begin nearly three quarters open."""
    empty = np.zeros((B, C))
    if name == "RNN":
        return rnn_cell, gate(random, radius), empty
    keep, others = gate(random, radius, bias=1.0), [gate(random, radius) for _ in range(3)]
    return (gru_cell, (keep, *others[:2]), empty) if name == "GRU" else (lstm_cell, (keep, *others), (empty, empty))


def back_in_time(name, radius, loudness=0.1, seed=0):
    """The length of a gradient at the state, from the last step to the first, over its length at the last: [T]."""
    random = np.random.default_rng(seed)
    part, weights, empty = cell(name, radius, random)
    x, lengths = loudness * random.standard_normal((B, T, D)), []

    def listen(name, dstate):
        lengths.append(np.sqrt(sum(np.sum(each**2) for each in leaves(dstate))))
        return dstate
    dstates = tree_map(np.zeros_like, unroll(part, x, empty, weights))
    shown = dstates[0] if isinstance(dstates, tuple) else dstates
    shown[:, -1] = random.standard_normal((B, C))
    unroll_backward(dstates, part, x, empty, weights, listen)
    return np.array(lengths) / lengths[0]
