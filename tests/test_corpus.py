"""The corpus against Python's own inspection, arithmetic done again, and text searched by force."""
import ast
import builtins
import inspect
import lzma
import os
import re
import subprocess
import sys
import textwrap
from collections import Counter
from hashlib import sha256

import numpy as np
import pytest

from gemma_edu.data import corpus as data
from gemma_edu.data.corpus import Corpus, batch, corpus, from_files, tokens, yardstick
from gemma_edu.data.library import built_in, home, language, manual, sources
from gemma_edu.data.sums import sums
from gemma_edu.data.tokenizer import train


@pytest.fixture(scope="module")
def python():
    return corpus(problems=4_000)


def size(documents):
    return sum(len(text.encode()) for text in documents)


# ---- what is held out
def test_nothing_held_out_stands_in_the_training_text(python):
    read = " ".join(" ".join(python.train["prose"]).split())
    for text in python.held_out["prose"]:
        for paragraph in text.split("\n\n"):
            words = " ".join(paragraph.split())
            assert len(words) < 100 or words not in read
    for kind in python.train:
        assert not {*python.train[kind]} & {*python.held_out[kind]}


@pytest.mark.parametrize("kind", ["prose", "code", "arithmetic"])
def test_a_fair_share_of_each_kind_is_held_out(python, kind):
    held_out = size(python.held_out[kind])
    assert 0.03 < held_out / (held_out + size(python.train[kind])) < 0.10


def test_no_sum_that_is_asked_was_learned(python):
    def asked(side):
        return {(sign, *sorted([int(a), int(b)])) for text in side["arithmetic"]
                for a, sign, b in re.findall(r"(\d+) ([-+*]) (\d+)", text)}
    assert asked(python.held_out) and not asked(python.train) & asked(python.held_out)


def test_the_name_alone_decides():
    names = [name for _, name, _ in sums(500, seed=0)]
    digests = [int(sha256(("27" + name).encode()).hexdigest()[:8], 16) for name in names]
    assert [data.is_held_out(name) for name in names] == [d / 16**8 < 0.06 for d in digests]


@pytest.mark.parametrize("public, private", [
    ("io", "_pyio"), ("io", "_io"), ("decimal", "_pydecimal"), ("datetime", "_pydatetime"),
    ("abc", "_py_abc"), ("asyncio", "asyncio.base_events"), ("zoneinfo", "zoneinfo._zoneinfo"),
    ("py_compile", "py_compile"), ("pyclbr", "pyclbr"), ("pydoc", "pydoc"), ("code", "code")])
def test_a_module_is_at_home_with_its_twins(public, private):
    assert home(private) == home(public) == public


def test_repeats_are_kept_once_and_in_training():
    long, short = "many words " * 10, "few words"
    other = "other words " * 10
    got = data.without_repeats(
        [("prose", "", f"{long}\n\n{short}"), ("prose", "", f"{short}\n\nnew\n\n{other}"),
         ("prose", "", f"{short}\n\n{long.replace(' ', '  ')}"), ("code", "", "x = 1")],
        [("prose", "", f"unseen\n\n{long}"), ("code", "", "x =  1\n"), ("code", "", "y = 2")])
    assert got.train["prose"] == [f"{long}\n\n{short}", f"{short}\n\nnew\n\n{other}", short]
    assert got.train["code"] == ["x = 1"]
    assert got.held_out == {"prose": ["unseen"], "code": ["y = 2"]}


def test_a_paragraph_of_a_line_may_repeat_in_training_but_is_not_asked():
    line = "Return the value for key if key is in the dictionary."
    got = data.without_repeats([("prose", "", f"a\n\n{line}"), ("prose", "", f"b\n\n{line}")],
                               [("prose", "", f"c\n\n{line}")])
    assert got == ({"prose": [f"a\n\n{line}", f"b\n\n{line}"]}, {"prose": ["c"]})


