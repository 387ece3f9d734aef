"""Every gradient that was written by hand, beside the one that JAX derives from the twin, with sixteen digits."""
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from inspect import Parameter, signature
from typing import get_args, get_origin

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int

from ... import jax_gemma
from ...config import TINY, in_numpy
from ...numpy_gemma.model import loss_backward
from ...numpy_gemma.tree import leaves, tree_map
from ...params import init
from .rooms import FILES, code, is_gradient

SIZES = {"B": 2, "T": 5, "S": 6, "D": 8, "H": 4, "K": 2, "N": 4, "F": 12, "C": 3, "V": 7}
SMALL = replace(TINY, V=32, D=16, L=2, N=4, K=2, H=8, F=24, S=16)


@contextmanager
def sixteen_digits():
    """JAX computes in float64, too, as long as this lasts; what runs only once is compiled in haste."""
    before = jax.config.jax_enable_x64
    settle(enable_x64=True, disable_most_optimizations=True)
    try:
        yield
    finally:
        settle(enable_x64=before, disable_most_optimizations=False)


def settle(**settings):
    for name, value in settings.items():
        jax.config.update(f"jax_{name}", value)


def by_hand():
    """{name: file} of every function that has a gradient beside it."""
    return {name.removesuffix("_backward"): file for file in FILES for name in code("numpy_gemma", file)
            if is_gradient(name)}


def can_be_drawn(f):
    """Do letters say what each of its arguments is? An assembly also takes a config, a cell or a formula."""
    kinds = [p.annotation for p in signature(f).parameters.values() if p.default is Parameter.empty]
    return all(get_origin(kind) is tuple or hasattr(kind, "dim_str") for kind in kinds)


def draw(kind, random):
    """Random numbers in the shape that an annotation names."""
    if get_origin(kind) is tuple:
        return tuple(draw(each, random) for each in get_args(kind))
    shape = (2, 3, 4) if kind.dim_str == "..." else [SIZES[letter] for letter in kind.dim_str.split()]
    if kind.dtype is Int:
        return random.integers(0, 4, shape)
    if kind.dtype is Bool:
        return random.random(shape) < np.arange(shape[-1], 0, -1) / shape[-1]      # everybody sees the first
    return random.standard_normal(shape)


def apart(name, file, random):
    """How far a gradient by hand is from JAX's, relatively, at random arguments: the worst of its numbers."""
    f, twin = (getattr(import_module(f"gemma_edu.{room}.{file}"), name) for room in ("numpy_gemma", "jax_gemma"))
    f_backward = getattr(import_module(f"gemma_edu.numpy_gemma.{file}"), f"{name}_backward")
    args = [draw(p.annotation, random) for p in signature(f).parameters.values() if p.default is Parameter.empty]
    movable = [i for i, arg in enumerate(args) if all(leaf.dtype == float for leaf in leaves(arg))]

    def of_movable(*moved):
        moved = dict(zip(movable, moved, strict=True))
        return twin(*(moved.get(i, arg) for i, arg in enumerate(args)))
    dy = tree_map(lambda y: random.standard_normal(np.shape(y)), f(*args))
    ours = f_backward(dy, *args)
    theirs = jax.jit(lambda dy, *args: jax.vjp(of_movable, *args)[1](dy))(dy, *(args[i] for i in movable))
    return farthest(ours if isinstance(ours, tuple) else (ours,), theirs)


def farthest(ours, theirs):
    """The largest relative difference of two trees, array by array."""
    def relative(a, b):
        return float(np.max(np.abs(a - b)) / max(np.max(np.abs(b)), 1e-30))
    return max(map(relative, jax.tree.leaves(ours), jax.tree.leaves(theirs)))


def of_the_loss(random):
    """The same of the gradient of a whole model's loss, by every weight: {name of the weight: difference}."""
    params = init(SMALL, jax.random.key(0), jnp.float64)
    tokens = random.integers(0, SMALL.V, (2, 9))
    ours = loss_backward(1.0, in_numpy(SMALL), tree_map(np.asarray, params), tokens)
    theirs = jax.jit(jax.grad(jax_gemma.loss, argnums=1))(SMALL, params, tokens)
    return {jax.tree_util.keystr(path, simple=True, separator="."): farthest(mine, its)
            for (path, mine), its in zip(jax.tree.leaves_with_path(ours), jax.tree.leaves(theirs), strict=True)}


def agreement(seed=0):
    """({function: difference} for what can be drawn by its letters, {weight: difference} for the whole model)."""
    random = np.random.default_rng(seed)
    with sixteen_digits():
        parts = {name: apart(name, file, random) for name, file in by_hand().items()
                 if can_be_drawn(getattr(import_module(f"gemma_edu.numpy_gemma.{file}"), name))}
        return parts, of_the_loss(random)


def only_inside():
    """The functions whose gradient is tried inside another one's: it takes more than arrays."""
    return {name for name, file in by_hand().items()
            if not can_be_drawn(getattr(import_module(f"gemma_edu.numpy_gemma.{file}"), name))}
