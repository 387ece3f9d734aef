# %% [markdown]
# # 03 · Exploding gradients: the cliff
#
# **The question.** A network learns well for an hour. Then, in a single step, everything it knew is gone. What
# happened in that step? And which of the usual remedies treats the cause, which only the symptom?
#
# **Afterwards you can** draw the cliff and say why it is steep, clip a gradient without bending it, explain why Adam
# needs its weight decay *beside* it, and find in the log of a run the step that threw the weights away.
#
# **Time.** 50 minutes to read, half a minute to run on any laptop. The file of this chapter is the lower half of
# `gemma_edu/numpy_gemma/train.py`; the experiments are in `gemma_edu/lab/exploding_gradients/cliff.py` and
# `gemma_edu/lab/exploding_gradients/first_bit.py`.
#
# **Terms 術語** exploding gradient 梯度爆炸 · loss surface 損失曲面 · cliff 懸崖 · spectral radius 譜半徑 ·
# eigenvalue 特徵值 · gradient clipping 梯度裁剪 · global norm 全域範數 · learning rate 學習率 ·
# weight decay 權重衰減 · L2 penalty L2懲罰項 · decoupled weight decay 解耦權重衰減 · loss scaling 損失縮放

# %%
import numpy as np

from gemma_edu import check_gradient
from gemma_edu.course import explore, picture, plot, source
from gemma_edu.course.figures import exploding_gradients as figures
from gemma_edu.course.figures import remedies
from gemma_edu.lab.exploding_gradients import cliff, first_bit, misclipped
from gemma_edu.lab.exploding_gradients.cells import back_in_time
from gemma_edu.lab.exploding_gradients.decay import adam_l2, adamw, left_over
from gemma_edu.numpy_gemma.train import adam, adam_start, clip_by_global_norm, global_norm

# %% [markdown]
# ## One unit, one bit
#
# The smallest recurrent network has one unit and two weights, $u$ and $b$:
#
# $$h_t = \tanh(u\,h_{t-1} + b)$$
#
# We ask it to remember one bit. Its memory begins at $+0.5$ for *yes* or at $-0.5$ for *no*. For fifty steps it sees
# nothing. Then it should say $+0.9$ for yes and $-0.6$ for no. The loss is the mean square of what is missing. We
# start at $u = 2.1$, $b = 0.35$ and let gradient descent walk: each step goes down the slope, by 0.1 times the
# gradient.

# %%
places, lengths = cliff.walk(2.1, 0.35, rate=0.1, steps=80)
losses = cliff.loss(*places.T)
for step in (0, 57, 58, 59):
    print(f"step {step}: loss {losses[step]:.4f}   length of the gradient {lengths[step]:.2f}")

# %% [markdown]
# At step 57 the loss was the best of the whole run. Two steps later it was the worst, and the gradient was zero:
# nothing will ever call these weights back.

# %%
picture(figures.leap(losses, lengths),
        "Left: the loss, jumping up now and then and falling lower each time, until at step "
        "59 it jumps and stays up. Right: the gradient stays below one, and at step 58 it is "
        "577.")

# %% [markdown]
# *For 58 steps no gradient was longer than one half. Then came one that was a thousand times longer.*
#
# ## The cliff
#
# With two weights we can look at the whole landscape. **Predict first.** The right answer needs a memory that does
# not fade, so $u$ must be large enough; and it needs a $b$ that favours neither yes nor no too much. What will
# separate the good weights from the bad ones: a slope, or an edge?

# %%
picture(figures.on_the_cliff({"gradient descent": places}),
        "A heat map of the loss over u and b. A dark wedge of good weights opens to the right "
        "from u = 1, with sharp edges above and below. A walk zigzags down along its upper "
        "edge, then leaves the picture in one straight line.")

# %% [markdown]
# *Dark is good. Inside the wedge the unit keeps its bit; across the edge it forgets it, and between the two there is
# a wall.*
#
# <details><summary>What happened, step by step</summary>
#
# The best weights lie at the tip of the wedge, close to its upper edge. The walk comes down along that edge. Nine
# times it steps over it and back: the wall is so thin that a step jumps across without ever standing on it, and all
# that can be seen of it are the bumps in the loss. At step 58 it *does* stand on it. The gradient there is the slope
# of the wall. It says the truth about a place a hair wide, and gradient descent believes it for a whole step: $0.1
# \times 577$.
# </details>
#
# This picture is ours, but the idea is not: Pascanu, Mikolov and Bengio drew such a wall for one unit and fifty steps
# in 2013, and gave the remedy that stands first below.
#
# ## Why it is steep
#
# A wall is nothing mysterious: it is the chain rule, fifty times. Here is the backward pass, from the last step to
# the first.

