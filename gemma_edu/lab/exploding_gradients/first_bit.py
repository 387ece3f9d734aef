"""Sixteen units that read noise and have to keep the first bit: a plain RNN, many of them trained at once.

Every weight has an axis M in front, one entry for each network; all of them read the same sequences, [T, B, D].
"""
import numpy as np

from ...numpy_gemma.tree import leaves, tree_map

C, T, B = 16, 30, 16             # units, steps, sequences in a batch
NOISE = 0.3                      # standard deviation of what is read after the bit


def with_radius(u, radius):
    """Stretch recurrent weights [..., C, C] until their largest eigenvalue, in absolute value, is `radius`."""
    largest = np.max(np.abs(np.linalg.eigvals(u)), axis=-1)
    return u * (radius / largest)[..., None, None]


def draw(radius, M=8, C=C, D=1, seed=0):
    """Random weights for M networks; `radius` is one number, or one for each network."""
    random = np.random.default_rng(seed)
    u = with_radius(random.standard_normal((M, C, C)), np.broadcast_to(radius, M))
    return {"w": random.standard_normal((M, D, C)) / np.sqrt(D), "u": u, "b": np.zeros((M, 1, C)),
            "read": random.standard_normal((M, C, 1)) / np.sqrt(C)}


def unroll(x, w, u, b):
    """The memory before the first step, all zeros, and after each one: [T + 1, M, B, C]."""
    h = [np.zeros((len(u), x.shape[1], u.shape[-1]))]
    for seen in x:
        h.append(np.tanh(seen @ w + h[-1] @ u + b))
    return np.stack(h)


def unroll_backward(dlast, x, h, w, u, b):
    """From a gradient at the last memory: (dw, du, db), and the gradient at every memory, [T + 1, M, B, C]."""
    dh, dw, du, db = [dlast], np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    for t in reversed(range(len(x))):
        dz = dh[-1] * (1 - h[t + 1]**2)
        dw = dw + turned(x[t]) @ dz
        du = du + turned(h[t]) @ dz
        db = db + np.sum(dz, axis=-2, keepdims=True)
        dh.append(dz @ turned(u))
    return (dw, du, db), np.stack(dh[::-1])


def turned(x):
    return np.swapaxes(x, -1, -2)


def reach(weights, x, seed=0):
    """How long a gradient of length one is after each step back in time: [T + 1, M], the median of the batch x."""
    w, u, b, _ = weights.values()
    h = unroll(x, w, u, b)
    dlast = np.random.default_rng(seed).standard_normal(h[-1].shape)
    _, dh = unroll_backward(dlast / np.linalg.norm(dlast, axis=-1, keepdims=True), x, h, w, u, b)
    return np.median(np.linalg.norm(dh[::-1], axis=-1), axis=-1)


def sequences(random):
    """What is read, [T, B, 1], and the bit to be said at the end, [B, 1]: 1 or -1, the first thing read."""
    x = NOISE * random.standard_normal((T, B, 1))
    x[0] = random.choice([-1.0, 1.0], (B, 1))
    return x, x[0]


def loss_and_gradient(weights, x, bit):
    """The mean square error of each network, [M], and the gradient of each with respect to its weights."""
    w, u, b, read = weights.values()
    h = unroll(x, w, u, b)
    error = h[-1] @ read - bit
    dsaid = 2 * error / error.shape[1]
    (dw, du, db), _ = unroll_backward(dsaid @ turned(read), x, h, w, u, b)
    return np.mean(error**2, axis=(1, 2)), {"w": dw, "u": du, "b": db, "read": turned(h[-1]) @ dsaid}


def norms(grads):
    """The global norm of each network's gradient: [M]."""
    return np.sqrt(sum(np.sum(each**2, axis=(1, 2)) for each in leaves(grads)))


def train(radius=1.5, rate=0.1, longest=np.inf, decay=0.0, steps=200, M=8, seed=0):
    """Gradient descent on M networks: the loss and the gradient's length at each step, [steps, M] each; the weights."""
    weights, random = draw(radius, M, seed=seed), np.random.default_rng((seed, 1))
    losses, lengths = [], []
    with np.errstate(all="ignore"):                # some of them burst
        for _ in range(steps):
            surprise, grads = loss_and_gradient(weights, *sequences(random))
            length = norms(grads)
            factor = np.minimum(1, longest / np.maximum(length, 1e-12))[:, None, None]
            weights = tree_map(lambda p, g: p - rate * (factor * g + decay * p), weights, grads)
            losses.append(surprise)
            lengths.append(length)
    return np.stack(losses), np.stack(lengths), weights
