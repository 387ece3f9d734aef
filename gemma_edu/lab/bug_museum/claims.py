"""Tests that a museum's room (`shipped`, `half_mended`, `mended`) passes or fails: claims in words."""
import numpy as np

from ...config import NANO, in_numpy
from ...numpy_gemma import forward, geglu
from ...numpy_gemma.train import train
from ...numpy_gemma.tree import leaves, tree_map
from ...pretrained.load import random_model
from ..gemma_in_numpy import hunt
from .decoding import recited, together, write
from .empty_slots import with_and_without_a_cache
from .models import forgiving_load, with_fresh_mlps, with_mixed_heads

EOS = 1


def trial(*claims, rooms):
    """The verdict of each claim on each room, as lines to print."""
    wide = max(len(claim.__name__) for claim in claims)
    for claim in claims:
        verdicts = [f"{room.__name__.split('.')[-1]}: {verdict(claim, room):<14}" for room in rooms]
        print(f"{claim.__name__.replace('_', ' '):<{wide}}   {' '.join(verdicts)}".rstrip())


def verdict(claim, room):
    """Does the test pass?  An error counts as a failure, as in any test runner."""
    try:
        claim(room)
    except (AssertionError, ValueError) as error:
        return "FAILS" if isinstance(error, AssertionError) else "CRASHES"
    return "passes"


def nano():
    """A random model whose heads are together as wide as the stream, as in Gemma 2B: N·H = D."""
    cfg, params, _ = random_model(NANO, "float32")
    return in_numpy(cfg), tree_map(np.asarray, params)


def close(given, wanted):
    assert given.shape == wanted.shape and np.allclose(given, wanted, rtol=0, atol=1e-5)


# ---- 1
def heads_fit_a_stream_of_their_own_width(room):
    cfg, params = nano()
    mixed = with_mixed_heads(room, cfg)
    close(forward(mixed, params, hunt.TOKENS)[0], forward(cfg, params, hunt.TOKENS)[0])


def heads_fit_a_stream_of_another_width(room):
    close(forward(with_mixed_heads(room, hunt.CFG), hunt.PARAMS, hunt.TOKENS)[0], hunt.healthy())


def no_weight_is_made_up(room):
    _, _, ignored = forgiving_load(room, hunt.CFG, hunt.PARAMS)
    assert ignored == []


# ---- 2
def writing_stops_at_the_end(room):
    script = [7, 8, EOS, 9, 9, 9, 9, 9]
    _, steps = write(room, recited(script), np.array([[5]]), len(script), EOS)
    assert steps == 3


def an_answer_ends_at_its_own_end(room):
    scripts = [7, EOS, 9, 9, 9, 9], [6, 6, 6, 6, EOS, 9]
    answers, _ = write(room, recited(*scripts), np.array([[5], [5]]), 6, EOS)
    assert answers == [[7], [6, 6, 6, 6]]


# ---- 3
def padding_is_invisible_in_a_prompt(room):
    for given, wanted, length in rows(room):
        close(given[:length], wanted[:length])


def a_row_writes_what_it_writes_alone(room):
    for given, wanted, _ in rows(room):
        close(given, wanted)


def rows(room, cfg=hunt.CFG, params=hunt.PARAMS, prompts=((5, 9, 2), (7, 3, 11, 4, 6)), count=4):
    """For each row: its logits in the batch, those of the same text read alone, and the length of its prompt."""
    new, logits = together(room, cfg, params, prompts, count)
    for prompt, written, seen in zip(prompts, new, logits, strict=True):
        text = np.array([[*prompt, *written[:-1]]])
        yield seen[-text.size:], forward(cfg, params, text)[0][0], len(prompt)


# ---- 4
def an_mlp_of_ones_gives_the_published_number(room):
    """DeepMind's own numbers, `gemma/modules_test.py` of their first release."""
    gate, up = room.gate_and_up(np.ones((2, 3, 2)))
    x = np.array([[[1.0, 1.0], [2.0, 2.0]]])
    close(geglu(x, gate, up, np.ones((3, 2)))[0, :, 0], np.array([11.72758674, 47.99916]))


def an_mlp_of_different_numbers_is_itself(room):
    random = np.random.default_rng(0)
    stored, x = random.standard_normal((2, 3, 2)), random.standard_normal((1, 4, 2))
    gate, up = room.gate_and_up(stored)
    close(np.stack([x @ gate, x @ up]), np.einsum("BTD,GFD->GBTF", x, stored))


def every_weight_of_a_fresh_mlp_learns(room):
    cfg, params = nano()
    before = with_fresh_mlps(room, cfg, params)
    (_, _), (after, _) = train(cfg, before, [hunt.TOKENS] * 2)
    for old, new in zip(before["layers"], after["layers"], strict=True):
        assert all(np.any(a != b) for a, b in zip(leaves(old["mlp"]), leaves(new["mlp"]), strict=True))


# ---- 5
def the_test_fails_where_every_sign_is_turned(room):
    with_cache, _ = with_and_without_a_cache(room.sight)
    try:
        room.assert_equal(-with_cache, with_cache)
    except AssertionError:
        return
    raise AssertionError("every sign was turned round, and the test passed")


def a_cache_changes_nothing(room):
    room.assert_equal(*with_and_without_a_cache(room.sight))
