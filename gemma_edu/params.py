"""The tree of weights, read off the signatures of the parts that use them."""
from inspect import Parameter, signature
from math import prod

import jax
import jax.numpy as jnp

from .axes import letters, slots_of, weights_of

PLUMBING = {"cfg", "fixed"}      # the arguments of a part, or of a block, that are no arrays


def param_axes(cfg):
    """The whole model as a tree of letters: what shapes, counts, initial values and shardings are read off."""
    check_annotated(cfg.block, "its slot", "Mixer")
    layers = {slot: {name: "L" + axes for name, axes in axes_of(getattr(cfg, choice)).items()}
              for slot, choice in slots_of(cfg.block).items()}
    return {"embed": "VD", "place": axes_of(cfg.place), "layers": layers, "final_norm": axes_of(cfg.norm)}


def axes_of(part):
    """The letters of a part's weights."""
    check_annotated(part, "its axes", "DF")
    return weights_of(part)


def check_annotated(part, meaning, example):
    """An argument that says nothing of itself is an error."""
    for name, argument in signature(part).parameters.items():
        said = name in letters(part) or name in slots_of(part) or name in PLUMBING
        if not said and argument.default is Parameter.empty:
            raise TypeError(f'{part.__name__}: annotate "{name}" with {meaning}, e.g. {name}: {example}')


def shape(cfg, axes):
    """The sizes of some letters: `shape(GEMMA_2B, "DNH") == (2048, 8, 256)`."""
    return tuple(getattr(cfg, letter) for letter in axes)


def shapes(cfg, dtype=jnp.float32):
    """The whole model as a tree of shapes; nothing is allocated."""
    return jax.tree.map(lambda axes: jax.ShapeDtypeStruct(shape(cfg, axes), dtype), param_axes(cfg))


def count(cfg):
    """How many numbers the model has to learn."""
    return sum(prod(shape(cfg, axes)) for axes in jax.tree.leaves(param_axes(cfg)))


def fan_in(cfg, axes):
    """How many terms are added up in a product with this weight."""
    axes = axes.removeprefix("L")
    return cfg.D if axes[0] == "D" or axes in ("VD", "SD") else prod(shape(cfg, axes[:-1]))


def init(cfg, key, dtype=jnp.float32):
    """Random weights that keep the length of what they multiply; norms and biases start neutral."""
    tree = jax.tree.structure(param_axes(cfg))
    keys = jax.tree.unflatten(tree, jax.random.split(key, tree.num_leaves))

    def draw(axes, key):
        if len(axes.removeprefix("L")) == 1:
            return jnp.zeros(shape(cfg, axes), dtype)
        return jax.random.normal(key, shape(cfg, axes), dtype) * fan_in(cfg, axes)**-0.5
    return jax.tree.map(draw, param_axes(cfg), keys)


def unstack(layers):
    """Layers stacked along L to a tuple of them, as inference wants them."""
    return tuple(jax.tree.map(lambda leaf, i=i: leaf[i], layers) for i in range(len(jax.tree.leaves(layers)[0])))


def stack(layers):
    """A tuple of layers to one tree stacked along L, as training wants them."""
    return jax.tree.map(lambda *each: jnp.stack(each), *layers)


def empty_cache(cfg, params, B, S):
    """Slots for the keys and values of S positions, in the form and the dtype of the weights."""
    dtype = params["embed"].dtype

    def slots(*sizes):
        return {name: jnp.zeros(sizes, dtype) for name in ("k", "v")}
    if isinstance(params["layers"], tuple):
        return tuple(slots(B, S, cfg.K, cfg.H) for _ in params["layers"])
    return slots(cfg.L, B, S, cfg.K, cfg.H)
