"""How answers of chapter 10 are tried: traced, with a layer that counts how often it is read, with their gradient."""
from functools import partial

import jax

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
        arrays = jax.tree.leaves(plain)
        if arrays and all(hasattr(each, "dtype") for each in arrays):
            in_words(jax.eval_shape, answer, *args)
        return plain
    return under


def in_words(f, *args):
    """What f returns; an error of tracing says one plain sentence."""
    try:
        return f(*args)
    except tuple(TRACING) as error:
        error.args = (next(words for kind, words in TRACING.items() if isinstance(error, kind)),)
        raise


class Unrolled(Exception):
    """The layer was traced once for each layer."""


def traced_once(answer):
    """The answer, whose program must read the layer fewer times than there are layers."""
    def under(layer, x, layers):
        calls, L = [], len(jax.tree.leaves(layers)[0])

        def counted(*args):
            calls.append(args)
            return layer(*args)
        result = traced(partial(answer, counted))(x, layers)
        if len(calls) >= 2 * L:       # once with numbers, once with tracers
            raise Unrolled(f"Python read the layer {L} times for a program of {L} layers")
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
