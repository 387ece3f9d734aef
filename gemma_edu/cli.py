"""`gemma-edu`: one door to every room's command."""
import argparse
import os
import sys
from importlib import import_module

from . import __version__

ROOMS = {"generate": "inference", "train": "training", "export": "pretrained", "bench": "lab.bench", "check": "course"}
COMMANDS = """\
commands:
  generate    let a model go on writing from a prompt
  train       train a Gemma of your own, from nothing
  export      write a model, from wherever it comes, in the Hugging Face layout
  bench       measure how fast a model reads and writes here, beside the memory's own speed
  check       run your exercise notebooks and say how each exercise stands

examples:
  gemma-edu generate "The with statement" --temperature 0.7
  gemma-edu generate "def mean(numbers):" --model FOLDER --tokens 100 --top-p 0.9
  gemma-edu train --preset tiny --out my-gemma
  gemma-edu export kaggle:google/gemma/flax/2b-it gemma-2b-it
  gemma-edu bench --model tiny --dtype float32
  gemma-edu check 05 06

`gemma-edu COMMAND --help` tells what a command takes.
"""
EXPECTED = (ValueError, TypeError, OSError, ArithmeticError, NotImplementedError, MemoryError,      # from the rooms
            ImportError)


def main(argv=None):
    """Run a command; returns the exit code: 0, 2 for what cannot be done as asked, 130 when interrupted."""
    sys.stdout.reconfigure(errors="replace")      # a terminal that lacks a character shows a question mark
    try:
        dispatch(argv)
        sys.stdout.flush()
        return 0
    except BrokenPipeError:                                          # the reader, `head` perhaps, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except EXPECTED as error:
        print(f"gemma-edu: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def dispatch(argv):
    """Import the room of the command that is asked for, and no other."""
    parser = argparse.ArgumentParser(
        prog="gemma-edu", description="Google's Gemma, built by hand.", epilog=COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=f"gemma-edu {__version__}")
    parser.add_argument("command", choices=ROOMS, metavar="COMMAND", help=" or ".join(ROOMS))
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    asked = parser.parse_args(argv)

    room = import_module(f".{ROOMS[asked.command]}.command", __package__)
    parser = argparse.ArgumentParser(prog=f"gemma-edu {asked.command}", description=room.run.__doc__)
    room.add_arguments(parser)
    room.run(parser.parse_args(asked.arguments))