# %%
source(cliff.plain_backward, cliff.loss_backward)

# %%
u, b = cliff.starts(5)
check_gradient(cliff.loss, cliff.loss_backward, u, b)
print("the gradient by hand equals the gradient by nudging")

# %% [markdown]
# Each step back multiplies the gradient by the same kind of factor: the weight $u$ and the slope of tanh.
#
# $$\frac{\partial h_t}{\partial h_{t-1}} = u\,(1 - h_t^2)$$
#
# **On paper.** Stand on the edge itself, at the $b$ where a memory of $-0.5$ stays at $-0.5$: it does not yet know to
# which side it will fall. There the slope of tanh is $1 - 0.25 = 0.75$ at every step. With $u = 1.8$ the factor is
# $1.8 \times 0.75 = 1.35$. Fifty of them make $1.35^{50}$, three million. The slope of the loss along $b$ is a sum of
# such powers: the error $-0.5 + 0.6 = 0.1$, times 0.75, times $1 + 1.35 + 1.35^2 + \dots$

# %%
by_hand = 0.1 * 0.75 * (1.35**50 - 1) / 0.35
passed_back = cliff.slope_on_the_edge(1.8)
print(f"by hand {round(by_hand, -3):,.0f}   by the backward pass {round(passed_back, -3):,.0f}")
assert abs(by_hand / passed_back - 1) < 1e-3

# %%
picture(figures.wall(),
        "Left: the loss across the edge; a slope for five steps of memory, a vertical wall "
        "for fifty. Right, logarithmic: the steepness against the steps of memory; nearly "
        "flat at u = 1.33, straight lines upwards above it.")

# %% [markdown]
# *The longer the memory, the steeper the wall: on the edge its slope grows like $(0.75\,u)^T$.*
#
# The wall belongs to the task. A unit that keeps a bit must send $+0.5$ to one place and $-0.5$ to another, so
# somewhere between them two neighbours must part. Whoever wants a long memory has to live near a wall.
#
# ## Many units: the spectral radius
#
# With many units $u$ is a matrix, and a step back multiplies the gradient by its transpose and the slopes of tanh.
# How much longer does a gradient become when a matrix multiplies it again and again? A matrix has directions that it
# only stretches; how much, is an *eigenvalue*. (Where the matrix also turns, the eigenvalue is a complex number, and
# its size says how much it stretches.) In the long run the largest wins: its size is the **spectral radius**. On
# paper: $0.9^{100} = 0.00003$ and $1.1^{100} = 13\,781$.

# %%
source(first_bit.with_radius)

# %% [markdown]
# **Predict first.** Networks of 32 units, with radius 0.9, 1.0 and 1.1. Once they read nothing at all, and their
# memory stays at zero; once they read noise. We send a gradient of length one back through a hundred steps. Which of
# the six explode?

# %%
def reach(radii, loudness, seeds=8):
    weights = first_bit.draw(np.repeat(radii, seeds), M=len(radii) * seeds, C=32, D=4)
    x = loudness * np.random.default_rng(0).standard_normal((100, 4, 4))         # [T, B, D]
    return first_bit.reach(weights, x).reshape(-1, len(radii), seeds)

radii = [0.9, 1.0, 1.1]
panels = {title: dict(zip(["radius 0.9", "radius 1.0", "radius 1.1"],
                          np.moveaxis(reach(radii, loud), 1, 0), strict=True))
          for title, loud in [("in silence", 0.0), ("reading noise of 0.3", 0.3)]}
picture(figures.over_time(panels),
        "Two panels, logarithmic. In silence the gradient falls for radius 0.9, stays for 1.0 "
        "and grows to several thousand for 1.1. With noise it falls for all three.")

