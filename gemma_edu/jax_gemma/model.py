"""Gemma: a stream per position, and layers that add to it.

`cfg` says which functions fill the slots; every size is in the weights' shapes.
"""
import jax
import jax.numpy as jnp
from jax import lax

from ..axes import BT, BTD, BTV
from .contract import contract, lookup
from .loss import cross_entropy
from .precision import widen


def embed(cfg, params, tokens: BT, positions: BT) -> BTD:
    """Look each token up, and bring it to the length that the layers expect."""
    x = lookup(params["embed"], tokens)
    length = jnp.sqrt(x.shape[-1]).astype(x.dtype)      # rounded like the weights: Gemma was trained so
    return cfg.place(x * length, positions, **params["place"])


def layers(cfg, params, x: BTD, positions: BT, cache=None):
    """Fold the stream through the layers: stacked by a scan, a tuple of them by a loop."""
    def step(x, layer):
        fixed, w, slots = layer
        return cfg.block(cfg, fixed, x, positions, **w, cache=slots)

    if isinstance(params["layers"], tuple):
        before, after = [None] * len(cfg.fixed) if cache is None else cache, []
        for layer in zip(cfg.fixed, params["layers"], before, strict=True):
            x, slots = step(x, layer)
            after.append(slots)
        return x, None if cache is None else tuple(after)
    fixed = jax.tree.map(lambda *each: jnp.stack(each), *cfg.fixed)
    return lax.scan(step, x, (fixed, params["layers"], cache))


def unembed(cfg, params, x: BTD) -> BTV:
    """Compare the stream with every token's row of the table; the logits are never narrower than float32."""
    logits = widen(contract("BTD,VD->BTV", cfg.norm(x, **params["final_norm"]), params["embed"]))
    return cfg.cap(logits, cfg.logit_cap)


def hidden(cfg, params, tokens: BT, positions=None, cache=None):
    """The stream after the last layer, and the cache."""
    positions = in_order(tokens) if positions is None else positions
    return layers(cfg, params, embed(cfg, params, tokens, positions), positions, cache)


def forward(cfg, params, tokens: BT, positions=None, cache=None):
    """Tokens to logits.  Training passes tokens; prefill adds a cache; decoding adds one token at its position.

    A token's position says the angle of its rotation, its slot in the cache, what it may see,
    and, pointing past the end, that it is padding.  Without a cache, pad on the right.
    """
    x, cache = hidden(cfg, params, tokens, positions, cache)
    return unembed(cfg, params, x), cache


def loss(cfg, params, tokens: BT):
    """The average surprise at each next token, in nats."""
    logits, _ = forward(cfg, params, tokens[:, :-1])
    return jnp.mean(cross_entropy(logits, tokens[:, 1:]))


def in_order(tokens: BT) -> BT:
    return jnp.broadcast_to(jnp.arange(tokens.shape[1]), tokens.shape)
