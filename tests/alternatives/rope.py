"""The same answers, found another way."""
import numpy as np

from gemma_edu.lab.rope import misturned
from gemma_edu.numpy_gemma import position


def rope(x, positions, base=10_000.0, stretch=1.0):
    """A pair is a complex number, and a rotation multiplies it by one of length one."""
    H = x.shape[-1]
    z = x[..., :H // 2] + 1j * x[..., H // 2:]
    z = z * np.exp(1j * np.einsum("bt,i->bti", positions / stretch, base ** (-2 * np.arange(H // 2) / H)))[:, :, None]
    return np.concatenate([z.real, z.imag], axis=-1).astype(x.dtype)


def relative_score(q, k, distance):
    """Leave the query, and turn the key back."""
    turned = position.rope(k.reshape(1, 1, 1, -1), np.full((1, 1), -distance))
    return np.sum(turned.ravel() * q)


def rope_backward(dy, x, positions, base=10_000.0, stretch=1.0):
    """By the transposed matrix of each position."""
    H = dy.shape[-1]
    dx = np.empty_like(dy)
    for b, t in np.ndindex(positions.shape):
        angle = positions[b, t] / stretch / base ** (2 * np.arange(H // 2) / H)
        cos, sin = np.diag(np.cos(angle)), np.diag(np.sin(angle))
        dx[b, t] = dy[b, t] @ np.block([[cos, -sin], [sin, cos]])
    return dx


def lost_positions(dtype, S):
    """By counting."""
    places = [float(np.dtype(dtype).type(p)) for p in range(S)]
    return next(p for p in range(S) if places[p] != p), len(set(places))


def which_rope_bug(turn):
    """One score after another, for a query and a key of ones and of steps."""
    def score(turn, m, n):
        q, k = np.ones((1, 2, 1, 8)), np.tile(np.arange(8.0), (1, 2, 1, 1))
        turned_q, turned_k = turn(q, k, np.array([[m, n]]))
        return float(turned_q[0, 0, 0] @ turned_k[0, 1, 0])
    if np.isclose(score(turn, 5, 2), score(turn, 5, 9)):
        return "queries only"
    if not np.isclose(score(turn, 300, 297), score(turn, 301, 298)):
        return "bfloat16"
    wanted = score(misturned.right, 5, 2)
    if np.isclose(score(turn, 5, 2), wanted):
        return "fine"
    return "backwards" if np.isclose(score(turn, 2, 5), wanted) else "neighbours"


def predict_the_base():
    first, last = (1_000_000.0**exponent / 10_000.0**exponent for exponent in (0, 127 / 128))
    return tuple("same" if ratio == 1 else "slower" if ratio > 1 else "faster" for ratio in (first, last))