# %% [markdown]
# *In silence the radius decides. With something to read, even 1.1 fades.* (Lines: the mean over eight networks, on
# the logarithmic axis. Bands: from the smallest to the largest of them.)
#
# <details><summary>What happened, and why</summary>
#
# One of the six explodes: 1.1 in silence. In silence the memory is zero, where tanh has its full slope, 1, and
# nothing but $u$ counts. What is read pushes the units to the sides, where tanh is flat, and every slope below 1
# takes something away. So a radius above 1 is not *sufficient* for an explosion. (What is *necessary* is a largest
# singular value above 1, the most that a single step can stretch: Pascanu and colleagues prove it.)
# </details>
#
# Now the whole map, for many radii, each the mean of sixteen networks. The red line is radius 1. To the right of a
# dashed line the gradient has grown more than a thousandfold, to the right of a dotted line it has shrunk below a
# thousandth.

# %%
radii = np.linspace(0.5, 2.5, 21)
loudness = {"in silence": 0.0, "quiet noise, 0.1": 0.1, "loud noise, 1": 1.0}
maps = {title: np.exp(np.mean(np.log(reach(radii, loud, seeds=16)), axis=2)).T
        for title, loud in loudness.items()}
picture(figures.reach_map(radii, maps),
        "Three heat maps, spectral radius against steps back in time. In silence: dark below "
        "radius 1, bright above. With quiet noise only the top right grows. With loud noise "
        "it is dark up to a radius of about 1.7.")

# %% [markdown]
# *Exploding and vanishing are two sides of one border, and the input moves the border.*
#
# ## Remedy 1: clip
#
# The article behind this course names four remedies. The first looks at the symptom: if the gradient is too long,
# shorten it, and keep its direction. All weights together, by one common factor.

# %%
source(clip_by_global_norm, global_norm)

# %% [markdown]
# On paper: two arrays, $(3, 0)$ and $(4)$, are one vector $(3, 0, 4)$ of length 5. Clipped to length 1, everything is
# divided by 5. Clipped to length 6, nothing happens.

# %%
grads = {"a": np.array([3.0, 0.0]), "layers": (np.array([4.0]),)}
print(global_norm(grads))
print(clip_by_global_norm(grads, 1.0))
print(clip_by_global_norm(grads, 6.0))

# %% [markdown]
# **Predict first.** The same start, the same rate, but no gradient longer than 0.3. Does the walk stop at the wall,
# turn back before it, or go on?

# %%
clipped, _ = cliff.walk(2.1, 0.35, rate=0.1, clip=cliff.by_norm(0.3))
assert np.all(cliff.loss(*clipped[-100:].T) < 0.02)       # in its last hundred steps
picture(figures.on_the_cliff({"gradient descent": places, "clipped to length 0.3": clipped}),
        "The same heat map. The clipped walk takes the same way along the edge, meets the "
        "wall, and stays in the dark tip of the wedge; the other one leaves the picture.")

# %% [markdown]
# *Clipping does not take the wall away. It only refuses to believe that a slope so steep goes on for long.*
#
# <details><summary>What happened</summary>
#
# It goes on. Meeting the wall throws it back by $0.1 \times 0.3 = 0.03$ and no farther, and it walks down the edge to
# the tip of the wedge, where the loss stays below 0.02.
# </details>
#
# Turn the two knobs: the spectral radius with which the walk starts, and the length to which it is clipped.

# %%
explore(remedies.cliff_dial,
        "A walk over the cliff from the radius that you choose, with the threshold that you "
        "choose; beside it the length of the gradient at each step.",
        spectral_radius=(0.8, 2.5, 2.1, 0.1), clip=list(remedies.LONGEST))

# %% [markdown]
# *Of the walks that start at a radius of 1.4 or more, most leave when nothing is clipped, and none when anything is.
# A threshold of 0.03 is safe, and slow.*
#
# ### Its rivals
#
# One can also cut each number by itself, or each array by itself. (Keras, for example, has three arguments for it:
# `clipvalue` for each number, `clipnorm` for each array, and `global_clipnorm` for what is meant here.) What is lost
# is the direction:

# %%
picture(remedies.three_ways(),
        "Three fans of arrows. Whole: long and short ones. By global norm: the long ones end "
        "on a circle, on their own line. Number by number: they are bent into the corners of "
        "a square.")

