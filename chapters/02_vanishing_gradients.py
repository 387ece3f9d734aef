# %% [markdown]
# # 02 · Vanishing gradients: where the signal dies
#
# **The question.** A network learns because its loss sends a message down to every layer: *change like this, and I
# get smaller*. The message passes every layer on its way. How much of it arrives at the first?
#
# **Afterwards you can** read the heat map that returns throughout this course, work out from one number whether a
# chain of layers will learn, bring a gradient down a deep chain by hand, and say which of the well-known remedies
# cures what.
#
# **Time.** 60 minutes to read, half a minute to run on any laptop. The files of this chapter are
# `gemma_edu/lab/vanishing_gradients/chain.py`, `gemma_edu/lab/vanishing_gradients/wiring.py` and, once more,
# `gemma_edu/numpy_gemma/recurrent.py`.
#
# **Terms 術語** gradient 梯度 · vanishing gradient 梯度消失 · exploding gradient 梯度爆炸 ·
# activation function 激勵函數 · saturation 飽和 · Jacobian 雅可比矩陣 · chain rule 連鎖律 · depth 深度 ·
# weight initialization 權重初始化 · batch normalization 批次正規化 · residual connection 殘差連接 ·
# highway network 高速公路網路 · heat map 熱度圖

# %%
from functools import partial

import numpy as np

from gemma_edu import check_gradient
from gemma_edu.course import explore, picture, source
from gemma_edu.course.figures import vanishing_gradients as figures
from gemma_edu.course.figures.gates import open_gates
from gemma_edu.lab.rms_norm import tower
from gemma_edu.lab.vanishing_gradients import recall, spirals
from gemma_edu.lab.vanishing_gradients.chain import chain, climb, descend, flow, lengths
from gemma_edu.lab.vanishing_gradients.wiring import batch_norm, highway, no_norm, plain, residual
from gemma_edu.numpy_gemma import geglu, gelu, relu, rms_norm, sigmoid, tanh
from gemma_edu.numpy_gemma.gradient import backward

# %% [markdown]
# ## Eighteen layers of sigmoid
#
# Here is the simplest deep network there is. A layer weighs its input and bends it, `x = sigmoid(x @ w)`, and 18 of
# them stand on top of each other: as many as Gemma 2B has. The weights are random, drawn so that weighing alone
# would keep the length of a vector. (A *length* in this chapter is that of the average coordinate: the root mean
# square.)
#
# **Predict first.** At the top we put in a gradient of length one, and the backward pass brings it down. How much
# arrives at the bottom: a half, a hundredth, a millionth, or less than a billionth?

# %%
layer = partial(plain, sigmoid, no_norm)     # a layer is a function with its choices filled in
arrives = flow(layer, L=18)
for number in (18, 12, 6, 0):
    print(f"after layer {number:2}: {arrives[number]:.0e}")

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# Less than a billionth: $5 \cdot 10^{-12}$ (layer 0 is the input). The slope of a sigmoid is ¼ at best, as chapter
# 01 drew it, so every layer leaves a little less than a quarter of what it was handed. A quarter to the power of 18
# is $1.5 \cdot 10^{-11}$.
# </details>
#
# Sigmoid was only one choice. Here are four activations, one in each row. The gradient starts at the right, where it
# has length one, and travels to the left. **Bright: it arrives. Dark: it has died.** Each step of the colour is a
# factor, not a difference.

# %%
activations = {"sigmoid": sigmoid, "tanh": tanh, "relu": relu, "gelu": gelu}
picture(figures.flow_map({"": [flow(partial(plain, f, no_norm)) for f in activations.values()]},
                         list(activations), ylabel="activation"),
        "A heat map of four rows over layers 0 to 18, all bright at the right. To the left sigmoid "
        "turns dark, below ten to the minus eleven; gelu and relu turn green; tanh stays bright.")

# %% [markdown]
# *The same weights, the same depth, and the input hears a fifth, two thousandths, or next to nothing.*
#
# Keep this map in mind. We shall see it with time in place of layers, with training steps in place of rows, and in
# chapter 12 it is drawn from inside Gemma.
#
# ## By hand
#
# One layer has two steps, $z = x\,W$ and $y = \varphi(z)$. Backwards, they are undone in reverse. A gradient $dy$
# meets the **slope** of the activation first, and then the weights, turned round:
#
# $$dz = dy \cdot \varphi'(z) \qquad dx = dz\,W^\top \qquad dW = x^\top dz$$

