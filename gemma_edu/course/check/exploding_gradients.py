"""The checks of chapter 03, and the mistakes they know."""
import numpy as np

from ...lab.exploding_gradients import decay, first_bit, flight_log, misclipped
from ...lab.exploding_gradients.misclipped import gradients
from ...numpy_gemma import train
from ...numpy_gemma.tree import tree_map
from .exercise import Exercise


def draw_one_huge(random):
    """One array shouts, the others whisper."""
    grads = gradients(random, 0.5)
    return grads | {"embed": 1e4 * grads["embed"]}, 1.0


def draw_zeros(random):
    return tree_map(np.zeros_like, gradients(random, 1.0)), 1.0


def draw_narrow(random):
    """float32, as a model in float32 hands them over."""
    return tree_map(lambda leaf: leaf.astype(np.float32), gradients(random, 30.0)), 3.0


clip_by_global_norm = Exercise(
    train.clip_by_global_norm,
    [lambda random: (gradients(random, 50.0), 2.0), draw_one_huge, lambda random: (gradients(random, 0.7), 1.5),
     draw_zeros, draw_narrow, misclipped.spoiled(np.nan), misclipped.spoiled(np.inf)],
    wrong={
        "You look for NaN. Is infinity a length?": misclipped.nan_alone,
        "A number in this gradient is NaN, and it went through as if nothing were wrong. What is there to be said?":
            misclipped.unasked,
        "One number in this gradient is NaN, and now all of them are. What is there to be said before that happens?":
            misclipped.spread,
        "You made what is not finite zero, and nobody will ever know. A gradient that has no direction should be said "
        "to have none.": misclipped.hushed,
        "Each array got a factor of its own, so the direction has changed. How long are all of them, taken as one long "
        "vector?": misclipped.each_by_itself,
        "You cut each number by itself. Every number should shrink by one common factor.": misclipped.by_value,
        "A gradient shorter than the threshold came back longer. Clipping only ever shortens.": misclipped.always,
        "You divided by the sum of the squares. A length is its root.": misclipped.by_measure(misclipped.squares),
        "You added the lengths of the arrays. Lengths of vectors do not add up; their squares do.":
            misclipped.by_measure(misclipped.sum_of_lengths),
        "You measured the gradient by its largest number. The threshold is for the length of all of them together.":
            misclipped.by_measure(misclipped.largest),
    },
    hints=["Two passes: first the length of everything, then one multiplication for everything. tree_map walks the "
           "tree, leaves lists its arrays.",
           "The length is the root of the sum of all squares, over all arrays.",
           "The factor is longest / length, but never above 1; and a length of 0 must not be divided by.",
           "Ask np.isfinite of the length before you divide, and raise FloatingPointError if it is not."])


def draw_rotation(random):
    """All eigenvalues of the same size, and none of them real."""
    angle = random.uniform(0.5, 1.2)
    return 3 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]), 0.9


def draw_mirrored(random):
    """The largest eigenvalue is negative."""
    q, _ = np.linalg.qr(random.standard_normal((4, 4)))
    return q @ np.diag([-4.0, 1.0, 0.5, 2.0]) @ q.T, 1.5


def eigenvalues(u):
    return np.linalg.eigvals(u)


with_radius = Exercise(
    first_bit.with_radius, [lambda random: (random.standard_normal((6, 6)), 1.2), draw_rotation, draw_mirrored],
    wrong={
        "You used the largest singular value: the most that one step can stretch. The radius says what many steps do, "
        "and comes from the eigenvalues.": lambda u, radius: u * radius / np.linalg.norm(u, 2),
        "You took the largest real part. Eigenvalues are complex: a rotation has size, too.":
            lambda u, radius: u * radius / np.max(eigenvalues(u).real),
        "You took the root of the sum of all squares. That is the length of the matrix as a vector, not its radius.":
            lambda u, radius: u * radius / np.linalg.norm(u),
        "You divided by the radius that it has, and stopped there. It should get the radius that was asked for.":
            lambda u, radius: u / np.max(np.abs(eigenvalues(u))),
        "You multiplied by the radius without asking which radius the matrix has already.":
            lambda u, radius: u * radius,
    },
    hints=["np.linalg.eigvals gives the eigenvalues, as complex numbers; np.abs their sizes.",
           "Scaling a matrix scales its eigenvalues by the same factor."])


def draw_adam(steps):
    """Weights, a gradient, and the state after so many steps of Adam; then the rate and the decay."""
    def draw(random):
        def noise():
            return {"w": random.standard_normal((2, 3)), "layers": ({"b": random.standard_normal(3)},)}
        params = noise()
        state = train.adam_start(params)
        for _ in range(steps):
            params, state = train.adam(params, noise(), state, 0.05)
        return params, noise(), state, 0.05, 0.3
    return draw