# %% [markdown]
# *By global norm a gradient keeps its direction; number by number all long gradients point into a corner.*
#
# In a real network some arrays shout. Here is the gradient of sixteen units that have to keep a bit (we meet them
# below). It is clipped to a tenth of its length; or each array to that length; or each number to a tenth of that. How
# far is each result turned away from the gradient?

# %%
def turned(grads, other):
    a, b = (np.concatenate([each.ravel() for each in tree.values()]) for tree in (grads, other))
    return np.degrees(np.arccos(min(1.0, a @ b / np.linalg.norm(a) / np.linalg.norm(b))))

batch = first_bit.sequences(np.random.default_rng(0))
_, grads = first_bit.loss_and_gradient(first_bit.draw(1.5, M=1), *batch)
tenth = global_norm(grads) / 10
for clip, longest in [(clip_by_global_norm, tenth), (misclipped.each_by_itself, tenth),
                      (misclipped.by_value, tenth / 10)]:
    print(f"{clip.__name__:<20} turned by {turned(grads, clip(grads, longest)):2.0f} degrees")

# %% [markdown]
# ## Remedy 2: smaller steps
#
# If a step is too long, take a smaller rate. **Predict first.** Forty walks from random places, 400 steps each, for
# seven rates, clipped and not. Which corner of the map will be good?

# %% tags=["nbval-ignore-output"]
rates, longests = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0], [np.inf, 3.0, 1.0, 0.3, 0.1, 0.03]
u, b = cliff.starts(40)
rate, longest = (each[..., None] for each in np.meshgrid(rates, longests))
ends, _ = cliff.walk(u + 0 * rate, b + 0 * rate, rate, clip=cliff.by_norm(longest))
shares = np.mean(cliff.loss(*ends[-1]) < 0.02, axis=-1)
picture(remedies.share_map(rates, longests, shares),
        "A table of shares in colour. Without clipping no rate brings more than about half of "
        "the walks home; with a threshold of 0.1 nearly all arrive at rates from 0.1 to 0.5.")

# %% [markdown]
# *A small rate makes every step small, also where nothing threatens; clipping shortens only the steps that need it.*
#
# <details><summary>How to read the map</summary>
#
# The bottom row has no clipping. On its left the walks are too slow for 400 steps, on its right they leap (and a few
# land well by luck). In between there is no rate that is both fast and safe. Higher up, clipping opens a range of
# rates. Along a diagonal the product of rate and threshold, the longest possible step, is about the
# same. So what is good lies in a band, and of the corners only the upper right is good.
# </details>
#
# ## Remedy 3: weight decay
#
# Weight decay pulls every weight towards zero: $w \leftarrow w - \text{rate} \cdot \lambda\, w$, with a small number
# $\lambda$. Less $u$ means a smaller radius, and a smaller radius means no wall. **Predict first.** What does it
# cost?

# %% tags=["nbval-ignore-output"]
u, b = cliff.starts(150)
for decay in (0.0, 0.01, 0.03, 0.1, 0.3):
    ends, _ = cliff.walk(u, b, rate=0.1, decay=decay)
    keeps = np.mean(cliff.loss(*ends[-1]) < 0.02)
    radius = np.median(np.abs(ends[-1][0]))
    print(f"decay {decay:<5} keeps the bit: {keeps:4.0%}   median radius |u|: {radius:.2f}")

# %% [markdown]
# A little decay helps: it draws the walk down to the tip of the wedge. Ten times as much draws it out of the wedge,
# below $u = 1$. There is no wall there, because there is no memory. *Decay treats the cause, and the cause is what we
# wanted.* Pascanu and colleagues warned of just this.
#
# ### Why decoupled
#
# For plain gradient descent one may as well add $\lambda w^2/2$ to the loss, the **L2 penalty**: its gradient is
# $\lambda w$, and the step is the same. For Adam it is not. Adam divides each weight's gradient by the usual size of
# that gradient. If the decay is part of the gradient, it is divided, too. (In the code `m` is a running mean of the
# gradient and `v` of its square. Both begin at 0, and the divisions by `1 - b**t` make up for that.)

# %%
source(adam, adam_l2, adamw)

# %% [markdown]
# **Predict first.** Weights that all begin at 1 get gradients of pure noise, faint ones for some, loud ones for
# others. Only decay moves them in the mean. Which of them will be small after a thousand steps?

