"""Blocks put together wrongly, and comparisons that let too much pass: what the checks of chapter 09 recognise."""
import numpy as np

from ...numpy_gemma import block as right_block


# ---- blocks
def no_stream(cfg, fixed, x, positions, mixer_norm, mixer, mlp_norm, mlp, cache=None, tap=None):
    h, cache = cfg.mixer(cfg, fixed, cfg.norm(x, **mixer_norm), positions, **mixer, cache=cache)
    return cfg.mlp(cfg.norm(h, **mlp_norm), **mlp), cache


def side_by_side(cfg, fixed, x, positions, mixer_norm, mixer, mlp_norm, mlp, cache=None, tap=None):
    h, cache = cfg.mixer(cfg, fixed, cfg.norm(x, **mixer_norm), positions, **mixer, cache=cache)
    return x + h + cfg.mlp(cfg.norm(x, **mlp_norm), **mlp), cache


def norm_kept(cfg, fixed, x, positions, mixer_norm, mixer, mlp_norm, mlp, cache=None, tap=None):
    x = cfg.norm(x, **mixer_norm)
    h, cache = cfg.mixer(cfg, fixed, x, positions, **mixer, cache=cache)
    x = cfg.norm(x + h, **mlp_norm)
    return x + cfg.mlp(x, **mlp), cache


def one_norm(cfg, fixed, x, positions, mixer_norm, mixer, mlp_norm, mlp, cache=None, tap=None):
    return right_block(cfg, fixed, x, positions, mixer_norm, mixer, mixer_norm, mlp, cache)


def norms_swapped(cfg, fixed, x, positions, mixer_norm, mixer, mlp_norm, mlp, cache=None, tap=None):
    return right_block(cfg, fixed, x, positions, mlp_norm, mixer, mixer_norm, mlp, cache)


def no_mlp_norm(cfg, fixed, x, positions, mixer_norm, mixer, mlp_norm, mlp, cache=None, tap=None):
    h, cache = cfg.mixer(cfg, fixed, cfg.norm(x, **mixer_norm), positions, **mixer, cache=cache)
    x = x + h
    return x + cfg.mlp(x, **mlp), cache


# ---- comparisons
def decimals(given, wanted, tolerance):
    """NumPy's own assertion, with a tolerance where it wants a number of decimals."""
    return bool(np.shape(given) == np.shape(wanted) and np.all(np.abs(given - wanted) < 1.5 * 10.0**-tolerance))


def unshaped(given, wanted, tolerance):
    return bool(np.all(np.abs(given - wanted) <= tolerance))


def blind_to_nan(given, wanted, tolerance):
    return given.shape == wanted.shape and not bool(np.any(np.abs(given - wanted) > tolerance))


def relative(given, wanted, tolerance):
    return given.shape == wanted.shape and bool(np.allclose(given, wanted, atol=tolerance))


def on_average(given, wanted, tolerance):
    return given.shape == wanted.shape and bool(np.abs(np.mean(given) - np.mean(wanted)) <= tolerance)


def one_sided(given, wanted, tolerance):
    return given.shape == wanted.shape and bool(np.all(given - wanted <= tolerance))
