# %% [markdown]
# # Exercises 10 · NumPy to JAX
#
# Six exercises, about 90 minutes. Replace the line that raises `NotImplementedError`, run the cell, then run the
# check below it. It says **correct**, **not yet** (and why), or **not attempted**. From the second failure on it
# unfolds hints. All arrays that the checks hand out are JAX's.

# %%
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from gemma_edu import numpy_gemma
from gemma_edu.course import check, source

# %% [markdown]
# ## 1 · Port a part ⭐⭐ (15 minutes)
#
# **Goal.** Write new keys and values into their slots of the cache. This is the part of Gemma that changed most on
# its way from NumPy, where it looks like this:

# %%
source(numpy_gemma.remember)

# %% [markdown]
# Yours must work under `jit`, where positions are tracers: nobody knows how many of them are kept.
#
# **In** `cache`, a dict of `"k"` and `"v"` of shape [B, S, K, H]; `new`, the same with [B, T, K, H]; `positions` of
# shape [B, T]. A position ≥ S is padding and writes nothing. **Out** a new cache. What you were given stays as it is.

# %% answer="remember"
def remember(cache, new, positions):
    ### BEGIN SOLUTION
    row = jnp.arange(len(positions))[:, None]
    return {name: slots.at[row, positions].set(new[name], mode="drop")
            for name, slots in cache.items()}
    ### END SOLUTION

# %% check="remember" points=3
check.remember(remember)

# %% [markdown]
# The check has traced it. Here it also goes through `grad`: the gradient of the sum of all slots of the keys is 1 for
# what was written and 0 for padding; the values have no part in it.

# %% open=true
empty = {"k": jnp.zeros((1, 4, 1, 1)), "v": jnp.zeros((1, 4, 1, 1))}
new = {"k": jnp.ones((1, 3, 1, 1)), "v": jnp.ones((1, 3, 1, 1))}
slope = jax.grad(lambda new: jnp.sum(remember(empty, new, jnp.array([[0, 1, 4]]))["k"]))(new)
print("to the keys:", slope["k"].ravel(), "  to the values:", slope["v"].ravel())

# %% [markdown]
# ## 2 · Two axes less ⭐⭐ (15 minutes)
#
# **Goal.** Multi-query attention, of which you write only one head of one text. `vmap` adds the rest.
#
# **In** `q` of shape [B, T, N, H]; `k` and `v` of shape [B, S, H], which all heads share; `mask` of shape [B, T, S].
# **Out** what each query gathers, [B, T, N, H]. Every query may see at least one key.

# %% answer="attend_by_vmap"
def attend_by_vmap(q, k, v, mask):
    ### BEGIN SOLUTION
    def one(q, k, v, mask):
        scores = jnp.where(mask, q @ k.T / jnp.sqrt(q.shape[-1]), jnp.finfo(q.dtype).min)
        return jax.nn.softmax(scores) @ v
    heads = jax.vmap(one, in_axes=(1, None, None, None), out_axes=1)
    return jax.vmap(heads)(q, k, v, mask)
    ### END SOLUTION

# %% check="attend_by_vmap" points=3
check.attend_by_vmap(attend_by_vmap)

# %% [markdown]
# ## 3 · Scan the layers ⭐⭐ (15 minutes)
#
# **Goal.** Fold a stream through stacked layers, with a program that is as long for 100 layers as for one, and keep
# the length of the stream after each: the picture of chapter 05 for nothing.
#
# **In** `layer`, a function of `(x, w)` that returns the next x; `x`, the stream; `layers`, a dict of weights that
# are stacked along a leading axis L. **Out** the pair `(x, lengths)`: the stream after the last layer, and the
# lengths after each of the layers, [L]. A length is the root of the mean of the squares of all of x.

# %% answer="scan_layers"
def scan_layers(layer, x, layers):
    ### BEGIN SOLUTION
    def step(x, w):
        x = layer(x, w)
        return x, jnp.sqrt(jnp.mean(x * x))
    return lax.scan(step, x, layers)
    ### END SOLUTION

# %% check="scan_layers" points=3
check.scan_layers(scan_layers)

# %% [markdown]
# And the gradient comes through it without your doing anything: how much does each layer's weight count for the
# length at the end?