def shrinking(after):
    """A mistake: Adam's own step, and then after(old, new, rate, decay) for each weight."""
    def mistake(params, grads, state, rate, decay):
        moved, state = train.adam(params, grads, state, rate)
        return tree_map(lambda old, new: after(old, new, rate, decay), params, moved), state
    return mistake


adamw = Exercise(
    decay.adamw, [draw_adam(0), draw_adam(3), draw_adam(20)],
    wrong={
        "Your decay went through Adam: it was divided by the size of the gradient, like everything that Adam sees. "
        "Where must it stand so that Adam does not see it?": decay.adam_l2,
        "You let the weights decay without the rate. A step of half the rate should decay them half as much.":
            shrinking(lambda old, new, rate, decay: new - decay * old),
        "Your weights grow. Which way is zero?": shrinking(lambda old, new, rate, decay: new + rate * decay * old),
        "You let the new weights decay. The step and the decay both start from the weights before the step.":
            shrinking(lambda old, new, rate, decay: new * (1 - rate * decay)),
        "There is no decay yet: this is Adam alone.": shrinking(lambda old, new, rate, decay: new),
        "You returned the old state. Adam's memory has to move on as well.":
            lambda params, grads, state, rate, by: (decay.adamw(params, grads, state, rate, by)[0], state),
    },
    hints=["Call adam with the gradient as it came: it returns the moved weights and the new state.",
           "Then take from each moved weight rate · decay times what it was before the step."])


PLATEAU = [(step, 6) for step in range(25, 30)]      # half a window: the median depends on where exactly it begins

step_that_exploded = Exercise(
    flight_log.step_that_exploded,
    [flight_log.drawn((25, 60), (40, 900)), flight_log.drawn((33, 300), broken=36),
     flight_log.drawn((20, 6), (21, 6), (22, 6), (24, 15)), flight_log.drawn((30, 6), (31, 20)),
     flight_log.drawn((50, 30), growth=1.15), flight_log.drawn(), flight_log.drawn(broken=41),
     flight_log.drawn(broken=0), flight_log.drawn((4, 40)), flight_log.drawn((1, 40)),
     flight_log.drawn(*PLATEAU, (30, 42)), flight_log.drawn(*PLATEAU, (30, 19)), flight_log.drawn((0, np.inf))],
    wrong={
        "Your window is one step too short. How many numbers are in norms[a:b]?": flight_log.one_too_few,
        "Your window is one step too long. How many numbers are in norms[a:b]?": flight_log.one_too_many,
        "The step itself stands in the window with which you compare it. Only what came before belongs there.":
            flight_log.with_itself,
        "You waited until the window is full. Before that there are fewer steps to compare with, not none.":
            flight_log.only_when_full,
        "You look for NaN. Infinity is not finite, either.": flight_log.looks_for_nan,
        "Step 0 has nothing before it to be compared with. Is it finite?": flight_log.from_step_1,
        "You compared with the mean. One earlier spike lifts a mean, and hides the next; a median does not care.":
            flight_log.against_the_mean,
        "You compared with the one step before. Two tall steps in a row hide each other.": flight_log.against_the_last,
        "You compared with every step so far. Gradients drift over a run: look back as far as the window, no farther.":
            flight_log.against_all_before,
        "You compared with the median of the whole run. It has seen the future, and a run that slowly grows looks like "
        "one that explodes.": flight_log.against_the_whole,
        "You found the tallest step of all. Which one came first? (And np.argmax takes NaN for the tallest.)":
            flight_log.tallest,
        "You waited for NaN. By then the weights had been thrown: which step threw them?": flight_log.first_broken,
        "That is the step after. The gradient at a step is what moves the weights in that step.": flight_log.one_late,
        "NaN compares as False with everything, so you never saw it. Ask np.isfinite.": flight_log.blind_to_nan,
    },
    hints=["Walk through the steps in order, and return at the first that is suspicious.",
           "norms[max(0, step - window):step] is what came just before a step.",
           "Test np.isfinite first. Step 0 has nothing before it: only that test applies.",
           "At the end of a log without an explosion, return -1."])


predict_loud_inputs = Exercise(
    lambda: "vanishes", [lambda random: ()],
    wrong={
        "A radius of 1.3 says what happens in silence. What is the slope of a tanh when something loud is read at "
        "every step?": lambda: "explodes",
        "Each step multiplies by a slope of tanh and by u. Would a hundred such products happen to come out as 1?":
            lambda: "stays",
    },
    hints=["Look again at the heat map over the spectral radius: silence on the left, loud noise on the right."])
