"""The rules of the house that a machine can hold."""
import ast
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "gemma_edu"
FILES = {str(path.relative_to(PACKAGE)): path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}
MODEL = [name for name in FILES if name.startswith(("numpy_gemma/", "jax_gemma/"))]

MOST_LINES = {"file": 200, "function": 40}      # the targets are 150 and 25
MOST_CODE = 300                                 # in the whole of jax_gemma
QUICK = 0.3                                     # seconds, for `import gemma_edu`
MEASURES_TORCH = "lab/bench/peers.py"           # and reads nothing by it but safetensors


def nodes(name, *kinds):
    return [node for node in ast.walk(ast.parse(FILES[name])) if isinstance(node, kinds)]


def asks(condition):
    """Does it look at the config, or at what is fixed in a layer?"""
    return bool({each.id for each in ast.walk(condition) if isinstance(each, ast.Name)} & {"cfg", "fixed"})


def test_rooms_import_only_what_lies_below_them():
    """The contracts stand in pyproject.toml, under importlinter."""
    linted = subprocess.run([Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
                            cwd=ROOT, capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def python(code):
    """Run code in a fresh Python; returns what it prints."""
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("room", ["gemma_edu", "gemma_edu.numpy_gemma"])
def test_numpy_starts_without_jax(room):
    assert python(f"import sys, {room}; print('jax' in sys.modules)").strip() == "False"


def test_the_package_opens_at_once():
    """Its import alone, timed from inside a fresh Python; the middle one of five."""
    timed = "import time; t = time.perf_counter(); import gemma_edu; print(time.perf_counter() - t)"
    seconds = median(float(python(timed)) for _ in range(5))
    print(f"import gemma_edu: {seconds:.3f} s")
    assert seconds < QUICK


@pytest.mark.parametrize("name", MODEL)
def test_the_model_never_branches_on_its_config(name):
    """Choices are functions: no condition asks cfg, or what is fixed in a layer."""
    branching = nodes(name, ast.If, ast.IfExp, ast.While, ast.Assert)
    asked = [node.lineno for node in branching if asks(node.test)]
    asked += [node.lineno for node in nodes(name, ast.Match) if asks(node.subject)]
    asked += [each.lineno for node in nodes(name, ast.BoolOp) for each in node.values[:-1] if asks(each)]
    asked += [each.lineno for node in nodes(name, ast.comprehension) for each in node.ifs if asks(each)]
    assert asked == []


def functions():
    return {f"{name}: {node.name}": node.end_lineno - node.lineno + 1
            for name in FILES for node in nodes(name, ast.FunctionDef)}


def report(title, lengths, target):
    print(f"{title}: {len(lengths)}, median {median(lengths.values()):g} lines; longer than {target}:")
    for name, length in sorted(lengths.items(), key=lambda item: -item[1]):
        if length > target:
            print(f"  {length:4}  {name}")


def test_files_are_short():
    lengths = {name: len(text.splitlines()) for name, text in FILES.items()}
    report("files", lengths, 150)
    assert {name: n for name, n in lengths.items() if n > MOST_LINES["file"]} == {}


def test_functions_are_short():
    report("functions", functions(), 25)
    assert {name: n for name, n in functions().items() if n > MOST_LINES["function"]} == {}
    assert median(functions().values()) <= 12


def code_lines(name):
    """Without blanks, comments, imports and docstrings."""
    lines = FILES[name].splitlines()
    kept = {i for i, line in enumerate(lines, start=1) if line.strip() and not line.lstrip().startswith("#")}
    for node in nodes(name, ast.Import, ast.ImportFrom):
        kept -= set(range(node.lineno, node.end_lineno + 1))
    for node in nodes(name, ast.Module, ast.FunctionDef, ast.ClassDef):
        if ast.get_docstring(node) is not None:
            kept -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(kept)


def test_gemma_in_jax_fits_in_three_hundred_lines():
    total = sum(code_lines(name) for name in MODEL if name.startswith("jax_gemma/"))
    print(f"jax_gemma: {total} lines of code")
    assert 50 < total < MOST_CODE


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_left_to_do_or_named_after_nothing(name):
    assert not any(word in FILES[name] for word in ("TODO", "FIXME", "XXX"))
    assert not set(Path(name).with_suffix("").parts) & {"utils", "helpers", "common", "misc"}


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_ever_unpickled(name):
    """A pickle runs whatever code its writer liked."""
    imported = {alias.name for node in nodes(name, ast.Import) for alias in node.names}
    imported |= {node.module for node in nodes(name, ast.ImportFrom)}
    beside = {"torch"} if name == MEASURES_TORCH else set()
    assert not imported & {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "torch"} - beside
    assert "torch.load" not in FILES[name]
    allowed = [node.value for node in nodes(name, ast.keyword) if node.arg == "allow_pickle"]
    assert not any(value.value for value in allowed)


@pytest.mark.parametrize("name", FILES)
def test_every_module_says_what_it_is(name):
    if FILES[name].strip() and not name.endswith("__init__.py"):
        assert ast.get_docstring(ast.parse(FILES[name]))
