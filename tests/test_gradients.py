"""Every gradient by hand against JAX's, and the ones that carry the course against finite differences."""
from dataclasses import replace

import jax
import numpy as np
import pytest
from arguments import FILES, arguments, as_function_of, functions, module
from small import GEMMAS, SMALL, at_home, close, weights

from gemma_edu import jax_gemma, numpy_gemma
from gemma_edu.config import in_numpy
from gemma_edu.numpy_gemma.gradient import backward, check_gradient, is_float
from gemma_edu.numpy_gemma.tree import tree_map
from gemma_edu.params import stack

pytestmark = pytest.mark.usefixtures("float64")

OF_WHOLE_NUMBERS = {"causal_mask", "in_order"}              # nothing to differentiate
ELSEWHERE = {"by_key", "by_head", "multiply", "rows", "einsum", "widen", "untapped", "hidden",
             "remember"}                                     # in the gradients of those who call them; a cache has none
WITH_CACHE = {"attention", "attention_with_qk_norm", "look_back", "block", "block_with_post_norms", "layers",
              "forward"}                                    # they return what they compute, and a cache
OWN = {"embed": ["embed", "place"], "unembed": ["final_norm", "embed"]}       # of all weights, the ones they use

DIFFERENTIABLE = [(file, name) for file in FILES for name in functions(numpy_gemma, file)
                  if hasattr(module(numpy_gemma, file), f"{name}_backward")]


def test_everything_has_a_gradient():
    every = {name for file in FILES for name in functions(numpy_gemma, file)}
    assert every - OF_WHOLE_NUMBERS - ELSEWHERE == {name for _, name in DIFFERENTIABLE}


def by_hand(file, name, seed):
    """A function of its float arguments alone, and its gradient of (dy, these arguments)."""
    args = arguments(GEMMAS["numpy"], file, name, seed)
    f, room = getattr(module(numpy_gemma, file), name), module(numpy_gemma, file)
    free = [i for i, arg in enumerate(args) if is_float(arg)]
    value = as_function_of(free, f, args)
    gradient = as_function_of([0, *(i + 1 for i in free)], getattr(room, f"{name}_backward"), [None, *args])
    return (without_cache(value) if name in WITH_CACHE else value), gradient, [args[i] for i in free]


def by_jax(file, name, seed):
    """The twin of the same arguments."""
    args = arguments(GEMMAS["jax"], file, name, seed)
    numpy_args = arguments(GEMMAS["numpy"], file, name, seed)
    free = [i for i, arg in enumerate(numpy_args) if is_float(arg)]
    value = as_function_of(free, getattr(module(jax_gemma, file), name), args)
    return (without_cache(value) if name in WITH_CACHE else value), [args[i] for i in free]


def without_cache(f):
    return lambda *args: f(*args)[0]


def used(name, grads):
    """A part of the model returns the gradients of its own weights, not zeros for all the others."""
    if name in OWN:
        return {each: grads[0][each] for each in OWN[name]}, *grads[1:]
    return (grads[0]["layers"], *grads[1:]) if name == "layers" else grads


@pytest.mark.parametrize("file, name", DIFFERENTIABLE)
def test_a_gradient_by_hand_is_the_one_that_jax_derives(file, name):
    f, f_backward, args = by_hand(file, name, seed=1)
    twin, twin_args = by_jax(file, name, seed=1)
    y, random = f(*args), np.random.default_rng(1)
    dy = tree_map(lambda leaf: random.standard_normal(np.shape(leaf)), y)
    grads = f_backward(dy, *args)

    @jax.jit
    def with_gradient(dy, *args):
        y, pull = jax.vjp(twin, *args)
        return y, pull(dy)
    its_y, its_grads = with_gradient(dy, *twin_args)
    close(y, its_y, 1e-10)
    close(grads if isinstance(grads, tuple) else (grads,), used(name, its_grads), 1e-10)


CARRY_THE_COURSE = [
    ("gates", "sigmoid"), ("gates", "gelu"), ("recurrent", "lstm_cell"), ("recurrent", "gru_cell"),
    ("recurrent", "lstm"), ("norm", "rms_norm"), ("norm", "layer_norm"), ("position", "rope"),
    ("attention", "attend"), ("attention", "attention"), ("mlp", "geglu"), ("loss", "cross_entropy"),
    ("block", "block"), ("block", "block_with_post_norms"), ("model", "forward"), ("model", "loss")]


@pytest.mark.parametrize("file, name", CARRY_THE_COURSE)
def test_finite_differences_agree(file, name):
    f, f_backward, args = by_hand(file, name, seed=2)
    f.__name__ = name
    check_gradient(f, f_backward, *args)


def square(x):
    return x**2


X = np.random.default_rng(0).standard_normal((3, 4))


def test_a_right_gradient_passes():
    check_gradient(square, lambda dy, x: dy * 2 * x, X)


