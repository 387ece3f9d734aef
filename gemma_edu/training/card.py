"""What stands beside a trained model: how it was made, how good it is, and what it writes."""
import json
import platform

import jax
import numpy as np

from ..config import in_numpy
from ..data.corpus import yardstick
from ..numpy_gemma.sample import generate, sampled
from ..params import count
from . import checkpoint
from .validate import bits_per_byte

PROMPTS = ["The with statement", "A function is", "class str(object)", "def main(", "Return True if", "import",
           "An exception", "The following", ">>> ", ""]
POINTS = 500      # of the curve


def write(out, cfg, params, tokenizer, corpus, recipe, command):
    """Measure the finished model on all that was held out, let it write, and lay both beside it."""
    measured = {kind: {"model": bits_per_byte(cfg, params, tokenizer, documents, recipe.T),
                       "xz -9e": yardstick(before(corpus.train, kind), documents)}
                for kind, documents in corpus.held_out.items()}
    facts = {"command": command, "recipe": str(recipe), "model": str(cfg), "parameters": count(cfg),
             "text": corpus.digest, "python": platform.python_version(), "jax": jax.__version__,
             "bits per byte on held-out text": measured}
    folder = out / "model"
    (folder / "facts.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    (folder / "samples.md").write_text(samples(cfg, params, tokenizer))
    curve(out / "metrics.jsonl", folder / "curve.jsonl")
    print(json.dumps(measured, indent=1))


def before(train, kind):
    """What xz has seen when it comes to a kind of text: all other writing, and its own kind last.

    Generated sums would only push useful text out of its reach.
    """
    others = [texts for name, texts in train.items() if name not in (kind, "arithmetic")]
    return sum(others, []) + train[kind]


def samples(cfg, params, tokenizer):
    """Ten texts, unselected: seeds 0 to 9."""
    weights = jax.tree.map(lambda leaf: np.array(leaf, np.float32), params)
    pages = []
    for seed, prompt in enumerate(PROMPTS):
        tokens = tokenizer.encode(prompt)
        written = generate(in_numpy(cfg), weights, tokens, min(120, cfg.S - len(tokens)), sampled(0.7, seed))
        pages.append(f"## {seed}: `{prompt}`\n\n```text\n{prompt}{tokenizer.decode(written)}\n```\n")
    title = "# Ten unselected samples\n\nTemperature 0.7, seeds 0 to 9, from the prompts in the headings.\n\n"
    return title + "\n".join(pages)


def curve(diary, path):
    """The run's metrics, thinned out; every measurement on held-out text stays."""
    lines = checkpoint.read(diary)
    stride = max(1, len(lines) // POINTS)
    kept = [line for i, line in enumerate(lines) if i % stride == 0 or len(line) > len(lines[0])]
    path.write_text("".join(json.dumps(line) + "\n" for line in kept))
