"""How long a call takes, and how often Python has to read it: JAX returns before it has computed.

`clock` is the wall's by default; `time.process_time` counts the work of all cores, whatever else runs beside it.
"""
from functools import wraps
from time import perf_counter

import jax


def seconds(f, *args, times=7, clock=perf_counter):
    """The median of some calls, each waited for to its end; a first one, which compiles, is not counted."""
    once(f, *args, clock=clock)
    return sorted(once(f, *args, clock=clock) for _ in range(times))[times // 2]


def once(f, *args, clock=perf_counter):
    """One call, from its beginning until the last number is there."""
    start = clock()
    jax.block_until_ready(f(*args))
    return clock() - start


def to_compile(f, *args, clock=perf_counter):
    """Trace a function and compile it as if for the first time, for arrays or for their shapes alone."""
    start = clock()
    jax.jit(lambda *args: f(*args)).lower(*args).compile()      # a new function: what is known of f does not help
    return clock() - start


def counted(f, **options):
    """(jit of f, a list that grows by one whenever Python runs f to trace it)."""
    traces = []

    @wraps(f)
    def noted(*args):
        traces.append(args)
        return f(*args)
    return jax.jit(noted, **options), traces
