# %% [markdown]
# # Exercises 09 · Gemma in NumPy
#
# Six exercises, about 90 minutes; the hunt is the heart of them. Replace the line that raises `NotImplementedError`,
# run the cell, then run the check below it. It says **correct**, **not yet** (and why), or **not attempted**. From
# the second failure on it unfolds hints.

# %%
import numpy as np

from gemma_edu.course import check
from gemma_edu.lab.gemma_in_numpy import hunt

# %% [markdown]
# ## 1 · The block ⭐⭐ (15 minutes)
#
# **Goal.** Put a layer together: gather from other positions, then think alone; both only ever add to the stream.
#
# **In** `cfg` with the functions `cfg.norm`, `cfg.mixer` and `cfg.mlp`; `fixed`, which the mixer wants; `x` of shape
# [B, T, D]; `positions` [B, T]; then a dict of weights for each place: `mixer_norm`, `mixer`, `mlp_norm`, `mlp`, to be
# handed over by name (`**mlp`). The mixer is called as `cfg.mixer(cfg, fixed, h, positions, **mixer, cache=cache)`
# and returns `(h, cache)`. The tap may be left alone.
#
# **Out** the pair `(x, cache)`.

# %% answer="block"
def block(cfg, fixed, x, positions, mixer_norm, mixer, mlp_norm, mlp, cache=None, tap=None):
    ### BEGIN SOLUTION
    h, cache = cfg.mixer(cfg, fixed, cfg.norm(x, **mixer_norm), positions, **mixer, cache=cache)
    x = x + h
    x = x + cfg.mlp(cfg.norm(x, **mlp_norm), **mlp)
    return x, cache
    ### END SOLUTION

# %% check="block" points=3
check.block(block)

# %% [markdown]
# ## 2 · The tied gradient ⭐⭐ (15 minutes)
#
# **Goal.** The gradient of the table that is used twice: at the foot as `table[tokens] * sqrt(D)`, at the head as
# `logits = h @ table.T`.
#
# **In** `tokens` [B, T]; `dx` [B, T, D], the gradient at the stream just after the foot; `h` [B, T, D], the
# normalised stream at the head; `dlogits` [B, T, V]; `table` [V, D]. **Out** the gradient of the table, [V, D].

# %% answer="tied_gradient"
def tied_gradient(tokens, dx, h, dlogits, table):
    ### BEGIN SOLUTION
    dtable = np.einsum("BTV,BTD->VD", dlogits, h)
    np.add.at(dtable, tokens, dx * np.sqrt(table.shape[1]))
    return dtable
    ### END SOLUTION

# %% check="tied_gradient" points=3
check.tied_gradient(tied_gradient)

# %% [markdown]
# ## 3 · What the cache saves ⭐ (10 minutes)
#
# **Goal.** How many positions does a model read to write `new` tokens after a prompt of `prompt` tokens: with a
# cache, and without one? **Out** the pair of whole numbers `(with_cache, without)`.

# %% answer="positions_read"
def positions_read(prompt, new):
    ### BEGIN SOLUTION
    return prompt + (new - 1), sum(prompt + written for written in range(new))
    ### END SOLUTION

# %% check="positions_read" points=1
check.positions_read(positions_read)

# %% [markdown]
# ## 4 · A test that can fail ⭐⭐ (10 minutes)
#
# **Goal.** Write the comparison that DeepMind's test should have used: True if the two arrays have the same shape
# and no number differs by more than the tolerance. NaN is close to nothing.
#
# **In** two arrays and a number. **Out** True or False.

# %% answer="is_close"
def is_close(given, wanted, tolerance):
    ### BEGIN SOLUTION
    return given.shape == wanted.shape and bool(np.all(np.abs(given - wanted) <= tolerance))
    ### END SOLUTION

# %% check="is_close" points=2
check.is_close(is_close)

# %% [markdown]
# ## 5 · What argmax does not see ⭐ (10 minutes)
#
# **Goal.** An experiment. In `hunt` lie eight patients: models with one bug each. `hunt.patient(n)` gives the logits
# of patient n, from 1 to 8; `hunt.healthy()` the right ones; and `hunt.symptoms(logits, right)` returns (effect at
# position 0, effect later, number of argmaxes changed). How many of the eight change **no** argmax? Guess first.
# **Out** a whole number, computed.