# %%
source(plain, backward(plain))

# %% [markdown]
# (Here `norm` does nothing yet; its turn will come. `backward(f)` is the gradient that stands beside `f` in its
# file.)
#
# On paper: a chain of three layers of one unit each, all weights 1, and $x = 0$. Going up:
# $\sigma(0) = 0.5$, $\sigma(0.5) = 0.622$, $\sigma(0.622) = 0.651$. The slope of a sigmoid is $y(1 - y)$, so
# coming down we multiply by $0.651 \cdot 0.349 = 0.227$, then by $0.235$, then by $0.25$. That makes $0.0134$.

# %%
one = [{"w": np.ones((1, 1))}] * 3
stream = climb(layer, one, np.zeros((1, 1)))
grads, _ = descend(np.ones((1, 1)), layer, one, stream)
print("upwards:  ", [round(float(x[0, 0]), 3) for x in stream])
print("downwards:", [round(float(dx[0, 0]), 4) for dx in reversed(grads)])

# %% [markdown]
# With many units, a number is replaced by a matrix: the **Jacobian** $J$ of a layer says how much each number that
# comes out moves when one that went in is nudged. The chain rule makes a product of them:
#
# $$dx_0 = dx_L \; J_L \; J_{L-1} \cdots J_1 \qquad J = \mathrm{diag}(\varphi'(z))\,W^\top$$
#
# Most of the trouble with depth is in this one line. `descend` never builds a Jacobian, it only
# multiplies through, layer after layer. Finite differences, which trust nobody, agree with it:

# %%
random = np.random.default_rng(0)
small, x = chain(layer, L=18, D=8, scale=4.0), random.standard_normal((3, 8))
weights = tuple(each["w"] for each in small)

def top(x, weights):
    return climb(layer, [{"w": w} for w in weights], x)[-1]

def top_backward(dy, x, weights):
    named = [{"w": w} for w in weights]
    grads, dweights = descend(dy, layer, named, climb(layer, named, x))
    return grads[0], tuple(dw["w"] for dw in dweights)

check_gradient(top, top_backward, x, weights, tolerance=1e-7)
print("18 layers: the gradient by hand equals the gradient by nudging")

# %% [markdown]
# A product of matrices does something that a product of numbers cannot: it has favourites. We build the Jacobian of
# the first 1, 2, 4, 8, 16 layers of a tanh chain, and sort its directions by how much they are stretched (its
# singular values).

# %%
tanh_layer, at = partial(plain, tanh, no_norm), random.standard_normal((1, 64))
weights = chain(tanh_layer, L=16, D=64)
stream = climb(tanh_layer, weights, at)
stretched = {}
for L in (1, 2, 4, 8, 16):      # each row of the Jacobian is a gradient that was brought down
    rows = [descend(row[None], tanh_layer, weights[:L], stream[:L + 1])[0][0][0]
            for row in np.eye(64)]
    stretched[f"{L} layers" if L > 1 else "1 layer"] = np.linalg.svd(rows, compute_uv=False)
picture(figures.spectra(stretched),
        "Five falling curves on a logarithmic axis. For one layer, directions are stretched by "
        "almost two down to a few thousandths; for 16 layers the curve falls below ten to the "
        "minus twelve.")

# %% [markdown]
# *A deep chain keeps a few directions and forgets the rest: even where the length survives, most of the message
# does not.* (Saxe, McClelland and Ganguli, 2013, study this spectrum.)
#
# And it dies **upwards, too**. The same Jacobians say how far apart two inputs are after each layer. In the sigmoid
# chain, two inputs that have nothing in common:

# %%
two = climb(layer, chain(layer, L=18, D=64), random.standard_normal((2, 64)))
for number in (0, 6, 12, 18):
    [apart] = lengths([two[number][0] - two[number][1]])
    print(f"after layer {number:2}: apart by {apart:.0e}")

# %% [markdown]
# The last layer can hardly tell which of the two it saw. A chain that forgets its input upwards has nothing to say
# about it downwards; it is one loss, counted twice.
#
# ## Is it saturation?
#
# The textbook's explanation is saturation: a unit far out on the sigmoid's shoulder is flat, its slope is nearly
# zero, and the gradient stops there. Let us look at the slopes that a gradient really meets: in all 18 layers, for
# all units, once with the usual weights (scale 1) and once with weights three times as large.
#
# **Predict first.** Call a unit *flat* if its slope is below 0.1. In our dying sigmoid chain, are nearly all units
# flat, half of them, or none? (The lower titles give the share, at scale 1 → at scale 3.)

