"""The block: what one layer of Gemma does to the stream.

It takes the weights of each of its slots by name; which function fills a slot is the choice of `cfg`.
"""
from ..axes import BT, BTD, Mixer, Mlp, Norm
from .tap import untapped


def block(cfg, fixed, x: BTD, positions: BT, mixer_norm: Norm, mixer: Mixer, mlp_norm: Norm, mlp: Mlp,
          cache=None, tap=untapped):
    """Gather from other positions, then think alone; both only ever add to the stream."""
    h, cache = cfg.mixer(cfg, fixed, cfg.norm(x, **mixer_norm), positions, **mixer, cache=cache, tap=tap)
    x = x + tap("mixer", h)
    h = cfg.mlp(cfg.norm(x, **mlp_norm), **mlp)
    x = x + tap("mlp", h)
    return tap("stream", x), cache


def block_with_post_norms(cfg, fixed, x: BTD, positions: BT, mixer_norm: Norm, mixer: Mixer, mixer_post_norm: Norm,
                          mlp_norm: Norm, mlp: Mlp, mlp_post_norm: Norm, cache=None, tap=untapped):
    """Gemma 2 and 3: what is added to the stream is normalised, too."""
    h, cache = cfg.mixer(cfg, fixed, cfg.norm(x, **mixer_norm), positions, **mixer, cache=cache, tap=tap)
    x = x + tap("mixer", cfg.norm(h, **mixer_post_norm))
    h = cfg.mlp(cfg.norm(x, **mlp_norm), **mlp)
    x = x + tap("mlp", cfg.norm(h, **mlp_post_norm))
    return tap("stream", x), cache
