# %% [markdown]
# # Exercises 06 · RoPE
#
# Six exercises, about 70 minutes. Replace the line that raises `NotImplementedError`, run the cell, then run the
# check below it. It says **correct**, **not yet** (and why), or **not attempted**. From the second failure on it
# unfolds hints.

# %%
import ml_dtypes
import numpy as np

from gemma_edu import check_gradient
from gemma_edu.course import check, picture
from gemma_edu.course.figures import rope as figures
from gemma_edu.lab.rope import misturned
from gemma_edu.numpy_gemma import position

# %% [markdown]
# ## 1 · The rotation ⭐⭐ (15 minutes)
#
# **Goal.** Turn each pair of coordinates by an angle that grows with the position.
#
# **In** `x` of shape [B, T, N, H] in float32 or float64, `positions` of shape [B, T] (whole numbers; a text may begin
# anywhere), the base, and the stretch: a position counts for 1/stretch. **Out** an array like `x`, of the same dtype.
#
# Coordinate $i$ is paired with $i + H/2$; a pair needs $\mathrm{base}^{\,2i/H}$ positions for one radian.

# %% answer="rope"
def rope(x, positions, base=10_000.0, stretch=1.0):
    ### BEGIN SOLUTION
    a, b = np.split(x, 2, axis=-1)
    half = a.shape[-1]
    wavelength = base ** (np.arange(half) / half)
    angle = positions[:, :, None, None] / stretch / wavelength
    sin, cos = np.sin(angle), np.cos(angle)
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1).astype(x.dtype)
    ### END SOLUTION

# %% check="rope" points=3
check.rope(rope)

# %% [markdown]
# From here on the exercises use the package's own, `position.rope`, so that each can be done alone.
#
# ## 2 · Only the distance ⭐⭐ (10 minutes)
#
# **Goal.** The score of a query at position $m$ and a key at position $n$ is `rope(q, m) · rope(k, n)`, with the
# usual base. Compute it from the distance $m - n$ alone, **with one rotation instead of two**.
#
# **In** `q` and `k`, each of shape [H], and `distance` = $m - n$, a whole number that may be negative. **Out** the
# score, a `float`. Prove on paper that it works before you run it.

# %% answer="relative_score"
def relative_score(q, k, distance):
    ### BEGIN SOLUTION
    turned = position.rope(q[None, None, None], np.array([[distance]]))[0, 0, 0]
    return float(turned @ k)
    ### END SOLUTION

# %% check="relative_score" points=2
check.relative_score(relative_score)

# %% [markdown]
# If it is right, then this is the theorem: two hundred pairs of positions, all over a long text, and not one of the
# scores knows more than a difference.

# %% open=true
random = np.random.default_rng(2)
q, k = random.standard_normal((2, 16))
for m, n in random.integers(0, 8192, (200, 2)):
    both = position.rope(np.stack([q, k])[None, :, None], np.array([[m, n]]))[0, :, 0]
    assert np.isclose(both[0] @ both[1], relative_score(q, k, m - n))
print("200 pairs of positions, and only the distance counts")

# %% [markdown]
# ## 3 · The gradient ⭐⭐ (10 minutes)
#
# **Goal.** Bring a gradient down through the rotation.
#
# **In** `dy` like `x`, then `x`, `positions`, `base` and `stretch` as in exercise 1. **Out** `dx`, like `x`.
# (Positions are whole numbers; they get no gradient.) Write down the matrix of one pair first, then its transpose.

# %% answer="rope_backward"
def rope_backward(dy, x, positions, base=10_000.0, stretch=1.0):
    ### BEGIN SOLUTION
    return position.rope(dy, -positions, base, stretch)
    ### END SOLUTION

# %% check="rope_backward" points=2
check.rope_backward(rope_backward)

# %% [markdown]
# Two witnesses that need no reference: nudging, and the lengths.

