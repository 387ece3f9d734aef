"""Five bugs as they were shipped, in our words.  The same functions stand in `mended.py`; compare the two files."""
import numpy as np
from numpy.testing import assert_array_almost_equal


# ---- 1: two sizes that happened to be equal
def mix_heads(gathered, wo):
    B, T, N, H = gathered.shape
    D = wo.shape[-1]
    flat = gathered.reshape(B, T, D)
    return flat @ wo.reshape(D, D)


def head_width(cfg):
    return cfg.D // cfg.N


# ---- 2: a loop that asked the old buffer
def finished(done, before, after, at, eos):
    return done | (before[:, at] == eos)


def answer(row, eos):
    return row


# ---- 3: padding that was seen
def places(buffer, length):
    _, order = np.indices(buffer.shape)
    return order, order


# ---- 4: the right shape
def gate_and_up(stored):
    two, F, D = stored.shape
    return stored.reshape(two, D, F)


def fresh_mlp(random, D, F):
    gate, up = np.zeros((2, D, F))
    down = np.zeros((F, D))
    return {"gate": gate, "up": up, "down": down}


# ---- 5: a test that could not fail
def assert_equal(given, wanted):
    assert_array_almost_equal(given, wanted, 1e-5)


def sight(positions, S, window=np.inf):
    return np.ones((*positions.shape, S), bool)
