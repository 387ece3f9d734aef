"""Running a stranger's function: it may raise, hang, or change what it was given."""
import copy
import ctypes
import threading
import time
import traceback

import numpy as np

SECONDS = 10      # for one call


class Hung(Exception):
    """It did not return in time."""


def run(function, arguments, errstate):
    """What the function returns, or raises; a call that takes too long is stopped, and raises Hung."""
    done = {}

    def call():
        try:
            with np.errstate(**errstate):
                done["value"] = function(*arguments)
        except BaseException as error:      # SystemExit, too, is the function's own affair
            done["error"] = error
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    try:
        thread.join(SECONDS)
    finally:                                # also when somebody interrupts the wait
        hung = thread.is_alive()
        stop(thread)
    if hung:
        raise Hung
    if "error" in done:
        raise done["error"]
    return done["value"]


def stop(thread, patience=2.0):
    """Ask a thread to end, as often as it takes: the only way that works on every platform."""
    deadline = time.monotonic() + patience
    while thread.is_alive() and time.monotonic() < deadline:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
        thread.join(0.05)


def fresh(arguments):
    """Copies to hand out, so that the originals can tell whether they were changed."""
    return copy.deepcopy(arguments)


def unchanged(a, b):
    """Does a still hold what b holds? What is neither array nor number may change: a random generator."""
    if type(a) is not type(b):
        return False
    if isinstance(b, dict):
        return a.keys() == b.keys() and all(unchanged(a[key], b[key]) for key in b)
    if isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(unchanged, a, b))
    if isinstance(b, np.ndarray):
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())      # to the bit: NaN is NaN
    return a is b or not isinstance(b, (int, float, str, bytes)) or a == b


def last_line(error):
    """The line of the stranger's code that raised: its number and its text, where there is one."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    own = [frame for frame in frames if "gemma_edu" not in frame.filename and "site-packages" not in frame.filename]
    return f" at line {own[-1].lineno}: {own[-1].line}" if own and own[-1].line else ""