# %% open=true
random = np.random.default_rng(3)
x, dy = random.standard_normal((2, 2, 6, 3, 8))
positions = np.stack([np.arange(6), np.arange(6) + 400])
check_gradient(position.rope, rope_backward, x, positions)
dx = rope_backward(dy, x, positions)
assert np.allclose(np.linalg.norm(dx, axis=-1), np.linalg.norm(dy, axis=-1))
print("confirmed by nudging, and every length is kept")

# %% [markdown]
# ## 4 · What a format can count ⭐ (10 minutes)
#
# **Goal.** For a number format, find the first position that it turns into another one, and how many different places
# are left for S positions.
#
# **In** `dtype` (such as `ml_dtypes.bfloat16` or `np.float16`) and `S`; the positions are 0 … S − 1. **Out** the pair
# `(first, places)` of whole numbers. For bfloat16 and 8192 you know both from the chapter.

# %% answer="lost_positions"
def lost_positions(dtype, S):
    ### BEGIN SOLUTION
    every = np.arange(S)
    held = every.astype(dtype).astype(float)
    return int(np.argmax(held != every)), len(np.unique(held))
    ### END SOLUTION

# %% check="lost_positions" points=2
check.lost_positions(lost_positions)

# %% open=true
for dtype in (ml_dtypes.bfloat16, np.float16):
    print(np.dtype(dtype).name, lost_positions(dtype, 8192))

# %% [markdown]
# ## 5 · Bug hunt: which rope is broken? ⭐⭐⭐ (20 minutes)
#
# **Goal.** You are handed a function `turn(q, k, positions)` that returns both vectors turned. Somebody wrote it, and
# you may call it as often as you like, with any numbers. Say what is wrong with it.
#
# **In** `turn`; `q` and `k` of shape [B, T, N, H], `positions` of shape [B, T]. **Out** one of
#
# - `"neighbours"`: coordinate 2i is paired with 2i + 1,
# - `"backwards"`: everything turns the other way,
# - `"queries only"`: keys are not turned,
# - `"bfloat16"`: positions are rounded to bfloat16,
# - `"fine"`: none of these. **A rope whose scores are all right is fine**, even if it counts from 1.
#
# Look before you write. This is one suspect; change the name to see the others (`right`, `neighbours`, `backwards`,
# `queries_only`, `in_bfloat16`, `from_one`):

# %%
def grid(turn, positions, H=8):
    """Scores of one query and one key at many positions: [T, S]."""
    T = positions.shape[1]
    q, k = (np.tile(each, (1, T, 1, 1)) for each in np.random.default_rng(3).standard_normal((2, H)))
    return figures.scores(*turn(q, k, positions))

suspects = {name: grid(getattr(misturned, name), np.arange(40)[None]) for name in ("right", "queries_only")}
picture(figures.maps(suspects), "Two heat maps of scores: diagonals, and stripes that run to the right.")

# %% answer="which_rope_bug"
def which_rope_bug(turn):
    ### BEGIN SOLUTION
    near, far = np.arange(40)[None], np.arange(400, 440)[None]
    scores = grid(turn, near)
    if np.allclose(scores, scores[:, :1]):
        return "queries only"
    if not np.allclose(scores, grid(turn, far)):
        return "bfloat16"
    if np.allclose(scores, grid(misturned.right, near)):
        return "fine"
    return "backwards" if np.allclose(scores, grid(misturned.right, -near)) else "neighbours"
    ### END SOLUTION

# %% check="which_rope_bug" points=4
check.which_rope_bug(which_rope_bug)

# %% [markdown]
# ## 6 · Predict the base ⭐ (5 minutes)
#
# **Goal.** For longer texts, Gemma 3 raises the base from 10,000 to 1,000,000 in the layers that look far. What
# happens to the speed of the first pair (i = 0), and to that of the last (i = H/2 − 1)?
#
# **Out** two words, for the first pair and the last: each is `"slower"`, `"same"` or `"faster"`. Decide first, then
# try it with your `rope`.

# %% answer="predict_the_base"
def predict_the_base():
    ### BEGIN SOLUTION
    return "same", "slower"
    ### END SOLUTION

# %% check="predict_the_base" points=1
check.predict_the_base(predict_the_base)
