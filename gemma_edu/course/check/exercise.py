"""An exercise's check: shape, then dtype, then values, then the misconception that explains them."""
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...numpy_gemma.tree import leaves, tree_map
from .sandbox import SECONDS, Hung, fresh, last_line, run
from .verdict import NotAttempted, NotYet

SEED = "GEMMA_EDU_SEED"      # a teacher's: another seed, other random inputs


@dataclass
class Exercise:
    """What an answer is compared with, on what, and the ways in which it is known to go wrong.

    `inputs(random)` draws the arguments of one case; several functions draw several cases.  `wrong` maps a
    question to a function that makes just the mistake it asks about; the question is what the student reads.
    """
    reference: Callable
    inputs: Callable | Sequence[Callable]
    wrong: dict[str, Callable]
    hints: Sequence[str] = ()
    tolerance: float | None = None       # relative; by default what the dtype of the result can hold
    errstate: dict = field(default_factory=dict)      # NumPy's: {"over": "raise"} where an overflow is the mistake
    name: str = "this exercise"          # given by the file that declares it
    failures: int = 0

    def __call__(self, answer):
        """Check an answer: prints that it is correct, or raises NotYet or NotAttempted with the reason."""
        try:
            self.compare(answer)
        except NotYet as error:
            self.failures += 1
            raise NotYet("\n".join([f"✗ {self.name}: not yet. {error}", *self.unfolded()])) from None
        except NotAttempted:
            raise NotAttempted(f"… {self.name}: not attempted. Write your answer in place of the line that raises "
                               "NotImplementedError, run its cell, and run this one again.") from None
        self.failures = 0
        print(f"✓ {self.name}: correct")

    def compare(self, answer):
        """Raise NotYet for the first case in which the answer is wrong."""
        if not callable(answer):
            raise NotYet(f"The check takes your function itself, not {describe(answer)}: pass its name, without "
                         "brackets.")
        for arguments in self.cases():
            wanted = run(self.reference, fresh(arguments))
            given = self.result(answer, arguments)
            if reason := difference(given, wanted, self.tolerance):
                raise NotYet(self.misconception(given, wanted, arguments) or reason)

    def cases(self):
        """The arguments of each case; the seed decides them all."""
        draws = [self.inputs] if callable(self.inputs) else self.inputs
        seed = int(os.environ.get(SEED, "0"))
        return [draw(np.random.default_rng((seed, number))) for number, draw in enumerate(draws)]

    def result(self, answer, arguments):
        """What the answer returns; whatever else it does becomes a sentence."""
        handed_out = fresh(arguments)
        try:
            given = run(answer, handed_out, errstate={"all": "ignore", **self.errstate})
        except NotImplementedError:
            raise NotAttempted from None
        except Hung:
            raise NotYet(f"Your function did not return within {SECONDS} seconds. Is there a loop that never "
                         "ends?") from None
        except BaseException as error:
            raise NotYet(f"Your function raised {type(error).__name__}: {error}{last_line(error)}") from None
        if not same(handed_out, arguments):
            raise NotYet("Your function changes an array that it was given. Work on a copy: x = x + 1 makes a new "
                         "array, x += 1 does not.")
        return given

    def misconception(self, given, wanted, arguments):
        """The question of the known mistake that gives this very result."""
        for question, mistake in self.wrong.items():
            theirs = run(mistake, fresh(arguments))
            if not difference(given, theirs, self.tolerance) and difference(theirs, wanted, self.tolerance):
                return question
        return None

    def unfolded(self):
        """One more hint after each failure from the second on."""
        return [f"  Hint {number}: {hint}" for number, hint in enumerate(self.hints[:self.failures - 1], start=1)]


def difference(given, wanted, tolerance=None):
    """What is wrong with a result, in a sentence; None where nothing is."""
    if given is None:
        return "Your function returned None. Does it end in a return?"
    if isinstance(wanted, tuple):
        return of_parts(given, wanted, tolerance)
    if isinstance(wanted, dict):
        return of_entries(given, wanted, tolerance)
    if isinstance(wanted, np.ndarray):
        return of_arrays(given, wanted, tolerance)
    if isinstance(wanted, (bool, np.bool_, int, np.integer, float, np.floating)):
        return of_numbers(given, wanted, tolerance)
    if isinstance(wanted, list):
        return of_lists(given, wanted)
    right = type(given) is type(wanted) and given == wanted
    return None if right else f"Your function returned {describe(given)}; that is not the answer."