# %%
slopes = {name: [figures.met(f, scale) for scale in (1, 3)] for name, f in activations.items()}
picture(figures.saturation(slopes, (1, 3)),
        "Above, four activations and their slopes. Below, histograms of the slopes met. "
        "Sigmoid at scale 1: nearly all just below a quarter, next to none flat. At scale 3 a "
        "quarter is flat, and half of the units for tanh, relu and gelu.")

# %% [markdown]
# *In the chain that died fastest, not one unit in a hundred is flat: even at its best a sigmoid passes a quarter.*
#
# So what counts? Not the flat units, but the average over all of them. A gradient is multiplied by the slopes
# $\varphi'(z)$, and then by weights of a certain scale. Lengths add as squares, so per layer it changes by
#
# $$\text{factor} = \text{scale} \times \sqrt{\text{mean of } \varphi'(z)^2}$$
#
# Below 1 it dies, above 1 it explodes, and depth is the exponent.
#
# That formula is a prediction, and we can test it: on one side the slopes, on the other what really happened to a
# gradient on its way down, as a factor per layer, in five chains.

# %%
print("activation  scale   flat   scale × slope   measured per layer")
for name, f in activations.items():
    for scale, met in zip((1, 3), slopes[name], strict=True):
        layers = partial(plain, f, no_norm)
        factor = [flow(layers, scale=scale, seed=seed)[0] ** (1 / 18) for seed in range(5)]
        [slope] = lengths([met])
        print(f"{name:<10}{scale:6} {np.mean(np.abs(met) < 0.1):7.0%} {scale * slope:12.2f}"
              f" {np.mean(factor):14.2f} ± {np.std(factor):.2f}")

# %% [markdown]
# The two columns agree. Read the rows of scale 3: half of the tanh's units are flat, and its gradient *explodes*; a
# quarter of the sigmoid's are, and its gradient dies more slowly than before. Saturation is real, we shall see it
# kill a chain below. But it is not why a fresh sigmoid chain is deaf.
#
# A ReLU has slope one, everybody says, so nothing can be lost. But it has it in half of its units, and
# $\sqrt{1/2} = 0.71$. Draw its weights $\sqrt 2$ times larger, and the factor is one: this is the initialisation of
# He and others (2015), derived on one line. Glorot and Bengio (2010) had done it for tanh near zero. Turn the
# three knobs, and find the scale at which each activation breathes:

# %%
explore(figures.dial,
        "Two lines over the layers of one chain: the length of the stream on its way up, and "
        "of the gradient on its way down, which falls below ten to the minus eleven.",
        depth=(2, 64, 18), activation=list(activations), scale=(0.25, 4.0, 1.0, 0.05))

# %% [markdown]
# *Each breathes at a scale of its own: tanh a little above 1, ReLU and GELU between 1.4 and 1.5. A sigmoid finds no
# such scale on this dial.*
#
# All scales at once, for two of them and 32 layers. White lines are lines of equal length; orange is off the scale.

# %%
scales = np.linspace(0.5, 3.0, 26)[::-1]
maps = {name: [flow(partial(plain, f, no_norm), L=32, scale=scale) for scale in scales]
        for name, f in {"tanh": tanh, "relu": relu}.items()}
picture(figures.flow_map(maps, [f"{scale:.1f}" for scale in scales],
                         ylabel="scale of the weights", low=1e-9, high=1e4),
        "Two heat maps, scale against layer. Below a scale of about one the left side is "
        "dark. Above the root of two the relu chain soon turns orange, exploded; the tanh "
        "chain turns brighter.")

# %% [markdown]
# *Between dying and exploding there is a line, not a field. A tanh forgives more than a ReLU on the loud side,
# because its units go flat: there, saturation is a brake.*
#
# ## Before and after training
#
# A fresh network is one thing. What does training do to the flow? We need a task that no shallow network solves at
# a glance: two spirals, and on which of them does a point lie? Each chain has 18 layers of 24 units, and takes 80
# steps of Adam (chapter 03 opens it up; it gives every weight a pace of its own, so that small gradients alone do
# not stop it).
#
# **Predict first.** Four chains: sigmoid; ReLU at scale √2; tanh with small steps; tanh with large steps.
# Which of them is dark at the bottom before training, and which after?

