# %% [markdown]
# # Exercises 01 · Gates
#
# Six exercises, about 75 minutes. Replace the line that raises `NotImplementedError`, run the cell, then run the
# check below it. It says **correct**, **not yet** (and why), or **not attempted**. From the second failure on it
# unfolds hints.

# %%
import numpy as np

from gemma_edu import check_gradient
from gemma_edu.course import check
from gemma_edu.numpy_gemma import gate

# %% [markdown]
# A gate, as in the chapter: `gate(x, h, w, u, b)` is `sigmoid(x @ w + h @ u + b)`, and you may use it from exercise 2
# on. Wherever an argument is called after a gate (`forget`, `update`, …) it is the triple `(w, u, b)`, so that
# `gate(x, h, *forget)` is that gate. Shapes: `x` [B, D], a memory [B, C], `w` [D, C], `u` [C, C], `b` [C].
#
# ## 1 · A switch that survives ⭐ (10 minutes)
#
# **Goal.** The sigmoid, right for every number from −1000 to 1000, and without an overflow on the way: the check
# makes NumPy raise an error where one happens.
#
# **In** `x`, an array of any shape, float32 or float64. **Out** an array like `x`.

# %% answer="sigmoid"
def sigmoid(x):
    ### BEGIN SOLUTION
    small = np.exp(-np.abs(x))                   # never above 1
    return np.where(x >= 0, 1, small) / (1 + small)
    ### END SOLUTION

# %% check="sigmoid" points=2
check.sigmoid(sigmoid)

# %% [markdown]
# ## 2 · One step of an LSTM ⭐⭐ (10 minutes)
#
# **Goal.** Keep what the forget gate leaves, add what the input gate lets in, show what the output gate opens.
#
# **In** `x` [B, D]; `state`, the pair `(h, c)` of what is shown and what is kept, [B, C] each; four triples. The
# candidate uses tanh where a gate uses the sigmoid. **Out** the new pair `(h, c)`.

# %% answer="lstm_cell"
def lstm_cell(x, state, forget, input, output, candidate):
    ### BEGIN SOLUTION
    h, c = state
    w, u, b = candidate
    new = np.tanh(x @ w + h @ u + b)
    c = gate(x, h, *forget) * c + gate(x, h, *input) * new
    return gate(x, h, *output) * np.tanh(c), c
    ### END SOLUTION

# %% check="lstm_cell" points=2
check.lstm_cell(lstm_cell)

# %% [markdown]
# ## 3 · One step of a GRU ⭐⭐ (10 minutes)
#
# **Goal.** Slide from the old memory to a new one. As in Cho et al. (2014), an open update gate *keeps*, and the reset
# gate closes the old memory's way into the candidate *before* the matrix.
#
# **In** `x` [B, D], `h` [B, C], three triples. **Out** the new `h` [B, C].

# %% answer="gru_cell"
def gru_cell(x, h, update, reset, candidate):
    ### BEGIN SOLUTION
    z, r = gate(x, h, *update), gate(x, h, *reset)
    w, u, b = candidate
    return z * h + (1 - z) * np.tanh(x @ w + (r * h) @ u + b)
    ### END SOLUTION

# %% check="gru_cell" points=2
check.gru_cell(gru_cell)

# %% [markdown]
# ## 4 · The gradient of a gate ⭐⭐⭐ (20 minutes)
#
# **Goal.** A gradient `dy` arrives at the switches of $g = \sigma(x\,w + h\,u + b)$. Bring it down to all five
# arguments.
#
# **In** `dy` [B, C], then `x`, `h`, `w`, `u`, `b`. **Out** `(dx, dh, dw, du, db)`, each shaped like its argument.

# %% answer="gate_backward"
def gate_backward(dy, x, h, w, u, b):
    ### BEGIN SOLUTION
    y = gate(x, h, w, u, b)
    dz = dy * y * (1 - y)
    return dz @ w.T, dz @ u.T, x.T @ dz, h.T @ dz, np.sum(dz, axis=0)
    ### END SOLUTION

# %% check="gate_backward" points=4
check.gate_backward(gate_backward)

# %% [markdown]
# Finite differences need no reference at all. If your gradient is right, this passes:

# %% open=true
random = np.random.default_rng(1)
shapes = [(3, 2), (3, 4), (2, 4), (4, 4), 4]
check_gradient(gate, gate_backward, *(random.standard_normal(shape) for shape in shapes))
print("confirmed by nudging")

# %% [markdown]
# ## 5 · The forget bias ⭐⭐ (10 minutes)
#
# **Goal.** You know your task: something must be remembered for so many steps. If only the bias sets the forget gate,
# which bias leaves exactly **half** of a memory after `steps` steps? Check by hand: for one step the gate must be half
# open, so the bias is 0; for ten steps it is about 2.63.
#
# **In** `steps`, a number from 0.2 to 10,000. **Out** a number, the bias.

# %% answer="forget_bias"
def forget_bias(steps):
    ### BEGIN SOLUTION
    keep = 0.5**(1 / steps)
    return np.log(keep / (1 - keep))
    ### END SOLUTION

# %% check="forget_bias" points=2
check.forget_bias(forget_bias)

# %% [markdown]
# ## 6 · The bug hunt: a gate turned round ⭐⭐ (15 minutes)
#
# A friend has trained a GRU in a library in which an open update gate *writes*:
# $h' = (1 - z) \cdot h + z \cdot n$. You loaded its weights into `gru_cell`, where an open gate *keeps*, and it talks
# nonsense. You may not touch the cell.
#
# **Goal.** Change the weights so that the cell of this course does what your friend's did. **In** `update`, the triple
# `(w, u, b)` as it was trained. **Out** a triple for `gru_cell`.

# %% answer="turn_round"
def turn_round(update):
    ### BEGIN SOLUTION
    w, u, b = update
    return -w, -u, -b                            # 1 - sigmoid(z) is sigmoid(-z)
    ### END SOLUTION

# %% check="turn_round" points=2
check.turn_round(turn_round)

# %% [markdown]
# And here is the proof, in the open: your friend's step and yours, with your weights.

# %% open=true
x, h = random.standard_normal((3, 2)), random.standard_normal((3, 4))
update, reset, candidate = ([random.standard_normal(shape) for shape in [(2, 4), (4, 4), 4]]
                            for _ in range(3))
z, r = gate(x, h, *update), gate(x, h, *reset)
new = np.tanh(x @ candidate[0] + (r * h) @ candidate[1] + candidate[2])
assert np.allclose((1 - z) * h + z * new, gru_cell(x, h, turn_round(update), reset, candidate))
print("the same memory, by two conventions")