@pytest.mark.parametrize("wrong, what", [
    (lambda dy, x: dy * x, "argument 0"),
    (lambda dy, x: dy * 2 * x * (1 + 1e-4), "argument 0"),
    (lambda dy, x: np.full_like(x, np.nan), "nan"),
    (lambda dy, x: (), "1 arguments .* 0 gradients"),
    (lambda dy, x: (dy * 2 * x, dy), "1 arguments .* 2 gradients"),
], ids=["half of it", "a little off", "NaN", "missing", "one too many"])
def test_a_wrong_gradient_is_caught(wrong, what):
    with pytest.raises(ArithmeticError, match=what):
        check_gradient(square, wrong, X)


def test_a_wrong_gradient_of_one_weight_in_a_tree_is_caught():
    def scaled(w, x):
        return w["by"] * x + w["shift"]

    def scaled_backward(dy, w, x):
        return {"by": np.sum(dy * x, axis=0), "shift": np.sum(dy, axis=0)}, dy * w["by"]

    def forgetful(dy, w, x):
        return {"by": np.sum(dy * x, axis=0), "shift": 0 * w["shift"]}, dy * w["by"]
    w = {"by": X[0], "shift": X[1]}
    check_gradient(scaled, scaled_backward, w, X)
    with pytest.raises(ArithmeticError, match="scaled, argument 0"):
        check_gradient(scaled, forgetful, w, X)


def test_a_gradient_of_the_wrong_shape_is_caught():
    """Even where its numbers add up: each is 1, but there are not as many as x has."""
    with pytest.raises(ArithmeticError, match="shape"):
        check_gradient(np.sum, lambda dy, x: dy * np.float64(1), X)


def test_a_gradient_may_name_its_weights_in_any_order():
    def tilted(w):
        return w["a"] + 2 * w["b"]
    check_gradient(tilted, lambda dy, w: {"b": 2 * dy, "a": dy}, {"a": X, "b": 2 * X})


def test_a_missing_gradient_is_named():
    with pytest.raises(NotImplementedError, match="causal_mask_backward"):
        backward(numpy_gemma.causal_mask)


G = jax_gemma
WHOLE_MODELS = {
    "K = 1": {"K": 1},
    "1 < K < N": {"K": 2},
    "K = N, a window": {"K": 4, "window": (2, np.inf), "base": (100.0, 10_000.0), "stretch": (2.0, 1.0)},
    "of 2017": {"norm": G.layer_norm, "place": G.learned, "rotate": G.unrotated, "mlp": G.plain_mlp},
    "with waves": {"norm": G.batch_norm, "place": G.sinusoidal, "rotate": G.unrotated, "mlp": G.swiglu},
    "Gemma 2": {"block": G.block_with_post_norms, "cap": G.soft_cap, "score_cap": 0.5, "logit_cap": 1.5,
                "window": (3, np.inf), "query_scale": 0.8},
    "Gemma 3": {"block": G.block_with_post_norms, "mixer": G.attention_with_qk_norm, "window": (3, np.inf),
                "base": (100.0, 10_000.0), "stretch": (1.0, 8.0)},
}


@pytest.mark.parametrize("difference", WHOLE_MODELS.values(), ids=WHOLE_MODELS)
def test_the_gradient_of_the_whole_model(difference):
    """Through every weight, with the layers as a tuple in NumPy and stacked in JAX, and the other way round."""
    cfg = replace(SMALL, **difference)
    gemma = GEMMAS["numpy"]._replace(cfg=in_numpy(cfg))
    loose = weights(gemma)
    stacked = {**loose, "layers": at_home(gemma, stack(loose["layers"]))}
    tokens = np.random.default_rng(1).integers(0, SMALL.V, (2, 6))
    loss, grads = jax.jit(jax.value_and_grad(jax_gemma.loss, argnums=1))(cfg, stacked, tokens)
    close(numpy_gemma.loss(gemma.cfg, loose, tokens), loss, 1e-10)
    by_hand = backward(numpy_gemma.loss)
    close(by_hand(1.0, gemma.cfg, stacked, tokens), grads, 1e-9)
    from_tuple = by_hand(1.0, gemma.cfg, loose, tokens)
    close({**from_tuple, "layers": stack(from_tuple["layers"])}, grads, 1e-9)


def test_a_tap_sees_the_gradient_of_a_nudge():
    """Backward, the tap named "mlp" sees the derivative of the loss by what would be added at that point."""
    gemma = GEMMAS["numpy"]
    params, tokens, seen = weights(gemma), np.random.default_rng(1).integers(0, SMALL.V, (1, 5)), []

    def watch(name, dx):
        if name == "mlp":
            seen.append(dx)
        return dx
    backward(numpy_gemma.loss)(1.0, gemma.cfg, params, tokens, watch)

    def nudged(by):
        def push(name, x):
            return x + by * (np.arange(SMALL.D) == 3) * (np.arange(4) == 2)[:, None] if name == "mlp" else x

        def block(cfg, fixed, x, positions, mlp, **w):
            at_first = mlp is params["layers"][0]["mlp"]
            tap = push if at_first else numpy_gemma.untapped
            return numpy_gemma.block(cfg, fixed, x, positions, mlp=mlp, **w, tap=tap)
        return numpy_gemma.loss(replace(gemma.cfg, block=block), params, tokens)
    assert len(seen) == SMALL.L      # from the last layer to the first
    close((nudged(1e-5) - nudged(-1e-5)) / 2e-5, seen[-1][0, 2, 3], 1e-8)
