"""`gemma-edu check`: how a student's exercises stand."""
import json
import os
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

NEEDED = ("nbclient", "nbformat", "ipykernel")      # to run a notebook; the package itself does without
FIELDS = ("{folder, points, out_of, chapters: [{chapter, points, out_of, exercises: [{exercise, state, points, out_of, "
          "message}]}]}; a state is correct, not yet, not attempted or error")


def add_arguments(parser):
    parser.add_argument("numbers", nargs="*", metavar="NN", help="the chapters, 05 for example (default: all)")
    parser.add_argument("--folder", type=Path, default=Path("exercises"),
                        help="where the notebooks are (default: exercises)")
    parser.add_argument("--json", type=Path, metavar="FILE", help=f"write the table for a script, too: {FIELDS}")


def run(args):
    """Run your exercise notebooks, which stay as they are, and print how each exercise stands."""
    if args.json and not args.json.absolute().parent.is_dir():
        raise NotADirectoryError(f"there is no folder {args.json.parent} to write {args.json.name} into; make it first")
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise OSError(f"checking notebooks needs {missing[0]}; install it with: pip install 'gemma-edu[course]'")
    from .check.notebooks import find, results
    chapters = []
    for path, notebook in find(args.folder, args.numbers).items():
        chapters.append(summary({"chapter": path.stem}, "exercises", map(asdict, results(path, notebook))))
        print(table(chapters[-1]), end="\n\n", flush=True)
    whole = summary({"folder": str(args.folder)}, "chapters", chapters)
    print(f"in all: {whole['points']} of {whole['out_of']} points")
    if args.json:
        write(args.json, whole)


def summary(about, kind, parts):
    """The parts and the sums of their points, as --json writes them."""
    parts = list(parts)
    return {**about, **{points: sum(part[points] for part in parts) for points in ("points", "out_of")}, kind: parts}


def table(chapter):
    """A chapter's exercises, a line for each."""
    lines = [f"{chapter['chapter']}: {chapter['points']} of {chapter['out_of']} points"]
    for row in chapter["exercises"]:
        points = f"{row['points']:>2} of {row['out_of']:<2}"
        lines.append(f"  {row['exercise']:<26} {row['state']:<14} {points}  {row['message']}".rstrip())
    return "\n".join(lines)


def write(path, content):
    """All of it or nothing: a script never reads half a file."""
    half = path.with_name(path.name + ".half")
    half.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(half, path)
