"""How surprised the model is."""
import numpy as np

from ..axes import BT, BTV, BTLoss, Numbers
from .attention import softmax
from .precision import widen


def logsumexp(x: Numbers) -> Numbers:
    """The log of a sum of exponentials along the last axis, without an overflow."""
    highest = np.max(x, axis=-1, keepdims=True)
    return np.log(np.sum(np.exp(x - highest), axis=-1)) + highest[..., 0]


def logsumexp_backward(dy, x):
    return dy[..., None] * softmax(x)


def cross_entropy(logits: BTV, targets: BT) -> BTLoss:
    """The surprise at each target, in nats: minus the log of the probability that it was given."""
    scores = widen(logits)
    at_target = np.take_along_axis(scores, targets[..., None], axis=-1)[..., 0]
    return logsumexp(scores) - at_target


def cross_entropy_backward(dy, logits, targets):
    came = np.arange(logits.shape[-1]) == targets[..., None]
    return dy[..., None] * (softmax(logits) - came)      # what it expected, less what came
