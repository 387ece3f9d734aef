"""From logits to a token: the likeliest one, or a draw."""
import jax
import jax.numpy as jnp
from jax import lax


def choose(logits, keys, temperature, top_k, top_p):
    """The next token of each row of logits [B, V]: the likeliest at temperature 0, else a draw with the row's key.

    `top_k` = V and `top_p` = 1 leave no token out.  All three may be traced: one program serves every value.
    """
    def draw():
        scaled = (logits - jnp.max(logits, axis=-1, keepdims=True)) / temperature
        narrow = (top_k < logits.shape[-1]) | (top_p < 1)       # sorting a whole vocabulary takes its time
        return jax.vmap(jax.random.categorical)(
            keys, lax.cond(narrow, lambda: cut(scaled, top_k, top_p), lambda: scaled))
    return lax.cond(temperature > 0, draw, lambda: jnp.argmax(logits, axis=-1)).astype(jnp.int32)


def cut(logits, top_k, top_p):
    """Keep the k likeliest tokens, and of these the fewest whose share reaches p; of equals, the first.

    Holtzman et al. 2020 for the share.
    """
    order = jnp.argsort(-logits, axis=-1)
    rank = jnp.arange(logits.shape[-1])
    ranked = jnp.take_along_axis(logits, order, axis=-1)
    share = jax.nn.softmax(jnp.where(rank < top_k, ranked, -jnp.inf), axis=-1)
    missing = jnp.cumsum(share, axis=-1) - share < top_p        # the likelier ones do not suffice
    kept = (rank == 0) | (rank < top_k) & (missing | (top_p >= 1))
    kept = jnp.put_along_axis(jnp.zeros_like(kept), order, kept, axis=-1, inplace=False)
    return jnp.where(kept, logits, -jnp.inf)
