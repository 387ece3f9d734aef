"""The same answers, found another way."""
import jax
import jax.numpy as jnp
from jax import lax


def remember(cache, new, positions):
    """Row by row, by a vmap."""
    def row(slots, values, positions):
        return slots.at[positions].set(values, mode="drop")
    return {name: jax.vmap(row)(cache[name], new[name], positions) for name in cache}


def attend_by_vmap(q, k, v, mask):
    """Down to one query: a vmap over time, one over heads, one over the batch."""
    def one(q, k, v, seen):
        exp = jnp.where(seen, jnp.exp(k @ q / jnp.sqrt(len(q)) - jnp.max(k @ q / jnp.sqrt(len(q)))), 0)
        return exp @ v / jnp.sum(exp)
    over_time = jax.vmap(one, in_axes=(0, None, None, 0))
    over_heads = jax.vmap(over_time, in_axes=(1, None, None, None))
    return jax.vmap(over_heads)(q, k, v, mask).swapaxes(1, 2)


def scan_layers(layer, x, layers):
    """By a loop that counts, and writes down what it sees."""
    L = len(jax.tree.leaves(layers)[0])

    def turn(i, state):
        x, lengths = state
        x = layer(x, jax.tree.map(lambda leaf: leaf[i], layers))
        return x, lengths.at[i].set(jnp.linalg.norm(x) / jnp.sqrt(x.size))
    return lax.fori_loop(0, L, turn, (x, jnp.zeros(L)))


def count_traces(calls):
    """By what JAX itself says of each argument."""
    return len({(str(jax.eval_shape(lambda x: x, x)), isinstance(x, float), S) for x, S in calls})


def safe_length(x):
    """By a rule for the gradient."""
    @jax.custom_vjp
    def length(x):
        return jnp.linalg.norm(x)

    def there(x):
        return length(x), (x, length(x))

    def back(kept, dy):
        x, r = kept
        return (jnp.where(r > 0, dy * x / jnp.maximum(r, 1e-30), 0),)
    length.defvjp(there, back)
    return length(x)


def which_trap(step):
    """One call with everything in it, and one more for the rate."""
    key, w = jax.random.key(8), jnp.array([[0.0, 0.0], [2.0, 1.0], [2.0, 1.0], [1.0, 1.0], [5.0, 5.0]])
    tokens = jnp.array([0, 1, 2, 7])
    a = step(w, tokens, 0.5, key) - w
    if not a.any():
        return "lost"
    if jnp.isnan(a).any():
        return "nan"
    if a[4].any():
        return "clamped"
    if jnp.array_equal(a[1], a[2]):
        return "one key"
    return "fine" if jnp.linalg.norm(step(w, tokens, 5.0, key) - w) > 5 * jnp.linalg.norm(a) else "frozen"
