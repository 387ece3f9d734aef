"""Five MLPs with as many weights each, and three small tasks that they learn from nothing.

A task is a function `task(D, random)` that returns `examples(random, n, held_out)`, which draws x and what is wanted,
and `grade(y, wanted)`, which returns the loss and its gradient at y.
"""
import inspect
from functools import cache
from importlib import import_module

import numpy as np

from ...axes import weights_of
from ...numpy_gemma.gradient import pull_back
from ...numpy_gemma.loss import cross_entropy, cross_entropy_backward
from ...numpy_gemma.mlp import geglu, glu, plain_mlp, reglu, swiglu
from ...numpy_gemma.train import adam, adam_start

KINDS = [plain_mlp, glu, reglu, geglu, swiglu]
DEPTHS = [0, 1, 2, 3, 4, 6, 8]
SEEN = 4            # characters that the text's MLP sees
HELD_OUT = 2000     # examples, or characters at the end of the text, that no training sees


def equal_width(mlp, F):
    """The width that gives an MLP as many weights as a gated one of width F: 3 matrices · F = 2 matrices · 3F/2."""
    return F * 3 // len(weights_of(mlp))


def fresh_weights(mlp, D, F, random):
    """Weights that keep the length of what they multiply."""
    sizes = {"D": D, "F": F}
    return {name: random.standard_normal([sizes[axis] for axis in axes]) / np.sqrt(sizes[axes[0]])
            for name, axes in weights_of(mlp).items()}


def products(D, random):
    """Eight pairs of directions; what is wanted are mixtures of their products."""
    a, b = random.standard_normal((2, D, 8)) / np.sqrt(D)
    return of_numbers(lambda x: (x @ a) * (x @ b), random.standard_normal((8, D)))


def folds(D, random):
    """Four directions, a sharp fold across each; what is wanted are mixtures of the folds."""
    a, crease = 3 * random.standard_normal((D, 4)) / np.sqrt(D), random.uniform(-3, 3, 4)
    return of_numbers(lambda x: np.abs(x @ a + crease), random.standard_normal((4, D)))


def of_numbers(features, mix):
    """A task on random vectors whose first coordinate is always 1, so that a unit can have a threshold."""
    def examples(random, n, held_out=False):
        x = random.standard_normal((1, n, mix.shape[1]))
        x[..., 0] = 1
        return x, features(x) @ mix

    def grade(y, wanted):
        miss, variance = y - wanted, np.var(wanted, axis=1).mean()
        return np.mean(miss**2) / variance, 2 * miss / miss.size / variance
    return examples, grade


def text(D, random):
    """The next character of this package's own NumPy, after the last four; the output's coordinates are logits."""
    ids = characters()
    codes = random.standard_normal((SEEN, D, D)) / np.sqrt(SEEN)      # a fixed vector for each character and place

    def examples(random, n, held_out=False):
        at = places(random, n, held_out)
        return sum(codes[back][ids[at - 1 - back]] for back in range(SEEN))[None], ids[at][None]

    def grade(y, wanted):
        surprise = cross_entropy(y, wanted)
        return surprise.mean() / np.log(2), cross_entropy_backward(np.full(wanted.shape, 1 / wanted.size), y, wanted)
    return examples, grade


def places(random, n, held_out=False):
    """Where in the text the wanted characters stand."""
    end = len(characters())
    return np.arange(end - HELD_OUT, end) if held_out else random.integers(SEEN, end - HELD_OUT, n)


@cache
def characters():
    """The source of `numpy_gemma`, capitals made small, as numbers below 64."""
    rooms = ["attention", "contract", "gates", "loss", "mlp", "model", "norm", "position", "recurrent"]
    source = "".join(inspect.getsource(import_module(f"gemma_edu.numpy_gemma.{room}")) for room in rooms).lower()
    known = sorted({each for each in source if each.isascii()})[:64]
    return np.array([known.index(each) for each in source if each in known])


def learn(mlp, w, task, random, steps=300, batch=64, rate=0.03):
    """Weights after some steps of Adam, at a rate that falls to zero."""
    examples, grade = task
    state = adam_start(w)
    for step in range(steps):
        x, wanted = examples(random, batch)
        _, dy = grade(mlp(x, **w), wanted)
        w, state = adam(w, pull_back(mlp, dy, x, **w)[1], state, rate * (1 - step / steps))
    return w


def contest(mlp, task, D, F, seed, **budget):
    """The loss on what was held out, after learning from nothing; a seed decides task, weights and examples."""
    random = np.random.default_rng(seed)
    examples, grade = drawn = task(D, random)
    w = learn(mlp, fresh_weights(mlp, D, equal_width(mlp, F), random), drawn, random, **budget)
    x, wanted = examples(random, HELD_OUT, held_out=True)
    return float(grade(mlp(x, **w), wanted)[0])


def contests(task, seeds, kinds=KINDS, F=32, **budget):
    """{kind: a loss for each seed}, with as many weights for each kind."""
    D, budget = (64, {"steps": 200} | budget) if task is text else (8, budget)
    return {mlp.__name__: [contest(mlp, task, D, F, seed, **budget) for seed in range(seeds)] for mlp in kinds}


def shut_every_second(w, depth):
    """The same weights, but every second unit's gate stands at -depth, give or take a half, whatever comes in."""
    gate = w["gate"].copy()
    gate[:, ::2] *= 0.5
    gate[0, ::2] = -depth
    return w | {"gate": gate}


def awake(w, x):
    """The share of those units whose gate opens for one input at least."""
    return float(np.mean(np.any(x @ w["gate"][:, ::2] > 0, axis=(0, 1))))


def revived(mlp, depth, seed, D=8, F=32, **budget):
    """The share of shut units that are awake again after learning."""
    random = np.random.default_rng(seed)
    examples, grade = drawn = products(D, random)
    w = learn(mlp, shut_every_second(fresh_weights(mlp, D, F, random), depth), drawn, random, **budget)
    return awake(w, examples(random, HELD_OUT)[0])


def revivals(seeds, kinds=(reglu, geglu, swiglu), steps=100):
    """{kind: [seeds, depths]}: the share of shut units that came back from each of DEPTHS."""
    return {mlp.__name__: np.array([[revived(mlp, depth, seed, steps=steps) for depth in DEPTHS]
                                    for seed in range(seeds)]) for mlp in kinds}
