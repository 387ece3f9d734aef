"""Training: the same run again gives the same curve, whatever happens to it on the way."""
import inspect
import json
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from math import log
from pathlib import Path
from pydoc_data.topics import topics

import jax
import numpy as np
import optax
import pytest
from small import apart, close

from gemma_edu import numpy_gemma
from gemma_edu.config import NANO, in_numpy
from gemma_edu.data.corpus import Corpus
from gemma_edu.data.tokenizer import train as train_tokenizer
from gemma_edu.jax_gemma import loss
from gemma_edu.params import init, stack, unstack
from gemma_edu.pretrained.load import load
from gemma_edu.training import checkpoint
from gemma_edu.training.command import tokenizer_of
from gemma_edu.training.train import Recipe, beginning, gradient, optimizer, schedule, step, train
from gemma_edu.training.validate import bits_per_byte, windows

RECIPE = Recipe(steps=40, B=4, T=16, warm_up=4, rate=1e-2)
PROSE = [textwrap.dedent(inspect.getsource(module)) for module in (textwrap, random)]
TOKENIZER = train_tokenizer(PROSE, 400)
SMALL = replace(NANO, V=400, D=16, H=8, F=24)
STREAMS = {"prose": np.array(TOKENIZER.encode(PROSE[0]), np.uint16)}


def weights():
    return init(SMALL, jax.random.key(0))


def run(recipe, params):
    states = list(train(SMALL, recipe, beginning(recipe, params), STREAMS))
    return states[-1][0], [seen for _, seen in states]


def test_a_run_learns_and_the_same_run_again_is_the_same_run():
    (_, first), (_, again) = run(RECIPE, weights()), run(RECIPE, weights())
    assert [seen["loss"] for seen in first] == [seen["loss"] for seen in again]
    assert first[-1]["loss"] < first[0]["loss"] - 1
    assert [seen["step"] for seen in first] == list(range(1, 41))


def test_stacked_layers_and_a_tuple_of_them_learn_the_same():
    stacked, _ = run(replace(RECIPE, steps=3), weights())
    loose, _ = run(replace(RECIPE, steps=3), {**weights(), "layers": unstack(weights()["layers"])})
    close({**loose["params"], "layers": stack(loose["params"]["layers"])}, stacked["params"], 1e-5)


def test_the_rate_climbs_to_its_height_and_falls_along_a_cosine_to_zero():
    recipe = Recipe(steps=1000, rate=1e-2, warm_up=10)
    rates = [float(schedule(recipe)(n)) for n in range(1000)]
    assert np.isclose(max(rates), 1e-2) and rates.index(max(rates)) == 10
    assert 0 < rates[-1] < 1e-6 and rates[0] > 0
    assert np.all(np.diff(rates[:11]) > 0) and np.all(np.diff(rates[10:]) < 0)


def test_the_first_step_is_adam_by_hand_on_a_clipped_gradient():
    recipe = replace(RECIPE, clip=0.5, decay=0.0)
    tokens = np.random.default_rng(0).integers(0, 400, (4, 17))
    grads = jax.grad(loss, argnums=1)(SMALL, weights(), tokens)
    length = float(np.sqrt(sum(np.sum(np.square(g)) for g in jax.tree.leaves(grads))))
    after, seen = step(SMALL, recipe, beginning(recipe, weights()), tokens)
    assert np.isclose(seen["gradient"], length, rtol=1e-5) and length > 0.5
    rate = float(schedule(recipe)(0))

    def by_hand(p, g):
        g = g * 0.5 / length
        return p - rate * g / (np.abs(g) + 1e-8)      # m and v of a first step are g and g², once corrected
    close(after["params"], jax.tree.map(by_hand, weights(), grads), 1e-5)


@pytest.mark.parametrize("B, micro_batch", [(4, 1), (4, 2), (4, 3), (6, 4), (4, 100)])
def test_the_gradient_of_a_batch_is_the_average_over_its_micro_batches(B, micro_batch):
    tokens = np.random.default_rng(0).integers(0, 400, (B, 17))
    recipe = replace(RECIPE, micro_batch=micro_batch)
    expected = jax.value_and_grad(loss, argnums=1)(SMALL, weights(), tokens)
    close(gradient(SMALL, recipe, weights(), tokens), expected, 1e-5)


