"""What tracing writes down and what compiling makes of it, counted."""
import re

import jax

FREE = {"parameter", "constant", "tuple", "get-tuple-element", "bitcast"}      # no work: a name for what is there


def operations(f, *args):
    """How many operations a function's program has, those inside its loops counted once."""
    return size(jax.make_jaxpr(f)(*args).jaxpr)


def size(jaxpr):
    return sum(max(1, sum(map(size, inner(equation)))) for equation in jaxpr.eqns)


def inner(equation):
    """The programs inside an operation: a loop's body, a function that was compiled on its own."""
    parts = jax.tree.leaves(list(equation.params.values()), is_leaf=is_program)
    return [getattr(part, "jaxpr", part) for part in parts if is_program(part)]


def is_program(part):
    return hasattr(part, "eqns") or hasattr(part, "jaxpr")


def kernels(f, *args):
    """How many steps are left after compilation: each reads its arguments from memory and writes its result there."""
    entry = jax.jit(f).lower(*args).compile().as_text().partition("\nENTRY ")[2].partition("\n}")[0]
    done = re.findall(r"= .*?[\])}] ([\w-]+)\(", entry)
    return sum(name not in FREE for name in done)
