"""The benchmark: what it counts is what there is, and its command says what it cannot do."""
import json
import os
from functools import partial

import jax
import pytest

from gemma_edu.cli import main
from gemma_edu.config import TINY
from gemma_edu.lab.bench import bandwidth, machine, peers, rows, training
from gemma_edu.lab.bench.command import alone
from gemma_edu.params import count

TASK = rows.Task(prompt=20, tokens=6, rounds=2)


@pytest.mark.parametrize("program", [rows.ours, rows.in_numpy])
def test_a_row_reads_every_weight_and_the_cache_once_a_token(program):
    row = program("tiny", "float32", TASK)
    slots = {rows.ours: 32, rows.in_numpy: 26}[program]      # in JAX the next power of two
    cache = 2 * TINY.L * slots * TINY.K * TINY.H * 4
    assert row["bytes_per_token"] == 4 * count(TINY) + cache
    assert row["decode_bytes_per_s"] == pytest.approx(row["bytes_per_token"] * row["decode_tokens_per_s"])
    assert row["prefill_tokens_per_s"] > 0 and row["peak_bytes"] > 4 * count(TINY)


def test_the_clock_is_read_around_the_work():
    """Twice the time for the same tokens is half the speed."""
    fast, slow = (rows.figures(TASK, [1.0], [spent], 5, read=100) for spent in (0.5, 1.0))
    assert fast["decode_tokens_per_s"] == 2 * slow["decode_tokens_per_s"] == 10
    assert fast["decode_bytes_per_s"] == 1000 and fast["prefill_tokens_per_s"] == 20


def test_a_prompt_is_counted_by_the_products_of_its_weights():
    row = rows.ours("tiny", "float32", TASK)
    each = 2 * (count(TINY) - TINY.V * TINY.D)
    assert row["prefill_flops_per_s"] == pytest.approx(each * row["prefill_tokens_per_s"])
    assert row["prefill_flops_per_s"] < bandwidth.matrix_rate("float32")


def test_training_counts_the_tokens_of_its_middle_step(tmp_path, monkeypatch, capsys):
    """By turns, so that a slow minute of the machine meets both."""
    turns = []

    def alone(program):
        turns.append(program.__name__)
        return {"ours": [2.0, 1.0, 9.0], "theirs": [4.0]}[program.__name__]
    monkeypatch.setattr(training, "alone", alone)
    training.main(tmp_path / "training.json")
    ours, theirs = json.loads((tmp_path / "training.json").read_text())["rows"]
    assert turns == ["ours", "theirs"] * training.TURNS
    assert ours["tokens_per_s"] == 16 * 256 / 2 and theirs["tokens_per_s"] == 16 * 256 / 4
    assert "1024 tokens/s" in capsys.readouterr().out


def test_a_training_step_is_timed_once_it_is_compiled(monkeypatch):
    monkeypatch.setattr(training, "B", 1)
    monkeypatch.setattr(training, "T", 8)
    monkeypatch.setattr(training, "ROUNDS", 2)
    assert 0 < max(training.ours()) < 2 and len(training.ours()) == 2


def test_memory_is_not_read_faster_than_there_are_wires():
    assert 1e8 < bandwidth.read_bandwidth(size=2 * 10**8) < 1e13


def test_the_peak_of_a_process_counts_what_it_has_held():
    before = machine.peak_bytes()
    held = jax.numpy.ones(10**8 // 4).block_until_ready()
    assert machine.peak_bytes() >= before > 5e7 and held.nbytes == 10**8


def test_the_command_writes_what_it_measured(tmp_path, capfd):
    out = tmp_path / "speed.json"
    assert main(["bench", "--model", "tiny", "--dtype", "float32", "--prompt", "20", "--tokens", "6", "--rounds", "1",
                 "--out", str(out)]) == 0
    found = json.loads(out.read_text())
    assert [(row["program"], row["dtype"]) for row in found["rows"]] == [("gemma-edu, JAX", "float32")]
    assert found["command"].startswith("gemma-edu bench --model tiny") and found["task"]["tokens"] == 6
    assert found["rows"][0]["read_bytes_per_s"] > 0 and {"jax", "numpy"} <= found["versions"].keys()
    assert "of the memory's" in capfd.readouterr().out


@pytest.mark.parametrize("arguments, error", [
    (["--out", "nowhere/speed.json"], "there is no folder nowhere for --out"),
    (["--out", "."], "--out . is a folder; give the name of a file in it"),
    (["--gguf", "nowhere.gguf"], "--gguf nowhere.gguf is no file"),
    (["--tokens", "1"], "write at least 2"),
    (["--rounds", "0"], "in at least 1 round"),
])
def test_what_cannot_be_measured_is_refused(arguments, error, capfd):
    assert main(["bench", "--model", "tiny", *arguments]) == 2
    assert error in capfd.readouterr().err


def test_a_program_that_is_missing_is_named_before_anything_is_measured(monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(peers, "installed", lambda name: False)
    (tmp_path / "a.gguf").touch()
    for arguments, needed in [(["--peers"], "gemma-edu[parity]"),
                              (["--gguf", str(tmp_path / "a.gguf")], "llama-cpp-python")]:
        assert main(["bench", "--model", "tiny", *arguments]) == 2
        said = capfd.readouterr()
        assert needed in said.err and said.out == ""


def test_a_process_that_the_system_ends_is_one_line():
    with pytest.raises(MemoryError, match="take a smaller --model"):
        alone(partial(os._exit, 1))
