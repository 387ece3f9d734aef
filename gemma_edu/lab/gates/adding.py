"""The adding problem, and cells that learn it by backpropagation through time.

Hochreiter and Schmidhuber 1997, section 5.4: a sequence of numbers, two of which are marked; say their sum at the end.
Weights of R networks are a dict {"w": [R, 2, G·C], "u": [R, C, G·C], "b": [R, 1, G·C], "out": [R, C, 1],
"bias": [R, 1, 1]}, for the G gates of a cell in the order of the package's arguments.
"""
import numpy as np

from ...numpy_gemma.train import adam, adam_start
from ...numpy_gemma.tree import leaves, tree_map
from .fused import FORWARD, PARTS

GUESS = 1 / 6        # the error of always saying 1: the variance of a sum of two numbers from 0 to 1


def adding(random, B, T):
    """Numbers from 0 to 1 beside their marks, [B, T, 2], and the sums of the two that are marked, [B].

    One mark stands in each half.
    """
    number, mark = random.random((B, T)), np.zeros((B, T))
    for low, high in [(0, T // 2), (T // 2, T)]:
        mark[np.arange(B), random.integers(low, high, B)] = 1
    return np.stack([number, mark], axis=-1), np.sum(number * mark, axis=1)


def start(cell, seeds, C=16, bias=0.0):
    """Fresh weights for a network per seed; `bias` is that of the first gate, which keeps the memory."""
    return tree_map(lambda *each: np.stack(each), *(fresh(np.random.default_rng(seed), PARTS[cell], C, bias)
                                                   for seed in seeds))


def fresh(random, G, C, bias):
    """One network; each gate turns the state without stretching it (an orthogonal matrix)."""
    turns = [np.linalg.qr(random.standard_normal((C, C)))[0] for _ in range(G)]
    b = np.zeros((1, G * C))
    b[:, :C] = bias
    tree = {"w": random.standard_normal((2, G * C)) / np.sqrt(2), "u": np.concatenate(turns, axis=1), "b": b,
            "out": np.zeros((C, 1)), "bias": np.ones((1, 1))}        # so that all begin by guessing 1
    return tree_map(lambda each: each.astype(np.float32), tree)


def train(cell, params, seeds, *, T=30, B=64, steps=300, rate=0.02, clip=1.0):
    """(params, losses [R, steps]) after so many steps of Adam, a fresh batch for each, from each network's own seed."""
    randoms, state, losses = [np.random.default_rng((seed, 1)) for seed in seeds], adam_start(params), []
    for _ in range(steps):
        x, y = batch(randoms, B, T)
        loss, grads = loss_and_gradient(cell, params, x, y)
        params, state = adam(params, clip_each(grads, clip), state, rate)
        losses.append(loss)
    return params, np.stack(losses, axis=1)


def batch(randoms, B, T):
    """x [R, B, T, 2] and y [R, B], in float32."""
    x, y = zip(*(adding(random, B, T) for random in randoms), strict=True)
    return np.stack(x).astype(np.float32), np.stack(y).astype(np.float32)


def loss_and_gradient(cell, params, x, y):
    """The mean squared error of each network, [R], and the gradient of their weights."""
    forward, backward = FORWARD[cell]
    x = np.moveaxis(x, 2, 0)                                            # [T, R, B, 2]
    h, tape = forward(x @ params["w"] + params["b"], params["u"])
    error = h @ params["out"] + params["bias"] - y[..., None]           # [R, B, 1]
    derror = 2 * error / y.shape[1]
    dz, du = backward(derror @ np.swapaxes(params["out"], 1, 2), tape, params["u"])
    return np.mean(error**2, axis=(1, 2)), {
        "w": np.einsum("TRBD,TRBC->RDC", x, dz, optimize=True), "u": du, "b": np.sum(dz, axis=(0, 2))[:, None],
        "out": np.swapaxes(h, 1, 2) @ derror, "bias": np.sum(derror, axis=1, keepdims=True)}


def clip_each(grads, longest):
    """Shorten the gradient of each network to a length of its own."""
    length = np.sqrt(sum(np.sum(leaf**2, axis=(1, 2), keepdims=True) for leaf in leaves(grads)))
    factor = np.minimum(1, longest / np.maximum(length, 1e-12))
    return tree_map(lambda leaf: leaf * factor, grads)


def steps_until(losses, below=0.05, window=20):
    """After how many steps each network's error, averaged over a window, is below a bound; infinite where it never is.

    `losses` is [R, steps].
    """
    smooth = rolling(losses, window)
    return np.where(np.any(smooth < below, axis=1), np.argmax(smooth < below, axis=1) + window, np.inf)


def rolling(losses, window):
    """Means over the last `window` steps, [R, steps - window + 1]."""
    return np.lib.stride_tricks.sliding_window_view(losses, window, axis=1).mean(axis=-1)