# %%
runs = {"sigmoid": (sigmoid, 1.0, 0.01), "relu √2": (relu, 2**0.5, 0.003),
        "tanh, small steps": (tanh, 1.0, 0.003), "tanh, large steps": (tanh, 1.0, 0.02)}
trained = {name: spirals.train(partial(plain, f, no_norm), rate=rate, scale=scale)
           for name, (f, scale, rate) in runs.items()}
picture(figures.flow_map({name: arrived[::-1] for name, (_, _, arrived) in trained.items()},
                         range(80)[::-1], ylabel="step of training",
                         high=1e3, lines=False, width=11.5),
        "Four heat maps, layer against training step. Sigmoid is dark at the left in all "
        "steps. relu and tanh with small steps stay bright. tanh with large steps begins "
        "bright and turns dark.")

# %% [markdown]
# *A chain that is born deaf stays deaf; a chain that hears can be deafened by training.*
#
# <details><summary>Which was which</summary>
#
# The sigmoid chain is dark before and after: nothing tells its lower layers how to become less dark. ReLU and the
# tanh with small steps are bright all the way, and even louder in between. The tanh with large steps begins bright,
# and after some thirty steps its lower layers hear about a millionth.
# </details>
#
# What happened to the tanh? Count its flat units, before and after, and what was learned (a coin's loss is 0.69):

# %% tags=["nbval-ignore-output"]
def flat(f, params, points):
    rows = climb(partial(plain, f, no_norm), params["layers"], points @ params["first"])
    slopes = [1 - tanh(x @ w["w"])**2 for x, w in zip(rows, params["layers"], strict=False)]
    return np.mean(np.array(slopes) < 0.1)

points, arm = spirals.spirals(96, seed=0)
fresh = spirals.network(partial(plain, tanh, no_norm), D=24)
print(f"fresh              {flat(tanh, fresh, points):4.0%} flat")
for name in ("tanh, small steps", "tanh, large steps"):
    params, loss, _ = trained[name]
    print(f"{name:<18} {flat(tanh, params, points):4.0%} flat, loss {loss:.2f}")

# %% [markdown]
# Here is the saturation of the textbooks. It is not where a chain begins: it is where steps that are too large can
# take it. Units slide out on the shoulder, where hardly a gradient is left to call them back.
#
# ## Over time
#
# A recurrent network is a deep chain as well: one layer for each step of time, and all of them have the *same*
# weights. Chapter 01 trained three of them. Here is what a gradient meets on its way back through 100 steps. We put
# it in at the last step, and a tap in the package's own backward pass listens at every step:

# %%
source(recall.echo)

# %% [markdown]
# **Predict first.** An LSTM was invented against the vanishing gradient (Hochreiter and Schmidhuber, 1997). We
# compare a plain RNN with GRUs and LSTMs whose keeping gate begins with a bias of 0, 1 or 3: half open, 73 % open,
# 95 % open. Who is darker after 100 steps: the RNN, or the LSTM with bias 0?

# %%
memories = {name: np.array([recall.through_time(memory, seed) for seed in range(5)])
            for name, memory in recall.MEMORIES.items()}
words = {"ylabel": "memory", "start": 1, "label": "length of the gradient\n(at the end: 1)"}
middle_ones = [np.median(each, axis=0) for each in memories.values()]
picture(figures.flow_map({"": middle_ones}, list(memories),
                         xlabel="step of time T   (the gradient travels ←)", **words),
        "A heat map of six memories over 100 steps. GRU and LSTM with bias 0 are the darkest "
        "at the first step, the RNN is less dark, LSTM with bias 1 green; GRU and LSTM with "
        "bias 3 are bright.")

# %% [markdown]
# *It is not the gate that carries a gradient through time, but an* open *gate: half open, it is darker than none.*
#
# The map shows the middle one of five draws. The spread matters, above all for the RNN, whose worst draw is as dark
# as any half-open gate:

# %%
picture(figures.over_time(memories),
        "Six curves with bands over 100 steps, falling to the left. The RNN's band is ten "
        "powers of ten wide at the first step; the band of the GRU with bias 3 is hardly "
        "wider than its line.")

