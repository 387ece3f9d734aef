"""An exercise's check: shape, then dtype, then values, then the misconception that explains them."""
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from .difference import describe, difference
from .sandbox import fresh, run, unchanged
from .verdict import NotAttempted, NotYet

SEED = "GEMMA_EDU_SEED"      # a teacher's: another word, other random inputs
CHANGED = ("Your function changes what it was given. Work on a copy: x = x + 1 makes a new array, x += 1 does not; "
           "list(x) is a new list.")


@dataclass
class Exercise:
    """What an answer is compared with, on what, and the ways in which it is known to go wrong.

    `inputs(random)` draws the arguments of one case; several functions draw several cases.  `wrong` maps a
    question to a function that makes just the mistake it asks about; the question is what the student reads.
    Where the reference raises an error, the answer has to raise one of its kind.  `under(function)` is what is
    called in a function's place, where it has to stand more than a plain call: compiled, say.
    """
    reference: Callable
    inputs: Callable | Sequence[Callable]
    wrong: dict[str, Callable]
    hints: Sequence[str] = ()
    tolerance: float | None = None       # relative; by default what the dtype of the result can hold
    errstate: dict = field(default_factory=dict)      # NumPy's: {"over": "raise"} where an overflow is the mistake
    under: Callable = lambda function: function
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
            wanted, handed_out = outcome(self.under(self.reference), fresh(arguments)), fresh(arguments)
            given = outcome(self.under(answer), handed_out, self.errstate)
            if isinstance(given, NotImplementedError):
                raise NotAttempted
            if not unchanged(handed_out, arguments):
                raise NotYet(CHANGED)
            if reason := difference(given, wanted, self.tolerance):
                raise NotYet(self.misconception(given, wanted, arguments) or reason)

    def cases(self):
        """The arguments of each case; the seed decides them all."""
        draws = [self.inputs] if callable(self.inputs) else self.inputs
        seed = os.environ.get(SEED, "0").encode()
        return [draw(np.random.default_rng((*seed, number))) for number, draw in enumerate(draws)]

    def misconception(self, given, wanted, arguments):
        """The question of the known mistake that gives this very result."""
        for question, mistake in self.wrong.items():
            theirs = outcome(self.under(mistake), fresh(arguments), self.errstate)
            if alike(given, theirs, self.tolerance) and difference(theirs, wanted, self.tolerance):
                return question
        return None

    def unfolded(self):
        """One more hint after each failure from the second on."""
        return [f"  Hint {number}: {hint}" for number, hint in enumerate(self.hints[:self.failures - 1], start=1)]


def outcome(function, arguments, errstate=None):
    """What a function returns, or the error that it raises."""
    try:
        return run(function, arguments, {"all": "ignore", **(errstate or {})})
    except KeyboardInterrupt:       # whoever sits at the keyboard
        raise
    except BaseException as error:
        return error


def alike(given, theirs, tolerance):
    """Is it the same result? Two errors are alike when they say the same."""
    if isinstance(given, BaseException):
        return type(given) is type(theirs) and str(given) == str(theirs)
    return not difference(given, theirs, tolerance)