# %%
noise = np.logspace(-2, 2, 17)
left = {"L2 inside Adam": left_over(adam_l2, noise),
        "decoupled (AdamW)": left_over(adamw, noise)}
picture(remedies.left_over(noise, left),
        "What is left of a weight against the size of its gradient. Decoupled: 0.41 "
        "everywhere. L2: nothing is left of weights with faint gradients, nearly everything "
        "of those with loud ones.")

# %% [markdown]
# *Inside Adam the penalty spares just those weights whose gradients are large; beside Adam it treats all alike.*
#
# On paper: beside Adam, 1000 steps of rate 0.003 and decay 0.3 leave $(1 - 0.0009)^{1000} = 0.41$. Inside, with
# noise of 100, the pull is a hundred times weaker: $0.99$ is left. (Bands: the middle eight tenths of 200 weights.)
#
# For years "weight decay" in the usual libraries meant the penalty, also inside Adam. Loshchilov and Hutter showed
# the difference in 2017 (published in 2019). In PyTorch both still stand side by side: `Adam(weight_decay=…)` is the
# first, `AdamW` is the second.
#
# ## Remedy 4: gates
#
# The gate of chapter 01 keeps a share of the memory and overwrites only the rest: $h_t = z\,h_{t-1} + (1 -
# z)\tanh(\dots)$. Each step back now multiplies by $z + (1 - z)\,u\,(1 - \tanh^2)$: for $z = 0.95$ and $u\,(1 -
# \tanh^2) = 1.35$ that is 1.0175, and fifty of them make 2.4 instead of three million. **Predict first.** What will
# the cliff look like?

# %%
source(cliff.gated, cliff.gated_backward)

# %%
gated, _ = cliff.walk(2.1, 0.35, rate=0.1, steps=200, unit=cliff.gated)
picture(figures.gate_beside({"no gate": (cliff.plain, places),
                             "a gate that keeps 95 %": (cliff.gated, gated)}),
        "Two heat maps of the same two weights. Without a gate: a wedge with sharp edges, and "
        "a walk that leaves. With a gate: a wedge with soft slopes, and a walk that arrives "
        "in a dark valley.")

# %% [markdown]
# *A gate makes time run slower: fifty steps of a unit that keeps 95 % are as steep as a few of one that keeps
# nothing.*
#
# All four on the same 150 walks, in three groups of fifty. Smaller steps get 0.05, the best rate of the map above.
# (Lines: the mean. Bands: from the worst group to the best.)

# %% tags=["nbval-ignore-output"]
remedy = {"nothing": {}, "clipped to 0.3": {"clip": cliff.by_norm(0.3)},
          "smaller steps: 0.05": {"rate": 0.05}, "weight decay: 0.03": {"decay": 0.03},
          "a gate": {"unit": cliff.gated}}
shares = {}
for name, choice in remedy.items():
    walks, _ = cliff.walk(u, b, **{"rate": 0.1, **choice})
    loss = cliff.loss(*np.moveaxis(walks[::20], 1, 0), choice.get("unit", cliff.plain))
    shares[name] = np.mean((loss < 0.02).reshape(-1, 3, 50), axis=2).T
picture(remedies.learned(shares, every=20),
        "The share of walks that keep the bit, over 400 steps. With a gate it rises to nearly "
        "all, with clipping to about nine tenths, with decay and with smaller steps to about "
        "half; with no remedy it falls back to almost none.")

# %% [markdown]
# *Here a gate and clipping save most walks, decay and smaller steps about half.*
#
# ### Are gates a cure?
#
# It is often said that LSTM and GRU solve vanishing *and* exploding gradients. Let us test it: real cells from
# `gemma_edu/numpy_gemma/recurrent.py`, their own backward passes, recurrent weights of radius 3 and of radius 8, four
# networks each. **Predict first.** Which cells explode at 3, and which at 8?

# %%
def four(name, radius):
    return np.stack([back_in_time(name, radius, seed=seed) for seed in range(4)], axis=1)

panels = {name: {f"radius {radius:g}": four(name, radius) for radius in (3, 8)}
          for name in ("RNN", "GRU", "LSTM")}
