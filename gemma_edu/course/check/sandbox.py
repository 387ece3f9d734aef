"""Running a stranger's function: it may raise, hang, or change what it was given."""
import copy
import ctypes
import threading
import time
import traceback

import numpy as np

SECONDS = 10


class Hung(Exception):
    """It did not return in time."""


def run(function, arguments, seconds=SECONDS, errstate=None):
    """What the function returns, or raises; a call that takes too long is stopped, and raises Hung."""
    outcome = {}

    def call():
        try:
            with np.errstate(**(errstate or {"all": "ignore"})):
                outcome["value"] = function(*arguments)
        except BaseException as error:      # SystemExit, too, is the function's own affair
            outcome["error"] = error
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        stop(thread)
        raise Hung
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def stop(thread, patience=2.0):
    """Ask a thread to end, as often as it takes: the only way that works on every platform."""
    deadline = time.monotonic() + patience
    while thread.is_alive() and time.monotonic() < deadline:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
        thread.join(0.05)


def fresh(arguments):
    """Copies to hand out, so that the originals can tell whether they were changed."""
    return copy.deepcopy(arguments)


def last_line(error):
    """The line of the stranger's code that raised: its number and its text, where there is one."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    own = [frame for frame in frames if "gemma_edu" not in frame.filename and "site-packages" not in frame.filename]
    return f" at line {own[-1].lineno}: {own[-1].line}" if own and own[-1].line else ""
