"""The block: what one layer of Gemma does to the stream.

It takes the weights of each of its slots by name; which function fills a slot is the choice of `cfg`.
"""
from ..axes import BT, BTD, Mixer, Mlp, Norm
from .gradient import pull_back
from .tap import untapped


def block(cfg, fixed, x: BTD, positions: BT, mixer_norm: Norm, mixer: Mixer, mlp_norm: Norm, mlp: Mlp,
          cache=None, tap=untapped):
    """Gather from other positions, then think alone; both only ever add to the stream."""
    h, cache = cfg.mixer(cfg, fixed, cfg.norm(x, **mixer_norm), positions, **mixer, cache=cache, tap=tap)
    x = x + tap("mixer", h)
    h = cfg.mlp(cfg.norm(x, **mlp_norm), **mlp)
    x = x + tap("mlp", h)
    return tap("stream", x), cache


def block_backward(dx, cfg, fixed, x, positions, mixer_norm, mixer, mlp_norm, mlp, tap=untapped):
    """The tap sees the gradient at each point that the block names."""
    to_mixer = cfg.norm(x, **mixer_norm)
    h, _ = cfg.mixer(cfg, fixed, to_mixer, positions, **mixer)
    to_mlp = cfg.norm(x + h, **mlp_norm)

    dx = tap("stream", dx)
    dh, dmlp = pull_back(cfg.mlp, tap("mlp", dx), to_mlp, **mlp)
    dh, dmlp_norm = pull_back(cfg.norm, dh, x + h, **mlp_norm)
    dx = dx + dh
    dh, dmixer = pull_back(cfg.mixer, tap("mixer", dx), cfg, fixed, to_mixer, positions, **mixer)
    dh, dmixer_norm = pull_back(cfg.norm, dh, x, **mixer_norm)
    return dx + dh, dmixer_norm, dmixer, dmlp_norm, dmlp


def block_with_post_norms(cfg, fixed, x: BTD, positions: BT, mixer_norm: Norm, mixer: Mixer, mixer_post_norm: Norm,
                          mlp_norm: Norm, mlp: Mlp, mlp_post_norm: Norm, cache=None, tap=untapped):
    """Gemma 2 and 3: what is added to the stream is normalised, too."""
    h, cache = cfg.mixer(cfg, fixed, cfg.norm(x, **mixer_norm), positions, **mixer, cache=cache, tap=tap)
    x = x + tap("mixer", cfg.norm(h, **mixer_post_norm))
    h = cfg.mlp(cfg.norm(x, **mlp_norm), **mlp)
    x = x + tap("mlp", cfg.norm(h, **mlp_post_norm))
    return tap("stream", x), cache


def block_with_post_norms_backward(dx, cfg, fixed, x, positions, mixer_norm, mixer, mixer_post_norm,
                                   mlp_norm, mlp, mlp_post_norm, tap=untapped):
    to_mixer = cfg.norm(x, **mixer_norm)
    from_mixer, _ = cfg.mixer(cfg, fixed, to_mixer, positions, **mixer)
    middle = x + cfg.norm(from_mixer, **mixer_post_norm)
    to_mlp = cfg.norm(middle, **mlp_norm)

    dx = tap("stream", dx)
    dh, dmlp_post_norm = pull_back(cfg.norm, tap("mlp", dx), cfg.mlp(to_mlp, **mlp), **mlp_post_norm)
    dh, dmlp = pull_back(cfg.mlp, dh, to_mlp, **mlp)
    dh, dmlp_norm = pull_back(cfg.norm, dh, middle, **mlp_norm)
    dx = dx + dh
    dh, dmixer_post_norm = pull_back(cfg.norm, tap("mixer", dx), from_mixer, **mixer_post_norm)
    dh, dmixer = pull_back(cfg.mixer, dh, cfg, fixed, to_mixer, positions, **mixer)
    dh, dmixer_norm = pull_back(cfg.norm, dh, x, **mixer_norm)
    return dx + dh, dmixer_norm, dmixer, dmixer_post_norm, dmlp_norm, dmlp, dmlp_post_norm
