"""How surprised the model is."""
import jax
import jax.numpy as jnp

from ..axes import BT, BTV, BTLoss, Numbers
from .precision import widen


def logsumexp(x: Numbers) -> Numbers:
    """The log of a sum of exponentials along the last axis, without an overflow."""
    return jax.nn.logsumexp(x, axis=-1)


def cross_entropy(logits: BTV, targets: BT) -> BTLoss:
    """The surprise at each target, in nats: minus the log of the probability that it was given."""
    scores = widen(logits)
    at_target = jnp.take_along_axis(scores, targets[..., None], axis=-1)[..., 0]
    return logsumexp(scores) - at_target
