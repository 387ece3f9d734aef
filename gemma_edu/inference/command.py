"""`gemma-edu generate`: let a model write, token by token."""
import sys
from itertools import takewhile
from time import perf_counter

from .request import check_choice, check_prompts, encode, stop_tokens

PROMPT = "The with statement"
BOS = 2          # in every Gemma
NEXT = "The next step: `make lab` opens the course."


def add_arguments(parser):
    parser.add_argument("prompt", nargs="?", metavar="PROMPT", help=f"the text to go on from (default: {PROMPT!r})")
    parser.add_argument("--model", default="tiny", metavar="NAME_OR_PATH",
                        help="tiny, hf:OWNER/NAME, kaggle:OWNER/MODEL/FRAMEWORK/VARIATION, random:gemma-2b, or the "
                        "path of a folder or file with a model (default: tiny)")
    parser.add_argument("--tokens", type=int, default=40, metavar="N", help="how many to write at most (default: 40)")
    parser.add_argument("--temperature", type=float, default=0.0, metavar="T",
                        help="0 takes the likeliest token, 1 draws as the model believes (default: 0)")
    parser.add_argument("--top-k", type=int, metavar="K", help="draw from the K likeliest tokens alone")
    parser.add_argument("--top-p", type=float, default=1.0, metavar="P",
                        help="draw from the fewest tokens that hold the share P of the probability")
    parser.add_argument("--seed", type=int, default=0, help="the same seed draws the same text (default: 0)")
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "int8"],
                        help="of the weights (default: float32 if they are small, else as in the file)")
    parser.add_argument("--numpy", action="store_true", help="run the NumPy model; it knows no --top-k and no --top-p")


def run(args):
    """Let a model write: the text goes to stdout as it comes, the speed to stderr."""
    check_choice(args.tokens, args.temperature, args.top_k, args.top_p, [args.seed])
    write = with_numpy if args.numpy else with_jax
    prompt, seconds = PROMPT if args.prompt is None else args.prompt, []
    new, tokenizer = write(args, prompt)
    for piece in spell(prompt, timed(new, seconds), tokenizer):
        print(piece, end="", flush=True)
    print()
    print(f"\n{speed(seconds)}", *[NEXT] * (args.prompt is None), sep="\n", file=sys.stderr)


def with_jax(args, prompt):
    """The new tokens, each as soon as it is chosen, and the tokenizer that can spell them."""
    from .fast import load_fast
    from .sample import stream_tokens
    cfg, params, tokenizer = load_fast(args.model, args.dtype)
    return stream_tokens(cfg, params, begin(prompt, tokenizer), args.tokens, args.temperature, args.top_k,
                         args.top_p, args.seed, stop_tokens(tokenizer)), tokenizer


def with_numpy(args, prompt):
    """The same from the NumPy model, which multiplies float32 but not bfloat16."""
    import numpy as np

    from ..config import in_numpy
    from ..numpy_gemma.sample import generate, greedy, sampled
    from ..numpy_gemma.tree import tree_map
    from ..pretrained.load import load
    if args.top_k is not None or args.top_p < 1:
        raise ValueError("the NumPy model draws from all tokens; leave out --top-k and --top-p, or --numpy")
    if args.dtype in ("bfloat16", "int8"):
        raise ValueError(f"NumPy has no product of {args.dtype} numbers; leave out --dtype, or --numpy")
    cfg, params, tokenizer = load(args.model, dtype="float32")
    tokens = begin(prompt, tokenizer)
    check_prompts(cfg, [tokens], args.tokens)
    choose = sampled(args.temperature, args.seed) if args.temperature else greedy
    new = generate(in_numpy(cfg), tree_map(np.asarray, params), tokens, args.tokens, choose)
    return takewhile(lambda token: token not in stop_tokens(tokenizer), new), tokenizer


def begin(prompt, tokenizer):
    """The ids to go on from: those of the prompt, or a bare <bos> where nothing can read it."""
    return [BOS] if tokenizer is None else encode(tokenizer, [prompt])[0]


def spell(prompt, tokens, tokenizer):
    """What to print: the prompt and the new text, or the ids where nothing can spell them."""
    if tokenizer is None:
        print(f"This model has no tokenizer: it reads <bos> ({BOS}) alone, not the prompt, and writes token ids.",
              file=sys.stderr)
        yield from (f"{token} " for token in tokens)
    else:
        yield prompt
        yield from tokenizer.decode_stream(tokens)


def timed(tokens, seconds):
    """The same tokens; `seconds` collects how long each was waited for."""
    start = perf_counter()
    for token in tokens:
        seconds.append(perf_counter() - start)
        yield token
        start = perf_counter()


def speed(seconds):
    """Tokens per second from the third on: the first reads the prompt, the second compiles the step."""
    steps = seconds[2:]
    if not steps:
        return f"{len(seconds)} tokens: too few to take their time"
    return f"{len(seconds)} tokens, {len(steps) / sum(steps):.1f} per second after the first two"
