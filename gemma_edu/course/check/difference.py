"""What is wrong with a result, in a sentence."""
import numpy as np

from . import sandbox

PRECISE = {2: 2e-2, 4: 1e-4, 8: 1e-9}      # relative, by the bytes of a float: what another order of rounding may do


def difference(given, wanted, tolerance=None):
    """What is wrong with a result; None where nothing is."""
    if isinstance(given, BaseException) or isinstance(wanted, BaseException):
        return of_errors(given, wanted)
    if given is None and wanted is not None:
        return "Your function returned None. Does it end in a return?"
    if isinstance(wanted, tuple):
        return of_parts(given, wanted, tolerance)
    if isinstance(wanted, dict):
        return of_entries(given, wanted, tolerance)
    if isinstance(wanted, list):
        return of_lists(given, wanted, tolerance)
    if is_number(wanted):
        return of_numbers(given, wanted, tolerance)
    if is_array(wanted):
        return of_arrays(given, wanted, tolerance)
    right = type(given) is type(wanted) and given == wanted
    return None if right else f"Your function returned {describe(given)}; that is not the answer."


def of_errors(given, wanted):
    if isinstance(given, sandbox.Hung):
        return f"Your function did not return within {sandbox.SECONDS} seconds. Is there a loop that never ends?"
    if not isinstance(given, BaseException):
        return f"Your function should raise {type(wanted).__name__} here; it returned {describe(given)}."
    if isinstance(wanted, BaseException) and isinstance(given, type(wanted)):
        return None
    said = str(given).strip().partition("\n")[0]
    return f"Your function raised {type(given).__name__}{said and f': {said}'}{sandbox.last_line(given)}"


def of_parts(given, wanted, tolerance):
    if not isinstance(given, tuple) or len(given) != len(wanted):
        return f"Your function should return {len(wanted)} results, as a tuple; it returned {describe(given)}."
    for number, (ours, theirs) in enumerate(zip(given, wanted, strict=True), start=1):
        if reason := difference(ours, theirs, tolerance):
            return f"Result {number} of {len(wanted)}: {reason}"
    return None


def of_entries(given, wanted, tolerance):
    if not isinstance(given, dict) or given.keys() != wanted.keys():
        return f"Your function should return a dict with the keys {', '.join(map(str, wanted))}; it returned " \
               f"{describe(given)}."
    for key in wanted:
        if reason := difference(given[key], wanted[key], tolerance):
            return f"At {key!r}: {reason}"
    return None


def of_lists(given, wanted, tolerance):
    if not isinstance(given, list):
        return f"Your function should return a list; it returned {describe(given)}."
    if len(given) != len(wanted):
        return f"The list has {len(given)} items; {len(wanted)} are needed."
    for number, (ours, theirs) in enumerate(zip(given, wanted, strict=True)):
        if difference(ours, theirs, tolerance):
            return f"Item {number} of the list is not right; you have {describe(ours)}."
    return None


def of_numbers(given, wanted, tolerance):
    if not is_number(given):
        return f"Your function should return a number; it returned {describe(given)}."
    wrong = of_values(np.asarray(given), np.asarray(wanted), tolerance)
    return f"{describe(given)} is not the right number." if wrong else None


def of_arrays(given, wanted, tolerance):
    if not is_array(given):
        return f"Your function should return an array of shape {wanted.shape}; it returned {describe(given)}."
    if given.shape != wanted.shape:
        return f"The shape is {given.shape}; it should be {wanted.shape}."
    if given.dtype != wanted.dtype:
        return f"The dtype is {given.dtype}; it should be {wanted.dtype}."
    return of_values(np.asarray(given), np.asarray(wanted), tolerance)


def of_values(given, wanted, tolerance):
    """Compare numbers to the precision that the coarser of the two dtypes can hold."""
    floats = [array.dtype.itemsize for array in (given, wanted) if is_float(array)]
    if not floats:
        wrong = np.sum(given != wanted)
        return f"{wrong} of {wanted.size} values are not right." if wrong else None
    limit = PRECISE.get(min(floats), PRECISE[8]) if tolerance is None else tolerance
    given, wanted = given.astype(float), wanted.astype(float)
    if reason := of_the_infinite(given, wanted):
        return reason
    scale = np.max(np.abs(wanted[np.isfinite(wanted)]), initial=1e-30)
    if np.allclose(given, wanted, rtol=limit, atol=limit * scale, equal_nan=True):
        return None
    apart = np.abs(given - wanted)
    return "The shape and the dtype are right, the values are not: they differ by up to " \
           f"{np.max(apart[np.isfinite(apart)]):.2g}, where the largest is {scale:.2g}."


def of_the_infinite(given, wanted):
    lost = ~np.isfinite(given) & np.isfinite(wanted)
    if np.any(lost):
        what = "NaN" if np.isnan(given[lost]).any() else "infinite"
        return f"{np.sum(lost)} of {given.size} numbers are {what}. Is there a division by zero, an overflow, or " \
               "inf - inf?"
    missed = ~np.isfinite(wanted) & (given != wanted) & ~(np.isnan(given) & np.isnan(wanted))
    return f"{np.sum(missed)} of {given.size} numbers should be {wanted[missed][0]}." if np.any(missed) else None


def is_array(value):
    """NumPy's or JAX's."""
    return hasattr(value, "__array__") and hasattr(value, "shape") and hasattr(value, "dtype")


def is_number(value):
    """A Python number, NumPy's, or an array without axes."""
    if is_array(value):
        return value.shape == () and (value.dtype.kind in "biu" or is_float(value))
    return isinstance(value, (bool, int, float))


def is_float(array):
    return array.dtype.kind == "f" or array.dtype.name == "bfloat16"      # whose kind, for NumPy, is V


def describe(value):
    """A few words for a value that a student returned or passed."""
    if is_array(value):
        return f"an array of shape {value.shape}" if value.shape else f"{value}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    text = repr(value)
    return text if len(text) < 60 else f"a {type(value).__name__}"
