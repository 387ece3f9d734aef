"""How fast a tiny Gemma learns here, beside transformers: `python -m gemma_edu.lab.bench.training FIGURES.json`."""
import json
import sys
from pathlib import Path
from statistics import median

import numpy as np

from . import machine, peers
from .command import alone
from .rows import timed

B, T, ROUNDS = 16, 256, 5
TURNS = 2      # of each program, by turns, for the machine's speed wavers


def ours():
    """Seconds of each step: forward, backward, clipping and AdamW, compiled into one program."""
    import jax

    from ...config import TINY
    from ...params import init, unstack
    from ...training.train import Recipe, beginning, step
    recipe, tokens = Recipe(B=B, T=T), batch(TINY.V)
    params = init(TINY, jax.random.key(0))
    state = beginning(recipe, params | {"layers": unstack(params["layers"])})
    spent = []
    for _ in range(1 + ROUNDS):
        seconds, (state, _) = timed(lambda state=state: jax.block_until_ready(step(TINY, recipe, state, tokens)))
        spent.append(seconds)
    return spent[1:]      # the first one compiles


def theirs():
    """The same step in PyTorch, eager."""
    from ...config import TINY
    return peers.training(TINY, batch(TINY.V), 1 + ROUNDS)[1:]


def batch(V):
    """Random text, the same for everyone, with one token more to be guessed."""
    return np.random.default_rng(0).integers(0, V, (B, T + 1)).astype(np.int32)


def main(path):
    """By turns, each turn in a process of its own; the middle step of all turns counts."""
    programs = {"gemma-edu, JAX": ours, "transformers, eager": theirs}
    spent = {name: [] for name in programs}
    for _ in range(TURNS):
        for name, program in programs.items():
            spent[name] += alone(program)
    rows = [{"program": name, "step_s": median(each), "tokens_per_s": B * T / median(each), "steps_s": each}
            for name, each in spent.items()]
    command = f"python -m gemma_edu.lab.bench.training {path}"
    found = machine.about() | {"command": command, "task": {"B": B, "T": T}, "model": "tiny", "rows": rows}
    Path(path).write_text(json.dumps(found, indent=2) + "\n")
    for row in rows:
        print(f"{row['program']:<24} {row['step_s']:6.2f} s a step, {row['tokens_per_s']:8.0f} tokens/s")


if __name__ == "__main__":
    main(*sys.argv[1:])
