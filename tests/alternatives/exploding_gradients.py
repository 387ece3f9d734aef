"""The same answers, found another way."""
import numpy as np

from gemma_edu.numpy_gemma.train import adam
from gemma_edu.numpy_gemma.tree import leaves, tree_map


def clip_by_global_norm(grads, longest):
    length = np.linalg.norm(np.concatenate([leaf.ravel().astype(float) for leaf in leaves(grads)]))
    if np.isnan(length) or np.isinf(length):
        raise FloatingPointError("no direction")
    if length <= longest:
        return grads
    return tree_map(lambda leaf: (leaf / length * longest).astype(leaf.dtype), grads)


def with_radius(u, radius):
    """By the root of the largest product of an eigenvalue with its conjugate."""
    values = np.linalg.eigvals(u)
    return radius / np.sqrt((values * values.conj()).real.max()) * u


def adamw(params, grads, state, rate, decay):
    """Shrink first, and then move by as much as Adam would have moved the weights as they were."""
    moved, state = adam(params, grads, state, rate)
    shrunk = tree_map(lambda p: (1 - rate * decay) * p, params)
    return tree_map(lambda small, new, old: small + (new - old), shrunk, moved, params), state


def step_that_exploded(norms, times, window):
    suspects = []
    for step in range(len(norms)):
        before = sorted(norms[max(0, step - window):step])
        middle = (before[len(before) // 2] + before[(len(before) - 1) // 2]) / 2 if before else np.inf
        if not abs(norms[step]) < np.inf or norms[step] > times * middle:
            suspects.append(step)
    return min(suspects, default=-1)


def predict_loud_inputs():
    return "vanishes"
