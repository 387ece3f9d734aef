"""Checks of the exercises: `check.rms_norm(your_function)`.

A check says one of three things: correct; not yet, and why; or not attempted.  Each chapter has a file here that
bears its name, and each check bears the name of the function that it tests.
"""
import re
from importlib import import_module
from pathlib import Path

from .verdict import NotAttempted, NotYet

HERE = Path(__file__).parent
MACHINE = {"__init__", "difference", "exercise", "notebooks", "sandbox", "verdict"}
DECLARED = re.compile(r"^(\w+) = Exercise\(", re.MULTILINE)


def chapters():
    """The names of the chapters that have checks."""
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in MACHINE)


def names(chapter):
    """The names of a chapter's exercises, read off its file, which is not run: it may need JAX."""
    return DECLARED.findall((HERE / f"{chapter}.py").read_text(encoding="utf-8"))


def exercises(chapter):
    """The exercises of a chapter, by name, in the order in which they are declared."""
    room = import_module(f".{chapter}", __name__)
    declared = {name: getattr(room, name) for name in names(chapter)}
    for name, each in declared.items():
        each.name = name
    globals().update(declared)      # over the chapter's own file, which may bear the name of one of them
    return declared


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    for chapter in chapters():
        if name in names(chapter):
            return exercises(chapter)[name]
    raise AttributeError(f"there is no check {name!r}; there are {', '.join(__dir__())}")


def __dir__():
    return sorted(name for chapter in chapters() for name in names(chapter))