# %% open=true
def last_length(layers):
    return scan_layers(lambda x, w: x + jnp.tanh(x * w["by"]), jnp.ones(8), layers)[1][-1]

print(np.round(jax.grad(last_length)({"by": jnp.full(5, 0.5)})["by"], 1))

# %% [markdown]
# ## 4 · Count the retraces ⭐⭐ (15 minutes)
#
# **Goal.** Before anything is run, say how often `jax.jit(f, static_argnums=1)` will trace `f` in a list of calls.
#
# **In** `calls`, a list of pairs `(x, S)`: `x` is an array of JAX or a Python float, `S` a whole number, and static.
# **Out** a whole number. (To test your rule, you may really call a function that notes when Python runs it.)

# %% answer="count_traces"
def count_traces(calls):
    ### BEGIN SOLUTION
    known = {(jnp.shape(x), str(jnp.result_type(x)), isinstance(x, float), S) for x, S in calls}
    return len(known)
    ### END SOLUTION

# %% check="count_traces" points=3
check.count_traces(count_traces)

# %% [markdown]
# A chat with a model that pads to powers of two: how many programs do a hundred questions need?

# %% open=true
lengths = np.random.default_rng(0).integers(1, 257, 100)
padded = [1 << int(length - 1).bit_length() for length in lengths]
print("padded:", count_traces([(jnp.ones(length), 0) for length in padded]),
      "  not padded:", count_traces([(jnp.ones(length), 0) for length in lengths]))

# %% [markdown]
# ## 5 · A length with a gradient everywhere ⭐⭐ (10 minutes)
#
# **Goal.** The length of a vector, $\sqrt{\sum_i x_i^2}$, whose gradient at the zero vector is zero and not NaN. At
# every other vector, length and gradient stay exactly what they are.
#
# **In** `x` of shape [D]. **Out** one number, an array of shape (). The check compares two results: what you return,
# and its gradient, which it derives.

# %% answer="safe_length"
def safe_length(x):
    ### BEGIN SOLUTION
    square = jnp.sum(x * x)
    fine = square > 0
    return jnp.where(fine, jnp.sqrt(jnp.where(fine, square, 1.0)), 0.0)
    ### END SOLUTION

# %% check="safe_length" points=2
check.safe_length(safe_length)

# %% [markdown]
# ## 6 · Bug hunt: which trap is it? ⭐⭐⭐ (20 minutes)
#
# **Goal.** Somebody wrote a step of training for you, and you may call it as often as you like, with any numbers:
# `step(w, tokens, rate, key)` returns a new table w. It promises this. *The rows of w that the tokens name are pulled
# towards zero by `rate`, along the gradient of their lengths, and each is pushed by `rate` in a random direction of
# its own. A token past the end of the table is padding and moves nothing.* Say what is wrong with it.
#
# **In** `step`; w has shape [V, D], `tokens` is a short array of whole numbers, all different, `key` comes from
# `jax.random.key`. **Out** one of
#
# - `"lost"`: it moves nothing,
# - `"nan"`: a row of zeros gets NaN,
# - `"clamped"`: padding moves a row of the table,
# - `"one key"`: the pushes of different rows are the same,
# - `"frozen"`: the rate has no effect,
# - `"fine"`: none of these.
#
# No step has two of them. Work on `gemma_edu.lab.numpy_to_jax.suspects`: `right`, `unsafe`, `clamped`, `together`,
# `frozen` and `lost` are the six.

# %% answer="which_trap"
def which_trap(step):
    ### BEGIN SOLUTION
    w, key = jnp.array([[1.0, 2.0], [1.0, 2.0], [0.0, 0.0], [4.0, 4.0]]), jax.random.key(0)
    change = step(w, jnp.array([0, 1, 2, 4]), 0.1, key) - w
    faster = step(w, jnp.array([0, 1, 2, 4]), 0.3, key) - w
    if not jnp.any(change):
        return "lost"
    if jnp.any(jnp.isnan(change)):
        return "nan"
    if jnp.any(change[3]):
        return "clamped"
    if jnp.allclose(change[0], change[1]):
        return "one key"
    return "frozen" if jnp.allclose(change, faster) else "fine"
    ### END SOLUTION

# %% check="which_trap" points=4
check.which_trap(which_trap)
