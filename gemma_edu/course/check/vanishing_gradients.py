"""The checks of chapter 02, and the mistakes they know."""
from functools import partial

import numpy as np

from .exercise import Exercise


def draw_chain(random, L, B, D):
    """Weights of L layers, [D, D] each, loud enough to bend; and a batch of examples."""
    return tuple(1.5 * random.standard_normal((D, D)) / np.sqrt(D) for _ in range(L)), random.standard_normal((B, D))


def streams(weights, x):
    """The stream before the first layer and after each one."""
    stream = [x]
    for w in weights:
        stream.append(np.tanh(stream[-1] @ w))
    return stream


def draw_jacobian(random, L):
    weights, x = draw_chain(random, L, 1, 5)
    return list(weights), x[0]


def step(w, before, after):
    """The Jacobian of one layer: rows for what comes out, columns for what goes in."""
    return (1 - after**2)[:, None] * w.T


def jacobian(weights, x, of_layer=step, join=lambda J, layer: layer @ J):
    J, stream = np.eye(len(x)), streams(weights, x)
    for w, before, after in zip(weights, stream[:-1], stream[1:], strict=True):
        J = join(J, of_layer(w, before, after))
    return J


chain_jacobian = Exercise(
    jacobian, [partial(draw_jacobian, L=4), partial(draw_jacobian, L=1)],
    wrong={
        "Rows are for what comes out, columns for what went in; you have them the other way round.":
            lambda weights, x: jacobian(weights, x).T,
        "Which layer stands at the left of the product? The last one acts last.":
            partial(jacobian, join=np.matmul),
        "At which point do you take the slope of tanh? It is bent at z = x @ w, not at x.":
            partial(jacobian, of_layer=lambda w, before, after: step(w, before, np.tanh(before))),
        "Each slope belongs to a number that comes out of the layer; yours stretch the numbers that go in.":
            partial(jacobian, of_layer=lambda w, before, after: step(w.T, before, after).T),
        "That is the product of the weights alone. Where is the bend?":
            partial(jacobian, of_layer=lambda w, before, after: w.T),
    },
    hints=["One layer first: how much does number i of tanh(x @ w) move when number j of x does?",
           "z_i = Σ_j x_j w[j, i], so ∂z_i/∂x_j = w[j, i]: the transpose. Then row i meets the slope at z_i.",
           "Keep J and x side by side in a loop; start with the identity, and multiply from the left."])


def draw_backward(random, L):
    weights, x = draw_chain(random, L, 3, 5)
    return random.standard_normal(x.shape), weights, x


def meet(before, after, dy, dz):
    """The gradient at a layer's weight."""
    return before.T @ dz


def chain_backward(dy, weights, x, slope=lambda y: 1 - y**2, of_weight=meet):
    """(dx, a gradient for each layer); `slope` takes what came out of a layer."""
    dweights, stream = [], streams(weights, x)
    for w, before, after in zip(weights[::-1], stream[-2::-1], stream[:0:-1], strict=True):
        dz = dy * slope(after)
        dweights.append(of_weight(before, after, dy, dz))
        dy = dz @ w.T
    return dy, tuple(dweights[::-1])


def from_the_top(dy, weights, x):
    dx, dweights = chain_backward(dy, weights, x)
    return dx, dweights[::-1]


tanh_chain_backward = Exercise(
    chain_backward, [partial(draw_backward, L=4), partial(draw_backward, L=18)],
    wrong={
        "On its way down, does the gradient meet the slope of tanh in each layer? Yours passes only the weights.":
            partial(chain_backward, slope=np.ones_like),
        "The slope of tanh at z is 1 - tanh(z)². What came out of a layer is already a tanh: did you bend it twice?":
            partial(chain_backward, slope=lambda y: 1 - np.tanh(y)**2),
        "dx is right. The gradient at a weight is what comes in times the gradient *behind the bend*, at z; you took "
        "it in front of it.":
            partial(chain_backward, of_weight=lambda before, after, dy, dz: before.T @ dy),
        "dx is right. A weight meets what went *into* its layer; you paired it with what came out.":
            partial(chain_backward, of_weight=lambda before, after, dy, dz: after.T @ dz),
        "dx is right. You gathered the gradients of the weights from the top down; hand them back from the bottom up.":
            from_the_top,
        "dx is right. The gradient at a weight is the sum over the batch, not the mean: each use adds its own.":
            partial(chain_backward, of_weight=lambda before, after, dy, dz: before.T @ dz / len(before)),
    },
    hints=["First climb, and keep the stream before and after each layer in a list.",
           "One layer down is three lines: through the bend, to the weight (by what came in), to what came in (by w).",
           "Lists fill from the top; turn the list of gradients round before you return it, as a tuple."])


