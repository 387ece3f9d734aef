# %% [markdown]
# # Exercises 03 · Exploding gradients
#
# Five exercises, about an hour. Replace the line that raises `NotImplementedError`, run the cell, then run the check
# below it. It says **correct**, **not yet** (and why), or **not attempted**. From the second failure on it unfolds
# hints.

# %%
import numpy as np

from gemma_edu.course import check, picture
from gemma_edu.course.figures import remedies
from gemma_edu.lab.exploding_gradients import first_bit
from gemma_edu.lab.exploding_gradients.decay import adam_l2, left_over
from gemma_edu.numpy_gemma.train import adam, global_norm
from gemma_edu.numpy_gemma.tree import leaves, tree_map

# %% [markdown]
# ## 1 · Clip by global norm ⭐⭐ (15 minutes)
#
# **Goal.** Shorten a gradient to a length, all weights together, and keep its direction.
#
# **In** `grads`, a tree of arrays: a dict, with dicts and tuples in it; and `longest`, a positive number. **Out** a
# tree of the same shapes and dtypes. A gradient that is not longer than `longest` comes back as it was, also when it
# is zero. If its length is not finite, there is no direction to keep: raise a `FloatingPointError` that says so.
#
# `leaves(tree)` lists the arrays of a tree, and `tree_map(f, tree)` makes a tree of `f(array)`.

# %% answer="clip_by_global_norm"
def clip_by_global_norm(grads, longest):
    ### BEGIN SOLUTION
    squares = [np.sum(np.square(leaf, dtype=np.float64)) for leaf in leaves(grads)]
    length = float(np.sqrt(sum(squares)))
    if not np.isfinite(length):
        raise FloatingPointError(f"the length of the gradient is {length}: it has no direction")
    factor = min(1.0, longest / max(length, 1e-12))
    return tree_map(lambda leaf: leaf * factor, grads)
    ### END SOLUTION

# %% check="clip_by_global_norm" points=3
check.clip_by_global_norm(clip_by_global_norm)

# %% [markdown]
# A gradient in which one array shouts. Your function should leave the others the same share of the whole as before.

# %% open=true
grads = {"loud": np.full(3, 100.0), "layers": (np.array([1.0, -2.0]), np.array([0.5]))}
clipped = clip_by_global_norm(grads, 1.0)
shares = [clipped["layers"][0] / clipped["loud"][0], grads["layers"][0] / grads["loud"][0]]
print(f"length {global_norm(clipped):.2f}   shares {shares[0]}, before {shares[1]}")

# %% [markdown]
# ## 2 · Set the radius ⭐ (5 minutes)
#
# **Goal.** Stretch the recurrent weights until their spectral radius is what was asked for. The spectral radius is the
# size of the largest eigenvalue; eigenvalues are complex, and their size is their absolute value.
#
# **In** `u` of shape [C, C] and the number `radius`. **Out** an array of shape [C, C].

# %% answer="with_radius"
def with_radius(u, radius):
    ### BEGIN SOLUTION
    return u * (radius / np.max(np.abs(np.linalg.eigvals(u))))
    ### END SOLUTION

# %% check="with_radius" points=1
check.with_radius(with_radius)

# %% [markdown]
# Now see what the radius means: how long can a vector of length one become by many multiplications? From one line to
# the next it should grow by about $1.1^{10} = 2.6$, or shrink by $0.9^{10} = 0.35$.

# %% open=true
u = np.random.default_rng(0).standard_normal((16, 16))
for radius in (0.9, 1.1):
    stretched = with_radius(u, radius)
    for steps in (80, 90, 100):
        longest = np.linalg.norm(np.linalg.matrix_power(stretched, steps), 2)
        print(f"radius {radius}, {steps:3} steps: {longest:.2g}")

# %% [markdown]
# ## 3 · Decay beside Adam ⭐⭐ (10 minutes)
#
# **Goal.** AdamW: Adam takes its step on the gradient as it came, and beside it every weight decays by
# `rate · decay · weight`, from what it was before the step.
#
# **In** `params` and `grads`, trees of the same shape; `state`, Adam's memory; the numbers `rate` and `decay`. **Out**
# the pair `(params, state)` after the step. Use the course's `adam(params, grads, state, rate)`, which returns such a
# pair, too.

# %% answer="adamw"
def adamw(params, grads, state, rate, decay):
    ### BEGIN SOLUTION
    moved, state = adam(params, grads, state, rate)
    return tree_map(lambda old, new: new - rate * decay * old, params, moved), state
    ### END SOLUTION

# %% check="adamw" points=2
check.adamw(adamw)

# %% [markdown]
# The picture of the chapter, with your function in it. The dashed line should be flat.

# %% open=true
noise = np.logspace(-2, 2, 9)
left = {"L2 inside Adam": left_over(adam_l2, noise),
        "decoupled: yours": left_over(adamw, noise)}
picture(remedies.left_over(noise, left),
        "What is left of weights against the size of their gradient: the penalty inside Adam "
        "rises from zero to one, decoupled decay is flat.")

# %% [markdown]
# ## 4 · Find the step that exploded ⭐⭐⭐ (20 minutes)
#
# A run has died, and what is left is its log: the length of the gradient at each step. Perhaps the log ends in NaN.
# The step that did it usually comes *before* the first NaN, and it need not be the tallest: after an explosion all is
# possible.
#
# **Goal.** The first step whose norm is not finite, or is more than `times` the median of the norms of the `window`
# steps just before it (of fewer, where there are fewer). At step 0, where nothing stands before, only the first reason
# counts.
#
# **In** `norms` of shape [steps], and the numbers `times` and `window`. **Out** the number of the step, a whole number
# counted from 0; or -1 if nothing exploded.

# %% answer="step_that_exploded"
def step_that_exploded(norms, times, window):
    ### BEGIN SOLUTION
    for step, norm in enumerate(norms):
        before = norms[max(0, step - window):step]
        if not np.isfinite(norm) or step > 0 and norm > times * np.median(before):
            return step
    return -1
    ### END SOLUTION

# %% check="step_that_exploded" points=4
check.step_that_exploded(step_that_exploded)

# %% [markdown]
# Eight real runs: the networks of sixteen units of the chapter, without clipping. Which of them does your function
# suspect, and what came of those? (A suspect may recover: a single leap does not always kill.)

# %% open=true tags=["nbval-ignore-output"]
losses, lengths, _ = first_bit.train()
for run in range(8):
    step = step_that_exploded(lengths[:, run], times=50.0, window=20)
    end = "learned" if np.mean(losses[-20:, run]) < 0.1 else "did not learn"
    print(f"run {run}: {end:<14} {'nothing exploded' if step < 0 else f'step {step} exploded'}")

# %% [markdown]
# ## 5 · Predict the gradient ⭐ (5 minutes)
#
# **Goal.** An RNN of 32 tanh units has spectral radius 1.3. It reads noise ten times louder than the loudest of the
# chapter's heat maps. What becomes of a gradient on its way back through a hundred steps? **Out** one of `"explodes"`,
# `"vanishes"`, `"stays"`. Decide first; then try it as the chapter does.

# %% answer="predict_loud_inputs"
def predict_loud_inputs():
    ### BEGIN SOLUTION
    return "vanishes"
    ### END SOLUTION

# %% check="predict_loud_inputs" points=1
check.predict_loud_inputs(predict_loud_inputs)
