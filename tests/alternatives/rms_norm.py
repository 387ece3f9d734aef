"""The same answers, found another way."""
import numpy as np


def rms_norm(x, scale):
    square = np.einsum("BTD,BTD->BT", x, x) / x.shape[-1]
    return ((x.T * (1 / np.sqrt(square + 1e-6)).T).T * (1 + scale)).astype(x.dtype)


def rms_norm_backward(dy, x, scale):
    """By the whole Jacobian of every vector, row by row."""
    D, dx, dscale = x.shape[-1], np.zeros_like(x), np.zeros_like(scale)
    for b, t in np.ndindex(x.shape[:2]):
        square = x[b, t] @ x[b, t] / D + 1e-6
        jacobian = np.diag(1 + scale) @ (np.eye(D) / square**0.5 - np.outer(x[b, t], x[b, t]) / D / square**1.5)
        dx[b, t] = dy[b, t] @ jacobian
        dscale = dscale + dy[b, t] * x[b, t] / square**0.5
    return dx, dscale


def count_weights(D, N, K, H, F, L):
    attention = [D * N * H, D * K * H, D * K * H, N * H * D]
    return sum([*attention, D * F, D * F, F * D, D, D] * L) + D


def predict_the_tower():
    return "no" + "where"
