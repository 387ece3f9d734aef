"""The functions of `shipped.py` that were repaired twice, as they stood between the first repair and the second."""
import numpy as np

from .decoding import PAD


# ---- 2: it stops when all rows have finished; a row that finished early has written on
def finished(done, before, after, at, eos):
    return done | (after[:, at] == eos)


def answer(row, eos):
    return row


# ---- 3: padding is hidden, and positions count what is not padding
def places(buffer, length):
    nowhere = buffer.shape[1]
    prompt = np.arange(nowhere) < length
    pads = (buffer == PAD) & prompt
    order = np.cumsum(~pads, 1) - 1
    angles = np.cumsum(buffer != PAD, 1) - 1
    return np.where(pads, nowhere, order), angles
