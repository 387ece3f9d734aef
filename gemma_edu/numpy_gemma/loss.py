"""How surprised the model is."""
import numpy as np

from ..axes import BT, BTV, BTLoss
from .attention import softmax
from .precision import widen


def cross_entropy(logits: BTV, targets: BT) -> BTLoss:
    """The surprise at each target, in nats: minus the log of the probability that it was given."""
    scores = widen(logits)
    scores = scores - np.max(scores, axis=-1, keepdims=True)
    at_target = np.take_along_axis(scores, targets[..., None], axis=-1)[..., 0]
    return np.log(np.sum(np.exp(scores), axis=-1)) - at_target


def cross_entropy_backward(dy, logits, targets):
    came = np.arange(logits.shape[-1]) == targets[..., None]
    return dy[..., None] * (softmax(logits) - came)      # what it expected, less what came