# ---- what Python says about itself
def test_documentation_is_what_inspect_finds():
    written = "\n\n".join(manual(ast.parse(inspect.getsource(textwrap)), "textwrap"))
    for name, thing in inspect.getmembers(textwrap, inspect.isfunction):
        heading = f"textwrap.{name}{inspect.signature(thing)}"
        assert f"{heading}\n\n{textwrap.indent(inspect.getdoc(thing), '   ')}" in written
    for name, method in inspect.getmembers(textwrap.TextWrapper, inspect.isfunction):
        assert (f"textwrap.TextWrapper.{name}(" in written) == bool(method.__doc__)


def test_a_method_is_written_as_it_is_called():
    code = '''
        """A door."""
        class Door:
            """Opens."""
            def open(self, wide=False, *, slowly): "Push."
            @classmethod
            async def new(cls): "Build."
            def shut(self): ...
        def type_of(type, value): "Look."
    '''
    assert "\n\n".join(manual(ast.parse(textwrap.dedent(code)), "door")) == (
        "door\n\n   A door.\n\nclass door.Door\n\n   Opens.\n\n"
        "door.Door.open(wide=False, *, slowly)\n\n   Push.\n\ndoor.Door.new()\n\n   Build.\n\n"
        "door.type_of(type, value)\n\n   Look.")


def test_modules_in_c_are_documented_too():
    text = {}
    for _, name, document in built_in():
        text[name] = text.get(name, "") + document
    assert f"str.removeprefix(prefix, /)\n\n{textwrap.indent(str.removeprefix.__doc__, '   ')}" \
        in text["builtins"]
    assert "class itertools.chain\n" in text["itertools"] and "self" not in re.findall(
        r"^\w+\.\w+\((.*?)[,)]", text["builtins"], re.MULTILINE)


def test_a_notebook_that_replaces_input_reads_the_same(monkeypatch):
    before = [*built_in()]
    monkeypatch.setattr(builtins, "input", print)
    monkeypatch.setattr(sys, "displayhook", print)
    assert [*built_in()] == before


def test_no_test_no_table_and_no_machine_is_read(tmp_path):
    good = ["os.py", "json/__init__.py", "json/decoder.py"]
    bad = ["test/test_os.py", "ctypes/test/x.py", "site-packages/numpy.py", "encodings/cp437.py",
           "config-3.11/python.py", "_sysconfigdata__darwin_darwin.py", "json/notes.txt"]
    for name in good + bad:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert [path.relative_to(tmp_path).as_posix() for path in sources(tmp_path)] == good


def test_every_sum_is_right():
    for _, _, text in sums(2_000, seed=1):
        asked, answer, _, story = text.splitlines()
        assert eval(asked.removeprefix(">>> ")) == int(answer)
        left, right = re.search(r"(\d+ [-+*] \d+) = (-?\d+)", story).groups()
        assert eval(left) == int(right) == int(answer)


def test_the_same_seed_gives_the_same_text_in_another_process():
    program = ("from gemma_edu.data.corpus import *\n"
               "print(Corpus({'all': [*language(), *built_in(), *sums(500, 3)]}, {}).digest)")
    elsewhere = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    there = subprocess.check_output([sys.executable, "-c", program], env=elsewhere, text=True)
    here = Corpus({"all": [*language(), *built_in(), *sums(500, 3)]}, {})
    assert there.strip() == here.digest
    assert [*sums(9, 3)] != [*sums(9, 4)]


def test_the_digest_sees_every_document_and_its_place():
    a = Corpus({"prose": ["one", "two"]}, {"prose": ["three"]})
    others = [Corpus({"prose": ["two", "one"]}, {"prose": ["three"]}),
              Corpus({"code": ["one", "two"]}, {"prose": ["three"]}),
              Corpus({"prose": ["one"]}, {"prose": ["two", "three"]}),
              Corpus({"prose": ["one", "twO"]}, {"prose": ["three"]})]
    assert len({c.digest for c in (a, *others)}) == 5 and a.digest == Corpus(*a).digest


# ---- your own files
def test_your_own_files_are_split_at_the_end_of_a_line(tmp_path):
    story = "".join(f"Line {n} of a story.\n" for n in range(100))
    (tmp_path / "story.txt").write_text(story)
    (tmp_path / "tool.py").write_text(story.replace("Line", "# line"))
    own = from_files(tmp_path.iterdir())
    [learned], [asked] = own.train["prose"], own.held_out["prose"]
    assert learned + asked == story and learned.endswith("\n") and asked.count("\n") == 5
    assert own.train["code"] == [learned.replace("Line", "# line")]
    assert from_files(tmp_path / "story.txt").train == {"prose": [learned]}


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "marked.txt").write_bytes(b"\xef\xbb\xbf" + b"Some line.\n" * 40)
    assert from_files([tmp_path / "marked.txt"]).train["prose"][0].startswith("Some")


