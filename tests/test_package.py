"""What stands around the code keeps its word: the wheel, the versions, the commands, the README."""
import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import gemma_edu

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "gemma_edu"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CORE = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = {name: [Requirement(line) for line in lines if not line.startswith("gemma-edu[")]
          for name, lines in PROJECT["optional-dependencies"].items()}
WEIGHTS = EXTRAS.pop("gemma3-270m")
ALL = [*CORE, *(needed for extra in EXTRAS.values() for needed in extra)]
README = (ROOT / "README.md").read_text()


def pins(name):
    """A file's versions, by the name of the package."""
    lines = [Requirement(line) for line in (ROOT / name).read_text().splitlines() if re.match(r"\w", line)]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in lines}


COLAB, KNOWN = pins("colab.txt"), pins("constraints.txt")
OWNERS = packages_distributions()


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def tracked():
    """Every file in git that is text by people, as (name, text)."""
    listed = run("git", "ls-files")
    if listed.returncode:
        pytest.skip("not a git checkout: no list of the project's files")
    names = [name for name in listed.stdout.splitlines() if not name.startswith("gemma_edu/pretrained/tiny/")]
    for name in names:
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in content:
            yield name, content.decode()


def python_blocks():
    return re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


# ---- the wheel
def test_the_wheel_holds_every_file_of_the_package_and_no_other(tmp_path):
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    assert built.returncode == 0, built.stderr
    wheel, = tmp_path.glob("*.whl")
    held = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    here = {str(path.relative_to(ROOT)) for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert held == here
    assert wheel.stat().st_size < 17e6      # 16 MB for the tiny Gemma; the code is far below the rest


# ---- versions
@pytest.mark.parametrize("needed", ALL, ids=str)
def test_a_requirement_is_a_floor_and_nothing_else(needed):
    assert [spec.operator for spec in needed.specifier] == [">="]
    assert needed.url is None


def test_of_weights_only_the_known_bytes_are_required():
    assert [(spec.operator, spec.version) for needed in WEIGHTS for spec in needed.specifier] == [("==", "1.0.0")]


@pytest.mark.parametrize("needed", ALL, ids=str)
def test_the_floors_let_colab_and_the_known_versions_in(needed):
    name = canonicalize_name(needed.name)
    offered = [versions[name] for versions in (COLAB, KNOWN) if name in versions]
    assert offered or name == "torch"      # `make parity TORCH=…` says which
    assert all(Version(version) in needed.specifier for version in offered)


def test_colab_has_all_that_a_notebook_draws_with():
    assert {canonicalize_name(needed.name) for needed in EXTRAS["course"]} <= COLAB.keys()


def imported(files):
    """The packages of others that these files import, by the names under which they are installed."""
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text()))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    foreign = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"gemma_edu"}
    return {name: set(map(canonicalize_name, OWNERS[name])) for name in foreign}


def undeclared(files, *requirements):
    declared = {canonicalize_name(needed.name) for extra in requirements for needed in extra}
    return {name for name, owners in imported(files).items() if not declared & owners}


def test_all_that_the_package_imports_is_a_dependency_of_its_own():
    """But for other programs, which are measured where they are installed."""
    course, gguf = set(PACKAGE.glob("course/**/*.py")), PACKAGE / "pretrained" / "gguf_blocks.py"
    peers = PACKAGE / "lab" / "bench" / "peers.py"
    assert undeclared(set(PACKAGE.rglob("*.py")) - course - {gguf, peers}, CORE) == set()
    assert undeclared([gguf], CORE, EXTRAS["gguf"]) == set()
    assert undeclared(course - {PACKAGE / "course" / "build.py"}, CORE, EXTRAS["course"]) == set()
    assert undeclared([PACKAGE / "course" / "build.py"], CORE, EXTRAS["course"], EXTRAS["lab"]) == set()


# ---- commands
needs_make = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


@needs_make
def test_make_alone_names_every_command():
    phony = re.search(r"^\.PHONY:(.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    assert set(re.findall(r"^make ([\w-]+)", run("make").stdout, re.MULTILINE)) == set(phony) - {"help"}


@needs_make
def test_make_refuses_an_old_python_and_says_what_it_needs(tmp_path):
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\nif [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi\n')
    old.chmod(0o755)
    refused = run("make", "run", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")
    assert refused.returncode
    for word in ("3.11", "Python 3.9.2", "make run PYTHON="):
        assert word in refused.stderr
    assert not (tmp_path / "venv").exists()


# ---- words
def test_the_readme_runs(capsys):
    for block in python_blocks():
        if not block.startswith("# gemma_edu/"):
            exec(compile(block, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip()


def test_the_readme_quotes_the_code_as_it_stands():
    quotes = [block.split("\n", 1) for block in python_blocks() if block.startswith("# gemma_edu/")]
    assert quotes
    for name, code in quotes:
        assert code in (ROOT / name.removeprefix("# ")).read_text()


def test_what_the_readme_and_its_neighbour_point_to_is_there():
    for text in (README, (ROOT / "CONTRIBUTING.md").read_text()):
        for target in re.findall(r"\]\(([^)]+)\)", text):
            assert (ROOT / target).exists(), target


def test_the_citation_is_of_this_version():
    cited = re.search(r"^version: (.*)", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)[1]
    assert cited == gemma_edu.__version__


def test_no_file_names_a_package_index_or_a_path_of_somebodys_machine():
    hosts = {"github.com", "colab.research.google.com", "arxiv.org", "www.apache.org", "127.0.0.1", "localhost"}
    for name, text in tracked():
        assert set(re.findall(r"https?://([\w.-]+)", text)) <= hosts, name
        assert not re.search(r"(?<![\w.])/(?:work|root|home|Users)/\w", text), name