# %% [markdown]
# *How far an RNN hears is luck, ten powers of ten of it; an open gate takes most of the luck out.*
#
# <details><summary>Why a bias decides</summary>
#
# Through the cell of an LSTM, a gradient is multiplied by the forget gate, once a step: by $\sigma(b)$, as long as
# the gates have not learned to look. Half open, $0.5^{100} = 8 \cdot 10^{-31}$. With bias 1, the start
# that Keras gives an LSTM, $0.73^{100} = 2 \cdot 10^{-14}$. With bias 3, $0.95^{100} = 0.8\ \%$; with bias 5, a
# half. What we measure is more, because a state has other ways into the future (through what it shows, and through
# what it says to the gates), and for an LSTM those ways can also add up to more than one.
# </details>

# %%
print("bias   gate open   open^100   GRU measured   LSTM measured")
for bias in (0, 1, 2, 3, 4, 5):
    measured = [recall.through_time(partial(kind, float(bias)))[0]
                for kind in (recall.gru, recall.lstm)]
    open_ = sigmoid(np.array(float(bias)))
    print(f"{bias:4} {open_:11.1%} {open_**100:10.0e} {measured[0]:14.0e} {measured[1]:15.0e}")

# %% [markdown]
# Gers, Schmidhuber and Cummins (2000) gave the LSTM its forget gate; Jozefowicz and others (2015) noted how much its
# bias matters; Tallec and Ollivier (2018) choose it from the number of steps that are to be remembered.
#
# Does it matter for learning? The task is as plain as it can be: the first step shows a sign, +1 or -1, then come 99
# steps of noise, then say the sign. Each memory was trained for 80 steps with five seeds. That takes some minutes,
# so it was done beforehand (`python -m gemma_edu.lab.vanishing_gradients.recall` does it again); one of them starts
# once more right here:

# %%
found = recall.results()
here = [loss for loss, _ in recall.learn(recall.MEMORIES["RNN"], steps=10, seed=0)]
assert np.allclose(here, found["RNN"][0]["loss"][:10], atol=0.01)
print("the first ten losses of the RNN, here and in the file: equal")

# %%
arrived = {name: [run["before"][0] for run in each] for name, each in found.items()}
learned = {name: [np.mean(run["loss"][-10:]) for run in each] for name, each in found.items()}
picture(figures.verdicts(arrived, learned, where="at step 10 (at step 100: 1)"),
        "Left, dots for six memories and five seeds: what arrives at step 10. Right, the "
        "loss after training: near 0.69, a coin, for RNN, GRU with bias 0, LSTM with bias 0 "
        "and 1; near zero for GRU with bias 3; anything between for LSTM with bias 3.")

# %% [markdown]
# *Who hears nothing learns nothing: of 30 memories, only those with nearly open gates recall the sign.*
#
# The GRU with bias 3 learned it with all five seeds, the LSTM with two, and two more were on their way. One reason
# may be that a GRU has one gate for both: what keeps the old shuts out the new. An LSTM's input gate begins half
# open, and 99 steps of noise walk in. The same map as above, before training and after:

# %%
maps = {f"{when} training": [np.median([run[when] for run in each], axis=0)
                             for each in found.values()] for when in ("before", "after")}
picture(figures.flow_map(maps, list(found), width=11.5, **words,
                         xlabel="step of time T, in tens   (the gradient travels ←)"),
        "Two heat maps of six memories. GRU and LSTM with bias 0 are dark before and after "
        "training. The GRU with bias 3 is bright in both.")

# %% [markdown]
# *What was dark before training is dark after it: hardly a gradient was left to tell the gates to open.* (And the
# LSTM with bias 3 hears less after training than before. A good start is no guarantee.)
#
# ## The remedies, one by one
#
# The article behind this course lists remedies for the vanishing gradient: ReLU, gates as in an LSTM, batch
# normalisation, residual connections. We take the sigmoid chain that died, and switch on one of them at a time. A
# gate between layers is called a *highway*: the update gate of a GRU, pointing upwards.

# %%
source(residual, highway, batch_norm)

# %%
remedies = {
    "nothing: the sigmoid chain": (partial(plain, sigmoid, no_norm), {}),
    "ReLU": (partial(plain, relu, no_norm), {}),
    "ReLU and scale √2": (partial(plain, relu, no_norm), {"scale": 2**0.5}),
    "gates, half open": (partial(highway, sigmoid, no_norm), {}),
    "gates, bias 3": (partial(highway, sigmoid, no_norm), {"keep": 3.0}),
    "batch norm": (partial(plain, sigmoid, batch_norm), {}),
    "batch norm and ReLU": (partial(plain, relu, batch_norm), {}),
    "residual": (partial(residual, sigmoid, no_norm), {}),
    "residual and ReLU": (partial(residual, relu, no_norm), {})}