def test_only_matrices_decay():
    recipe = replace(RECIPE, decay=0.5)
    params = jax.tree.map(lambda leaf: leaf + 1, weights())
    nothing = jax.tree.map(lambda leaf: 0 * leaf, params)
    updates, _ = optimizer(recipe).update(nothing, optimizer(recipe).init(params), params)
    after = optax.apply_updates(params, updates)
    assert apart(after["final_norm"], params["final_norm"]) == 0
    assert apart(after["layers"]["mlp_norm"], params["layers"]["mlp_norm"]) == 0
    shrunk = 1 - 0.5 * float(schedule(recipe)(0))
    close(after["layers"]["mlp"], jax.tree.map(lambda leaf: leaf * shrunk, params["layers"]["mlp"]), 1e-6)


def test_a_model_that_knows_nothing_needs_the_log_of_the_vocabulary_for_each_token():
    params = jax.tree.map(lambda leaf: 0 * leaf, weights())
    text = PROSE[1][:3000]
    tokens = len(TOKENIZER.encode(text)) - 1      # bos is given
    expected = tokens * log(400, 2) / len(text.encode())
    assert np.isclose(bits_per_byte(SMALL, params, TOKENIZER, [text], 32), expected, rtol=1e-5)


@pytest.mark.parametrize("T", [32, 7, 2])
def test_windows_count_each_token_and_each_byte_once(T):
    texts = [PROSE[1][:2500], "é", "", PROSE[1][2500:2600]]
    found = list(windows(TOKENIZER, texts, T))
    assert sum(sum(counted) for _, counted, _ in found) == sum(len(TOKENIZER.encode(text)) - 1 for text in texts)
    assert sum(n_bytes for _, _, n_bytes in found) == sum(len(text.encode()) for text in texts)
    assert all(len(row) <= T + 1 and len(counted) == len(row) - 1 for row, counted, _ in found)


def test_a_long_text_is_measured_with_half_a_window_of_its_past_in_view():
    text, T = PROSE[1][:700], 32
    tokens = np.array(TOKENIZER.encode(text))
    params = jax.tree.map(np.array, weights())
    nats = 0.0
    for target in range(1, len(tokens)):      # naively, a token at a time, from where its window starts
        start = 0 if target <= T else (target - T + T // 2 - 1) // (T // 2) * (T // 2)
        logits, _ = numpy_gemma.forward(in_numpy(SMALL), params, tokens[None, start:target])
        nats += float(numpy_gemma.cross_entropy(logits[:, -1:], tokens[None, target:target + 1])[0, 0])
    assert np.isclose(bits_per_byte(SMALL, weights(), TOKENIZER, [text], T), nats / log(2) / len(text.encode()))


def test_a_restored_state_goes_on_as_if_nothing_had_happened(tmp_path):
    _, whole = run(RECIPE, weights())
    with checkpoint.manager(tmp_path) as keeper:
        for state, seen in train(SMALL, RECIPE, beginning(RECIPE, weights()), STREAMS):
            if seen["step"] == 15:
                checkpoint.save(keeper, state, {"text": "this"})
                break
    with checkpoint.manager(tmp_path) as keeper:
        state = checkpoint.restore(keeper, beginning(RECIPE, weights()), {"text": "this"})
        rest = [seen for _, seen in train(SMALL, RECIPE, state, STREAMS)]
        assert rest == whole[15:]
        with pytest.raises(ValueError, match="another text"):
            checkpoint.restore(keeper, beginning(RECIPE, weights()), {"text": "that"})


def test_a_diary_is_cut_back_to_a_step_and_loses_a_line_that_was_cut_short(tmp_path):
    diary = tmp_path / "metrics.jsonl"
    checkpoint.cut_back(diary, 0)
    assert diary.read_text() == ""
    diary.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    checkpoint.cut_back(diary, 2)
    assert checkpoint.read_diary(diary) == [{"step": 1}, {"step": 2}]


def test_a_run_that_has_diverged_is_stopped_before_it_is_saved():
    broken = jax.tree.map(lambda leaf: leaf * np.nan, weights())
    with pytest.raises(FloatingPointError, match="lower --rate"):
        next(train(SMALL, RECIPE, beginning(RECIPE, broken), STREAMS))


def test_a_tokenizer_left_by_another_run_is_never_taken(tmp_path):
    one, other = Corpus({"prose": PROSE[:1]}, {}), Corpus({"prose": PROSE[1:]}, {})
    first = tokenizer_of(tmp_path, one, 400)
    assert tokenizer_of(tmp_path, one, 400).model == first.model
    assert tokenizer_of(tmp_path, one, 500).size == 500
    assert tokenizer_of(tmp_path, other, 400).model == train_tokenizer(PROSE[1:], 400).model != first.model


@pytest.mark.parametrize("wrong", [
    {"steps": 0}, {"B": -1}, {"T": 1}, {"micro_batch": 0}, {"warm_up": 0}, {"seed": -1}, {"decay": float("nan")},
    {"rate": 0.0}, {"rate": float("nan")}, {"clip": 0.0}])
def test_a_recipe_that_cannot_be_cooked_is_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} = .*; give"):
        Recipe(**wrong)


