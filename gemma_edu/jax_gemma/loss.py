"""How surprised the model is."""
import jax.numpy as jnp
from jax.nn import logsumexp

from ..axes import BT, BTV, BTLoss
from .precision import widen


def cross_entropy(logits: BTV, targets: BT) -> BTLoss:
    """The surprise at each target, in nats: minus the log of the probability that it was given."""
    scores = widen(logits)
    at_target = jnp.take_along_axis(scores, targets[..., None], axis=-1)[..., 0]
    return logsumexp(scores, axis=-1) - at_target
