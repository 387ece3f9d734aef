# %% [markdown]
# # Exercises 00 · Do you know enough?
#
# Six exercises, about 55 minutes. The first four test what every chapter takes for granted; the last two count and
# read what chapter 00 shows. Replace the line that raises `NotImplementedError`, run the cell, then run the check below
# it. It says **correct**, **not yet** (and why), or **not attempted**. From the second failure on it unfolds hints.
#
# If one of the first four will not yield, [chapter 00](../chapters/00_start_here.ipynb) says what to read first.

# %%
import numpy as np

from gemma_edu.course import check

# %% [markdown]
# ## 1 · A weight for each token ⭐ (10 minutes)
#
# **Goal.** Broadcasting. Take from each row its own mean, then multiply each row by its own weight. No loop.
#
# **In** `x` of shape [T, D], a row of D numbers for each of T tokens; `w` of shape [T]. **Out** an array like `x`.

# %% answer="weigh_rows"
def weigh_rows(x, w):
    ### BEGIN SOLUTION
    centred = x - np.mean(x, axis=1, keepdims=True)      # [T, 1] reaches over D
    return centred * w[:, None]
    ### END SOLUTION

# %% check="weigh_rows" points=2
check.weigh_rows(weigh_rows)

# %% [markdown]
# ## 2 · The line that keeps silent ⭐ (5 minutes)
#
# **Goal.** A bug hunt. Each row of `x`, of shape [T, D], shall add up to one. Four attempts:
#
# ```python
# a = x / np.sum(x, axis=-1)
# b = x / np.sum(x, axis=0)
# c = x / np.sum(x, axis=-1, keepdims=True)
# d = x / np.sum(x, axis=-1)[:, None, None]
# ```
#
# One of them is right. One is wrong, and yet for *every* T and D it runs without an error and gives an array of the
# right shape: no test of shapes will ever find it. Which? **Out** one of `"a"`, `"b"`, `"c"`, `"d"`. Decide first, then
# try them, with T = D as well.

# %% answer="silent_line"
def silent_line():
    ### BEGIN SOLUTION
    return "b"
    ### END SOLUTION

# %% check="silent_line" points=1
check.silent_line(silent_line)

# %% [markdown]
# ## 3 · Two ways down ⭐⭐ (10 minutes)
#
# **Goal.** The chain rule, on paper. A model of one weight, which it uses twice, says $p = w \tanh(w x)$. Its loss is
# $(p - y)^2$. What is the derivative of the loss with respect to $w$? (In Gemma, too, a table of weights is used
# twice.)
#
# **In** three numbers `w`, `x`, `y`. **Out** a number. The derivative of $\tanh z$ is $1 - \tanh^2 z$.

# %% answer="two_ways_down"
def two_ways_down(w, x, y):
    ### BEGIN SOLUTION
    t = np.tanh(w * x)
    dp = 2 * (w * t - y)
    outside = t                            # the w in front
    inside = w * (1 - t**2) * x            # the w in the tanh
    return dp * (outside + inside)
    ### END SOLUTION

# %% check="two_ways_down" points=3
check.two_ways_down(two_ways_down)

# %% [markdown]
# A derivative need not be believed. Nudge w, and see how fast the loss changes:

# %% open=true
def loss(w, x, y):
    return (w * np.tanh(w * x) - y)**2

nudge = 1e-5
slope = (loss(0.7 + nudge, 1.5, 0.2) - loss(0.7 - nudge, 1.5, 0.2)) / (2 * nudge)
assert abs(two_ways_down(0.7, 1.5, 0.2) - slope) < 1e-6
print("confirmed by nudging")

# %% [markdown]
# ## 4 · One key for all heads ⭐⭐ (10 minutes)
#
# **Goal.** einsum. Each query is to be compared with each key by a dot product, summed over H. There are N heads of
# queries, but only one of keys, as in Gemma 2B.
#
# **In** `q` of shape [B, T, N, H], `k` of shape [B, S, H]. **Out** the dot products, of shape [B, N, T, S]. One line is
# enough.

# %% answer="compare_all"
def compare_all(q, k):
    ### BEGIN SOLUTION
    return np.einsum("BTNH,BSH->BNTS", q, k)
    ### END SOLUTION

# %% check="compare_all" points=2
check.compare_all(compare_all)

# %% [markdown]
# ## 5 · Count the experts ⭐⭐ (15 minutes)
#
# **Goal.** How many weights does a Gemma 1 have in all? And how many would it have as a mixture of E experts?
#
# Embedding: one table of V × D, which is the head as well. Attention in each of L layers: `wq` of D × N × H, `wk` and
# `wv` of D × K × H each, `wo` of N × H × D. An MLP: `gate` and `up` of D × F each, `down` of F × D. Norms: two of D in
# each layer, and one at the end. With E = 1 a layer has one MLP and no router. With more it has E such MLPs, and a
# router of D × E.
#
# **In** the whole numbers V, D, L, N, K, H, F, E. **Out** a whole number. For Gemma 2B it is 2,506,172,416.

# %% answer="weights_with_experts"
def weights_with_experts(V, D, L, N, K, H, F, E):
    ### BEGIN SOLUTION
    attention = 2 * D * N * H + 2 * D * K * H
    router = D * E if E > 1 else 0
    return V * D + L * (attention + E * 3 * D * F + router + 2 * D) + D
    ### END SOLUTION

# %% check="weights_with_experts" points=3
check.weights_with_experts(weights_with_experts)

# %% open=true
for E in (1, 2, 8):
    print(f"{E} in each layer: {weights_with_experts(256_000, 2048, 18, 8, 1, 256, 16_384, E):,}")

# %% [markdown]
# ## 6 · Which change costs weights? ⭐ (5 minutes)
#
# **Goal.** Predict. Gemma 2 and 3 changed these things against Gemma 1; sizes apart, which of them bring *new weights
# to learn*?
#
# - `"norm after each part"`
# - `"soft caps"`
# - `"windows"`
# - `"norm on queries and keys"`
# - `"second rope base"`
#
# **Out** a set of these words, as in `{"windows"}`. The last code cell of chapter 00's section on the family can tell
# you whether you are right.

# %% answer="costs_weights"
def costs_weights():
    ### BEGIN SOLUTION
    return {"norm after each part", "norm on queries and keys"}
    ### END SOLUTION

# %% check="costs_weights" points=1
check.costs_weights(costs_weights)
