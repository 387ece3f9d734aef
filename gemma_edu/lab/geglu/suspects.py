"""Gated MLPs with one mistake each, forward and backward: who looks at them well can tell which it is."""
import numpy as np

from ...numpy_gemma.gates import gelu, gelu_backward, gelu_erf, silu
from ...numpy_gemma.mlp import geglu_backward

SUSPECTS = {
    "right": lambda z, v: gelu(z) * v,
    "erf": lambda z, v: gelu_erf(z) * v,
    "silu": lambda z, v: silu(z) * v,
    "swapped": lambda z, v: z * gelu(v),
    "twice": lambda z, v: gelu(z) * gelu(v),
}


def from_two(combine):
    """An MLP that combines choice and value in its own way."""
    return lambda x, gate, up, down: combine(x @ gate, x @ up) @ down


def by_probe(z, v, alike):
    """Name MLPs by what a single unit does with a choice and a value; the first suspect that looks alike it is."""
    z, v = np.array([[z]]), np.array([[v]])

    def name(mlp):
        y = mlp(np.ones((1, 1, 1)), z, v, np.ones((1, 1)))
        return next((each for each, suspect in SUSPECTS.items() if alike(y, suspect(z, v))), "right")
    return lambda mlps: [name(mlp) for mlp in mlps]


def into(a, b):
    """The gradient of a matrix that stands between activations a and a gradient b."""
    return np.einsum("BTi,BTj->ij", a, b)


def by_branches(dz, dv):
    """A backward pass that gets the gradients of choice and value in its own way."""
    def pull(dy, x, gate, up, down):
        z, v, dh = x @ gate, x @ up, dy @ down.T
        to_z, to_v = dz(dh, z, v), dv(dh, z, v)
        return to_z @ gate.T + to_v @ up.T, into(x, to_z), into(x, to_v), into(gelu(z) * v, dy)
    return pull


def right_z(dh, z, v):
    return gelu_backward(dh * v, z)


def right_v(dh, z, v):
    return dh * gelu(z)


def one_path(keep):
    """dx by the gate or by the value alone."""
    def pull(dy, x, gate, up, down):
        dx, *rest = geglu_backward(dy, x, gate, up, down)
        z, v, dh = x @ gate, x @ up, dy @ down.T
        return {"gate": right_z(dh, z, v) @ gate.T, "up": right_v(dh, z, v) @ up.T}[keep], *rest
    return pull


def exchanged(dy, x, gate, up, down):
    dx, dgate, dup, ddown = geglu_backward(dy, x, gate, up, down)
    return dx, dup, dgate, ddown


def without_the_value(dy, x, gate, up, down):
    dx, dgate, dup, _ = geglu_backward(dy, x, gate, up, down)
    return dx, dgate, dup, into(gelu(x @ gate), dy)


def averaged(dy, x, gate, up, down):
    dx, *weights = geglu_backward(dy, x, gate, up, down)
    return dx, *(each / (x.shape[0] * x.shape[1]) for each in weights)
