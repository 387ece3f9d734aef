"""The package's own code, shown where it is spoken of: a function, two twins, a tree of weights, two models."""
import html
import inspect
from difflib import SequenceMatcher
from importlib import import_module
from itertools import groupby
from math import isinf, prod

WIDTH = 60      # columns of the letters in a tree


class Shown:
    """Text that a notebook renders, and that stays readable where nothing does."""

    def __init__(self, text, markdown=None, page=None):
        self.text, self.markdown, self.page = text, markdown, page

    def __repr__(self):
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None):
        rich = {"text/markdown": self.markdown, "text/html": self.page}
        return {"text/plain": self.text} | {kind: text for kind, text in rich.items() if text}


def source(*functions) -> Shown:
    """The source of one or more functions of the package, under the name of their file."""
    text = "\n\n".join(dict.fromkeys(code(function) for function in functions))
    place = ", ".join(dict.fromkeys(file_of(function) for function in functions))
    return Shown(f"# {place}\n{text}", f"```python\n# {place}\n{text}\n```")


def code(function):
    try:
        return inspect.getsource(inspect.unwrap(function)).rstrip()
    except (TypeError, OSError):
        raise TypeError(f"source shows functions that are written in Python, not {function!r}") from None


def file_of(function):
    return inspect.unwrap(function).__module__.replace(".", "/") + ".py"


def twins(function) -> Shown:
    """A function in NumPy beside its namesake in JAX; the lines that differ are marked."""
    room = function.__module__.split(".")[-1]
    pair = [getattr(import_module(f"gemma_edu.{model}.{room}"), function.__name__)
            for model in ("numpy_gemma", "jax_gemma")]
    left, right = (code(each).splitlines() for each in pair)
    rows = list(aligned(left, right))
    text = "\n".join(f"{'|' if a != b else ' '} {a:<{WIDTH}} {b}" for a, b in rows)
    return Shown(text, page=table([file_of(each) for each in pair], rows))


def aligned(left, right):
    """Pairs of lines, equal ones side by side; an empty line stands for one that is missing."""
    for _, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        ours, theirs = left[a:b], right[c:d]
        longest = max(len(ours), len(theirs))
        yield from zip(ours + [""] * (longest - len(ours)), theirs + [""] * (longest - len(theirs)), strict=True)


def table(heads, rows):
    """Two columns of code in HTML; a line that differs has a bar on its left and a tint."""
    def cell(text, differs):
        style = "border-left:3px solid #D55E00;background:#D55E0018" if differs else "border-left:3px solid transparent"
        line = f'<pre style="margin:0;background:none;font-family:monospace">{html.escape(text) or " "}</pre>'
        return f'<td style="text-align:left;{style}">{line}</td>'
    head = "".join(f'<th style="text-align:left">{html.escape(each)}</th>' for each in heads)
    body = "".join(f"<tr>{cell(a, a != b)}{cell(b, a != b)}</tr>" for a, b in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def weights(cfg) -> Shown:
    """The tree of a model's weights: the letters, the shape and the count of each."""
    from ..params import param_axes, shape
    rows = [(".".join(path), axes, shape(cfg, axes)) for path, axes in walk(param_axes(cfg))]
    wide = max(len(name) for name, _, _ in rows)
    lines = [f"{name:<{wide}}  {axes:<5} {'×'.join(map(str, sizes)):<20} {prod(sizes):>15,}"
             for name, axes, sizes in rows]
    total = sum(prod(sizes) for _, _, sizes in rows)
    return Shown("\n".join([*lines, f"{'in all':<{wide}}  {'':<5} {'':<20} {total:>15,}"]))


def walk(tree, path=()):
    if isinstance(tree, dict):
        for name, branch in tree.items():
            yield from walk(branch, (*path, name))
    else:
        yield path, tree



def differences(one, other) -> Shown:
    """The lines of the Config in which two models differ; whatever is not here is the same in both."""
    from ..config import PRESETS, difference
    names = [next((name for name, cfg in PRESETS.items() if cfg == each), "a model") for each in (one, other)]
    rows = [(field, *map(value, pair)) for field, pair in difference(one, other).items()]
    wide = [max(map(len, column)) for column in zip(("", *names), *rows, strict=True)]
    text = "\n".join("  ".join(f"{word:<{size}}" for word, size in zip(row, wide, strict=True)).rstrip()
                     for row in [("", *names), *rows])
    heads = [("", *names), ("---",) * 3]
    return Shown(text, "\n".join(f"| {' | '.join(row)} |" for row in heads + rows))


def value(setting):
    """A size, a function's name, or a pattern, with what is repeated in it said once."""
    if isinstance(setting, tuple):
        runs = [(value(number), len(list(run))) for number, run in groupby(setting)]
        return ", ".join(f"{times} × {number}" if times > 1 else number for number, times in runs)
    if isinstance(setting, float) and (isinf(setting) or setting != int(setting)):
        return "∞" if isinf(setting) else f"{setting:.4f}"
    return getattr(setting, "__name__", None) or f"{int(setting):,}"
