"""One forward for training, prefill and decoding: what must hold however it is called."""
from functools import wraps

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small import GEMMAS, SMALL, TOKENS, apart, at_home, but, cache_for, close, compiled, forward, logits_of, weights

from gemma_edu import jax_gemma
from gemma_edu.numpy_gemma import model as numpy_model
from gemma_edu.params import stack

pytestmark = pytest.mark.usefixtures("float64")

EXACT = 1e-12      # equal on paper; float64 rounds at 1e-16
T = TOKENS.shape[1]


def in_parts(gemma, params, tokens, lengths):
    """The logits when the text comes piece by piece, remembered in a cache."""
    cache, pieces, start = cache_for(gemma, params), [], 0
    for length in lengths:
        positions = np.broadcast_to(np.arange(start, start + length), (len(tokens), length))
        logits, cache = forward(gemma, params, tokens[:, start:start + length], positions, cache)
        pieces.append(np.asarray(logits))
        start += length
    return np.concatenate(pieces, axis=1)


def test_decoding_equals_training(gemma):
    params = weights(gemma)
    close(in_parts(gemma, params, TOKENS, [1] * T), logits_of(gemma, params, TOKENS), EXACT)


def test_prefill_in_chunks_equals_training(gemma):
    params = weights(gemma)
    close(in_parts(gemma, params, TOKENS, [4, 4, 1]), logits_of(gemma, params, TOKENS), EXACT)


def test_decoding_past_the_window_equals_training(gemma):
    local = but(gemma, window=(3, np.inf))
    params = weights(local)
    close(in_parts(local, params, TOKENS, [4, 4, 1]), logits_of(local, params, TOKENS), EXACT)


@pytest.mark.parametrize("K", [1, 2, 4])
def test_any_number_of_key_heads_decodes_as_it_trains(K):
    gemma = but(GEMMAS["numpy"], K=K)
    params = weights(gemma)
    close(in_parts(gemma, params, TOKENS, [5, 1, 1, 1, 1]), logits_of(gemma, params, TOKENS), EXACT)


def test_padding_is_invisible(gemma):
    """Two prompts of 4 and 9 tokens in one batch, and then a token more for each: as if each were alone."""
    params, lengths, more = weights(gemma), np.array([4, T]), TOKENS[:, :1]
    positions = np.where(np.arange(T) < lengths[:, None], np.arange(T), SMALL.S)
    _, cache = forward(gemma, params, TOKENS, positions, cache_for(gemma, params))
    together, _ = forward(gemma, params, more, lengths[:, None], cache)
    for row, length in enumerate(lengths):
        alone = np.concatenate([TOKENS[row, :length], more[row]])[None]
        close(together[row, 0], logits_of(gemma, params, alone)[0, -1], EXACT)


def test_a_ragged_batch_equals_its_rows(gemma):
    """Where tokens are, the logits are those of each row alone; what pads makes no difference."""
    params, lengths = weights(gemma), np.array([4, T])
    positions = np.where(np.arange(T) < lengths[:, None], np.arange(T), SMALL.S)
    together, _ = forward(gemma, params, TOKENS, positions, cache_for(gemma, params))
    alone = logits_of(gemma, params, TOKENS)
    for row, length in enumerate(lengths):
        close(together[row, :length], alone[row, :length], EXACT)


def test_the_future_does_not_leak(gemma):
    params, changed = weights(gemma), TOKENS.copy()
    changed[:, 5] = (changed[:, 5] + 1) % SMALL.V
    before, after = logits_of(gemma, params, TOKENS), logits_of(gemma, params, changed)
    close(before[:, :5], after[:, :5], EXACT)
    assert all(apart(before[:, t], after[:, t]) > 1e-3 for t in range(5, T))      # but the past is seen


def test_rope_sees_only_distance(gemma):
    """Every query and key turned 1000 positions further: the same logits."""
    rotate = gemma.cfg.rotate

    @wraps(rotate)
    def further(x, positions, base, stretch):
        return rotate(x, positions + 1000, base, stretch)

    params = weights(gemma)
    close(logits_of(gemma, params, TOKENS), logits_of(but(gemma, rotate=further), params, TOKENS), 1e-10)


def test_a_window_ends_sight(gemma):
    """In one layer with a window of 3, a token is seen by itself and by the two after it."""
    local = but(gemma, L=1, window=(3,))
    params, changed = weights(local), TOKENS.copy()
    changed[:, 2] = (changed[:, 2] + 1) % SMALL.V
    before, after = logits_of(local, params, TOKENS), logits_of(local, params, changed)
    seen = [apart(before[:, t], after[:, t]) > EXACT for t in range(T)]
    assert seen == [False, False, True, True, True, False, False, False, False]


