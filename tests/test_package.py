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
EXTRAS = [Requirement(line) for lines in PROJECT["optional-dependencies"].values() for line in lines]
KNOWN = [Requirement(line) for line in (ROOT / "constraints.txt").read_text().splitlines() if re.match(r"\w", line)]
README = (ROOT / "README.md").read_text()

# Read off a Colab runtime in August 2026.
COLAB = {"numpy": "2.1.3", "jax": "0.7.2", "optax": "0.2.8", "safetensors": "0.8.0", "sentencepiece": "0.2.2",
         "tqdm": "4.67.3", "matplotlib": "3.10.0", "ipywidgets": "7.7.1"}


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
@pytest.mark.parametrize("needed", CORE + EXTRAS, ids=str)
def test_a_requirement_is_a_floor_and_nothing_else(needed):
    assert [spec.operator for spec in needed.specifier] == [">="]
    assert needed.url is None


@pytest.mark.parametrize("needed", CORE + EXTRAS, ids=str)
def test_the_floors_let_colab_and_the_known_versions_in(needed):
    known = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in KNOWN}
    offered = [versions[needed.name] for versions in (COLAB, known) if needed.name in versions]
    assert offered or needed.name == "torch"      # `make parity TORCH=…` says which
    assert all(Version(version) in needed.specifier for version in offered)


def test_all_that_the_package_imports_is_a_dependency_of_its_own():
    trees = [ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    foreign = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"gemma_edu"}
    owners = packages_distributions()
    declared = {canonicalize_name(needed.name) for needed in CORE}
    assert {name for name in foreign if not declared & set(map(canonicalize_name, owners[name]))} == set()


# ---- commands
needs_make = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


@needs_make
def test_make_alone_names_every_command():
    phony = re.search(r"^\.PHONY:(.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    assert set(re.findall(r"^make (\w+)", run("make").stdout, re.MULTILINE)) == set(phony) - {"help"}


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
    hosts = {"github.com", "arxiv.org", "www.apache.org", "127.0.0.1", "localhost"}
    for name, text in tracked():
        assert set(re.findall(r"https?://([\w.-]+)", text)) <= hosts, name
        assert not re.search(r"(?<![\w.])/(?:work|root|home|Users)/\w", text), name
