"""The museum's bugs: what was shipped fails the test that sees it, and what is mended passes every one."""
import numpy as np
import pytest

from gemma_edu.lab.bug_museum import claims, half_mended, mended, shipped
from gemma_edu.lab.bug_museum.decoding import likeliest, together, write
from gemma_edu.lab.bug_museum.empty_slots import moved, with_and_without_a_cache
from gemma_edu.lab.bug_museum.models import forgiving_load, quiet, through_the_file, with_silent_heads
from gemma_edu.lab.gemma_in_numpy import hunt
from gemma_edu.numpy_gemma import forward
from gemma_edu.numpy_gemma.sample import generate, greedy

SEEN = {"heads_fit_a_stream_of_another_width": "CRASHES", "no_weight_is_made_up": "FAILS",
        "writing_stops_at_the_end": "FAILS", "an_answer_ends_at_its_own_end": "FAILS",
        "padding_is_invisible_in_a_prompt": "FAILS", "a_row_writes_what_it_writes_alone": "FAILS",
        "an_mlp_of_different_numbers_is_itself": "FAILS", "every_weight_of_a_fresh_mlp_learns": "FAILS",
        "the_test_fails_where_every_sign_is_turned": "FAILS"}
BLIND = ["heads_fit_a_stream_of_their_own_width", "an_mlp_of_ones_gives_the_published_number",
         "a_cache_changes_nothing"]
HALF = {"writing_stops_at_the_end": "passes", "an_answer_ends_at_its_own_end": "FAILS",
        "padding_is_invisible_in_a_prompt": "passes", "a_row_writes_what_it_writes_alone": "FAILS"}


def verdict(name, room):
    return claims.verdict(getattr(claims, name), room)


@pytest.mark.parametrize("name", [*SEEN, *BLIND])
def test_what_is_mended_passes(name):
    assert verdict(name, mended) == "passes"


@pytest.mark.parametrize("name", SEEN)
def test_what_was_shipped_is_noticed(name):
    assert verdict(name, shipped) == SEEN[name]


@pytest.mark.parametrize("name", BLIND)
def test_the_blind_tests_notice_nothing(name):
    assert verdict(name, shipped) == "passes"


@pytest.mark.parametrize("name", HALF)
def test_a_first_repair_passes_its_own_test_and_no_further_one(name):
    assert verdict(name, half_mended) == HALF[name]


def test_silent_heads_change_nothing():
    cfg, params = with_silent_heads(hunt.CFG, hunt.PARAMS, 8)
    assert params["layers"][0]["mixer"]["wq"].shape == (16, 8, 8)
    np.testing.assert_allclose(forward(cfg, params, hunt.TOKENS)[0], hunt.healthy(), atol=1e-12)


def test_a_forgiving_loader_names_what_it_passed_over():
    port, params, ignored = forgiving_load(shipped, hunt.CFG, hunt.PARAMS)
    assert port.H == 4 and ignored == ["wq", "wk", "wv", "wo"] * 2
    assert np.all(np.isfinite(forward(port, params, hunt.TOKENS)[0]))
    port, params, ignored = forgiving_load(mended, hunt.CFG, hunt.PARAMS)
    assert port == hunt.CFG and ignored == []


def test_writing_in_the_museum_is_writing_elsewhere():
    prompt, count = [5, 9, 2], 6
    wanted = list(generate(hunt.CFG, hunt.PARAMS, prompt, count, greedy))
    answers, steps = write(mended, likeliest(hunt.CFG, hunt.PARAMS), np.array([prompt]), count, eos=-1)
    assert answers == [wanted] and steps == count
    new, _ = together(mended, hunt.CFG, hunt.PARAMS, [prompt, [7, 3, 11, 4, 6]], count)
    assert new[0].tolist() == wanted


def test_a_file_that_is_read_as_it_was_written_changes_nothing():
    same, wrong = (through_the_file(room, hunt.PARAMS) for room in (mended, shipped))
    for ours, before in zip(same["layers"], hunt.PARAMS["layers"], strict=True):
        assert all(np.array_equal(ours["mlp"][name], before["mlp"][name]) for name in ours["mlp"])
    for ours, before in zip(wrong["layers"], hunt.PARAMS["layers"], strict=True):
        assert ours["mlp"]["gate"].shape == before["mlp"]["gate"].shape
        assert np.array_equal(np.sort(ours["mlp"]["gate"], axis=None), np.sort(before["mlp"]["gate"], axis=None))
        assert not np.allclose(ours["mlp"]["gate"], before["mlp"]["gate"])


def test_the_mask_that_sees_all_looks_into_empty_slots_and_only_the_mended_test_says_so():
    blind, causal = with_and_without_a_cache(shipped.sight), with_and_without_a_cache(mended.sight)
    shipped.assert_equal(*blind)
    mended.assert_equal(*causal)
    with pytest.raises(AssertionError):
        mended.assert_equal(*blind)
    full, _ = with_and_without_a_cache(shipped.sight, slots=hunt.TOKENS.shape[1])
    np.testing.assert_allclose(full, blind[1], atol=1e-12)      # no empty slot, no difference


def test_a_quiet_model_has_small_logits_and_every_bug_hides_below_one_and_a_half():
    assert np.std(hunt.healthy(quiet(hunt.PARAMS))) < 0.1
    assert len(moved()) > 15 and max(moved().values()) < 1.5
