"""What opens the gates of an MLP: read off a model while it reads a text, and found out by nudging its input."""
from dataclasses import replace

import numpy as np

from ...axes import BTC, BTD
from ...numpy_gemma.contract import contract
from ...numpy_gemma.gates import gate
from ...numpy_gemma.mlp import geglu
from ...numpy_gemma.model import forward, hidden
from ...numpy_gemma.recurrent import lstm
from ..rms_norm.tower import pull


def choices(cfg, params, tokens):
    """What each GeGLU of a model puts into its gate while it reads tokens: [L, T, F], before the activation."""
    seen = []

    def listening(x, gate, up, down):
        seen.append(contract("BTD,DF->BTF", x, gate)[0])
        return geglu(x, gate, up, down)
    hidden(replace(cfg, mlp=listening), params, tokens)
    return np.stack(seen)


def visible(cfg, params, tokens, mlp):
    """What another MLP does to a model: the largest change of a logit, in units of their spread; changed answers."""
    right, _ = forward(cfg, params, tokens)
    wrong, _ = forward(replace(cfg, mlp=mlp), params, tokens)
    changed = np.argmax(wrong, axis=-1) != np.argmax(right, axis=-1)
    return float(np.max(np.abs(wrong - right)) / np.std(right)), int(np.sum(changed))


def forget_gates(x: BTD, state, forget, input, output, candidate) -> BTC:
    """The forget gate of an LSTM at each step: it sees what the memory shows from the step before."""
    shown = lstm(x, state, forget, input, output, candidate)
    before = [state[0], *shown.swapaxes(0, 1)[:-1]]
    return np.stack([gate(x[:, t], h, *forget) for t, h in enumerate(before)], axis=1)


def influence(gates, x: BTD, nudge=0.1, seed=0):
    """How far the gates at time T move when the input at time S is nudged: [T, S], for one text."""
    random = np.random.default_rng(seed)
    moved = []
    for s in range(x.shape[1]):
        nudged = x.copy()
        nudged[:, s] += nudge * random.standard_normal(x.shape[-1])
        moved.append(np.sqrt(np.mean((gates(nudged) - gates(x))[0]**2, axis=-1)) / nudge)
    return np.stack(moved, axis=1)


def alone(norm, mlp, x: BTD) -> BTD:
    """A layer without a residual stream: the next one sees nothing but its answer."""
    return mlp(norm(x))


def alone_backward(dy, norm, mlp, x):
    return pull(norm, pull(mlp, dy, norm(x)), x)