picture(figures.over_time(panels),
        "Three panels, logarithmic. At radius 3 the gradient of the RNN grows by a factor of "
        "more than ten thousand, those of GRU and LSTM far less. At radius 8 all three grow "
        "beyond a hundred thousand.")

# %% [markdown]
# *Gates move the border; they do not abolish it.* At radius 3 only the RNN explodes, at 8 all three. In an LSTM the
# path along the cell $c$ is multiplied by forget gates, which are never above 1. But $h$ feeds every gate, and that
# way around has weights like any other. So LSTMs are trained with clipping, too: Sutskever, Vinyals and Le (2014)
# used it for theirs.
#
# ## A network of sixteen units
#
# One unit is a toy. Here are eight networks of sixteen units with radius 1.5. They read a bit, then 29 numbers of
# noise, and must say the bit at the end. Plain gradient descent on fresh sequences, 200 steps of rate 0.1. A
# network that burst, whose loss is above 2 at the end, is dashed.

# %%
logs = {"nothing": first_bit.train(), "clipped to 1": first_bit.train(longest=1.0),
        "smaller steps: 0.03": first_bit.train(rate=0.03),
        "weight decay: 0.01": first_bit.train(decay=0.01)}
picture(remedies.runs(logs),
        "Eight training runs for each remedy, loss above and length of the gradient below. "
        "With nothing, several runs burst. Clipped, and with smaller steps, none does. With "
        "decay some do.")

# %% [markdown]
# *An explosion is not a slope but an event: a run that looks like its neighbours is gone within a few steps.*
#
# How many of the eight have learned the bit, and how many burst?

# %% tags=["nbval-ignore-output"]
for name, (losses, _, _) in logs.items():
    last = np.mean(losses[-20:], axis=0)
    print(f"{name:<20} learned {np.sum(last < 0.1)} of 8   burst {np.sum(~(last < 2))} of 8")

# %% [markdown]
# *Clipped, they learn at a rate at which about half burst without it.* A third of the rate prevents the bursts, too;
# that is one honest use of smaller steps, if one has the patience to find the rate. Decay did not prevent them: the
# leap is over in a single step, and decay is slow.
#
# **Predict first.** The bit lies thirty steps back. How much of a gradient gets there before training, and how much
# in the eight networks that have learned?

# %%
x, _ = first_bit.sequences(np.random.default_rng(0))
stages = {"before training": first_bit.draw(1.5),
          "after it, clipped to 1": logs["clipped to 1"][2]}
picture(figures.over_time({name: {"eight networks": first_bit.reach(weights, x)}
                           for name, weights in stages.items()}),
        "Two panels, logarithmic. Before training the gradient falls to about a tenth in "
        "thirty steps; after it, to a few thousandths, with a band from above one to almost "
        "nothing.")

# %% [markdown]
# *After training less of the gradient gets through, in the mean of the eight.* And the spectral radius? And where on
# the tanh do the units stand?

# %% tags=["nbval-ignore-output"]
for name, weights in stages.items():
    radius = np.abs(np.linalg.eigvals(weights["u"])).max(axis=-1)
    memory = first_bit.unroll(x, weights["w"], weights["u"], weights["b"])[1:]
    print(f"{name:<22} spectral radius {radius.mean():.1f}   "
          f"slope of tanh {np.mean(1 - memory**2):.2f}   (means)")

# %% [markdown]
# A larger radius, a flatter tanh, and a smaller gradient.
#
# <details><summary>Why less</summary>
#
# A bit is kept safely where nothing moves it: towards the ends of tanh, where the slope is small. On such a plateau
# the gradient fades, and between two plateaus there is the wall. A network that remembers has both at once.
# </details>
#
# ## And Adam?
#
# Adam divides by the size of the gradient, so it cannot leap: a single step is at most a few rates long. Does it need
# clipping at all? A weight gets a gradient of 1 at every step, but once, at step 50, of 1000.

# %%
def steps_of_adam(longest, steps=600):
    weight, state, moved = np.zeros(1), adam_start(np.zeros(1)), []
    for step in range(steps):
        grad = clip_by_global_norm(np.array([1000.0 if step == 50 else 1.0]), longest)
        new, state = adam(weight, grad, state, rate=0.01)
        moved.append(float(weight[0] - new[0]) / 0.01)
        weight = new
    return moved

