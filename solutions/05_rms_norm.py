# %% [markdown]
# # Exercises 05 · RMSNorm
#
# Four exercises, about 45 minutes. Replace the line that raises `NotImplementedError`, run the cell, then run the
# check below it. It says **correct**, **not yet** (and why), or **not attempted**. From the second failure on it
# unfolds hints.

# %%
import numpy as np

from gemma_edu import check_gradient
from gemma_edu.course import check

# %% [markdown]
# ## 1 · The norm ⭐ (10 minutes)
#
# **Goal.** Set each vector of the stream to length one, then stretch it.
#
# **In** `x` of shape [B, T, D], `scale` of shape [D], stored as Gemma stores it. **Out** an array like `x`. Epsilon
# is `1e-6`.

# %% answer="rms_norm"
def rms_norm(x, scale):
    ### BEGIN SOLUTION
    rms = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-6)
    return (x / rms * (1 + scale)).astype(x.dtype)
    ### END SOLUTION

# %% check="rms_norm" points=2
check.rms_norm(rms_norm)

# %% [markdown]
# ## 2 · Its gradient ⭐⭐⭐ (20 minutes)
#
# **Goal.** Bring a gradient down through the norm.
#
# **In** `dy` like `x`, then `x` and `scale` as before. **Out** the pair `(dx, dscale)`, shaped like `(x, scale)`.
# Derive it on paper for one vector of two coordinates first.

# %% answer="rms_norm_backward"
def rms_norm_backward(dy, x, scale):
    ### BEGIN SOLUTION
    rms = np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + 1e-6)
    unit = x / rms
    dunit = dy * (1 + scale)
    along = np.mean(dunit * unit, axis=-1, keepdims=True)
    return (dunit - unit * along) / rms, np.sum(dy * unit, axis=(0, 1))
    ### END SOLUTION

# %% check="rms_norm_backward" points=4
check.rms_norm_backward(rms_norm_backward)

# %% [markdown]
# Do not believe the check alone: finite differences need no reference at all. If your gradient is right, this
# passes.

# %% open=true
x, scale = np.random.default_rng(1).standard_normal((2, 3, 5)), np.linspace(-0.5, 0.5, 5)
check_gradient(rms_norm, rms_norm_backward, x, scale)
print("confirmed by nudging")

# %% [markdown]
# ## 3 · Count the norms ⭐⭐ (10 minutes)
#
# **Goal.** The number of weights of a Gemma 1 *without its embedding*, from its sizes: attention (`wq`, `wk`, `wv`,
# `wo`), the MLP (`gate`, `up`, `down`) and the norms of each of L layers, and the norm at the end. If your count is
# right, the 2B model has 1,981,884,416.
#
# **In** the whole numbers D, N, K, H, F, L. **Out** a whole number.

# %% answer="count_weights"
def count_weights(D, N, K, H, F, L):
    ### BEGIN SOLUTION
    attention = 2 * D * N * H + 2 * D * K * H
    mlp = 3 * D * F
    norms = 2 * D
    return L * (attention + mlp + norms) + D
    ### END SOLUTION

# %% check="count_weights" points=2
check.count_weights(count_weights)

# %% [markdown]
# ## 4 · Predict the tower ⭐ (5 minutes)
#
# **Goal.** A bad update has made every layer of a tower of 64 ten times too loud. Where did its norm stand, if the
# stream at the top is now longer than $10^{20}$? **Out** one of `"before"`, `"after"`, `"around"`, `"nowhere"`.
# Decide first, then try it with `gemma_edu.lab.rms_norm.tower`.

# %% answer="predict_the_tower"
def predict_the_tower():
    ### BEGIN SOLUTION
    return "nowhere"
    ### END SOLUTION

# %% check="predict_the_tower" points=1
check.predict_the_tower(predict_the_tower)