@pytest.mark.parametrize("name, content, says", [
    ("table.csv", b"1,2", r"table\.csv is not known .* give \.txt, \.md, \.rst, \.py"),
    ("latin.txt", b"caf\xe9\n", r"latin\.txt is not UTF-8 at byte 3; save it"),
    ("empty.md", b" \n", r"empty\.md is empty"),
    ("line.txt", b"one line", "1 files, too few lines")])
def test_files_that_cannot_teach_are_refused(tmp_path, name, content, says):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=says):
        from_files([tmp_path / name])


def test_no_files_are_refused_and_missing_ones_named(tmp_path):
    with pytest.raises(ValueError, match="0 files"):
        from_files([])
    with pytest.raises(FileNotFoundError, match=r"gone\.txt"):
        from_files([tmp_path / "gone.txt"])


# ---- what a model is fed, and what it is measured by
def test_tokens_hold_every_document_after_a_bos():
    documents = ["one two\n", "…three", "def f(): pass"]
    tokenizer = train(documents, 310)
    row = tokens(documents, tokenizer)
    starts = np.flatnonzero(row == tokenizer.bos)
    assert row.dtype == np.uint16 and starts[0] == 0
    assert [tokenizer.decode(part) for part in np.split(row, starts[1:])] == documents


STREAMS = {"low": np.arange(1000, dtype=np.uint16), "high": np.arange(5000, 5300, dtype=np.uint16)}


def test_a_batch_is_cut_out_of_its_streams():
    rows = batch(STREAMS, {"low": 3, "high": 1}, B=400, T=9, seed=0, step=5)
    assert rows.shape == (400, 10) and rows.dtype == np.int32 and (np.diff(rows) == 1).all()
    assert {*rows.ravel().tolist()} <= {*range(1000), *range(5000, 5300)}
    assert batch(STREAMS, {"high": 1}, B=200, T=298, seed=0, step=0)[:, -1].max() == 5299


def test_shares_are_kept_and_need_no_sum():
    rows = batch(STREAMS, {"low": 3, "high": 1}, B=4000, T=2, seed=0, step=0)
    share = Counter((rows[:, 0] < 1000).tolist())[True] / 4000
    assert abs(share - 0.75) < 4 * np.sqrt(0.75 * 0.25 / 4000)        # four standard deviations


def test_seed_and_step_alone_decide_a_batch():
    def drawn(seed, step):
        return batch(STREAMS, {"low": 1, "high": 1}, 8, 9, seed, step).tobytes()
    assert drawn(0, 1) == drawn(0, 1) and len({drawn(0, 1), drawn(1, 0), drawn(0, 2)}) == 3


def test_a_stream_shorter_than_a_row_is_refused():
    with pytest.raises(ValueError, match="high has 300 tokens, a row needs 301"):
        batch(STREAMS, {"high": 1.0}, B=1, T=300, seed=0, step=0)


def test_xz_knows_what_it_has_seen_and_cannot_guess_noise():
    noise = [np.random.default_rng(0).bytes(20_000).hex()]             # four bits to the letter
    assert yardstick(noise, noise) < 0.1
    assert 4.0 < yardstick([], noise) < 4.8


def test_the_yardstick_is_the_growth_of_an_xz_file(tmp_path):
    def on_disk(text):
        with lzma.open(tmp_path / "a.xz", "wb", preset=9 | lzma.PRESET_EXTREME) as file:
            file.write(text.encode())
        return (tmp_path / "a.xz").stat().st_size
    learn, ask = inspect.getsource(textwrap), inspect.getsource(inspect)
    grown = on_disk(learn + "\n" + ask) - on_disk(learn)
    assert yardstick([learn], [ask]) == pytest.approx(grown * 8 / (len(ask.encode()) + 1))
