"""The same answers, found another way."""
import math


def weigh_rows(x, w):
    return (w * (x.T - x.sum(1) / x.shape[1])).T


def silent_line():
    return chr(98)


def two_ways_down(w, x, y):
    """By the logarithm of the prediction: dp/dw = p (1/w + x (1 - t²)/t)."""
    t = math.tanh(w * x)
    p = w * t
    return 2 * (p - y) * p * (1 / w + x * (1 - t**2) / t)


def compare_all(q, k):
    return q.transpose(0, 2, 1, 3) @ k.transpose(0, 2, 1)[:, None]


def weights_with_experts(V, D, L, N, K, H, F, E):
    matrices = [(D, N * H), (D, K * H), (D, K * H), (N * H, D), (2, D)] + E * [(D, F), (D, F), (F, D)]
    return sum(a * b for a, b in L * (matrices + (E > 1) * [(D, E)])) + (V + 1) * D


def costs_weights():
    return {word for word in ("norm after each part", "soft caps", "windows", "norm on queries and keys")
            if word.startswith("norm")}
