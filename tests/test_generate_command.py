"""`gemma-edu generate`: what is printed, where, and how it fails."""
import inspect
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest

import gemma_edu
from gemma_edu.cli import main
from gemma_edu.config import TINY
from gemma_edu.data.tokenizer import train
from gemma_edu.inference import command, fast
from gemma_edu.inference.command import PROMPT, speed, timed
from gemma_edu.inference.sample import generate
from gemma_edu.pretrained import load
from gemma_edu.pretrained.load import random_model


@pytest.fixture(scope="module")
def model():
    tokenizer = train([inspect.getsource(command)], 400)
    cfg = replace(TINY, V=tokenizer.size, D=32, L=1, N=2, K=1, H=8, F=48, S=64)
    return random_model(cfg, "float32")._replace(tokenizer=tokenizer)


@pytest.fixture
def run(model, monkeypatch, capsys):
    """Run `gemma-edu generate` on the small model, and return the exit code and what it printed."""
    def generating(*arguments, model=model):
        copied = None if model is None else model._replace(params=jax.tree.map(jnp.copy, model.params))
        for room in load, fast:
            monkeypatch.setattr(room, "load", lambda name, dtype=None: copied)
        code = main(["generate", *arguments])
        return code, *capsys.readouterr()
    return generating


def test_the_prompt_and_its_continuation_go_to_stdout_and_the_speed_to_stderr(run, model):
    for options, choice in [
            ([], {}), (["--temperature", "2", "--top-k", "50", "--top-p", "0.9", "--seed", "4"],
                       {"temperature": 2.0, "top_k": 50, "top_p": 0.9, "seed": 4})]:
        code, out, err = run("def run", "--tokens", "12", *options)
        assert (code, out) == (0, "def run" + generate(model, "def run", tokens=12, **choice) + "\n")
        assert err.count(" per second") == 1 and "make lab" not in err


def test_without_a_prompt_it_has_one_and_ends_with_the_next_step(run, model):
    code, out, err = run("--tokens", "12")
    assert (code, out) == (0, PROMPT + generate(model, PROMPT, tokens=12) + "\n")
    assert err.strip().endswith("`make lab` opens the course.")


def test_numpy_writes_the_same_greedy_text(run):
    assert run("def run", "--tokens", "12", "--numpy")[:2] == run("def run", "--tokens", "12")[:2]


def test_numpy_draws_too_and_the_seed_decides(run):
    texts = [run("def run", "--tokens", "12", "--numpy", "--temperature", "3", "--seed", seed)[1] for seed in "112"]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("options", [[], ["--numpy"]])
def test_a_model_without_a_tokenizer_writes_the_ids_that_follow_bos(run, model, options):
    code, out, err = run("unread", "--tokens", "9", *options, model=model._replace(tokenizer=None))
    assert code == 0 and "no tokenizer" in err and "unread" not in out
    assert len(out.split()) == 9 and all(0 <= int(token) < model.cfg.V for token in out.split())


def test_text_comes_as_it_is_written(run, monkeypatch):
    shown = []
    monkeypatch.setattr("builtins.print", lambda *parts, **how: shown.append((parts, how)))
    run("def run", "--tokens", "12", "--temperature", "3")
    pieces = [parts for parts, how in shown if how == {"end": "", "flush": True}]
    assert pieces[0] == ("def run",) and len(pieces) > 5


@pytest.mark.parametrize("arguments, says", [
    (["", ], "the prompt is empty"), (["a\ud800"], "'\\ud800' at position 1"), (["a", "--tokens", "0"], "tokens = 0"),
    (["a", "--tokens", "63"], "at most S = 64"), (["a", "--tokens", "63", "--numpy"], "at most S = 64"),
    (["", "--numpy"], "the prompt is empty"), (["a", "--temperature", "-1"], "temperature = -1.0"),
    (["a", "--temperature", "nan"], "temperature = nan"), (["a", "--top-p", "0"], "top_p = 0.0"),
    (["a", "--top-k", "0"], "top_k = 0"), (["a", "--seed", "-1"], "seed = -1"),
    (["a", "--numpy", "--top-k", "3"], "leave out --top-k"), (["a", "--numpy", "--top-p", "0.5"], "leave out --top-k")])
