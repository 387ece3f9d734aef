# %% [markdown]
# # Exercises 07 · Attention
#
# Six exercises, about 90 minutes. Replace the line that raises `NotImplementedError`, run the cell, then run the
# check below it. It says **correct**, **not yet** (and why), or **not attempted**. From the second failure on it
# unfolds hints.

# %%
from functools import partial

import numpy as np

from gemma_edu import check_gradient
from gemma_edu.course import check
from gemma_edu.lab.attention.suspects import SUSPECTS
from gemma_edu.numpy_gemma import softmax
from gemma_edu.numpy_gemma.attention import softmax_backward

# %% [markdown]
# `softmax` and `softmax_backward` are those of the chapter; both work along the last axis. The letters: B texts, T
# queries in time, S keys in time, N query heads, K key heads, H numbers in a head.
#
# ## 1 · The mask ⭐ (10 minutes)
#
# **Goal.** Say who may look at whom: a position sees itself and its past, as far back as the window reaches. A
# window of 1 is the position alone.
#
# **In** `positions` of shape [B, T], whole numbers: where each query stands. `S`: the keys stand at 0, 1, … S − 1.
# `window`: how many positions are seen. **Out** an array of True and False, [B, T, S].

# %% answer="causal_mask"
def causal_mask(positions, S, window=np.inf):
    ### BEGIN SOLUTION
    ago = positions[:, :, None] - np.arange(S)
    return (ago >= 0) & (ago < window)
    ### END SOLUTION

# %% check="causal_mask" points=1
check.causal_mask(causal_mask)

# %% [markdown]
# ## 2 · Attend ⭐⭐ (20 minutes)
#
# **Goal.** Ask, compare, gather. Query heads share key heads evenly: with N = 4 and K = 2, heads 0 and 1 ask key 0,
# and heads 2 and 3 ask key 1. A query that sees nobody shall get the even average of all values.
#
# **In** `q` of shape [B, T, N, H], `k` and `v` of shape [B, S, K, H], `mask` of shape [B, T, S]. **Out** an array
# like `q`. First make it work for K = N.

# %% answer="attend"
def attend(q, k, v, mask):
    ### BEGIN SOLUTION
    N, H = q.shape[2:]
    G = N // k.shape[2]
    k, v = k.repeat(G, axis=2), v.repeat(G, axis=2)
    scores = np.einsum("BTNH,BSNH->BNTS", q, k) / np.sqrt(H)
    scores = np.where(mask[:, None], scores, np.finfo(scores.dtype).min)
    return np.einsum("BNTS,BSNH->BTNH", softmax(scores), v)
    ### END SOLUTION

# %% check="attend" points=3
check.attend(attend)

# %% [markdown]
# ## 3 · Share the keys ⭐ (10 minutes)
#
# **Goal.** Someone trained a model with a key for each query and wants a smaller cache. Turn its N key heads into
# K: each new head is the mean of the old heads that its queries used to ask. (From there on one trains a little
# more.)
#
# **In** `w` of shape [D, N, H], a weight that makes keys or values. `K`, which divides N. **Out** an array [D, K,
# H].