# ---- the command, as a user runs it
OPTIONS = ["--preset", "nano", "--steps", "60", "--B", "2", "--T", "32", "--save-every", "10"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    for module in textwrap, random, inspect:
        (folder / f"{module.__name__}.py").write_text(inspect.getsource(module))
    (folder / "statements.txt").write_text("\n\n".join(topics[name] for name in ("if", "while", "for", "try", "with")))
    return sorted(map(str, folder.iterdir()))


def start(out, files, *more, wrapped=()):
    command = [sys.executable, "-m", "gemma_edu", "train", *OPTIONS, "--out", str(out), "--text", *files, *more]
    return subprocess.Popen([*wrapped, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, files):
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    code, _, err = finish(start(out, files))
    assert code == 0, err
    return out


def steps(out):
    diary = Path(out) / "metrics.jsonl"
    return len(diary.read_bytes().splitlines()) if diary.exists() else 0


def until(process, out, goal):
    """Let it run until its diary has so many lines."""
    while steps(out) < goal and process.poll() is None:
        time.sleep(0.01)
    return process


def test_a_run_killed_at_any_moment_goes_on_along_exactly_the_same_curve(undisturbed, files, tmp_path):
    out, chance = tmp_path / "killed", random.Random(0)
    for goal in 3, 25, 41:      # before the first checkpoint, and after it
        process = until(start(out, files, "--resume"), out, goal)
        time.sleep(chance.random() / 10)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    code, _, err = finish(start(out, files, "--resume"))
    assert code == 0, err
    assert checkpoint.read_diary(out / "metrics.jsonl") == checkpoint.read_diary(undisturbed / "metrics.jsonl")
    ours, theirs = load(out / "model"), load(undisturbed / "model")
    assert apart(ours.params, theirs.params) == 0


def test_a_finished_run_leaves_a_model_its_facts_its_curve_and_ten_samples(undisturbed):
    cfg, params, tokenizer = load(undisturbed / "model")
    assert cfg == NANO and tokenizer.size == NANO.V
    facts = json.loads((undisturbed / "model" / "facts.json").read_text())
    assert "--steps 60" in facts["command"] and set(facts["figures"]) == {"prose", "code"}
    assert (undisturbed / "model" / "README.md").read_text().count("\n### `") == 10
    assert (undisturbed / "model" / "curve.jsonl").read_text().count("\n") == 60


def test_a_run_is_neither_overwritten_nor_continued_on_another_text(undisturbed, files):
    before = (undisturbed / "metrics.jsonl").read_bytes()
    code, _, err = finish(start(undisturbed, files))
    assert code == 2 and "--resume" in err
    code, _, err = finish(start(undisturbed, files[:2], "--resume"))
    assert code == 2 and "began with another text" in err
    assert (undisturbed / "metrics.jsonl").read_bytes() == before


def test_a_full_disk_leaves_the_last_checkpoint_as_it_was(files, tmp_path):
    out = tmp_path / "full"
    process = until(start(out, files), out, 15)
    process.kill()
    process.communicate()
    with checkpoint.manager(out) as keeper:
        saved = keeper.latest_step()

    too_small = "bash", "-c", 'ulimit -f 64; exec "$@"', "-"      # no file may outgrow 64 kB: no checkpoint fits
    code, _, err = finish(start(out, files, "--resume", wrapped=too_small))
    [said] = [line for line in err.splitlines() if line.startswith("gemma-edu: error: ")]      # threads mutter, too
    assert code == 2 and "the checkpoint of step 20 could not be written" in said and "make room" in said
    with checkpoint.manager(out) as keeper:
        assert keeper.latest_step() == saved
    code, _, err = finish(start(out, files, "--resume"))
    assert code == 0, err


def test_a_damaged_checkpoint_is_named_and_without_it_the_one_before_is_taken(undisturbed, files, tmp_path):
    out = shutil.copytree(undisturbed, tmp_path / "damaged")
    for number, lost in ("60", "state/d/*"), ("50", "about/metadata"):
        folder = out / "checkpoints" / number
        next(folder.glob(lost)).unlink()
        code, _, err = finish(start(out, files, "--resume"))
        [said] = [line for line in err.splitlines() if line.startswith("gemma-edu: error: ")]      # threads mutter, too
        assert code == 2 and f"the checkpoint {folder} is not whole" in said and "delete this folder" in said
        shutil.rmtree(folder)
    assert (out / "metrics.jsonl").read_bytes() == (undisturbed / "metrics.jsonl").read_bytes()