# %% [markdown]
# **Predict first.** All nine, with 18 layers and with 64. Which one changes most from 18 layers to 64? And in which
# two is there far *more* at the bottom than at the top?

# %%
def middle(layers, L, **start):
    return np.median([flow(layers, L, seed=seed, **start) for seed in range(3)], axis=0)

depths = {f"{L} layers": [middle(layers, L, **start) for layers, start in remedies.values()]
          for L in (18, 64)}
picture(figures.flow_map(depths, list(remedies), ylabel="remedy", low=1e-12, high=100, width=11.5),
        "Two heat maps, nine rows, 18 and 64 layers. The sigmoid chain is dark; ReLU and "
        "half-open gates darken with depth; scale √2, gates with bias 3 and residual stay "
        "bright; batch norm or residual with ReLU turn orange.")

# %% [markdown]
# *A remedy is a factor per layer that is close to one. Depth 64 tells "close to" from "one".*
#
# <details><summary>Which, and each of them in numbers you can check on paper</summary>
#
# The sigmoid chain changes most, by 29 powers of ten; among the remedies it is the half-open gates, by 13. Louder at
# the bottom, by far, are the two at the ends of their kind: batch norm *and* ReLU, residual *and* ReLU.
#
# - **ReLU** alone loses $\sqrt{1/2}$ a layer, and $0.71^{64}$ is $10^{-10}$. The slope of one is not the cure; the
#   slope *together with the scale* √2 is.
# - **Gates**: a highway passes about $\sigma(b)$ a layer. Half open: $0.5^{18} = 4 \cdot 10^{-6}$. With bias 3,
#   $0.953^{64} = 0.05$.
# - **Batch norm** undoes whatever a layer does to the length: it divides by it, and the gradient is divided by the
#   same small number, which makes it larger. With a ReLU it overdoes it: for a wide layer the factor is $\sqrt{\pi
#   / (\pi - 1)} = 1.21$ (Yang and others, 2019), and $1.21^{64} = 2 \cdot 10^5$. Vanishing was cured, by exploding.
# - **Residual**: the Jacobian is $I + J$. What was a product of small matrices now has a one in it, and what came
#   in is never lost. It can still explode: a sigmoid's $J$ is small, but a ReLU's at scale 1 has the factor 0.7. If
#   the two terms were independent, a layer would make $\sqrt{1 + 0.7^2} = 1.2$ of one; measured, it makes 1.4.
#   Chapter 05 puts a norm in front of the branch for this reason.
# </details>
#
# A gradient that arrives is not yet a network that learns. So we train them, on the spirals, three seeds each.

# %%
outcomes = {name: [spirals.train(layers, seed=seed, **start) for seed in range(3)]
            for name, (layers, start) in remedies.items()}
arrived = {name: [way[0, 0] for _, _, way in each] for name, each in outcomes.items()}
learned = {name: [loss for _, loss, _ in each] for name, each in outcomes.items()}
picture(figures.verdicts(arrived, learned),
        "Left, dots for nine chains: what arrives at the first layer before training, from "
        "ten to the minus eleven to some hundred. Right, their loss after training: 0.69 for "
        "the sigmoid chain, far lower for all others.")

# %% [markdown]
# *One chain has learned nothing, and it is the one without a remedy. Even $10^{-5}$ of a gradient is enough for
# Adam; $10^{-11}$ is not, because upwards, too, nothing arrived.* (Over time it was not enough: all steps share their
# weights, and a faint message is added to loud ones. Here every layer has weights of its own.)
#
# What they have learned, as a map of the plane: which arm do they believe a point to lie on?

# %%
grid = spirals.with_one(figures.plane())
shown = {"nothing": "nothing: the sigmoid chain", "ReLU, scale √2": "ReLU and scale √2",
         "gates, bias 3": "gates, bias 3", "residual": "residual"}
scores = {title: spirals.score(remedies[name][0], outcomes[name][0][0], grid)
          for title, name in shown.items()}
fields = {title: sigmoid(score).reshape(60, 60) for title, score in scores.items()}
picture(figures.what_they_see(fields, *spirals.spirals(96, seed=0), columns=4),
        "Four maps of the plane under two spirals of points. The sigmoid chain is one even "
        "grey; in the others the two arms have their own colour, in the residual chain with a "
        "blurred border.")

