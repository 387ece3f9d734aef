"""The NumPy model by itself: it learns real text, and writes, without JAX's help."""
from dataclasses import replace
from itertools import islice
from pydoc_data.topics import topics

import jax
import numpy as np
import optax
import pytest
from small import close

from gemma_edu import numpy_gemma
from gemma_edu.config import NANO, in_numpy
from gemma_edu.data.tokenizer import train as train_tokenizer
from gemma_edu.jax_gemma import loss
from gemma_edu.numpy_gemma.model import loss_backward
from gemma_edu.numpy_gemma.sample import generate, generate_without_cache, greedy, sampled
from gemma_edu.numpy_gemma.train import adam, adam_start, clip_by_global_norm, global_norm, train
from gemma_edu.params import init, unstack

TEXT = "".join(topics[name] for name in ("if", "while", "for", "try", "with", "import", "assignment"))
TOKENIZER = train_tokenizer([TEXT], 400)
TOKENS = np.array(TOKENIZER.encode(TEXT))
SMALL = replace(NANO, V=400, D=48, L=2, H=12, F=96)
CFG = in_numpy(SMALL)


def weights():
    return jax.tree.map(np.array, init(SMALL, jax.random.key(0)))


def batches(seed=0):
    random = np.random.default_rng(seed)
    while True:
        yield np.stack([TOKENS[at:at + 33] for at in random.integers(len(TOKENS) - 33, size=8)])


@pytest.fixture(scope="module")
def trained():
    """The weights after 100 steps on the language reference, and the loss at each."""
    walk = list(islice(train(CFG, weights(), batches(), rate=1e-2), 100))
    return walk[-1][0], [float(value) for _, value in walk]


def test_it_learns_the_language_reference(trained):
    """It begins at a guess among 400 pieces (6.0 nats), and the pieces' own frequencies would bring it to 4.0."""
    _, losses = trained
    shares = np.bincount(TOKENS) / len(TOKENS)
    entropy = -np.sum(shares[shares > 0] * np.log(shares[shares > 0]))
    assert losses[0] > 5.5 and 3.9 < entropy < 4.2
    assert np.mean(losses[-10:]) < 3.3, losses[-10:]


def test_what_it_has_learnt_jax_computes_as_well(trained):
    params, _ = trained
    tokens = next(batches(1))
    assert np.isclose(numpy_gemma.loss(CFG, params, tokens), float(loss(SMALL, params, tokens)), rtol=1e-5)
    close(loss_backward(1.0, CFG, params, tokens), jax.grad(loss, argnums=1)(SMALL, params, tokens), 1e-5)


def test_adam_takes_the_steps_that_optax_takes():
    random = np.random.default_rng(0)
    ours = theirs = {"a": random.standard_normal((3, 4)), "b": (random.standard_normal(5),)}
    state, rule = adam_start(ours), optax.adam(0.1, b1=0.9, b2=0.99)
    memory = rule.init(theirs)
    for _ in range(5):
        grads = jax.tree.map(lambda leaf: random.standard_normal(leaf.shape), ours)
        ours, state = adam(ours, grads, state, rate=0.1)
        updates, memory = rule.update(grads, memory)
        theirs = optax.apply_updates(theirs, updates)
    close(ours, theirs, 1e-5)


def test_clipping_shortens_all_by_one_factor_and_leaves_the_short_alone():
    grads = {"a": np.array([3.0, 0.0]), "b": (np.array([[4.0]]),)}
    assert global_norm(grads) == 5
    close(clip_by_global_norm(grads, 1.0), {"a": [0.6, 0.0], "b": ([[0.8]],)}, 1e-12)
    close(clip_by_global_norm(grads, 5.1), grads, 0)
    close(clip_by_global_norm({"a": np.zeros(3)}, 1.0), {"a": np.zeros(3)}, 0)
    with pytest.raises(FloatingPointError, match="not finite"):
        clip_by_global_norm({"a": np.array([np.nan])}, 1.0)


@pytest.mark.parametrize("form", ["stacked", "a tuple"])
def test_writing_with_a_cache_is_writing_without_one(trained, form):
    params, _ = trained
    if form == "a tuple":
        params = {**params, "layers": unstack(params["layers"])}
    prompt = TOKENIZER.encode("The with statement")
    for choose in (lambda: greedy), (lambda: sampled(0.8, seed=1)):
        quick = list(generate(CFG, params, prompt, 20, choose()))
        slow = list(generate_without_cache(CFG, params, prompt, 20, choose()))
        assert quick == slow and len(quick) == 20


def test_lots_fall_as_the_model_expects():
    logits = np.log(np.array([0.5, 0.3, 0.2]))
    choose = sampled(1.0, seed=0)
    shares = np.bincount([choose(logits) for _ in range(20_000)]) / 20_000
    np.testing.assert_allclose(shares, [0.5, 0.3, 0.2], atol=0.015)      # four standard deviations
    cold = sampled(0.01, seed=0)
    assert {cold(logits) for _ in range(100)} == {greedy(logits)} == {0}


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan"), float("inf")])
def test_a_temperature_that_draws_no_lots_is_refused(temperature):
    with pytest.raises(ValueError, match="give one above 0"):
        sampled(temperature, seed=0)