# %% answer="share_the_keys"
def share_the_keys(w, K):
    ### BEGIN SOLUTION
    D, N, H = w.shape
    return w.reshape(D, K, N // K, H).mean(axis=2)
    ### END SOLUTION

# %% check="share_the_keys" points=1
check.share_the_keys(share_the_keys)

# %% [markdown]
# ## 4 · The budget of a cache ⭐ (10 minutes)
#
# **Goal.** How many tokens fit into the memory that is left for the cache?
#
# **In** `memory` in bytes, the sizes L, N, K and H of the model, and `size`, the bytes of one number. **Out** a
# whole number of tokens.

# %% answer="tokens_that_fit"
def tokens_that_fit(memory, L, N, K, H, size):
    ### BEGIN SOLUTION
    per_token = 2 * L * K * H * size
    return memory // per_token
    ### END SOLUTION

# %% check="tokens_that_fit" points=1
check.tokens_that_fit(tokens_that_fit)

# %% [markdown]
# An accelerator with 16 GB has about 10 GB left when the 5 GB of Gemma 2B's weights are in and something is spared.
# How many tokens is that, for the 2B as it is, and for a 2B with eight keys?

# %% open=true
for K in (1, 8):
    print(f"K = {K}: {tokens_that_fit(10 * 10**9, 18, 8, K, 256, 2):,} tokens")

# %% [markdown]
# ## 5 · attention_backward: the gradient of `attend` ⭐⭐⭐ (25 minutes)
#
# **Goal.** Bring a gradient down to the queries, the keys and the values.
#
# **In** `dy` like `q`, then `q`, `k`, `v`, `mask` as in exercise 2. **Out** `(dq, dk, dv)`, shaped like `(q, k,
# v)`. First make it work for K = N.

# %% answer="attend_backward"
def attend_backward(dy, q, k, v, mask):
    ### BEGIN SOLUTION
    (B, S, K, H), N = k.shape, q.shape[2]
    wide_k, wide_v = k.repeat(N // K, axis=2), v.repeat(N // K, axis=2)
    scores = np.einsum("BTNH,BSNH->BNTS", q, wide_k) / np.sqrt(H)
    scores = np.where(mask[:, None], scores, np.finfo(scores.dtype).min)
    dshares = np.einsum("BTNH,BSNH->BNTS", dy, wide_v)
    dscores = softmax_backward(dshares, scores) / np.sqrt(H)
    dq = np.einsum("BNTS,BSNH->BTNH", dscores, wide_k)
    dk = np.einsum("BNTS,BTNH->BSNH", dscores, q)
    dv = np.einsum("BNTS,BTNH->BSNH", softmax(scores), dy)
    return dq, *(each.reshape(B, S, K, N // K, H).sum(axis=3) for each in (dk, dv))
    ### END SOLUTION

# %% check="attend_backward" points=4
check.attend_backward(attend_backward)

# %% [markdown]
# Do not believe the check alone: finite differences need no reference at all. If your two functions are right, this
# passes.

# %% open=true
random = np.random.default_rng(1)
q, k, v = (random.standard_normal((1, 5, heads, 3)) for heads in (4, 2, 2))
seen = causal_mask(np.arange(5)[None], 5)
check_gradient(partial(attend, mask=seen), partial(attend_backward, mask=seen), q, k, v)
print("confirmed by nudging")

# %% [markdown]
# ## 6 · The line-up ⭐⭐ (15 minutes)
#
# **Goal.** Five functions stand in `SUSPECTS`, under the names "A" to "E". They take what `attend` takes. One is
# right; the other four made a mistake each:
#
# - `"no scale"`: the scores are not divided by the root of H;
# - `"tiled keys"`: keys are copied in the order k0 k1 k0 k1, and values likewise;
# - `"future audible"`: hidden scores are set to zero, not to a very low number;
# - `"blind to itself"`: a position does not see itself.
#
# Do not read their source; ask them. Choose queries, keys and values for which a mistake must show, and the others
# must not. Random numbers tell you only *that* something is wrong.
#
# **Out** a dict from each name to one of the four, or to `"right"`.

# %%
T, N, K, H = 4, 4, 2, 4
q, k = np.zeros((1, T, N, H)), np.zeros((1, T, K, H))            # all scores are zero: what does that leave?
v = np.zeros((1, T, K, H))
v[0, 1] = 1.0                                                    # only position 1 has something to tell
past = np.tri(T, dtype=bool)[None]
for name, suspect in SUSPECTS.items():
    print(name, "head 0 hears, at each position:", suspect(q, k, v, past)[0, :, 0, 0].round(2))

# %% answer="line_up"
def line_up():
    ### BEGIN SOLUTION
    return {"A": "no scale", "B": "tiled keys", "C": "right", "D": "future audible", "E": "blind to itself"}
    ### END SOLUTION

# %% check="line_up" points=3
check.line_up(line_up)