# %% [markdown]
# *The deaf chain gives one answer everywhere.* (Batch norm is missing: as it stands here, its answer for a point
# depends on which other points are asked with it.)
#
# And the gates? This is the picture of chapter 01, turned upwards: the columns are layers now. In chapter 08 it
# comes back a third time, inside Gemma's own MLP.

# %%
def keeps(params, point):
    rows = climb(remedies["gates, bias 3"][0], params["layers"], point @ params["first"])
    return np.array([sigmoid(x @ w["u"] + w["b"])[0]
                     for x, w in zip(rows, params["layers"], strict=False)]).T

open_ = keeps(outcomes["gates, bias 3"][0][0], points[:1])
picture(open_gates({"how far each unit keeps what came in, after training": open_},
                   xlabel="layer L →", ylabel="unit D"),
        "Rows of switches over 18 layers, most of them open; in about a third of the rows some "
        "are shut.")

# %% [markdown]
# *Most gates stay open and let the gradient through; some shut, and there the layer writes something new.*
#
# ## The one that stayed
#
# Of all remedies, Gemma uses the shortest: `x + …`. Its gradient is as short:

# %%
source(backward(residual))

# %%
x, w = random.standard_normal((3, 8)), random.standard_normal((8, 8))
def by_hand(dy, x, w):
    return backward(residual)(dy, tanh, no_norm, x, w)

check_gradient(partial(residual, tanh, no_norm), by_hand, x, w)
print("dx = dy + …: the gradient by hand equals the gradient by nudging")

# %% [markdown]
# Multiply out $(I + J_L) \cdots (I + J_1)$ and there are $2^L$ terms, one for each set of layers that a path may
# take; one of them is $I$, the path that takes none. The gradient comes down all of them at once (Veit, Wilber and
# Belongie, 2016). A gate that is open by $g$ has the same idea, $g + (1 - g)\,J$, but $g$ must begin near one, or
# learn to be there. The sum need not.
#
# ## What goes wrong
#
# **1. Zero is not a safe start.** DeepMind's own code once filled the matrices of the MLP with zeros before training
# (`google-deepmind/gemma`, around commit `bb3494c`). A residual layer that adds zero is harmless, and one zero matrix
# is even a good idea. But the gradient of each matrix is multiplied by the others:

# %%
D, F = 64, 128
x, dy = random.standard_normal((1, 8, D)), random.standard_normal((1, 8, D))
gate, up, down = (random.standard_normal(shape) / 8 for shape in ((D, F), (D, F), (F, D)))
for name, w in {"none is zero": (gate, up, down), "down is zero": (gate, up, 0 * down),
                "all are zero": (0 * gate, 0 * up, 0 * down)}.items():
    _, *dw = backward(geglu)(dy, x, *w)
    print(f"{name}:", "  ".join(f"d{each} {size:.1f}" for each, size in
                              zip(("gate", "up", "down"), lengths(dw), strict=True)))

# %% [markdown]
# With all three at zero every gradient is exactly zero, for ever. Nothing warns you: the loss can still fall,
# because the rest of the model can learn around 18 dead MLPs.
#
# **2. Too small to be a number.** In float16 the smallest number above zero is $6 \cdot 10^{-8}$. The gradient of
# our sigmoid chain does not fade there, it stops. Which share of its numbers is exactly zero?

# %%
half = [{"w": each["w"].astype(np.float16)} for each in chain(layer, L=18, D=64)]
stream = climb(layer, half, random.standard_normal((64, 64)).astype(np.float16))
grads, _ = descend(random.standard_normal((64, 64)).astype(np.float16), layer, half, stream)
for number in (18, 12, 9, 6, 3, 0):
    print(f"after layer {number:2}: {round(np.mean(grads[number] == 0), 1):4.0%} exactly zero")

# %% [markdown]
# Training in float16 therefore multiplies the loss by a large number first (Micikevicius and others, 2017). Gemma's
# weights are in bfloat16, which has the exponents of float32 and needs no such trick.
#
# **3. A switch that nobody can open.** A ReLU that is shut for *every* example has slope zero for every example, so
# no gradient ever reaches its weights: it is dead. Some are from the start. Steps that are too large can kill the
# rest. We train the ReLU chain of scale √2 with three sizes of steps, and count the units that are shut for all 96
# points.

