"""The checks of chapter 05, and the mistakes they know."""
import numpy as np

from ...numpy_gemma import norm
from .exercise import Exercise


def draw(random):
    """A batch of ordinary vectors, and a scale that matters."""
    return random.normal(0.5, 2, (2, 3, 8)), 0.5 * random.standard_normal(8)


def draw_faint(random):
    """Vectors as short as epsilon allows them to be."""
    return 1e-3 * random.standard_normal((2, 3, 8)), 0.5 * random.standard_normal(8)


def draw_half(random):
    """float32, as a model in float32 hands them over."""
    return tuple(each.astype(np.float32) for each in draw(random))


def rms_of(x, axis=-1):
    return np.sqrt(np.mean(x * x, axis=axis, keepdims=True) + norm.EPSILON)


rms_norm = Exercise(
    norm.rms_norm, [draw, draw_faint, draw_half],
    wrong={
        "You multiplied by the scale; Gemma stores its distance from 1, so multiply by 1 + scale.":
            lambda x, scale: x / rms_of(x) * scale,
        "Is your epsilon inside the square root? For short vectors it makes all the difference.":
            lambda x, scale: x / (np.sqrt(np.mean(x * x, -1, keepdims=True)) + norm.EPSILON) * (1 + scale),
        "Is there an epsilon at all? A stream of zeros should stay a stream of zeros.":
            lambda x, scale: x / np.sqrt(np.mean(x * x, -1, keepdims=True)) * (1 + scale),
        "You removed the mean first: that is LayerNorm. RMSNorm leaves the mean where it is.":
            lambda x, scale: norm.layer_norm(x, scale, 0 * scale),
        "You divided by the length of the vector (a sum); divide by the length of its average coordinate (a mean).":
            lambda x, scale: x / np.sqrt(np.sum(x * x, -1, keepdims=True) + norm.EPSILON) * (1 + scale),
        "You took the mean over the whole array. Each vector has a length of its own: axis=-1, keepdims=True.":
            lambda x, scale: x / np.sqrt(np.mean(x * x) + norm.EPSILON) * (1 + scale),
        "You divided by the mean square. The root is missing.":
            lambda x, scale: x / (np.mean(x * x, -1, keepdims=True) + norm.EPSILON) * (1 + scale),
    },
    hints=["Three steps: the mean of the squares of each vector; its root; divide, then stretch.",
           "keepdims=True keeps the last axis as 1, so that the division broadcasts over it."])


def draw_backward(random):
    x, scale = draw(random)
    return random.standard_normal(x.shape), x, scale


def without_projection(dy, x, scale):
    return dy * (1 + scale) / rms_of(x), np.sum(dy * x / rms_of(x), axis=(0, 1))


def scale_forgotten(dy, x, scale):
    dx, _ = norm.rms_norm_backward(dy, x, 0 * scale)
    return dx, norm.rms_norm_backward(dy, x, scale)[1]


def averaged(dy, x, scale):
    dx, dscale = norm.rms_norm_backward(dy, x, scale)
    return dx, dscale / (x.shape[0] * x.shape[1])


def not_summed(dy, x, scale):
    return norm.rms_norm_backward(dy, x, scale)[0], dy * x / rms_of(x)


def root_forgotten(dy, x, scale):
    dx, dscale = norm.rms_norm_backward(dy, x, scale)
    return dx * rms_of(x), dscale


rms_norm_backward = Exercise(
    norm.rms_norm_backward, [draw_backward],
    wrong={
        "Each coordinate also changes the length that all are divided by: a second term is missing in dx, the part of "
        "the gradient along x.": without_projection,
        "On its way down the gradient passes the stretch first: dy * (1 + scale).": scale_forgotten,
        "dscale is the sum over batch and time, not their mean: each use of a weight adds its gradient.": averaged,
        "dscale has the shape of scale. It was broadcast over B and T on the way up, so sum over them on the way down.":
            not_summed,
        "dx is still too long: the division by rms on the way up divides the gradient, too.": root_forgotten,
    },
    hints=["Write unit = x / rms. What does the gradient look like at unit, before the division?",
           "There, take away the part that points along unit: how much of it is there, as a mean over the coordinates?",
           "A gradient has the shape of what it belongs to: (dx, dscale) like (x, scale)."])


def layers(random):
    """A model's sizes, drawn: D, N, K, H, F, L."""
    D, N, H, F, L = (int(random.integers(2, 9)) * unit for unit in (64, 1, 16, 128, 1))
    return D, N, int(random.choice([1, N])), H, F, L


def without_embedding(D, N, K, H, F, L, norms):
    """Weights of a Gemma without its embedding, with so many norms in a layer."""
    return L * (2 * D * N * H + 2 * D * K * H + 3 * D * F + norms * D) + D


count_weights = Exercise(
    lambda D, N, K, H, F, L: without_embedding(D, N, K, H, F, L, norms=2),
    [lambda random: (2048, 8, 1, 256, 16_384, 18), lambda random: (3072, 16, 16, 256, 24_576, 28), layers],
    wrong={
        "You counted four norms in a layer: those of Gemma 2, which normalises outputs as well.":
            lambda *sizes: without_embedding(*sizes, norms=4),
        "You counted one norm in a layer. Attention and MLP each have their own.":
            lambda *sizes: without_embedding(*sizes, norms=1),
        "The final norm is missing: D more.":
            lambda D, N, K, H, F, L: without_embedding(D, N, K, H, F, L, norms=2) - D,
        "The MLP has three matrices, gate, up and down; you counted two.":
            lambda D, N, K, H, F, L: without_embedding(D, N, K, H, F, L, norms=2) - L * D * F,
        "You took N × H for D. The two are equal in the 2B model, but not in the 7B: 4096 beside 3072.":
            lambda D, N, K, H, F, L: without_embedding(D, N, K, H, F, L, norms=2) + L * 2 * D * (D - N * H),
        "There are keys and there are values: two matrices of D × K × H.":
            lambda D, N, K, H, F, L: without_embedding(D, N, K, H, F, L, norms=2) - L * D * K * H,
    },
    hints=["One layer: wq and wo have D·N·H each, wk and wv D·K·H each, gate, up and down D·F each, and its norms.",
           "Multiply by L, and do not forget the norm after the last layer."])


predict_the_tower = Exercise(
    lambda: "nowhere", [lambda random: ()],
    wrong={
        "Before each layer: the stream is normalised before it is read, so what a layer adds stays small.":
            lambda: "before",
        "After each addition: the stream is set to length one in each layer, so it cannot grow at all.":
            lambda: "after",
        "Around each layer: what is added has length one, so 64 layers add 64 at most.": lambda: "around",
    },
    hints=["Which of the four never divides by a length?"])
