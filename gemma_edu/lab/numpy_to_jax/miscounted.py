"""A fold over layers, a count of programs and the length of a vector, each right, and each with one mistake."""
from functools import partial

import jax
import jax.numpy as jnp
from jax import lax


# ---- the fold
def length(x):
    return jnp.sqrt(jnp.mean(x * x))


def scanned(layer, x, layers, seen=lambda before, after: length(after), reverse=False):
    """The stream after the last layer, and what is seen at each."""
    def step(x, w):
        after = layer(x, w)
        return after, seen(x, after)
    return lax.scan(step, x, layers, reverse=reverse)


def unrolled(layer, x, layers):
    lengths = []
    for i in range(len(jax.tree.leaves(layers)[0])):
        x = layer(x, jax.tree.map(lambda leaf: leaf[i], layers))
        lengths.append(length(x))
    return x, jnp.stack(lengths)


def not_carried(layer, x, layers):
    return x, jax.vmap(lambda w: length(layer(x, w)))(layers)


def exchanged(layer, x, layers):
    return scanned(layer, x, layers)[::-1]


before_each = partial(scanned, seen=lambda before, after: length(before))
whole_streams = partial(scanned, seen=lambda before, after: after)
summed = partial(scanned, seen=lambda before, after: jnp.sqrt(jnp.sum(after * after)))
from_the_top = partial(scanned, reverse=True)


# ---- the count
def traced(calls):
    """Trace, and count."""
    traces = []
    f = jax.jit(lambda x, S: traces.append(S) or x * S, static_argnums=1)
    for x, S in calls:
        f(x, S)
    return len(traces)


def kind(x, S, without=()):
    """What a program is kept under, or a part of that."""
    known = {"shape": jnp.shape(x), "dtype": str(jnp.result_type(x)), "weak": isinstance(x, float), "S": S}
    return tuple(known[name] for name in known.keys() - set(without))


def distinct(calls, without=()):
    return len({kind(*call, without) for call in calls})


def changes(calls):
    return 1 + sum(kind(*call) != kind(*following) for call, following in zip(calls, calls[1:], strict=False))


# ---- the length of a vector
def longer(x):
    return jnp.sqrt(jnp.sum(x * x) + 1e-6)


def never_zero(x):
    return jnp.sqrt(jnp.maximum(jnp.sum(x * x), 1e-12))
