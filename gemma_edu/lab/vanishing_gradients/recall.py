"""Recall the first moment of a sequence a hundred moments later: how much of the gradient gets back there?

A memory is (cell, weights, state): RNN, LSTM or GRU, with random weights and gates that begin as open as `keep` says.
`python -m gemma_edu.lab.vanishing_gradients.recall` trains each of `MEMORIES` with several seeds, and writes
recall.json beside this file.
"""
import json
from functools import partial
from pathlib import Path

import numpy as np

from ...numpy_gemma.gates import sigmoid
from ...numpy_gemma.recurrent import gru_cell, lstm_cell, rnn_cell, unroll, unroll_backward
from ...numpy_gemma.train import adam, adam_start
from ...numpy_gemma.tree import leaves

B, T, D, C = 16, 100, 2, 16
NOISE, RATE, STEPS, SEEDS = 0.5, 0.01, 80, 5
FILE = Path(__file__).with_suffix(".json")


def gate(random, bias=0.0):
    """What a gate looks at: input, state, and a bias that says how open it is before it has looked."""
    return random.standard_normal((D, C)) / np.sqrt(D), random.standard_normal((C, C)) / np.sqrt(C), np.full(C, bias)


def rnn(random):
    """No gates: the whole memory is overwritten at every step."""
    return rnn_cell, gate(random), np.zeros((B, C))


def lstm(keep, random):
    """The forget gate begins at sigmoid(keep)."""
    return lstm_cell, (gate(random, keep), gate(random), gate(random), gate(random)), (np.zeros((B, C)),) * 2


def gru(keep, random):
    """The update gate begins at sigmoid(keep)."""
    return gru_cell, (gate(random, keep), gate(random), gate(random)), np.zeros((B, C))


MEMORIES = {"RNN": rnn, "GRU, bias 0": partial(gru, 0.0), "GRU, bias 3": partial(gru, 3.0),
            "LSTM, bias 0": partial(lstm, 0.0), "LSTM, bias 1": partial(lstm, 1.0), "LSTM, bias 3": partial(lstm, 3.0)}


def task(random):
    """Sequences [B, T, D] of faint noise, whose first moment holds +1 or -1 in its last coordinate; and that sign."""
    sign = np.where(random.random(B) < 0.5, 1.0, -1.0)
    x = NOISE * random.standard_normal((B, T, D))
    x[:, :, 1] = 0
    x[:, 0, 1] = sign
    return x, sign


def shown(states):
    """What a memory shows; an LSTM keeps its cell to itself."""
    return states[0] if isinstance(states, tuple) else states


def at_the_end(dh, states):
    """A gradient at what the last step shows, and nowhere else."""
    everywhere = np.zeros_like(shown(states))
    everywhere[:, -1] = dh
    return (everywhere, np.zeros_like(everywhere)) if isinstance(states, tuple) else everywhere


def echo(dh, cell, weights, state, x):
    """The length of the gradient at the state after each step, 1 … T, and the gradient at the weights."""
    lengths = []

    def listen(name, dstate):
        lengths.append(np.sqrt(sum(np.sum(np.square(each)) for each in leaves(dstate))))
        return dstate
    dstates = at_the_end(dh, unroll(cell, x, state, weights))
    _, _, dweights = unroll_backward(dstates, cell, x, state, weights, listen)
    return np.array(lengths[::-1]), dweights


def through_time(memory, seed=0):
    """What arrives at each step, 1 … T, of a gradient of length one at the last."""
    random = np.random.default_rng(seed)
    cell, weights, state = memory(random)
    lengths, _ = echo(random.standard_normal((B, C)), cell, weights, state, task(random)[0])
    return lengths / lengths[-1]


def learn(memory, steps=STEPS, seed=0):
    """Train to recall the sign, on new sequences each time; yields (loss, what arrives at each step)."""
    random = np.random.default_rng(seed)
    cell, weights, state = memory(random)
    params = {"weights": weights, "out": random.standard_normal(C) / np.sqrt(C)}
    adams = adam_start(params)
    for _ in range(steps):
        x, sign = task(random)
        last = shown(unroll(cell, x, state, params["weights"]))[:, -1]
        score = last @ params["out"]
        dscore = -sign * sigmoid(-sign * score) / B
        lengths, dweights = echo(np.outer(dscore, params["out"]), cell, params["weights"], state, x)
        yield float(np.mean(np.logaddexp(0, -sign * score))), lengths / lengths[-1]
        params, adams = adam(params, {"weights": dweights, "out": last.T @ dscore}, adams, RATE)


def measure(memory, seed):
    """The losses of a training, and what arrives at each tenth step before and after it."""
    losses, arrived = zip(*learn(memory, seed=seed), strict=True)
    return {"loss": rounded(losses), "before": rounded(arrived[0][::-10][::-1]),
            "after": rounded(arrived[-1][::-10][::-1])}


def rounded(numbers):
    return [float(f"{number:.3g}") for number in numbers]


def results():
    """What `python -m gemma_edu.lab.vanishing_gradients.recall` found: {memory: a measurement per seed}."""
    return json.loads(FILE.read_text())


if __name__ == "__main__":
    found = {name: [measure(memory, seed) for seed in range(SEEDS)] for name, memory in MEMORIES.items()}
    FILE.write_text("{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(each)}" for name, each in found.items())
                    + "\n}\n")
