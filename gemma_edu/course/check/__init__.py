"""Checks of the exercises: `check.rms_norm(your_function)`.

A check says one of three things: correct; not yet, and why; or not attempted.  Each chapter has a file here that
bears its name, and each check bears the name of the function that it tests.
"""
from importlib import import_module
from pathlib import Path

from .verdict import NotAttempted, NotYet

MACHINE = {"__init__", "exercise", "sandbox", "verdict", "notebooks"}


def chapters():
    """The names of the chapters that have checks."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in MACHINE)


def exercises(chapter):
    """The exercises of a chapter, by name, in the order in which they are declared."""
    from .exercise import Exercise
    room = import_module(f".{chapter}", __name__)
    declared = {name: each for name, each in vars(room).items() if isinstance(each, Exercise)}
    for name, each in declared.items():
        each.name = name
    return declared


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    known = {}
    for chapter in chapters():
        known |= exercises(chapter)
    if name not in known:
        raise AttributeError(f"there is no check {name!r}; there are {', '.join(sorted(known))}")
    return known[name]
