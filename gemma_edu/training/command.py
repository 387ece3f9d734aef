"""`gemma-edu train`: from text to a model in a folder."""
import shlex
from dataclasses import fields
from pathlib import Path

import jax
from tqdm import tqdm

from ..config import PRESETS
from ..data import corpus as source
from ..data.tokenizer import Tokenizer
from ..data.tokenizer import train as train_tokenizer
from ..params import init, unstack
from ..pretrained import huggingface
from ..pretrained.load import Model
from . import card, checkpoint
from .train import Recipe, beginning, train
from .validate import bits_per_byte

SAMPLE = 64      # windows of each kind that are looked at while training


def add_arguments(parser):
    parser.add_argument("--preset", default="tiny", choices=PRESETS, help="which model (default: tiny)")
    parser.add_argument("--out", type=Path, required=True, help="the folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    parser.add_argument("--text", type=Path, nargs="+", metavar="FILE",
                        help="your own files (.txt .md .rst .py) instead of the text that comes with Python")
    for field in fields(Recipe):
        if field.type in (int, float):
            parser.add_argument(f"--{field.name.replace('_', '-')}", type=field.type, default=field.default,
                                dest=field.name, help=f"{field.metadata['help']} (default: {field.default})")


def run(args):
    """Train, or go on training; leaves checkpoints, metrics and the finished model in --out."""
    recipe = Recipe(**{name: value for name, value in vars(args).items() if name in {f.name for f in fields(Recipe)}})
    if args.out.exists() and not args.out.is_dir():
        raise NotADirectoryError(f"{args.out} is a file; give a folder for --out")
    if (args.out / "checkpoints").exists() and not args.resume:
        raise FileExistsError(f"{args.out} holds a run already; give --resume to go on with it, or another --out")
    cfg = PRESETS[args.preset]
    if recipe.T > cfg.S:
        raise ValueError(f"rows of T = {recipe.T} tokens exceed what this model reads, S = {cfg.S}; give a smaller --T")
    corpus = source.from_files(args.text) if args.text else source.corpus()
    tokenizer = tokenizer_of(args.out, corpus, cfg.V)
    state = learn(cfg, recipe, corpus, tokenizer, args.out)
    half = jax.tree.map(lambda leaf: leaf.astype("bfloat16"), state["params"])
    huggingface.save(args.out / "model", Model(cfg, half, tokenizer))
    card.write(args.out, huggingface.load(args.out / "model"), corpus, recipe, command(args))


def learn(cfg, recipe, corpus, tokenizer, out):
    """The state after the last step, from the beginning or from the last checkpoint."""
    diary, about = out / "metrics.jsonl", {"text": corpus.digest, "model": str(cfg), "recipe": str(recipe)}
    streams = {kind: source.tokens(documents, tokenizer) for kind, documents in corpus.train.items()}
    params = init(cfg, jax.random.key(recipe.seed))
    if jax.default_backend() == "cpu":
        params["layers"] = unstack(params["layers"])      # there a loop over the layers trains faster than a scan
    with checkpoint.manager(out) as keeper:
        state = start = checkpoint.restore(keeper, beginning(recipe, params), about)
        done = int(start["step"])
        checkpoint.cut_back(diary, done)
        for state, seen in tqdm(train(cfg, recipe, start, streams), initial=done, total=recipe.steps, unit="step"):
            due = seen["step"] % recipe.save_every == 0 or seen["step"] == recipe.steps
            if due:
                seen |= glance(cfg, state["params"], tokenizer, corpus.held_out, recipe.T)
            checkpoint.write_diary(diary, seen)
            if due:
                checkpoint.save(keeper, state, about)
    return state


def glance(cfg, params, tokenizer, held_out, T):
    """Bits per byte on a sample of what was held out, for each kind of text."""
    return {card.MEASURED + kind: bits_per_byte(cfg, params, tokenizer, documents, T, SAMPLE)
            for kind, documents in held_out.items()}


def tokenizer_of(out, corpus, size):
    """The run's tokenizer, learnt from the training text; another text or another size never finds it."""
    path = out / f"tokenizer-{size}-{corpus.digest[:12]}.model"
    if not path.exists():
        tokenizer = train_tokenizer(sum(corpus.train.values(), []), size)
        out.mkdir(parents=True, exist_ok=True)
        tokenizer.save(path)
    return Tokenizer.load(path)


def command(args):
    """What to type to repeat a run."""
    words = ["gemma-edu", "train", "--preset", args.preset, "--out", str(args.out)]
    for field in fields(Recipe):
        if getattr(args, field.name, field.default) != field.default:
            words += [f"--{field.name.replace('_', '-')}", str(getattr(args, field.name))]
    return shlex.join([*words, *(["--text", *map(str, args.text)] if args.text else [])])
