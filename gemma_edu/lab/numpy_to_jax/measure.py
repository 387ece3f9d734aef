"""What chapter 10 cannot measure while you wait; `python -m gemma_edu.lab.numpy_to_jax.measure` writes measured.json.

That takes ten minutes.  All times are seconds of processor time, added over the cores of the machine that the file
names: so they do not depend on what else it had to do.
"""
import json
import os
from dataclasses import replace
from pathlib import Path
from time import process_time

import jax
import jax.numpy as jnp
from jax import ShapeDtypeStruct

from ...config import TINY
from ...jax_gemma import forward, loss
from ...params import init, shapes, unstack
from .clock import seconds, to_compile
from .programs import operations

HERE = Path(__file__).with_name("measured.json")
DEPTHS = (1, 2, 4, 8, 16, 32, 64)
LENGTHS = range(1, TINY.S + 1)


def layers_as(form, tree):
    """A stacked model in the form of its name: "stacked", or a "tuple" of layers."""
    return tree if form == "stacked" else {**tree, "layers": unstack_shapes(tree["layers"])}


def unstack_shapes(layers):
    """`params.unstack`, for shapes as well as for arrays."""
    if isinstance(jax.tree.leaves(layers)[0], jax.Array):
        return unstack(layers)
    one = jax.tree.map(lambda leaf: ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), layers)
    return (one,) * len(jax.tree.leaves(layers)[0])


def depth(L, form, times=3):
    """A loss and its gradient, of a tiny Gemma with L layers: operations, and seconds to compile, the best of some."""
    cfg, step = replace(TINY, L=L), jax.value_and_grad(loss, argnums=1)
    of = cfg, layers_as(form, shapes(cfg)), ShapeDtypeStruct((4, 65), jnp.int32)
    return operations(step, *of), min(to_compile(step, *of, clock=process_time) for _ in range(times))


def length(T, params):
    """Seconds to compile, and to run, the reading of a text of T tokens."""
    tokens = jnp.zeros((1, T), jnp.int32)
    return {"compile": to_compile(forward, TINY, params, tokens, clock=process_time),
            "run": seconds(jax.jit(forward), TINY, params, tokens, clock=process_time)}


def main():
    to_compile(jnp.tanh, jnp.ones(3))      # the first program of all also starts the machinery
    depths = {form: list(zip(*(depth(L, form) for L in DEPTHS), strict=True)) for form in ("tuple", "stacked")}
    params = layers_as("tuple", init(TINY, jax.random.key(0)))
    lengths = [length(T, params) for T in LENGTHS]
    result = {"command": f"python -m {__spec__.name}", "jax": jax.__version__, "machine": machine(),
              "depth": {"L": DEPTHS, "operations": {form: found[0] for form, found in depths.items()},
                        "compile": rounded({form: found[1] for form, found in depths.items()})},
              "length": rounded({what: [each[what] for each in lengths] for what in ("compile", "run")})}
    HERE.write_text(json.dumps(result) + "\n", encoding="utf-8")


def measured():
    """What stands in the file."""
    return json.loads(HERE.read_text(encoding="utf-8"))


def machine():
    return f"{os.cpu_count()} CPU cores"


def rounded(rows):
    return {name: [float(f"{value:.3g}") for value in values] for name, values in rows.items()}


if __name__ == "__main__":
    main()
