"""Who tests the tests?  Each known bug of a Gemma, put into ours, must make a test fail.

The bugs are those that were found in released implementations, and the mutations whose visibility
was measured: half of them change not a single argmax.
"""
from functools import partial, wraps
from types import SimpleNamespace

import ml_dtypes
import numpy as np
import pytest
import test_forward
import test_golden
import test_parts
from arguments import module
from numpy.testing import assert_array_almost_equal
from small import GEMMAS, SMALL, TOKENS, apart, but, close, compiled, logits_of, weights

pytestmark = pytest.mark.usefixtures("float64")

LOGITS = test_golden.test_the_logits_of_the_first_release
MLP = partial(test_golden.test_the_mlp_as_published, x=1, y=11.72758674)
NORM = test_golden.test_rms_norm_as_published
ROPE = partial(test_golden.test_rope_as_published, position=3, turned=[-1.1311126, 0.6598157, -0.8488725, 1.2508571])
ROOT = partial(test_golden.test_in_bfloat16_the_embedding_grows_by_a_rounded_root, D=3072)
QUIET = test_parts.test_epsilon_stands_inside_the_root
ROUNDED = test_parts.test_in_bfloat16_a_norm_is_rounded_once
DIVIDED = test_parts.test_a_position_is_divided_and_not_multiplied_by_an_inverse
DISTANCE = test_forward.test_rope_sees_only_distance
FUTURE = test_forward.test_the_future_does_not_leak
SHARED = test_forward.test_shared_keys_are_repeated_keys
DECODING = test_forward.test_decoding_equals_training
PADDING = test_forward.test_padding_is_invisible
WINDOW = test_forward.test_a_window_ends_sight
CHECKS = [LOGITS, MLP, NORM, ROPE, ROOT, QUIET, ROUNDED, DIVIDED, DISTANCE, FUTURE, SHARED, DECODING, PADDING, WINDOW]

EMBED, UNEMBED = "model.embed", "model.unembed"
ATTEND, MASK, WRITE = "attention.attend", "attention.causal_mask", "attention.remember"
D_PER_N = SMALL.D // SMALL.N


def gelu_quick(g, x):
    return x * g.sigmoid(1.702 * x)


def interleaved(g, x, positions, base, stretch):
    """Neighbours are paired, and not the halves."""
    pairs = np.arange(x.shape[-1]).reshape(-1, 2).T.ravel()
    return g.rope(x[..., pairs], positions, base, stretch)[..., np.argsort(pairs)]


def by_inverse(g, x, positions, base, stretch):
    a, b = np.split(np.asarray(x), 2, axis=-1)
    inverse = (1 / (stretch * base ** (np.arange(a.shape[-1]) / a.shape[-1]))).astype(a.dtype)
    angle = positions[..., None, None].astype(a.dtype) * inverse
    return np.concatenate([a * np.cos(angle) - b * np.sin(angle), b * np.cos(angle) + a * np.sin(angle)], axis=-1)


def scaled_in_float32(g, cfg, params, tokens, positions):
    table = params["embed"]
    return (table[tokens].astype(np.float32) * np.float32(table.shape[1]**0.5)).astype(table.dtype)


def outside_the_root(g, x, scale):
    return x / ((x * x).mean(-1, keepdims=True)**0.5 + 1e-6) * (1 + scale)


def without_epsilon(g, x, scale):
    return x / (x * x).mean(-1, keepdims=True)**0.5 * (1 + scale)


def only_queries(g, x, *args):
    return g.rope(x, *args) if x.shape[2] == SMALL.N else x


def tiled(g, q, k, *args):
    """Key heads laid out 0 1 0 1 before the queries, and not 0 0 1 1."""
    order = np.argsort(np.arange(q.shape[2]) % k.shape[2], kind="stable")
    return g.attend(q[:, :, order], k, *args)[:, :, np.argsort(order)]


def bfloat16(positions):
    return positions.astype(ml_dtypes.bfloat16).astype(int)


