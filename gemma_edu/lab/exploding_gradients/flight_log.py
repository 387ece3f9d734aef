"""The log of a run: the length of the gradient at each step, and the step at which it exploded.

A mistake has the signature of `step_that_exploded`.
"""
import numpy as np


def step_that_exploded(norms, times, window):
    """The first step whose norm is not finite, or more than `times` the median of the `window` steps before; or -1."""
    return first(norms, times, lambda step: np.median(norms[max(0, step - window):step]))


def first(norms, times, reference):
    """The first step that is not finite or stands too far above its reference; -1 if there is none."""
    for step, norm in enumerate(norms):
        if not np.isfinite(norm) or step > 0 and norm > times * reference(step):
            return step
    return -1


def drawn(*spikes, steps=60, growth=1.0, broken=None):
    """Draw a log that wobbles and drifts, with spikes (step, height), and perhaps NaN from a step on."""
    def draw(random):
        norms = 0.5 * np.exp(0.1 * random.standard_normal(steps)) * growth ** np.arange(steps)
        for step, height in spikes:
            norms[step] *= height
        norms[steps if broken is None else broken:] = np.nan
        return norms, 10.0, 10
    return draw


def tallest(norms, times, window):
    return int(np.argmax(norms))


def first_broken(norms, times, window):
    broken = np.flatnonzero(~np.isfinite(norms))
    return int(broken[0]) if len(broken) else -1


def against_the_mean(norms, times, window):
    return first(norms, times, lambda step: np.mean(norms[max(0, step - window):step]))


def against_the_last(norms, times, window):
    return first(norms, times, lambda step: norms[step - 1])


def against_all_before(norms, times, window):
    return first(norms, times, lambda step: np.median(norms[:step]))


def against_the_whole(norms, times, window):
    return first(norms, times, lambda step: np.nanmedian(norms))


def only_when_full(norms, times, window):
    """Waits until as many steps stand before as the window has."""
    return first(norms, times, lambda step: np.median(norms[step - window:step]) if step >= window else np.inf)


def one_too_few(norms, times, window):
    return first(norms, times, lambda step: np.median(norms[max(0, step - window + 1):step]))


def one_too_many(norms, times, window):
    return first(norms, times, lambda step: np.median(norms[max(0, step - window - 1):step]))


def with_itself(norms, times, window):
    return first(norms, times, lambda step: np.median(norms[max(0, step - window + 1):step + 1]))


def from_step_1(norms, times, window):
    """Never asks about step 0."""
    late = step_that_exploded(np.append(norms[1], norms[1:]), times, window)
    return 1 if late == 0 else late


def looks_for_nan(norms, times, window):
    """Where the first norm is infinite, no later one is larger."""
    return -1 if np.isinf(norms[0]) else step_that_exploded(norms, times, window)


def one_late(norms, times, window):
    step = step_that_exploded(norms, times, window)
    return step if step < 0 else step + 1


def blind_to_nan(norms, times, window):
    """NaN is never larger than anything."""
    return step_that_exploded(np.nan_to_num(norms), times, window)
