"""What every reader asks of what is stored: one model, all of its tensors and no other, in their shapes, and finite."""
import jax
import numpy as np


def only(found, given, kind, place):
    """The one thing of its kind that is meant."""
    if len(found) == 1:
        return found[0]
    names = ", ".join(each.name for each in found) or "none"
    raise ValueError(f"{given} should hold one {kind} and holds {names}; give the {place} of one")


def check_tensors(needed, stored, complaint, advice):
    """Needed shapes by name, and what is stored by name: they must be the same."""
    problems = {
        "missing": needed.keys() - stored.keys(),
        "unexpected": stored.keys() - needed.keys(),
        "wrong shape": [f"{name} is {stored[name].shape} and should be {size}"
                        for name, size in needed.items() if name in stored and stored[name].shape != size]}
    if any(problems.values()):
        text = "; ".join(f"{problem}: {listed(names)}" for problem, names in problems.items() if names)
        raise ValueError(f"{complaint} ({text}); {advice}")


def listed(names):
    """Some names, and how many more."""
    first = ", ".join(sorted(names)[:12])
    return first if len(names) <= 12 else f"{first} and {len(names) - 12} more"


def on_device(w, dtype, name, place):
    """A weight where the model computes, in its dtype."""
    with np.errstate(over="ignore"):
        w = w.astype(dtype, copy=False)
    if not np.isfinite(w).all():
        raise ValueError(f"{name} in {place} is not finite in {dtype}: it holds NaN, infinity, or numbers too large; "
                         "download it again, or ask for a wider dtype")
    return jax.device_put(w)
