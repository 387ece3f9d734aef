# %% [markdown]
# # Exercises 02 · Vanishing gradients
#
# Six exercises, about 70 minutes. Replace the line that raises `NotImplementedError`, run the cell, then run the
# check below it. It says **correct**, **not yet** (and why), or **not attempted**. From the second failure on it
# unfolds hints.

# %%
import numpy as np

from gemma_edu import check_gradient
from gemma_edu.course import check

# %% [markdown]
# ## 1 · The product of Jacobians ⭐⭐ (15 minutes)
#
# **Goal.** Say how much each number that comes out of a tanh chain moves when one that goes in is nudged. Every
# layer is `x = tanh(x @ w)`.
#
# **In** `weights`, a list of arrays [D, D], the first layer first; `x` of shape [D]. **Out** the Jacobian, [D, D]:
# row $i$, column $j$ holds $\partial y_i / \partial x_j$, where $y$ comes out of the last layer.

# %% answer="chain_jacobian"
def chain_jacobian(weights, x):
    ### BEGIN SOLUTION
    J = np.eye(len(x))
    for w in weights:
        x = np.tanh(x @ w)
        J = (1 - x**2)[:, None] * (w.T @ J)
    return J
    ### END SOLUTION

# %% check="chain_jacobian" points=2
check.chain_jacobian(chain_jacobian)

# %% [markdown]
# With your Jacobian, the loss of a message in one line: how much is the luckiest direction stretched, and how much
# the middle one?

# %% open=true
random = np.random.default_rng(0)
deep = [random.standard_normal((32, 32)) / np.sqrt(32) for _ in range(18)]
stretched = np.linalg.svd(chain_jacobian(deep, random.standard_normal(32)), compute_uv=False)
print(f"the luckiest direction: {stretched[0]:.1f}, the middle one: {stretched[16]:.0e}")

# %% [markdown]
# ## 2 · Down a deep chain ⭐⭐⭐ (20 minutes)
#
# **Goal.** The backward pass of the same chain, for a batch, without building a Jacobian.
#
# **In** `dy` of shape [B, D]; `weights`, a tuple of arrays [D, D]; `x` of shape [B, D]. **Out** the pair `(dx,
# dweights)`: `dx` like `x`, and `dweights` a tuple like `weights`, in the same order.

# %% answer="tanh_chain_backward"
def tanh_chain_backward(dy, weights, x):
    ### BEGIN SOLUTION
    stream = [x]
    for w in weights:
        stream.append(np.tanh(stream[-1] @ w))
    dweights = []
    for layer in reversed(range(len(weights))):
        dz = dy * (1 - stream[layer + 1]**2)
        dweights.append(stream[layer].T @ dz)
        dy = dz @ weights[layer].T
    return dy, tuple(reversed(dweights))
    ### END SOLUTION

# %% check="tanh_chain_backward" points=4
check.tanh_chain_backward(tanh_chain_backward)

# %% [markdown]
# Do not believe the check alone. Here is the forward pass; if your gradient is right, nudging agrees with it.

# %% open=true
def tanh_chain(weights, x):
    for w in weights:
        x = np.tanh(x @ w)
    return x

few = tuple(random.standard_normal((4, 4)) for _ in range(3))
check_gradient(tanh_chain, lambda dy, weights, x: tanh_chain_backward(dy, weights, x)[::-1],
               few, random.standard_normal((2, 4)))
print("confirmed by nudging")

# %% [markdown]
# ## 3 · The plus sign ⭐⭐ (10 minutes)
#
# **Goal.** The gradient of one residual layer, `y = x + tanh(x @ w)`.
#
# **In** `dy` and `x` of shape [B, D], `w` of shape [D, D]. **Out** the pair `(dx, dw)`.

# %% answer="residual_tanh_backward"
def residual_tanh_backward(dy, x, w):
    ### BEGIN SOLUTION
    dz = dy * (1 - np.tanh(x @ w)**2)
    return dy + dz @ w.T, x.T @ dz
    ### END SOLUTION

# %% check="residual_tanh_backward" points=2
check.residual_tanh_backward(residual_tanh_backward)

# %% [markdown]
# Now the experiment that it is for: 64 layers with faint weights, once by your second answer and once by your third.

# %% open=true
faint = tuple(0.3 * random.standard_normal((32, 32)) / np.sqrt(32) for _ in range(64))
stream, dx = [random.standard_normal((4, 32))], random.standard_normal((4, 32))
plain, _ = tanh_chain_backward(dx, faint, stream[0])
for w in faint:
    stream.append(stream[-1] + np.tanh(stream[-1] @ w))
for w, x in zip(faint[::-1], stream[-2::-1], strict=True):
    dx, _ = residual_tanh_backward(dx, x, w)
print("plain: less than 1e-30" if np.max(np.abs(plain)) < 1e-30 else "plain: something arrives")
print("residual: as long as it was, or longer" if np.std(dx) > 1 else "residual: it fades")

# %% [markdown]
# ## 4 · The scale at which it breathes ⭐⭐ (10 minutes)
#
# **Goal.** From the slopes that a gradient meets, find the scale of the weights at which it keeps its length.
#
# **In** `slopes`, an array [units] of values of $\varphi'(z)$; take them as they are, whatever the scale. **Out**
# one number. (For a ReLU whose units are open half of the time, you should find $\sqrt 2$.)

# %% answer="critical_scale"
def critical_scale(slopes):
    ### BEGIN SOLUTION
    return 1 / np.sqrt(np.mean(slopes**2))
    ### END SOLUTION

# %% check="critical_scale" points=2
check.critical_scale(critical_scale)

# %% [markdown]
# ## 5 · Predict the heat map ⭐ (5 minutes)
#
# **Goal.** Four chains of 64 layers, fresh, `x = activation(x @ w)`. Sort them by what arrives at the first layer,
# **the darkest first**. **Out** a list of the four names:
#
# - `"sigmoid"`: scale 1, no unit is flat
# - `"relu"`: scale 1, half of the units are flat
# - `"relu √2"`: scale $\sqrt 2$, half of the units are flat
# - `"tanh 3"`: scale 3, half of the units are flat
#
# Decide first. Then look at `gemma_edu.lab.vanishing_gradients.chain.flow`, or turn the dial in the chapter.

# %% answer="predict_the_map"
def predict_the_map():
    ### BEGIN SOLUTION
    return ["sigmoid", "relu", "relu √2", "tanh 3"]
    ### END SOLUTION

# %% check="predict_the_map" points=1
check.predict_the_map(predict_the_map)

# %% [markdown]
# ## 6 · Find the motorway ⭐⭐ (10 minutes)
#
# **Goal.** A bug hunt. Four people have written "a residual layer". In three of them the gradient of a fresh chain
# of 64 layers dies. Whose arrives?
#
# ```python
# A   y = sigmoid(x + x @ w)
# B   y = 0.5 * x + sigmoid(x @ w)        # "so that the stream does not grow"
# C   y = x + sigmoid(x @ w)
# D   y = sigmoid(x @ v) * x + sigmoid(x @ w)        # "a learned shortcut"; v is random, of scale 1
# ```
#
# **Out** one of `"A"`, `"B"`, `"C"`, `"D"`.

# %% answer="find_the_motorway"
def find_the_motorway():
    ### BEGIN SOLUTION
    return "C"
    ### END SOLUTION

# %% check="find_the_motorway" points=1
check.find_the_motorway(find_the_motorway)
