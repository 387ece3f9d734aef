"""Two spirals, which no shallow glance tells apart, and a deep chain that learns to."""
import numpy as np

from ...numpy_gemma.gates import sigmoid
from ...numpy_gemma.train import adam, adam_start
from .chain import chain, climb, descend, lengths

TURNS, NOISE = 1.0, 0.03


def spirals(n=128, seed=0):
    """Points [n, 3], two coordinates and a one, and which of the two arms each lies on: +1 or -1."""
    random = np.random.default_rng(seed)
    arm, out = np.where(np.arange(n) % 2, 1.0, -1.0), np.sqrt(random.uniform(0.02, 1, n))
    angle = 2 * np.pi * TURNS * out + np.pi * (arm > 0)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1) * out[:, None]
    return with_one(points + NOISE * random.standard_normal((n, 2))), arm


def with_one(points):
    """A third coordinate that is always one takes the place of a bias."""
    return np.concatenate([points, np.ones((len(points), 1))], axis=1)


def network(layer, L=18, D=32, scale=1.0, keep=0.0, seed=0):
    """Random weights: from three coordinates to the stream, up the chain, and from the stream to one number."""
    random = np.random.default_rng((seed, 2))
    return {"first": random.standard_normal((3, D)), "layers": tuple(chain(layer, L, D, scale, keep, seed)),
            "last": random.standard_normal(D) / np.sqrt(D)}


def score(layer, params, points):
    """How strongly the network believes in the arm +1."""
    return climb(layer, params["layers"], points @ params["first"])[-1] @ params["last"]


def loss(layer, params, points, arm):
    """Surprise, in nats: 0.69 is a coin."""
    return float(np.mean(np.logaddexp(0, -arm * score(layer, params, points))))


def loss_backward(layer, params, points, arm):
    """The gradient at each weight, and at the stream before and after each layer."""
    stream = climb(layer, params["layers"], points @ params["first"])
    dscore = -arm * sigmoid(-arm * (stream[-1] @ params["last"])) / len(arm)
    grads, dlayers = descend(np.outer(dscore, params["last"]), layer, params["layers"], stream)
    return {"first": points.T @ grads[0], "layers": tuple(dlayers), "last": stream[-1].T @ dscore}, grads


def learn(layer, params, points, arm, steps, rate=3e-3):
    """Train by Adam on all points at once; yields (params, grads at the stream) before each step."""
    state = adam_start(params)
    for _ in range(steps):
        dparams, grads = loss_backward(layer, params, points, arm)
        yield params, grads
        params, state = adam(params, dparams, state, rate)


def train(layer, steps=80, rate=0.01, seed=0, D=24, **start):
    """(params, loss, flow [steps, L + 1]): the flow says what arrives at each layer, before each step."""
    points, arm = spirals(96, seed)
    way = learn(layer, network(layer, D=D, seed=seed, **start), points, arm, steps, rate)
    stations, grads = zip(*way, strict=True)
    arrives = np.array([lengths(each) / lengths(each[-1:]) for each in grads])
    return stations[-1], loss(layer, stations[-1], points, arm), arrives
