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
MEASURED = "bits per byte, "


def write(out, model, corpus, recipe, command):
    """Measure the finished model on all that was held out, let it write, and lay both beside it."""
    cfg, params, tokenizer = model
    figures = {kind: {"model": bits_per_byte(cfg, params, tokenizer, documents, recipe.T),
                      "xz -9e": yardstick(before(corpus.train, kind), documents),
                      "bytes": sum(len(document.encode()) for document in documents)}
               for kind, documents in corpus.held_out.items()}
    facts = {"command": command, "recipe": str(recipe), "model": str(cfg), "parameters": count(cfg),
             "text": corpus.digest, "python": platform.python_version(), "jax": jax.__version__, "figures": figures}
    diary, folder = checkpoint.read_diary(out / "metrics.jsonl"), out / "model"
    (folder / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")
    (folder / "curve.jsonl").write_text("".join(json.dumps(line) + "\n" for line in thinned(diary)))
    (folder / "README.md").write_text("\n\n".join(card(facts, diary, samples(cfg, params, tokenizer))) + "\n")
    print(*table(["held-out text", "bytes", "this model", "xz -9e"], rows(figures)), sep="\n")


def before(train, kind):
    """What xz has seen when it comes to a kind of text: all other writing, and its own kind last.

    Generated sums would only push useful text out of its reach.
    """
    others = [documents for name, documents in train.items() if name not in (kind, "arithmetic")]
    return sum(others, []) + train[kind]


def samples(cfg, params, tokenizer):
    """Ten texts, unselected: a prompt each, and the seeds 0 to 9."""
    weights = jax.tree.map(lambda leaf: np.array(leaf, np.float32), params)
    for seed, prompt in enumerate(PROMPTS):
        tokens = tokenizer.encode(prompt)
        written = generate(in_numpy(cfg), weights, tokens, min(120, cfg.S - len(tokens)), sampled(0.7, seed))
        yield prompt, tokenizer.decode(written)


def thinned(diary):
    """Fewer points; every measurement on held-out text stays."""
    stride = max(1, len(diary) // POINTS)
    return [line for i, line in enumerate(diary) if i % stride == 0 or measured(line)]


def measured(line):
    return {name.removeprefix(MEASURED): value for name, value in line.items() if name.startswith(MEASURED)}


def card(facts, diary, texts):
    """The paragraphs of a README for the model."""
    yield "# A tiny Gemma"
    yield f"{facts['parameters']:,} weights, learnt from nothing by"
    yield f"```sh\n{facts['command']}\n```"
    yield f"`{facts['model']}`"
    yield f"`{facts['recipe']}`"
    yield f"Python {facts['python']}, JAX {facts['jax']}; the text has the SHA-256 `{facts['text']}`."
    yield "## Bits per byte on held-out text\n\n`xz -9e` has seen the same training text."
    yield "\n".join(table(["text", "bytes", "this model", "xz -9e"], rows(facts["figures"])))
    yield ("## The curve\n\nWhile training, on a small sample of the held-out text, easier or harder than the whole of "
           "it; every point is in `curve.jsonl`.")
    points = {line["step"]: measured(line) for line in diary if measured(line)}
    kinds = list(facts["figures"])
    yield "\n".join(table(["step", *kinds], [[step, *(f"{point[kind]:.3f}" for kind in kinds)]
                                             for step, point in points.items()]))
    yield "## Ten unselected samples\n\nTemperature 0.7, seeds 0 to 9; each heading is the prompt."
    for prompt, text in texts:
        yield f"### `{prompt or 'nothing'}`\n\n```text\n{prompt}{text}\n```"


def rows(figures):
    return [[kind, f"{of['bytes']:,}", f"{of['model']:.3f}", f"{of['xz -9e']:.3f}"] for kind, of in figures.items()]


def table(head, rows):
    for row in [head, ["---"] * len(head), *rows]:
        yield f"| {' | '.join(map(str, row))} |"