# What is wrong: where it stands (a slot of the Config, or a function of a file), what stands there instead
# (of the room g and the arguments), and the test that must notice.
BUGS = {
    "no embedding scale":      (EMBED, lambda g, *args: g.embed(*args) / 4, LOGITS),
    "embedding 0.134 % off":   (EMBED, lambda g, *args: g.embed(*args) * 1.00134, LOGITS),
    "the root is not rounded": (EMBED, scaled_in_float32, ROOT),
    "no final norm":           (UNEMBED, lambda g, cfg, w, x: x @ w["embed"].T, LOGITS),
    "norm without + 1":        ("norm", lambda g, x, scale: g.rms_norm(x, scale - 1), NORM),
    "epsilon outside the root": ("norm", outside_the_root, QUIET),
    "no epsilon":              ("norm", without_epsilon, QUIET),
    "LayerNorm for RMSNorm":   ("norm", lambda g, x, scale: g.layer_norm(x, scale, 0 * scale), NORM),
    "BatchNorm for RMSNorm":   ("norm", lambda g, x, scale: g.batch_norm(x, scale, 0 * scale), FUTURE),
    "1 + w in bfloat16":       ("norm", lambda g, x, scale: g.rms_norm(x, (1 + scale) - 1), ROUNDED),
    "cast before the scale":   ("norm", lambda g, x, scale: g.rms_norm(x, 0 * scale) * (1 + scale), ROUNDED),
    "GELU: erf":               ("mlp", lambda g, x, **w: g.gated(g.gelu_erf, x, **w), MLP),
    "GELU: quick":             ("mlp", lambda g, x, **w: g.gated(partial(gelu_quick, g), x, **w), MLP),
    "GELU: SiLU":              ("mlp", lambda g, x, **w: g.gated(g.silu, x, **w), MLP),
    "gate and up swapped":     ("mlp", lambda g, x, gate, up, down: g.geglu(x, up, gate, down), LOGITS),
    "RoPE interleaved":        ("rotate", interleaved, ROPE),
    "RoPE: sign flipped":      ("rotate", lambda g, x, at, *args: g.rope(x, -at, *args), ROPE),
    "RoPE on q only":          ("rotate", only_queries, DISTANCE),
    "all positions 0":         ("rotate", lambda g, x, at, *args: g.rope(x, 0 * at, *args), ROPE),
    "positions in bfloat16":   ("rotate", lambda g, x, at, *args: g.rope(x, bfloat16(at), *args), DISTANCE),
    "position · (1/t)":        ("rotate", by_inverse, DIVIDED),
    "no query scale":          (ATTEND, lambda g, q, *args: g.attend(q * q.shape[-1]**0.5, *args), LOGITS),
    "query scale (d/N)^-1/2":  (ATTEND, lambda g, q, *args: g.attend(q * (q.shape[-1] / D_PER_N)**0.5, *args), LOGITS),
    "k and v swapped":         (ATTEND, lambda g, q, k, v, *args: g.attend(q, v, k, *args), LOGITS),
    "keys tiled, not repeated": (ATTEND, tiled, SHARED),
    "strict causal: no self":  (MASK, lambda g, at, *args: g.causal_mask(at - 1, *args), FUTURE),
    "no mask":                 (MASK, lambda g, *args: g.causal_mask(*args) | True, FUTURE),
    "window + 1":              (MASK, lambda g, at, S, window: g.causal_mask(at, S, window + 1), WINDOW),
    "no window":               (MASK, lambda g, at, S, window: g.causal_mask(at, S), WINDOW),
    "the cache a slot late":   (WRITE, lambda g, cache, new, at: g.remember(cache, new, at + 1), DECODING),
    "padding starts over":     (WRITE, lambda g, cache, new, at: g.remember(cache, new, at % SMALL.S), PADDING),
}


def with_bug(gemma, monkeypatch, where, wrong):
    """The same model with one thing wrong, and nothing compiled from when it was right."""
    file, _, name = where.rpartition(".")
    right = SimpleNamespace(**vars(gemma.room))
    if file:
        wrong = wraps(getattr(right, name))(partial(wrong, right))
        monkeypatch.setattr(module(gemma.room, file), name, wrong)
        monkeypatch.setattr(gemma.room, name, wrong)
    else:
        gemma = but(gemma, **{name: wraps(getattr(gemma.cfg, name))(partial(wrong, right))})
    return gemma._replace(forward=compiled(gemma, lambda *args: gemma.room.forward(*args)))


def fails(check, gemma):
    try:
        check(gemma)
    except AssertionError:
        return True
    return False


def name_of(check):
    return getattr(check, "func", check).__name__


@pytest.mark.parametrize("bug", BUGS)
def test_a_known_bug_makes_a_test_fail(bug, monkeypatch, record_property):
    where, wrong, check = BUGS[bug]
    gemma = with_bug(GEMMAS["numpy"], monkeypatch, where, wrong)
    noticed = [name_of(each) for each in CHECKS if fails(each, gemma)]
    record_property("noticed by", ", ".join(noticed))
    print(f"{bug}: noticed by {', '.join(noticed)}")
    assert name_of(check) in noticed


@pytest.mark.parametrize("bug", BUGS)
def test_the_same_test_fails_in_jax(bug, monkeypatch):
    where, wrong, check = BUGS[bug]
    assert fails(check, with_bug(GEMMAS["jax"], monkeypatch, where, wrong))


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_without_a_bug_nothing_fails(check):
    assert not fails(check, GEMMAS["numpy"])


def test_one_bug_is_none():
    """Counting positions from 1 changes no logit at all: rope sees only distance."""
    gemma = GEMMAS["numpy"]

    @wraps(gemma.room.rope)
    def from_one(x, positions, base, stretch):
        return gemma.room.rope(x, positions + 1, base, stretch)
    params = weights(gemma)
    close(logits_of(but(gemma, rotate=from_one), params, TOKENS), logits_of(gemma, params, TOKENS), 1e-12)


def test_our_closeness_is_no_number_of_decimals():
    """The third argument of NumPy's own is one: with 1e-5 there, logits of 0.02 pass against nonsense.

    So did a test of DeepMind's first release (gemma/transformer_test.py, test_forward_no_cache).
    """
    logits = 0.02 * np.random.default_rng(0).standard_normal((2, 9, 32))
    assert_array_almost_equal(logits, -logits, 1e-5)
    for wrong in -logits, logits + 9.9e-5, logits * np.nan:
        with pytest.raises(AssertionError):
            close(wrong, logits, 1e-5)
    with pytest.raises(AssertionError):
        close(logits[0], logits, 1e9)      # nor does a missing row spread out
    assert apart(logits, logits) == 0