def test_what_cannot_be_done_is_one_line_and_exit_code_2(run, arguments, says):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("gemma-edu: error: ") and says in err and err.count("\n") == 1


def test_a_missing_model_is_exit_code_2(capsys):
    assert main(["generate", "a", "--model", "no/such/folder"]) == 2
    assert "no/such/folder" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["sing"], ["generate", "--tokens", "many"], ["generate", "a", "--loud"]])
def test_an_unknown_command_or_option_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "usage: gemma-edu" in capsys.readouterr().err


@pytest.mark.parametrize("error, code, says", [
    (FileExistsError("DIR holds a run already"), 2, "gemma-edu: error: DIR holds a run already\n"),
    (OSError(28, "No space left on device"), 2, "gemma-edu: error: [Errno 28] No space left on device\n"),
    (NotImplementedError("not written in NumPy"), 2, "gemma-edu: error: not written in NumPy\n"),
    (KeyboardInterrupt(), 130, "")])
def test_every_room_fails_alike(error, code, says, monkeypatch, capsys):
    def run(args):
        raise error
    room = SimpleNamespace(add_arguments=lambda parser: None, run=run)
    monkeypatch.setitem(sys.modules, "gemma_edu.training.command", room)
    assert main(["train"]) == code
    assert capsys.readouterr().err == says


def test_a_slip_in_the_code_keeps_its_traceback(monkeypatch):
    room = SimpleNamespace(add_arguments=lambda parser: None, run=lambda args: {}["slip"])
    monkeypatch.setitem(sys.modules, "gemma_edu.training.command", room)
    with pytest.raises(KeyError):
        main(["train"])


WITHOUT_JAX = "\nassert 'jax' not in sys.modules and 'optax' not in sys.modules"


@pytest.mark.parametrize("arguments, says", [
    (["--help"], "gemma-edu train --preset tiny --out"), (["--version"], f"gemma-edu {gemma_edu.__version__}\n"),
    (["generate", "--help"], "--top-p")])
def test_help_is_there_at_once(arguments, says):
    code = f"import sys\nfrom gemma_edu.cli import main\ntry: main({arguments})\nexcept SystemExit: pass" + WITHOUT_JAX
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert says in shown.stdout


def test_the_package_is_a_program():
    shown = subprocess.run([sys.executable, "-m", "gemma_edu", "--help"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("usage: gemma-edu")


def test_a_reader_who_has_seen_enough_is_no_error():
    talk = ("import sys, types\nfrom gemma_edu.cli import main\n"
            "room = types.SimpleNamespace(add_arguments=lambda parser: None,\n"
            "    run=lambda args: [print('line', flush=True) for _ in range(100_000)])\n"
            "sys.modules['gemma_edu.training.command'] = room\nsys.exit(main(['train']))")
    talker = subprocess.Popen([sys.executable, "-c", talk], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert talker.stdout.readline() == b"line\n"
    talker.stdout.close()
    assert (talker.stderr.read(), talker.wait()) == (b"", 141)
    talker.stderr.close()


# ---- the speed
def test_the_speed_leaves_out_reading_the_prompt_and_compiling():
    assert speed([5.0, 3.0, 0.25, 0.25, 0.5]) == "5 tokens, 3.0 per second after the first two"
    assert speed([5.0, 3.0]) == "2 tokens: too few to take their time"


def test_only_the_time_of_the_writer_counts(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(command, "perf_counter", lambda: clock[0])

    def written():
        for token in 7, 8, 9:
            clock[0] += 2
            yield token
    seconds = []
    for _ in timed(written(), seconds):
        clock[0] += 100      # the reader takes its time
    assert seconds == [2, 2, 2]
