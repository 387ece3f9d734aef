"""The bug hunt of chapter 09: eight patients with one bug each, and the right model to compare them with.

Which patient has which bug cannot be read off this file: a hash of the names has dealt them out.
"""
from dataclasses import replace
from hashlib import sha256

import numpy as np

from ... import numpy_gemma
from ...config import TINY, in_numpy
from . import first_release
from .bugs import infected

CFG = in_numpy(replace(TINY, **first_release.SIZES))
PARAMS, TOKENS = first_release.weights(np.float64), first_release.TOKENS
SUSPECTS = [
    "GELU: erf", "LayerNorm for RMSNorm", "RoPE interleaved", "RoPE on q only", "epsilon outside the root",
    "gate and up swapped", "k and v swapped", "no embedding scale", "no mask", "no query scale", "norm without + 1",
    "strict causal: no self"]
PATIENTS = 8


def truth():
    """The bug of each patient, numbered from 1."""
    dealt = sorted(SUSPECTS, key=lambda bug: sha256(f"{bug}, dealt".encode()).digest())
    return dict(enumerate(dealt[:PATIENTS], start=1))


def healthy(params=PARAMS, tokens=TOKENS):
    """The logits of the right model: [B, T, V]."""
    return numpy_gemma.forward(CFG, params, tokens)[0]


def patient(number, params=PARAMS, tokens=TOKENS):
    """The logits of a patient, for weights and tokens of your choice: [B, T, V]."""
    if number not in truth():
        raise ValueError(f"there is no patient {number}; they are numbered from 1 to {PATIENTS}")
    return with_bug(truth()[number], params, tokens)


def with_bug(bug, params=PARAMS, tokens=TOKENS):
    """The logits of a model that has a bug."""
    with infected(numpy_gemma, CFG, bug) as cfg:
        return numpy_gemma.forward(cfg, params, tokens)[0]


def changed(slot, name, change, params=PARAMS):
    """The weights with one of them changed in every layer: `changed("mixer", "wq", lambda w: w / 2)`."""
    layers = tuple({**w, slot: {**w[slot], name: change(w[slot][name])}} for w in params["layers"])
    return {**params, "layers": layers}


def symptoms(logits, right):
    """(effect at position 0, effect later, argmaxes changed): how far logits are from the right ones.

    An effect is the largest change, in standard deviations of the right logits.
    """
    change = np.max(np.abs(logits - right), axis=(0, 2)) / np.std(right)
    other = int(np.sum(np.argmax(logits, axis=-1) != np.argmax(right, axis=-1)))
    return float(change[0]), float(np.max(change[1:])), other
