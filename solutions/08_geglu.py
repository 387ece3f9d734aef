# %% [markdown]
# # Exercises 08 · GeGLU
#
# Six exercises, about 75 minutes. Replace the line that raises `NotImplementedError`, run the cell, then run the
# check below it. It says **correct**, **not yet** (and why), or **not attempted**. From the second failure on it
# unfolds hints.

# %%
import numpy as np

from gemma_edu import check_gradient
from gemma_edu.course import check
from gemma_edu.numpy_gemma import gelu_erf, silu
from gemma_edu.numpy_gemma.gates import gelu_backward

# %% [markdown]
# ## 1 · Gemma's GELU ⭐ (5 minutes)
#
# **Goal.** A number times its own switch, in the form that Gemma was trained with:
#
# $$\mathrm{gelu}(x) = \tfrac{1}{2}\,x\,\Big(1 + \tanh\big(\sqrt{2/\pi}\,(x + 0.044715\,x^3)\big)\Big)$$
#
# **In** `x`, an array of any shape. **Out** an array like it, of the same dtype. (`np.sqrt(2)` is a float64 of NumPy's,
# and makes a float32 array one; a plain number, as from `math.sqrt(2)` or `2**0.5`, does not.)

# %% answer="gelu"
def gelu(x):
    ### BEGIN SOLUTION
    u = (2 / np.pi) ** 0.5 * (x + 0.044715 * x**3)
    return 0.5 * x * (1 + np.tanh(u))
    ### END SOLUTION

# %% check="gelu" points=1
check.gelu(gelu)

# %% [markdown]
# ## 2 · GeGLU ⭐ (10 minutes)
#
# **Goal.** Gemma's whole MLP: the choice is bent and decides how much of the value gets through.
#
# **In** `x` of shape [B, T, D], `gate` and `up` of shape [D, F], `down` of shape [F, D]. **Out** an array like `x`. Use
# your `gelu`, and `@`.

# %% answer="geglu"
def geglu(x, gate, up, down):
    ### BEGIN SOLUTION
    return (gelu(x @ gate) * (x @ up)) @ down
    ### END SOLUTION

# %% check="geglu" points=2
check.geglu(geglu)

# %% [markdown]
# ## 3 · Its gradient ⭐⭐⭐ (25 minutes)
#
# **Goal.** Bring a gradient down through the three matrices. The slope of GELU is given: `gelu_backward(dy, x)` returns
# `dy` times the slope at `x`.
#
# **In** `dy` like `x`, then `x`, `gate`, `up`, `down` as before. **Out** the tuple `(dx, dgate, dup, ddown)`, shaped
# like the four arguments. On paper first, for one unit and one position.

# %% answer="geglu_backward"
def geglu_backward(dy, x, gate, up, down):
    ### BEGIN SOLUTION
    z, v = x @ gate, x @ up
    dh = dy @ down.T
    dz, dv = gelu_backward(dh * v, z), dh * gelu(z)
    dx = dz @ gate.T + dv @ up.T
    dgate, dup = np.einsum("BTD,BTF->DF", x, dz), np.einsum("BTD,BTF->DF", x, dv)
    return dx, dgate, dup, np.einsum("BTF,BTD->FD", gelu(z) * v, dy)
    ### END SOLUTION

# %% check="geglu_backward" points=4
check.geglu_backward(geglu_backward)

# %% [markdown]
# Finite differences need no reference at all. If your gradient is right, this passes.

# %% open=true
random = np.random.default_rng(1)
shapes = [(2, 3, 5), (5, 7), (5, 7), (7, 5)]
check_gradient(geglu, geglu_backward, *(random.standard_normal(shape) for shape in shapes))
print("confirmed by nudging")

# %% [markdown]
# ## 4 · The width at equal weights ⭐⭐ (10 minutes)
#
# **Goal.** A plain MLP has the hidden width F. How wide is a gated MLP with as many weights? Hardware likes round
# numbers, so go *up* to the next multiple of `multiple` (and stay where you are if it is one). For F = 16 384 and 256
# you should find the 11 008 of Llama 7B; for F = 24 576, the 16 384 of Gemma 2B.
#
# **In** the whole numbers `F` and `multiple`. **Out** a whole number. Stay with whole numbers all the way.

# %% answer="gated_width"
def gated_width(F, multiple):
    ### BEGIN SOLUTION
    return -(-2 * F // (3 * multiple)) * multiple
    ### END SOLUTION

# %% check="gated_width" points=2
check.gated_width(gated_width)

# %% [markdown]
# ## 5 · Which beginnings can learn? ⭐⭐ (10 minutes)
#
# **Goal.** Some of the matrices of a GeGLU begin at zero, the others at random. Predict which beginnings can learn at
# all: whether any matrix has a gradient that is not zero. Decide first, with the product in your mind. If you like,
# compute it afterwards.
#
# **In** `beginnings`, a list; each item is a tuple of the names that begin at zero, such as `("gate", "down")` or `()`.
# **Out** a list of `True` and `False`, one for each.

# %% answer="can_learn"
def can_learn(beginnings):
    ### BEGIN SOLUTION
    return [len(zeros) <= 1 for zeros in beginnings]
    ### END SOLUTION

# %% check="can_learn" points=2
check.can_learn(can_learn)

# %% [markdown]
# ## 6 · Bug hunt: five MLPs, one is right ⭐⭐ (15 minutes)
#
# **Goal.** You are handed five functions `mlp(x, gate, up, down)` and may only call them. Each is one of these:
#
# | name | what it computes before `down` |
# |---|---|
# | `"right"` | gelu(x @ gate) · (x @ up) |
# | `"erf"` | the same with the exact GELU, `gelu_erf` |
# | `"silu"` | the same with `silu` |
# | `"swapped"` | (x @ gate) · gelu(x @ up) |
# | `"twice"` | gelu(x @ gate) · gelu(x @ up) |
#
# Think about the input before you write code. One hidden unit on a stream of one coordinate is enough, and most inputs
# do *not* tell all five apart. The all-ones test of Gemma's first release does not.
#
# **In** `mlps`, a list of five functions. **Out** the list of their five names, in the same order.

# %% answer="name_the_mistakes"
def name_the_mistakes(mlps):
    ### BEGIN SOLUTION
    z, v, one = np.array([[2.7]]), np.array([[-1.3]]), np.ones((1, 1))
    looks = {"right": gelu(z) * v, "erf": gelu_erf(z) * v, "silu": silu(z) * v,
             "swapped": z * gelu(v), "twice": gelu(z) * gelu(v)}

    def name(mlp):
        y = mlp(one[None], z, v, one)
        return min(looks, key=lambda each: abs(y - looks[each]).item())
    return [name(mlp) for mlp in mlps]
    ### END SOLUTION

# %% check="name_the_mistakes" points=3
check.name_the_mistakes(name_the_mistakes)