curves = {"not clipped": steps_of_adam(np.inf), "clipped to 1": steps_of_adam(1.0)}
picture(plot.lines(curves, xlabel="step of learning", ylabel="length of a step, in rates"),
        "The length of Adam's steps. Clipped: always one. Not clipped: after step 50 it falls "
        "to almost nothing, and five hundred steps later it is still far below one.")

# %% [markdown]
# *Adam does not leap, it goes deaf: one loud gradient fills its memory of sizes, and for hundreds of steps everything
# else is divided by it.* Clipping keeps the memory clean. This course trains its own models with both.
#
# ## What goes wrong
#
# **1. NaN passes the clip.** A clip compares, and NaN compares as false with everything. Written in one way the NaN
# passes as it came, in another it spreads over every weight. Both are silent. (PyTorch's `clip_grad_norm_` has an
# argument `error_if_nonfinite`; its default is False.)

# %%
bad = {"a": np.array([1.0, np.nan]), "b": np.array([2.0, 3.0])}
print("passes: ", misclipped.unasked(bad, 1.0))
print("spreads:", misclipped.spread(bad, 1.0))
try:
    clip_by_global_norm(bad, 1.0)
except FloatingPointError as error:
    print("ours:   ", error)

# %% [markdown]
# **2. The squares overflow.** In float16 nothing is larger than 65504, so the *square* of any number from 256 on is
# infinite. The gradient is fine, its length is not, and a clip by infinity is a multiplication by zero. Ours adds up
# in float64.

# %%
half = {"w": np.full(4, 300, np.float16)}
with np.errstate(over="ignore"):
    print("in float16:", np.sqrt(np.sum(half["w"]**2)), "  in float64:", global_norm(half))

# %% [markdown]
# **3. Clipped in the wrong unit.** With float16 one multiplies the loss by a large number, so that small gradients
# do not become zero, and divides the gradients by it before the step. Clip before dividing, and *every* gradient is
# clipped to next to nothing. A well-known U-Net in PyTorch did so, until somebody looked (milesial/Pytorch-UNet,
# pull request 470).

# %%
scale, true = 65536.0, {"w": np.array([0.3, 0.4])}
scaled = {"w": true["w"] * scale}
first_divide = clip_by_global_norm({"w": scaled["w"] / scale}, 1.0)
first_clip = {"w": clip_by_global_norm(scaled, 1.0)["w"] / scale}
print(f"true {global_norm(true):.1f}   divide, then clip {global_norm(first_divide):.1f}   "
      f"clip, then divide {global_norm(first_clip):.6f}")

# %% [markdown]
# ## Where the folklore is wrong, and how we know
#
# The article lists its four remedies together, as remedies for one disease. But the wall is the cause and the leap
# off it the symptom, and our cells say what each remedy is good for:
#
# | remedy | treats | what we measured | its price |
# |---|---|---|---|
# | clipping | the leap | no leap at all; about nine walks in ten arrive | a threshold to choose |
# | smaller steps | the leap, a little | no rate was fast and safe; about half arrive at best | slow everywhere |
# | weight decay | the wall | helps in small doses | in large doses, the memory |
# | gates | the wall | slopes for walls; LSTM and GRU explode later, not never | more weights |
#
# And two sayings did not hold. "A spectral radius above 1 makes gradients explode": with something to read it took
# more than that, and with loud noise a radius of 1.5 *vanished*. "Gates solve exploding gradients": at radius 8 they
# did not.
#
# Gemma has no recurrent weights; no matrix is multiplied fifty times. But 18 layers are a product, too (chapter 05).
# So both trainings of this course, in NumPy (chapter 09) and in JAX (chapter 11), clip the gradient to length 1.
#
# ## Remember
#
# 1. The gradient of a long memory is a product; near the border between two memories it is a wall, as steep as a
#    power.
# 2. Clip by global norm: one length, one factor, no change below the threshold, and an error where there is no
#    length.
# 3. Smaller steps, decay and gates change how often you meet the wall. Decay stands beside Adam, never inside.
#
# **Read.** Pascanu, Mikolov and Bengio, *On the difficulty of training recurrent neural networks* (2013). Loshchilov
# and Hutter, *Decoupled Weight Decay Regularization* (2019). **Do** the
# [exercises](../exercises/03_exploding_gradients.ipynb).
