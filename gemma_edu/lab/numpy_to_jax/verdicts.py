"""Which trap a step of training is in, found out by questions alone."""
import jax
import jax.numpy as jnp


def by_questions(step, *, zero=True, past=True, twins=True, rates=True, moves=True):
    """The verdict of four questions, and of whether it moves at all; any may be left out."""
    key, w = jax.random.key(3), jnp.array([[3.0, 4.0], [3.0, 4.0], [0.0, 0.0], [1.0, 0.0]])

    def change(tokens, rate=0.1):
        return step(w, jnp.array(tokens), rate, key) - w
    both = change([0, 1])
    if moves and not jnp.any(both):
        return "lost"
    if zero and jnp.any(jnp.isnan(change([2, 3]))):
        return "nan"
    if past and jnp.any(change([0, 4])[3]):
        return "clamped"
    if twins and jnp.allclose(both[0], both[1]):
        return "one key"
    return "frozen" if rates and jnp.allclose(both, change([0, 1], rate=0.2)) else "fine"
