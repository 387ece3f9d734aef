"""Writing: what the cache, the batch, the stream and the device must not change, and what chance may."""
import inspect
from collections import Counter
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gemma_edu.config import TINY, in_numpy
from gemma_edu.data.tokenizer import train
from gemma_edu.inference import choose, sample
from gemma_edu.inference.request import request
from gemma_edu.inference.sample import advance, decode, generate, generate_tokens, prefill, stream, stream_tokens
from gemma_edu.jax_gemma import forward
from gemma_edu.numpy_gemma.sample import generate as generate_in_numpy
from gemma_edu.numpy_gemma.sample import greedy
from gemma_edu.numpy_gemma.tree import tree_map
from gemma_edu.params import empty_cache, stack
from gemma_edu.pretrained.load import random_model
from gemma_edu.pretrained.model import Model

choose, cut = jax.jit(choose.choose), jax.jit(choose.cut)      # one program for all temperatures, k and p
PROMPTS = ["A row", "of a batch writes what it writes alone: 3.14", "生活", "return n +\n    "]
CHOICES = [{}, {"temperature": 1.0, "seed": 3}, {"temperature": 1.5, "top_k": 7, "seed": 4},
           {"temperature": 2.0, "top_p": 0.8, "top_k": 90, "seed": 5}]


