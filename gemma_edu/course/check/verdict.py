"""What a check says when an answer is not right; a notebook shows the words and no traceback."""


class Verdict:
    """Words instead of a traceback, in IPython and on the command line."""

    def _render_traceback_(self):
        return [str(self)]


class NotAttempted(Verdict, NotImplementedError):
    """The stub is still there."""


class NotYet(Verdict, AssertionError):
    """The answer runs, perhaps, but is not right."""