def test_shared_keys_are_repeated_keys(gemma):
    """K heads that serve N/K queries each equal N heads that repeat each of them N/K times, side by side."""
    params = weights(gemma)
    repeated = weights(gemma)
    for layer in repeated["layers"]:
        for name in "wk", "wv":
            layer["mixer"][name] = layer["mixer"][name].repeat(SMALL.N // SMALL.K, axis=1)
    close(logits_of(gemma, params, TOKENS), logits_of(but(gemma, K=SMALL.N), repeated, TOKENS), EXACT)


def test_stacked_layers_equal_a_tuple_of_them(gemma):
    """With a cache and without: a scan computes what a loop computes, and remembers the same."""
    loose = weights(gemma)
    stacked = {**loose, "layers": at_home(gemma, stack(loose["layers"]))}
    close(logits_of(gemma, stacked, TOKENS), logits_of(gemma, loose, TOKENS), EXACT)
    (of_stack, kept), (of_tuple, kept_loose) = (
        forward(gemma, params, TOKENS, cache=cache_for(gemma, params)) for params in (stacked, loose))
    close(of_stack, of_tuple, EXACT)
    close(kept, stack(kept_loose), EXACT)


def test_no_cache_comes_back_where_none_was_given(gemma):
    assert forward(gemma, weights(gemma), TOKENS)[1] is None


def test_hidden_is_forward_without_its_head(gemma):
    room, cfg, params = gemma.room, gemma.cfg, weights(gemma)
    stream, _ = compiled(gemma, room.hidden)(cfg, params, TOKENS)
    assert stream.shape == (*TOKENS.shape, cfg.D)
    close(compiled(gemma, room.unembed)(cfg, params, stream), logits_of(gemma, params, TOKENS), EXACT)


def test_batch_norm_leaks_the_future(gemma):
    changed = np.concatenate([TOKENS[:, :-1], (TOKENS[:, -1:] + 1) % SMALL.V], axis=1)
    for norm, leaks in {gemma.room.rms_norm: False, gemma.room.layer_norm: False, gemma.room.batch_norm: True}.items():
        other = but(gemma, norm=norm)
        params = weights(other)
        moved = apart(logits_of(other, params, TOKENS)[:, :-1], logits_of(other, params, changed)[:, :-1])
        assert (moved > 1e-3) == leaks and (moved > EXACT) == leaks


@pytest.mark.parametrize("dtype, logits", [(jnp.bfloat16, "float32"), (np.float32, "float32"), (np.float64, "float64")])
def test_the_weights_decide_the_dtype(dtype, logits):
    """The stream and the cache keep it; the logits are never narrower than float32."""
    gemma = GEMMAS["jax"]
    params = weights(gemma, dtype)
    stream, cache = jax.eval_shape(jax_gemma.hidden, gemma.cfg, params, TOKENS, None, cache_for(gemma, params))
    assert stream.dtype == dtype
    assert all(leaf.dtype == dtype for leaf in jax.tree.leaves(cache))
    assert jax.eval_shape(jax_gemma.forward, gemma.cfg, params, TOKENS)[0].dtype == logits


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_weights_decide_the_dtype_in_numpy(dtype):
    gemma = GEMMAS["numpy"]
    params = weights(gemma, dtype)
    stream, _ = gemma.room.hidden(gemma.cfg, params, TOKENS)
    assert stream.dtype == logits_of(gemma, params, TOKENS).dtype == dtype
    grads = numpy_model.loss_backward(1.0, gemma.cfg, params, TOKENS)
    assert {leaf.dtype for leaf in jax.tree.leaves(grads)} == {np.dtype(dtype)}


def test_a_config_needs_no_static_arguments():
    """jit takes it as it is, and does not compile again for an equal one."""
    gemma, compiled = GEMMAS["jax"], []

    @jax.jit
    def run(cfg, params, tokens):
        compiled.append(cfg)
        return jax_gemma.forward(cfg, params, tokens)[0]

    params = weights(gemma)
    once, again = run(gemma.cfg, params, TOKENS), run(but(gemma, F=gemma.cfg.F).cfg, params, TOKENS)
    close(once, again, 0)
    assert len(compiled) == 1
    run(but(gemma, window=(3,)).cfg, params, TOKENS)
    assert len(compiled) == 2


@pytest.mark.parametrize("broken, error", [
    (lambda params: params["layers"][0]["mlp"].update(gate=params["layers"][0]["mlp"]["down"]), "D F"),
    (lambda params: params["final_norm"].update(scale=params["final_norm"]["scale"][1:]), "scale"),
    (lambda params: params["layers"][0]["mlp"].pop("up"), "up"),
])
def test_a_misshapen_weight_is_named(gemma, broken, error):
    params = weights(gemma)
    broken(params)
    with pytest.raises(TypeError, match=error):
        logits_of(gemma, params, TOKENS)
