"""How answers of chapter 10 are tried: traced, with twice as many layers, with their gradient."""
from functools import partial

import jax
import jax.numpy as jnp

from .programs import operations

TRACING = {
    jax.errors.NonConcreteBooleanIndexError: "a mask as an index picks rows whose number no tracer knows",
    jax.errors.TracerBoolConversionError: "Python asked a tracer for a yes or no",
    jax.errors.TracerArrayConversionError: "NumPy asked a tracer for its numbers",
    jax.errors.TracerIntegerConversionError: "Python asked a tracer for a whole number",
    jax.errors.ConcretizationTypeError: "something asked a tracer for a value",
}


def traced(answer):
    """The answer, which must also stand being traced, once it has returned arrays."""
    def under(*args):
        plain = answer(*args)
        if arrays(plain):
            in_words(jax.eval_shape, answer, *args)
        return plain
    return under


def arrays(result):
    """Is it arrays, one at least, and nothing else?"""
    leaves = jax.tree.leaves(result)
    return bool(leaves) and all(hasattr(each, "dtype") for each in leaves)


def in_words(f, *args):
    """What f returns; an error of tracing says one plain sentence."""
    try:
        return f(*args)
    except tuple(TRACING) as error:
        error.args = (next(words for kind, words in TRACING.items() if isinstance(error, kind)),)
        raise


class Unrolled(Exception):
    """The program is longer where there are more layers."""


def doubled(w):
    return jnp.concatenate([w, w])


def of_one_length(answer):
    """The answer, whose program must not grow with the number of layers."""
    def under(layer, x, layers):
        program = partial(answer, layer)
        result = traced(program)(x, layers)
        if not arrays(result):
            return result
        once, twice = (operations(program, x, more) for more in (layers, jax.tree.map(doubled, layers)))
        if twice > once:
            raise Unrolled(f"for twice as many layers the program has {twice} operations instead of {once}")
        return result
    return under


def with_gradient(answer):
    """What it returns, and its gradient, if that is one number."""
    def under(x):
        plain = answer(x)
        if plain is None or getattr(plain, "shape", None) != ():
            return None if plain is None else (plain, None)
        return plain, jax.grad(answer)(x)
    return under