def draw_layer(random):
    (w,), x = draw_chain(random, 1, 3, 5)
    return random.standard_normal(x.shape), x, w


def draw_silent(random):
    """A layer whose weights are zero: it must pass the gradient as it is."""
    dy, x, w = draw_layer(random)
    return dy, x, np.zeros_like(w)


def through_the_bend(dy, x, w):
    return dy * (1 - np.tanh(x @ w)**2)


def residual(dy, x, w, around=1.0):
    dz = through_the_bend(dy, x, w)
    return around * dy + dz @ w.T, x.T @ dz


residual_tanh_backward = Exercise(
    lambda dy, x, w: residual(dy, x, w), [draw_layer, draw_silent],
    wrong={
        "x reaches y by two paths. You brought the gradient down one of them, through the bend: where is the other?":
            lambda dy, x, w: residual(dy, x, w, around=0.0),
        "Does the path around the layer meet the bend? Yours is multiplied by the slope as well.":
            lambda dy, x, w: (through_the_bend(dy, x, w) @ (np.eye(len(w)) + w.T), x.T @ through_the_bend(dy, x, w)),
        "The Jacobian of the path around is the identity, so what it carries down is dy itself, not a one.":
            lambda dy, x, w: (1 + through_the_bend(dy, x, w) @ w.T, x.T @ through_the_bend(dy, x, w)),
        "dx is right. The path around has no weight in it, so it adds nothing to dw.":
            lambda dy, x, w: (residual(dy, x, w)[0], x.T @ (dy + through_the_bend(dy, x, w))),
        "Two paths that join on the way up give two gradients that add on the way down; they are not averaged.":
            lambda dy, x, w: (residual(dy, x, w)[0] / 2, residual(dy, x, w)[1]),
    },
    hints=["y = x + tanh(x @ w). Write down dx for each of the two terms alone, then add.",
           "If w is zero, y = x. What must dx be then?"])


def draw_slopes(random):
    return (random.uniform(0.05, 0.25, 400),)


def draw_switches(random):
    """A ReLU's slopes: about half are open."""
    return ((random.random(400) < 0.5).astype(float),)


critical_scale = Exercise(
    lambda slopes: 1 / np.sqrt(np.mean(slopes**2)), [draw_slopes, draw_switches],
    wrong={
        "Lengths add as squares: which mean of the slopes decides how long a vector is after them?":
            lambda slopes: 1 / np.mean(slopes),
        "You have the mean square. A scale multiplies lengths; a square is not a length.":
            lambda slopes: 1 / np.mean(slopes**2),
        "That is the factor by which the slopes shrink a gradient. Which scale makes up for it?":
            lambda slopes: np.sqrt(np.mean(slopes**2)),
        "You prepared for the best slope only. Most units are not there.": lambda slopes: 1 / np.max(slopes),
    },
    hints=["scale × (root mean square of the slopes) is the factor of one layer. Which factor is harmless?",
           "For a ReLU half of the squares are 1 and half are 0: the answer is the root of two."])


predict_the_map = Exercise(
    lambda: ["sigmoid", "relu", "relu √2", "tanh 3"], [lambda random: ()],
    wrong={
        "You put the saturated chain at the bottom. Flat units are not the whole story: multiply the scale by the "
        "slope that a gradient meets on average.": lambda: ["tanh 3", "sigmoid", "relu", "relu √2"],
        "A slope of one is not enough if half of the units have it: what does a ReLU leave of a length?":
            lambda: ["sigmoid", "tanh 3", "relu", "relu √2"],
        "Compare 0.23 and 0.7 to the power of 64. Which is the darker?":
            lambda: ["relu", "sigmoid", "relu √2", "tanh 3"],
        "That is the right order from the brightest to the darkest; the darkest comes first.":
            lambda: ["tanh 3", "relu √2", "relu", "sigmoid"],
        "With scale √2 a ReLU keeps a length. Does a tanh of scale 3 keep it, or more than that?":
            lambda: ["sigmoid", "relu", "tanh 3", "relu √2"],
    },
    hints=["The factors of a layer stand in the chapter's table: scale × slope, for three of the four.",
           "For the tanh, turn the dial: scale 3, depth 64."])


find_the_motorway = Exercise(
    lambda: "C", [lambda random: ()],
    wrong={
        "In A the sum itself is bent: what came in passes a slope of at most a quarter, in every layer.": lambda: "A",
        "In B what came in is halved in every layer. What is one half to the power of 64?": lambda: "B",
        "In D what came in passes a gate, and a gate that has not learned anything is half open.": lambda: "D",
    },
    hints=["Let w be zero: the layer has nothing to say. Which of the four hands the gradient down unchanged?"])