def of_parts(given, wanted, tolerance):
    if not isinstance(given, tuple) or len(given) != len(wanted):
        return f"Your function should return {len(wanted)} results, as a tuple; it returned {describe(given)}."
    for number, (ours, theirs) in enumerate(zip(given, wanted, strict=True), start=1):
        if reason := difference(ours, theirs, tolerance):
            return f"Result {number} of {len(wanted)}: {reason}"
    return None


def of_entries(given, wanted, tolerance):
    if not isinstance(given, dict) or given.keys() != wanted.keys():
        return f"Your function should return a dict with the keys {', '.join(map(str, wanted))}; it returned " \
               f"{describe(given)}."
    for key in wanted:
        if reason := difference(given[key], wanted[key], tolerance):
            return f"At {key!r}: {reason}"
    return None


def of_lists(given, wanted):
    if not isinstance(given, list):
        return f"Your function should return a list; it returned {describe(given)}."
    if len(given) != len(wanted):
        return f"The list has {len(given)} items; {len(wanted)} are needed."
    wrong = [number for number, (ours, theirs) in enumerate(zip(given, wanted, strict=True)) if ours != theirs]
    return f"Item {wrong[0]} of the list is not right; you have {given[wrong[0]]!r}." if wrong else None


def of_arrays(given, wanted, tolerance):
    if not isinstance(given, np.ndarray) and not (np.isscalar(given) and wanted.ndim == 0):
        return f"Your function should return an array of shape {wanted.shape}; it returned {describe(given)}."
    given = np.asarray(given)
    if given.shape != wanted.shape:
        return f"The shape is {given.shape}; it should be {wanted.shape}."
    if given.dtype != wanted.dtype:
        return f"The dtype is {given.dtype}; it should be {wanted.dtype}."
    return of_values(given, wanted, tolerance)


def of_numbers(given, wanted, tolerance):
    if not isinstance(given, (bool, int, float, np.generic, np.ndarray)) or np.ndim(given) != 0:
        return f"Your function should return a number; it returned {describe(given)}."
    return of_values(np.asarray(given), np.asarray(wanted), tolerance)


def of_values(given, wanted, tolerance):
    """Compare numbers to the precision that the coarser of the two dtypes can hold."""
    if np.issubdtype(given.dtype, np.floating) and np.isnan(given).any() and not np.isnan(wanted).any():
        return f"{np.isnan(given).sum()} of {given.size} numbers are NaN. Is there a division by zero, or inf - inf?"
    if not np.issubdtype(wanted.dtype, np.floating) and not np.issubdtype(given.dtype, np.floating):
        wrong = given != wanted
        return f"{np.sum(wrong)} of {wanted.size} values are not right." if np.any(wrong) else None
    narrow = np.float32 in (given.dtype, wanted.dtype)
    limit = tolerance or (1e-4 if narrow else 1e-9)
    scale = np.max(np.abs(wanted[np.isfinite(wanted)]), initial=1e-30)
    if np.allclose(given, wanted, rtol=limit, atol=limit * scale, equal_nan=True):
        return None
    return f"The shape and the dtype are right, the values are not: they differ by up to {worst(given, wanted):.2g}, " \
           f"where the largest is {scale:.2g}."


def worst(given, wanted):
    apart = np.abs(np.asarray(given, float) - np.asarray(wanted, float))
    return np.max(apart[np.isfinite(apart)], initial=0.0)


def same(a, b):
    """Are two trees of arguments equal to the bit?"""
    try:
        return all(leaves(tree_map(lambda x, y: np.array_equal(x, y, equal_nan=is_float(x)), a, b)))
    except (TypeError, ValueError, KeyError):
        return False


def is_float(x):
    return isinstance(x, np.ndarray) and np.issubdtype(x.dtype, np.floating)


def describe(value):
    """A few words for a value that a student returned or passed."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    text = repr(value)
    return text if len(text) < 60 else f"a {type(value).__name__}"
