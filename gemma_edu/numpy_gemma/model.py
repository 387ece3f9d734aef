"""Gemma: a stream per position, and layers that add to it.

`cfg` says which functions fill the slots; every size is in the weights' shapes.
"""
import numpy as np

from ..axes import BT, BTD, BTV
from .contract import contract, contract_backward, lookup, lookup_backward
from .gradient import backward, pull_back
from .loss import cross_entropy, cross_entropy_backward
from .precision import widen
from .tap import untapped
from .tree import as_given, per_layer


def embed(cfg, params, tokens: BT, positions: BT) -> BTD:
    """Look each token up, and bring it to the length that the layers expect."""
    x = lookup(params["embed"], tokens)
    length = np.sqrt(x.shape[-1]).astype(x.dtype)      # rounded like the weights: Gemma was trained so
    return cfg.place(x * length, positions, **params["place"])


def embed_backward(dx, cfg, params, tokens, positions):
    x = lookup(params["embed"], tokens)
    length = np.sqrt(x.shape[-1]).astype(x.dtype)
    dx, dplace = pull_back(cfg.place, dx, x * length, positions, **params["place"])
    return {"embed": lookup_backward(dx * length, params["embed"], tokens), "place": dplace}


def layers(cfg, params, x: BTD, positions: BT, cache=None):
    """Fold the stream through the layers, stacked or a tuple of them."""
    before = [None] * len(cfg.fixed) if cache is None else per_layer(cache)
    for fixed, w, slots in zip(cfg.fixed, per_layer(params["layers"]), before, strict=True):
        x, _ = cfg.block(cfg, fixed, x, positions, **w, cache=slots)      # writes its slots in place
    return x, cache


def layers_backward(dx, cfg, params, x, positions, tap=untapped):
    """Return (dlayers, dx): up through the layers once more, then down with the gradient."""
    streams = []
    for fixed, w in zip(cfg.fixed, per_layer(params["layers"]), strict=True):
        streams.append(x)
        x, _ = cfg.block(cfg, fixed, x, positions, **w)
    dlayers = []
    for fixed, w in reversed(list(zip(cfg.fixed, per_layer(params["layers"]), strict=True))):
        dx, dw = pull_back(cfg.block, dx, cfg, fixed, streams.pop(), positions, **w, tap=tap)
        dlayers.insert(0, dw)
    return as_given(dlayers, params["layers"]), dx


def unembed(cfg, params, x: BTD) -> BTV:
    """Compare the stream with every token's row of the table; the logits are never narrower than float32."""
    logits = widen(contract("BTD,VD->BTV", cfg.norm(x, **params["final_norm"]), params["embed"]))
    return cfg.cap(logits, cfg.logit_cap)


def unembed_backward(dlogits, cfg, params, x):
    """Return (the gradients of final_norm and embed, dx)."""
    h = cfg.norm(x, **params["final_norm"])
    dlogits = backward(cfg.cap)(dlogits, contract("BTD,VD->BTV", h, params["embed"]), cfg.logit_cap)
    dx, dembed = contract_backward(dlogits, "BTD,VD->BTV", h, params["embed"])
    dx, dnorm = pull_back(cfg.norm, dx, x, **params["final_norm"])
    return {"final_norm": dnorm, "embed": dembed}, dx


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


def forward_backward(dlogits, cfg, params, tokens, tap=untapped):
    """The gradient of every weight; the embedding is used twice, and its two gradients add up."""
    positions = in_order(tokens)
    x = embed(cfg, params, tokens, positions)
    head, dx = unembed_backward(dlogits, cfg, params, layers(cfg, params, x, positions)[0])
    dlayers, dx = layers_backward(dx, cfg, params, x, positions, tap)
    foot = embed_backward(dx, cfg, params, tokens, positions)
    return {"embed": foot["embed"] + head["embed"], "place": foot["place"],
            "layers": dlayers, "final_norm": head["final_norm"]}


def loss(cfg, params, tokens: BT):
    """The average surprise at each next token, in nats."""
    logits, _ = forward(cfg, params, tokens[:, :-1])
    return np.mean(cross_entropy(logits, tokens[:, 1:]))


def loss_backward(dloss, cfg, params, tokens, tap=untapped):
    logits, _ = forward(cfg, params, tokens[:, :-1])
    dnats = np.full(tokens[:, 1:].shape, dloss / tokens[:, 1:].size, logits.dtype)
    return forward_backward(cross_entropy_backward(dnats, logits, tokens[:, 1:]), cfg, params, tokens[:, :-1], tap)


def in_order(tokens: BT) -> BT:
    return np.broadcast_to(np.arange(tokens.shape[1]), tokens.shape)
