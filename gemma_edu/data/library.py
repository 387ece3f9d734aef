"""What Python says about itself: its language reference, its documentation, its code.

`language`, `library` and `built_in` yield documents (kind, name, text); all that belongs to one
module has one name.
"""
import ast
import importlib
import inspect
import os
import re
import sys
import sysconfig
import tokenize
from pathlib import Path
from pydoc_data.topics import topics
from textwrap import indent

UNREAD = {"test", "tests", "idle_test", "turtledemo", "pydoc_data", "encodings", "entities"}
REPLACED = {"input", "breakpointhook", "displayhook", "excepthook", "unraisablehook"}   # by tools


def language():
    """The language reference, a topic a document."""
    for name, text in sorted(topics.items()):
        yield "prose", name, text


def library():
    """Each module of the standard library: its code, and the documentation found in the code."""
    root = Path(sysconfig.get_path("stdlib"))
    for path in sources(root):
        parts = path.relative_to(root).with_suffix("").parts
        module = ".".join(parts).removesuffix(".__init__")
        with tokenize.open(path) as file:
            code = file.read()
        yield "code", home(module), code
        yield "prose", home(module), "\n\n".join(manual(ast.parse(code, path), module))


def sources(root):
    """The modules under a folder, in one order everywhere."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(filter(is_read, folders))
        for path in map(Path(folder).joinpath, sorted(files)):
            if path.suffix == ".py" and is_read(path.stem):
                yield path


def is_read(name: str) -> bool:
    """No test, no table, not one machine's paths, nor `site-packages`, which is no Python name."""
    return name.isidentifier() and name not in UNREAD and not name.startswith("_sysconfigdata")


def home(module: str) -> str:
    """The public name that submodules and private twins share: `_pyio` is at home in `io`."""
    name = module.split(".")[0].lstrip("_")
    twin = name.removeprefix("py").lstrip("_")
    return twin if twin in sys.stdlib_module_names else name


# ---- documentation, laid out as the language reference lays out its own
def entry(heading: str, doc: str) -> str:
    return f"{heading}\n\n{indent(doc, '   ')}"


def manual(node, name: str):
    """An entry for a module, then for each class and function in it, in order."""
    if doc := ast.get_docstring(node):
        yield entry(heading(node, name), doc)
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from manual(child, f"{name}.{child.name}")


def heading(node, name: str) -> str:
    """`csv`, `class csv.Sniffer`, `csv.Sniffer.sniff(sample, delimiters=None)`."""
    match node:
        case ast.Module():
            return name
        case ast.ClassDef():
            return f"class {name}"
    return f"{name}({without_self(ast.unparse(node.args))})"


def built_in():
    """The documentation inside the modules written in C."""
    for name in sorted(sys.builtin_module_names):
        prefix = "" if name == "builtins" else f"{name}."
        yield "prose", home(name), "\n\n".join(members(importlib.import_module(name), prefix))


def members(owner, prefix: str):
    """An entry for each public function and class of a module or class written in C, by name."""
    for name, value in sorted(vars(owner).items()):
        doc = inspect.getdoc(value)
        if name.startswith("_") or name in REPLACED or not doc:
            continue
        if isinstance(value, type) and inspect.ismodule(owner):
            yield entry(f"class {prefix}{name}", doc)
            yield from members(value, f"{prefix}{name}.")
        elif inspect.isbuiltin(value) or inspect.ismethoddescriptor(value):
            arguments = getattr(value, "__text_signature__", None) or "(...)"
            yield entry(f"{prefix}{name}({without_self(arguments[1:-1])})", doc)


def without_self(arguments: str) -> str:
    """What a caller writes between the brackets; modules in C mark their self with a dollar."""
    return re.sub(r"^(self|cls|\$\w+)(, /)?(, |$)", "", arguments)