@pytest.fixture(scope="module", autouse=True)
def in_haste():
    """What runs once is compiled in haste."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="module")
def model():
    tokenizer = train([inspect.getsource(sample)], 400)
    cfg = replace(TINY, V=tokenizer.size, D=32, L=2, N=4, K=2, H=8, F=48, S=64)
    _, params, _ = random_model(cfg, "float32")
    loud = tree_map(lambda w: 3 * w, params["layers"])      # or each token would be its own likeliest successor
    return Model(cfg, {**params, "layers": loud}, tokenizer)


def follow(cfg, fixed, x, positions, successor, cache=None, tap=None):
    """A block that turns each token into its successor."""
    return x @ successor, cache


def reciting(model, text, then):
    """A model that knows what follows each token of a text, and begins again after the last."""
    cfg, _, tokenizer = model
    tokens = [*tokenizer.encode(text), then]
    assert len(set(tokens)) == len(tokens)
    successor = np.zeros((cfg.V, cfg.V), np.float32)
    successor[tokens, [*tokens[1:], tokens[0]]] = 1
    params = {"embed": jnp.eye(cfg.V), "place": {}, "layers": ({"successor": successor},),
              "final_norm": {"scale": jnp.zeros(cfg.V)}}
    return Model(replace(cfg, D=cfg.V, L=1, block=follow), params, tokenizer)


# ---- one text, many ways to write it
@pytest.mark.parametrize("choice", CHOICES)
def test_a_ragged_batch_equals_its_rows(model, choice):
    together = generate(model, PROMPTS, tokens=20, **choice)
    assert together == [generate(model, prompt, tokens=20, **choice) for prompt in PROMPTS]
    assert len(set(together)) == len(PROMPTS)


@pytest.mark.parametrize("choice", CHOICES)
def test_streaming_equals_generating(model, choice):
    streamed = [list(stream(model, prompt, tokens=25, **choice)) for prompt in PROMPTS]
    assert ["".join(pieces) for pieces in streamed] == generate(model, PROMPTS, tokens=25, **choice)
    assert max(map(len, streamed)) > 10 and all(map(all, streamed))


read = jax.jit(lambda *args: forward(*args)[0])


def written_naively(model, prompt, count, pick):
    """Read the whole text again for each token, padded on the right, and without a cache."""
    cfg, params, tokenizer = model
    tokens = tokenizer.encode(prompt)
    for position in range(len(tokens), len(tokens) + count):
        logits = read(cfg, params, np.array([tokens + [0] * (cfg.S - position)]))
        tokens.append(int(pick(logits[0, position - 1], position)))
    return tokens[-count:]


def test_generation_with_a_cache_equals_generation_without(model):
    def drawn(logits, position):
        return jax.random.categorical(jax.random.fold_in(jax.random.key(7), position), logits / 0.9)
    for pick, choice in [(lambda logits, _: jnp.argmax(logits), {}), (drawn, {"temperature": 0.9, "seed": 7})]:
        for prompt in PROMPTS[:2]:
            ids = generate_tokens(model.cfg, model.params, [model.tokenizer.encode(prompt)], 15, **choice)
            assert ids == [written_naively(model, prompt, 15, pick)]


def test_the_cache_ends_up_as_if_the_text_had_been_read_at_once(model):
    cfg, params, tokenizer = model
    prompts = [tokenizer.encode(prompt) for prompt in PROMPTS[:2]]
    how, text, lengths, S = request(cfg, prompts, 10, 0.0, None, 1.0, 0, ())
    written, cache = decode(cfg, params, how, *prefill(cfg, params, how, text, lengths, S), 10, S)
    for row, prompt in enumerate(prompts):
        whole = jnp.array([[*prompt, *np.asarray(written)[row, :9].tolist()]])      # the tenth was never read
        _, expected = jax.jit(forward)(cfg, params, whole, cache=empty_cache(cfg, params, 1, S))
        for ours, theirs in zip(jax.tree.leaves(cache), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(ours[row], theirs[0], rtol=1e-4, atol=1e-4)      # unwritten slots too: zeros


def test_numpy_and_jax_write_the_same_greedy_text(model):
    cfg, params, tokenizer = model
    for prompt in PROMPTS:
        tokens = tokenizer.encode(prompt)
        ids = list(generate_in_numpy(in_numpy(cfg), tree_map(np.asarray, params), tokens, 25, greedy))
        assert [ids] == generate_tokens(cfg, params, [tokens], 25)
        assert len(set(ids)) > 10


def test_stacked_layers_write_what_a_tuple_of_them_writes(model):
    stacked = {**model.params, "layers": stack(model.params["layers"])}
    assert generate(model._replace(params=stacked), PROMPTS, tokens=12) == generate(model, PROMPTS, tokens=12)


def test_the_seed_decides_and_each_row_may_have_its_own(model):
    def write(prompt, seed):
        return generate(model, prompt, tokens=40, temperature=1.5, seed=seed)
    assert write([PROMPTS[0]] * 4, [1, 2, 1, 3]) == [write(PROMPTS[0], seed) for seed in (1, 2, 1, 3)]
    assert write(PROMPTS[0], 1) != write(PROMPTS[0], 2)


# ---- where a text ends
@pytest.mark.parametrize("stop", ["eos", "end_of_turn"])
def test_a_text_stops_at_eos_and_at_the_end_of_a_turn(model, stop):
    wise = reciting(model, "Ab生c", then=getattr(model.tokenizer, stop))
    for written, left in ("A", "b生c"), ("Ab", "生c"), ("Ab生c", ""):      # the last: a stop as the very first token
        assert generate(wise, written, tokens=20) == left == "".join(stream(wise, written, tokens=20))
    assert generate(wise, ["Ab生c", "A", "Ab"], tokens=20) == ["", "b生c", "生c"]


def test_decoding_ends_when_every_row_has_stopped(model):
    wise = reciting(model, "Ab生c", then=model.tokenizer.eos)
    cfg, params, tokenizer = wise
    how, text, lengths, S = request(cfg, [tokenizer.encode("A")], 20, 0.0, None, 1.0, 0, [tokenizer.eos])
    written, _ = decode(cfg, params, how, *prefill(cfg, params, how, text, lengths, S), 20, S)
    expected = [*tokenizer.encode("b生c", bos=False), tokenizer.eos]
    assert np.asarray(written)[0].tolist() == expected + [0] * (S - len(expected))


def test_without_a_stop_a_text_has_all_its_tokens(model):
    ids = generate_tokens(model.cfg, model.params, [[2], [2, 5, 9], [7], [9] * 24], 40)
    assert [len(row) for row in ids] == [40] * 4
    assert list(stream_tokens(model.cfg, model.params, [2, 5, 9], 40)) == ids[1]


def test_a_text_may_fill_the_context_to_its_last_slot(model):
    prompt = model.tokenizer.encode(PROMPTS[0])
    room = model.cfg.S - len(prompt)
    assert generate_tokens(model.cfg, model.params, [prompt], room) == [
        written_naively(model, PROMPTS[0], room, lambda logits, _: jnp.argmax(logits))]


def test_a_character_of_many_bytes_is_never_split(model):
    wise = reciting(model, "A生活b", then=model.tokenizer.eos)
    assert len(wise.tokenizer.encode("生活", bos=False)) == 6
    assert list(stream(wise, "A", tokens=20)) == ["生", "活", "b"]
    assert list(stream(wise, "A", tokens=5)) == ["生", "\ufffd"] and generate(wise, "A", tokens=5) == "生\ufffd"


# ---- chance
def shares(logits, temperature, top_k, top_p):
    """The exact distribution, by adding tokens one by one."""
    p = np.exp((logits - logits.max()).astype(np.float64) / temperature)
    best = sorted(range(len(p)), key=lambda token: (-logits[token], token))[:top_k]
    kept = []
    while best and sum(p[kept]) < top_p * sum(p[best + kept]) * (1 + 1e-9) and len(kept) < len(logits):
        kept.append(best.pop(0))
    return np.array([p[token] if token in kept else 0 for token in range(len(p))]) / sum(p[kept])


@pytest.mark.parametrize("temperature, top_k, top_p", [
    (1.0, 6, 1.0), (0.5, 6, 1.0), (3.0, 6, 1.0), (1.0, 3, 1.0), (1.0, 6, 0.7), (2.0, 4, 0.75), (1.0, 1, 1.0),
    (1.0, 6, 1e-9)])
def test_draws_follow_the_exact_distribution(temperature, top_k, top_p):
    n, logits = 20_000, np.array([0.3, 2.0, -1.0, 1.1, 2.0, 0.0], np.float32)     # a tie at the top
    keys = jax.random.split(jax.random.key(1), n)
    drawn = choose(jnp.tile(logits, (n, 1)), keys, temperature, top_k, top_p)
    expected = shares(logits, temperature, top_k, top_p)
    spread = np.sqrt(expected * (1 - expected) / n)
    assert np.all(np.abs(np.bincount(drawn, minlength=6) / n - expected) <= 5 * spread)


def test_a_share_of_three_fifths_is_the_likeliest_token_alone():
    # DeepMind's gemma/gm/text/_sampling_test.py: top-p 0.6 on these logits always gives 0
    keys = jax.random.split(jax.random.key(0), 1000)
    logits = jnp.tile(jnp.array([5.0, 4, 3, 2, 1]), (1000, 1))
    assert Counter(np.asarray(choose(logits, keys, 1.0, 5, 0.6)).tolist()) == {0: 1000}


def test_the_cut_keeps_logits_as_they_are_and_the_first_of_equals():
    logits = jnp.array([[1.0, 3, 3, 3, 0], [0, -jnp.inf, 2, 1, 2]])
    gone = -jnp.inf
    assert cut(logits, 2, 1.0).tolist() == [[gone, 3, 3, gone, gone], [gone, gone, 2, gone, 2]]
    assert cut(logits, 5, 1.0).tolist() == logits.tolist()
    assert cut(logits, 3, 0.5).tolist() == [[gone, 3, 3, gone, gone], [gone, gone, 2, gone, 2]]


def test_rare_tokens_survive_a_share_of_one_and_a_bound():
    logits = jnp.array([[0.0] + [-25.0] * 1000])           # so rare that a running sum in float32 misses them
    assert np.isfinite(cut(logits, 1001, 1.0)).all()
    assert np.isfinite(cut(logits, 1000, 1.0)).sum() == 1000


@pytest.mark.parametrize("temperature", [1e-40, 1e-30, 1e-3])
def test_towards_temperature_zero_a_draw_becomes_the_likeliest(temperature):
    logits = jax.random.normal(jax.random.key(0), (50, 300)).at[:, 7].set(-jnp.inf)
    keys = jax.random.split(jax.random.key(1), 50)
    expected = np.argmax(logits, axis=-1)
    for top_k, top_p in (300, 1.0), (20, 1.0), (300, 0.9):
        assert np.array_equal(choose(logits, keys, np.float32(temperature), top_k, top_p), expected)


def test_one_candidate_is_greedy(model):
    texts = [generate(model, PROMPTS, tokens=12, **choice)
             for choice in ({}, {"temperature": 5.0, "top_k": 1}, {"temperature": 5.0, "top_p": 1e-45})]
    assert texts[0] == texts[1] == texts[2]


# ---- the device
def compilations(caplog, work):
    caplog.clear()
    with jax.log_compiles():
        work()
    return [record.message for record in caplog.records if record.message.startswith("Finished XLA compilation")]


def test_similar_requests_share_their_programs(model, caplog):
    fresh = model._replace(cfg=replace(model.cfg, S=63))       # a model that nothing has been compiled for
    assert len(compilations(caplog, lambda: generate(fresh, "A row", tokens=20))) == 2
    assert len(compilations(caplog, lambda: list(stream(fresh, "A row", tokens=20)))) == 1

    def others():
        for tokens, choice in zip((5, 21, 3, 18), CHOICES, strict=True):
            for prompt in "A", "A row of":
                generate(fresh, prompt, tokens=tokens, **choice)
                list(stream(fresh, prompt, tokens=tokens, **choice))
    assert compilations(caplog, others) == []

    def longer():
        for length in range(1, 60):
            generate_tokens(fresh.cfg, fresh.params, [[5] * length], 1 + length % 4, stops=(1, 2))
    assert len(compilations(caplog, longer)) == 3      # a prompt in (32, 63 slots), one in (63, 63), the decoding of 63


def test_the_cache_is_donated_and_written_in_place(model):
    cfg, params, tokenizer = model
    how, text, lengths, S = request(cfg, [tokenizer.encode("A row")], 9, 0.0, None, 1.0, 0, ())
    for after in (lambda *state: advance(cfg, params, how, *state)[2],
                  lambda *state: decode(cfg, params, how, *state, 9, S)[1]):
        token, position, cache = prefill(cfg, params, how, text, lengths, S)
        before = [leaf.unsafe_buffer_pointer() for leaf in jax.tree.leaves(cache)]
        new = after(token, position, cache)
        assert all(leaf.is_deleted() for leaf in jax.tree.leaves(cache))
        assert sorted(before) == sorted(leaf.unsafe_buffer_pointer() for leaf in jax.tree.leaves(new))


@pytest.fixture
def with_care():
    """What is measured is compiled as it will run."""
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


def test_prefill_never_makes_the_logits_of_all_positions(model, with_care):
    cfg = replace(model.cfg, V=50_000)
    params = jax.eval_shape(lambda: random_model(cfg, "float32").params)
    how, text, lengths, S = request(cfg, [[2] * 50], 9, 0.0, None, 1.0, 0, ())
    needed = prefill.lower(cfg, params, how, text, lengths, S).compile().memory_analysis()
    assert needed.temp_size_in_bytes < 50 * cfg.V * 4 / 2


def test_a_loop_on_the_device_needs_no_more_memory_than_one_step(model, with_care):
    cfg = replace(model.cfg, V=20_000, D=64)               # in bfloat16, which some processors widen to multiply
    params = jax.eval_shape(lambda: random_model(cfg, "bfloat16").params)
    cache = jax.eval_shape(lambda params: empty_cache(cfg, params, 1, 64), params)
    how, _, position, S = request(cfg, [[2] * 40], 9, 0.0, None, 1.0, 0, ())
    step = advance.lower(cfg, params, how, position, position, cache).compile().memory_analysis()
    loop = decode.lower(cfg, params, how, position, position, cache, 9, S).compile().memory_analysis()
    assert loop.temp_size_in_bytes < 1.1 * step.temp_size_in_bytes


# ---- the door
@pytest.mark.parametrize("prompt, choice, says", [
    (7, {}, "reads str, not int"), (b"bytes", {}, "reads str, not bytes"), (None, {}, "not NoneType"),
    (["fine", 7], {}, "not int"),
    ("", {}, "the prompt is empty"), (["fine", ""], {}, "the prompt is empty"), ([], {}, "no prompts"),
    ("a\0b", {}, r"'\\x00' at position 1"), ("a\ud800", {}, r"'\\ud800' at position 1"),
    ("a", {"tokens": 0}, "tokens = 0; give a whole number of at least 1"),
    ("a", {"tokens": -3}, "tokens = -3"), ("a", {"tokens": 2.5}, "tokens = 2.5"),
    ("a", {"tokens": True}, "tokens = True"),
    ("a", {"tokens": 63}, "2 tokens and 63 new ones make 65, .* at most S = 64; ask for at most 62"),
    ("9" * 200, {}, "201 tokens and 40 new ones make 241, .* S = 64; shorten the prompt"),
    ("a", {"temperature": -0.1}, "temperature = -0.1"), ("a", {"temperature": float("nan")}, "temperature = nan"),
    ("a", {"temperature": float("inf")}, "temperature = inf"), ("a", {"temperature": "hot"}, "temperature = 'hot'"),
    ("a", {"top_k": 0}, "top_k = 0"), ("a", {"top_k": 1.5}, "top_k = 1.5"),
    ("a", {"top_p": 0}, "top_p = 0; give a number above 0 and at most 1"), ("a", {"top_p": 1.1}, "top_p = 1.1"),
    ("a", {"top_p": float("nan")}, "top_p = nan"), ("a", {"top_p": None}, "top_p = None"),
    ("a", {"seed": -1}, "seed = -1"), ("a", {"seed": 0.5}, "seed = 0.5"), ("a", {"seed": 2**32}, "seed = 4294967296"),
    (["a", "b"], {"seed": [1, 2, 3]}, "3 seeds for 2 prompts")])
def test_bad_input_is_refused_in_words(model, prompt, choice, says):
    for write in [generate] if isinstance(prompt, list) else [generate, stream]:     # before a piece is asked for
        with pytest.raises((ValueError, TypeError), match=says):
            write(model, prompt, **choice)


def test_ids_outside_the_vocabulary_are_refused(model):
    for prompt, says in [([2, 400], "400 .* ids go from 0 to 399"), ([-1], "-1"), ([2.0], "2.0"), ([], "no tokens")]:
        with pytest.raises(ValueError, match=says):
            generate_tokens(model.cfg, model.params, [[2], prompt])
        with pytest.raises(ValueError, match=says):
            stream_tokens(model.cfg, model.params, prompt)


def test_a_model_without_a_tokenizer_says_so(model):
    for write in generate, stream:
        with pytest.raises(ValueError, match="no tokenizer; put a tokenizer.model .* generate_tokens"):
            write(model._replace(tokenizer=None), "A row")
