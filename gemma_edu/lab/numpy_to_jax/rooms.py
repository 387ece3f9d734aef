"""The two rooms line by line: what is the same, what is renamed, what is rewritten, and what JAX has no need of."""
import ast
import re
from collections import Counter
from difflib import SequenceMatcher
from pathlib import Path

PACKAGE = Path(__file__).parents[2]
FILES = sorted(path.stem for path in (PACKAGE / "jax_gemma").glob("[a-z]*.py"))
SAME, RENAMED, REWRITTEN, GRADIENT = "the same", "np → jnp", "rewritten", "gradient by hand"
KINDS = [SAME, RENAMED, REWRITTEN, GRADIENT]

REASONS = {
    "JAX has it ready": ["erf", "gelu_erf", "softmax", "logsumexp", "einsum"],
    "an array cannot be written to": ["remember", "layers"],
    "a loop becomes a scan": ["unroll", "layers"],
    "plain products compile better": ["multiply"],
    "astype never copies in vain": ["widen"],
}


def code(room, file):
    """{name: lines} of a file's functions and constants, without comments, docstrings and imports."""
    tree = ast.parse((PACKAGE / room / f"{file}.py").read_text(encoding="utf-8"))
    named = {name_of(node): node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.Assign))}
    return {name: ast.unparse(bare(node)).splitlines() for name, node in named.items()}


def name_of(node):
    return node.name if isinstance(node, ast.FunctionDef) else node.targets[0].id


def bare(node):
    """A function without its docstring."""
    if isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
        node.body = node.body[1:]
    return node


def pairs(file):
    """(name, what NumPy says there, what JAX says there) for everything in a file but the gradients."""
    ours, theirs = code("numpy_gemma", file), code("jax_gemma", file)
    return [(name, ours.get(name, []), theirs.get(name, [])) for name in ours | theirs if not is_gradient(name)]


def is_gradient(name):
    return name.endswith("_backward")


def kinds(file):
    """How many of NumPy's lines in a file are of each kind."""
    found = Counter(dict.fromkeys(KINDS, 0))
    for _, ours, theirs in pairs(file):
        common = matched(ours, theirs)
        found[SAME] += sum(ours[i] == theirs[j] for i, j in common)
        found[RENAMED] += sum(ours[i] != theirs[j] for i, j in common)
        found[REWRITTEN] += len(ours) - len(common)
    found[GRADIENT] = sum(len(lines) for name, lines in code("numpy_gemma", file).items() if is_gradient(name))
    return found


def matched(ours, theirs):
    """Pairs of line numbers that say the same but for np and jnp."""
    blocks = SequenceMatcher(None, ours, list(map(in_numpy, theirs)), autojunk=False).get_matching_blocks()
    return [(a + i, b + i) for a, b, size in blocks for i in range(size)]


def in_numpy(line):
    return re.sub(r"\bjnp\b", "np", line)


def differing():
    """The names of all that is more than renamed."""
    return [name for file in FILES for name, ours, theirs in pairs(file) if ours != list(map(in_numpy, theirs))]
