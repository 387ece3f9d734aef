"""Learning from text: one step, repeated; what a run needs to be repeated exactly stands in its Recipe."""
from dataclasses import dataclass, field
from functools import partial
from math import gcd, inf, isfinite

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from ..data.corpus import batch
from ..jax_gemma import loss


def told(meaning, default):
    """A field that explains itself on the command line."""
    return field(default=default, metadata={"help": meaning})


@jax.tree_util.register_static
@dataclass(frozen=True)
class Recipe:
    """How to train: the same recipe on the same text and machine gives the same curve, digit for digit."""
    steps: int = told("how many steps", 4000)
    B: int = told("rows in a batch", 8)
    T: int = told("tokens in a row", 256)
    micro_batch: int = told("at most so many rows on their way there and back at once: fewer need less memory", 4)
    rate: float = told("the highest learning rate", 2e-3)
    warm_up: int = told("steps until that rate; from there a cosine falls to zero", 100)
    decay: float = told("weight decay of the matrices, per unit of rate; text that is read often wants much", 1.0)
    clip: float = told("the longest gradient, all weights together", 1.0)
    seed: int = told("of the first weights and of every batch", 0)
    save_every: int = told("steps between two checkpoints", 200)
    shares: tuple = (("prose", 0.6), ("code", 0.35), ("arithmetic", 0.05))

    def __post_init__(self):
        for name, least in {"steps": 1, "B": 1, "T": 2, "micro_batch": 1, "warm_up": 1, "decay": 0, "seed": 0,
                            "save_every": 1}.items():
            if not least <= getattr(self, name) < inf:
                raise ValueError(f"{name} = {getattr(self, name)} is too small; give at least {least}")
        for name in "rate", "clip":
            if not 0 < getattr(self, name) < inf:
                raise ValueError(f"{name} = {getattr(self, name)} teaches nothing; give a number above 0")


def schedule(recipe):
    """Warm up, then cool down along a cosine."""
    high, warm_up = recipe.rate, min(recipe.warm_up, recipe.steps // 10 + 1)
    return optax.warmup_cosine_decay_schedule(high / warm_up, high, warm_up, recipe.steps + 1)


def optimizer(recipe):
    """AdamW behind a clip by global norm; norms and biases do not decay."""
    def matrices(params):
        return jax.tree.map_with_path(lambda path, _: path[-1].key not in ("scale", "bias"), params)
    adamw = optax.adamw(schedule(recipe), b2=0.98, weight_decay=recipe.decay, mask=matrices)
    return optax.chain(optax.clip_by_global_norm(recipe.clip), adamw)


def beginning(recipe, params):
    """The state of a run before its first step."""
    return {"step": np.int32(0), "params": params, "optimizer": optimizer(recipe).init(params)}


def gradient(cfg, recipe, params, tokens):
    """The loss and its gradient, averaged over micro-batches: one after the other, they share their memory."""
    micro_batches = tokens.reshape(-1, gcd(len(tokens), recipe.micro_batch), tokens.shape[1])

    def add(total, rows):
        return jax.tree.map(jnp.add, total, jax.value_and_grad(loss, argnums=1)(cfg, params, rows)), None
    nothing = jax.tree.map(jnp.zeros_like, (jnp.float32(0), params))
    total, _ = lax.scan(add, nothing, micro_batches)
    return jax.tree.map(lambda each: each / len(micro_batches), total)


@partial(jax.jit, donate_argnames="state")
def step(cfg, recipe, state, tokens):
    """One step downhill: the state after it, and what happened."""
    value, grads = gradient(cfg, recipe, state["params"], tokens)
    updates, rest = optimizer(recipe).update(grads, state["optimizer"], state["params"])
    seen = {"loss": value, "gradient": optax.tree.norm(grads), "rate": schedule(recipe)(state["step"])}
    params = optax.apply_updates(state["params"], updates)
    return {"step": state["step"] + 1, "params": params, "optimizer": rest}, seen


def train(cfg, recipe, state, streams):
    """Run from the state to the recipe's last step; yields (state, what happened) after each.

    Each batch depends on the recipe's seed and the number of the step alone.  A state that has
    been yielded is used up by the next step.
    """
    shares = {kind: share for kind, share in recipe.shares if kind in streams}
    for number in range(int(state["step"]), recipe.steps):
        tokens = batch(streams, shares, recipe.B, recipe.T, recipe.seed, number)
        state, seen = step(cfg, recipe, state, tokens)
        seen = {"step": number + 1, **{name: float(value) for name, value in seen.items()}}
        if not isfinite(seen["loss"] + seen["gradient"]):
            raise FloatingPointError(f"{seen}: the loss or its gradient is no number any more; the checkpoints before "
                                     "are whole, but begin anew in another folder, with a lower --rate")
        yield state, seen