# %% tags=["nbval-ignore-output"]
relu_layer = remedies["ReLU and scale √2"][0]

def dead(params):
    stream = climb(relu_layer, params["layers"], points @ params["first"])
    return np.mean([np.all(x == 0, axis=0) for x in stream[1:]])

print(f"fresh: {dead(spirals.network(relu_layer, D=24, scale=2**0.5)):4.0%} dead")
for rate in (0.003, 0.03, 0.1):
    params, loss, _ = spirals.train(relu_layer, rate=rate, scale=2**0.5)
    print(f"steps of {rate}: {dead(params):4.0%} dead, loss {loss:.2f}")

# %% [markdown]
# With a whole layer dead, the chain gives the same answer to everybody, for ever. GELU, Gemma's choice, has a slope
# on both sides of zero.
#
# ## The article, put to the test
#
# The article behind this course explains Gemma's GeGLU by the gates of LSTM and GRU, and these by the vanishing
# gradient. So does GeGLU keep a gradient alive? Stack 18 of them, without anything else; then the way Gemma does,
# each reading a normalised stream and adding to it.
#
# **Predict first.** Will the gradient arrive in the first stack?

# %%
def mlp(random, D=64, F=128):
    shapes = {"gate": (D, F), "up": (D, F), "down": (F, D)}
    return {name: random.standard_normal(shape) / shape[0]**0.5
            for name, shape in shapes.items()}

x = random.standard_normal((1, 8, 64))
stack = [mlp(np.random.default_rng(seed)) for seed in range(18)]
alone = climb(partial(geglu), stack, x)
norm = partial(rms_norm, scale=np.zeros(64))
mlps = [partial(geglu, **w) for w in stack]
gemma = tower.climb(tower.before, norm, mlps, x)
print("                     " + "".join(f"{f'layer {n}':>10}" for n in (0, 3, 6, 9, 18)))
print("alone, stream        " + "".join(f"{lengths(alone)[n]:10.0e}" for n in (0, 3, 6, 9, 18)))
print("as in Gemma, stream  " + "".join(f"{lengths(gemma)[n]:10.1f}" for n in (0, 3, 6, 9, 18)))

# %%
down_alone, _ = descend(dy, partial(geglu), stack, alone)
down_gemma = tower.descend(dy, tower.before, norm, mlps, gemma)
print(f"the gradient at the first layer, alone:       {lengths(down_alone)[0]:.0f}")
print(f"the gradient at the first layer, as in Gemma: {lengths(down_gemma)[0]:.1f}")

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# Alone, the stream itself has died before the gradient can: GeGLU multiplies two numbers that both come from $x$,
# so half the length going in is a quarter coming out, and next time a sixteenth. It is the opposite of a remedy.
# The gate of an LSTM stands on the path *around* the layer, and keeps it open. The gate of GeGLU stands *inside*
# the branch, and decides what is added. They share a shape, not a purpose. What keeps Gemma's gradient alive
# is the sum, `x + …`, and a norm in front of each branch (chapter 05).
# </details>
#
# And the list of remedies? As measured in this chapter:
#
# | the remedy | what is true of it |
# |---|---|
# | ReLU | with the scale √2; at scale 1, $10^{-10}$ is left after 64 layers |
# | LSTM, GRU, gates | if they begin almost open; half open they were mostly darker than a plain RNN |
# | batch normalisation | yes, against vanishing; with ReLU the gradient grows 1.2 times a layer instead |
# | residual connections | nothing dies any more; a loud branch explodes instead, so Gemma normalises what it reads |
# | *not in the list*: the scale of the weights | the cheapest of all, and the others lean on it |
#
# ## Remember
#
# 1. A gradient is multiplied by a factor per layer, scale × root mean square slope, and depth is the exponent.
# 2. Fresh sigmoid chains die because a quarter is less than one, not because they are saturated; what can
#    saturate them is training with too large steps.
# 3. A remedy is a path whose factor is one: an open gate, or a plus sign. Gemma has the plus sign.
#
# **Read.** Hochreiter, *Untersuchungen zu dynamischen neuronalen Netzen* (1991), who saw it first; Glorot and
# Bengio, *Understanding the difficulty of training deep feedforward neural networks* (2010); He and others,
# *Identity Mappings in Deep Residual Networks* (2016). **Do** the
# [exercises](../exercises/02_vanishing_gradients.ipynb).
