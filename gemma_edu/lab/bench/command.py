"""`gemma-edu bench`: how fast a model reads and writes here, beside others and beside the memory's own speed."""
import json
import shlex
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

from . import bandwidth, machine, peers, rows

DTYPES = ["float32", "bfloat16", "int8"]


def add_arguments(parser):
    parser.add_argument("--model", default="random:gemma-2b", metavar="NAME_OR_PATH",
                        help="what ge.load takes; random weights are as fast as any (default: random:gemma-2b)")
    parser.add_argument("--dtype", nargs="+", choices=DTYPES, default=DTYPES[:2], help="of the weights")
    parser.add_argument("--prompt", type=int, default=128, metavar="N", help="tokens to read (default: 128)")
    parser.add_argument("--tokens", type=int, default=16, metavar="N", help="tokens to write (default: 16)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of which the middle counts (default: 3)")
    parser.add_argument("--peers", action="store_true", help="measure transformers, too, on the same weights")
    parser.add_argument("--compiled", action="store_true", help="with --peers: transformers under torch.compile, too")
    parser.add_argument("--gguf", type=Path, metavar="FILE", help="measure llama.cpp on this file, too")
    parser.add_argument("--numpy", action="store_true", help="measure the NumPy model, too, in float32")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the figures there, in JSON")


def run(args):
    """Measure how fast a model reads and writes: each program in a process of its own, one after the other."""
    check_arguments(args)
    task = rows.Task(args.prompt, args.tokens, args.rounds)
    if min(task) < 1 or task.tokens < 2:
        raise ValueError(f"{task}: read at least 1 token, write at least 2, in at least 1 round")
    found = alone(machine.about) | {"command": command(args), "task": task._asdict(), "model": args.model, "rows": []}
    before = alone(bandwidth.read_bandwidth)
    for program, dtype, measure in programs(args, task):
        row = {"program": program, "dtype": dtype} | alone(measure)
        after = alone(bandwidth.read_bandwidth)      # other work on the machine comes and goes
        found["rows"].append(row | {"read_bytes_per_s": max(before, after)} | matrix(row))
        before = after
        print(line(found["rows"][-1]), flush=True)
        if args.out:      # after each row: a long run that breaks off has not been in vain
            args.out.write_text(json.dumps(found, indent=2) + "\n")


def check_arguments(args):
    """What would be found out only after minutes of measuring."""
    if args.out and not args.out.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {args.out.parent} for --out; make it first")
    if args.out and args.out.is_dir():
        raise IsADirectoryError(f"--out {args.out} is a folder; give the name of a file in it")
    if args.peers and not (peers.installed("torch") and peers.installed("transformers")):
        raise ModuleNotFoundError('--peers needs torch and transformers: pip install "gemma-edu[parity]"')
    if args.gguf and not args.gguf.is_file():
        raise FileNotFoundError(f"--gguf {args.gguf} is no file; give a model in llama.cpp's format")
    if args.gguf and not peers.installed("llama_cpp"):
        raise ModuleNotFoundError("--gguf needs llama.cpp: pip install llama-cpp-python")


def programs(args, task):
    """Who is measured: (program, dtype, what to call)."""
    for dtype in args.dtype:
        yield "gemma-edu, JAX", dtype, partial(rows.ours, args.model, dtype, task)
    if args.numpy:
        yield "gemma-edu, NumPy", "float32", partial(rows.in_numpy, args.model, "float32", task)
    if args.peers:
        yield from others(args, task)
    if args.gguf:
        yield "llama.cpp", args.gguf.stem, partial(peers.llama_cpp, args.gguf, task)


def others(args, task):
    """transformers in each dtype that it has."""
    for dtype in args.dtype:
        if dtype != "int8":
            with TemporaryDirectory(prefix="gemma-edu-bench-") as folder:
                alone(partial(peers.export, args.model, dtype, folder))
                for compiled in [False, True][:1 + args.compiled]:
                    yield (f"transformers, {'compiled' if compiled else 'eager'}", dtype,
                           partial(peers.transformers, folder, dtype, task, compiled))


def alone(work):
    """In a fresh process, so that nobody's memory or threads are in another's way."""
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(work).result()
    except BrokenProcessPool:
        raise MemoryError("the system ended the process that measures, most likely for want of memory; take a smaller "
                          "--model, or a narrower --dtype") from None


def matrix(row):
    """The speed of the machine's own matrix product, for those whose prompt is measured against it."""
    if "prefill_flops_per_s" not in row:
        return {}
    dtype = "float32" if row["dtype"] == "int8" else row["dtype"]
    return {"matrix_flops_per_s": alone(partial(bandwidth.matrix_rate, dtype))}


def line(row):
    """One row of the table."""
    share = row["decode_bytes_per_s"] / row["read_bytes_per_s"]
    return (f"{row['program']:<24} {row['dtype']:<9} reads {row['prefill_tokens_per_s']:8.1f} tokens/s, writes "
            f"{row['decode_tokens_per_s']:7.2f}: {row['decode_bytes_per_s'] / 1e9:6.1f} GB/s, {share:.2f} of the "
            f"memory's {row['read_bytes_per_s'] / 1e9:.1f}; at most {row['peak_bytes'] / 1e9:.2f} GB")


def command(args):
    """What to type to repeat it."""
    words = ["gemma-edu", "bench"]
    for name, value in vars(args).items():
        if value is True:
            words.append(f"--{name}")
        elif value not in (None, False):
            words += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return shlex.join(words)