# %% answer="unseen_by_argmax"
def unseen_by_argmax():
    ### BEGIN SOLUTION
    right = hunt.healthy()
    return sum(hunt.symptoms(hunt.patient(number), right)[2] == 0 for number in range(1, 9))
    ### END SOLUTION

# %% check="unseen_by_argmax" points=2
check.unseen_by_argmax(unseen_by_argmax)

# %% [markdown]
# ## 6 · The hunt ⭐⭐⭐ (30 minutes)
#
# **Goal.** Each of the eight patients has one bug of the twelve in `hunt.SUSPECTS`; four suspects are innocent. You
# cannot read off the code who has which: a hash has dealt them out. You can examine:
#
# - `hunt.patient(n, params, tokens)` gives the logits for **weights and tokens of your choice**, and
#   `hunt.healthy(params, tokens)` the right ones. The defaults are `hunt.PARAMS` and `hunt.TOKENS`.
# - `hunt.changed("mixer", "wq", lambda w: w / 2)` gives weights with one of them changed in every layer. The slots are
#   `mixer_norm`, `mixer` (wq wk wv wo), `mlp_norm` and `mlp` (gate up down).
#
# Begin with position 0. Then look for a **cure**: undo the bug that you suspect in the weights; if you are right,
# the patient's logits become the healthy ones, to the last digit. **Out** a dict from the patient's number to its
# bug.

# %%
for number in range(1, hunt.PATIENTS + 1):
    first, later, changed = hunt.symptoms(hunt.patient(number), hunt.healthy())
    print(f"patient {number}: row 0 {first:8.1e}   later {later:8.1e}   argmaxes changed: {changed}")

# %% answer="hunt"
def diagnosis():
    ### BEGIN SOLUTION
    def apart(number, params=hunt.PARAMS, tokens=hunt.TOKENS, cure=None):
        gap = hunt.patient(number, cure or params, tokens) - hunt.healthy(params, tokens)
        return np.max(np.abs(gap), axis=(0, 2))                      # position by position

    smaller = hunt.changed("mixer", "wq", lambda w: w * 8**-0.5)     # H = 8
    assert np.max(apart(2, cure=smaller)) < 1e-12                    # its queries were too long
    ones = hunt.changed("mixer_norm", "scale", lambda w: w + 1)
    ones = hunt.changed("mlp_norm", "scale", lambda w: w + 1, ones)
    ones["final_norm"] = {"scale": ones["final_norm"]["scale"] + 1}
    assert np.max(apart(6, cure=ones)) < 1e-12                       # it lacked the one
    swapped = {**hunt.PARAMS, "layers": tuple(
        {**w, "mixer": {**w["mixer"], "wk": w["mixer"]["wv"], "wv": w["mixer"]["wk"]}} for w in hunt.PARAMS["layers"])}
    assert apart(8, tokens=hunt.TOKENS[:, :1], cure=swapped)[0] < 1e-12      # at position 0 no rotation disturbs
    deaf = hunt.changed("mixer", "wo", lambda w: 0 * w)["layers"][1]
    one_ear = {**hunt.PARAMS, "layers": (hunt.PARAMS["layers"][0], deaf)}    # only the first layer gathers
    two = hunt.TOKENS[:, :2]
    assert apart(3, one_ear, two)[1] < 1e-12 < apart(5, one_ear, two)[1]     # without a mask the last token is well
    faint = {**hunt.PARAMS, "embed": 1e-4 * hunt.PARAMS["embed"]}
    assert np.max(apart(4, faint)) < 0.01 * np.std(hunt.healthy(faint)) < np.max(apart(7, faint))
    return {1: "RoPE on q only", 2: "no query scale", 3: "no mask", 4: "GELU: erf", 5: "strict causal: no self",
            6: "norm without + 1", 7: "epsilon outside the root", 8: "k and v swapped"}
    ### END SOLUTION

# %% check="hunt" points=5
check.hunt(diagnosis)
