# %% [markdown]
# # 08 · GeGLU: a gate without a loop
#
# **The question.** In chapter 01 a gate said how much of a memory survives the next step. Gemma passes no memory
# from step to step, and yet a third of the weights of its MLPs is spent on a gate. What is there to open and shut,
# and is it worth the third matrix?
#
# **Afterwards you can** write GeGLU and its gradient by hand, compare it fairly with a plain MLP, say which units
# can die, and find four mistakes that hide in these few lines (three of them were released).
#
# **Time.** 50 minutes to read, half a minute to run on any laptop. The file of this chapter is
# `gemma_edu/numpy_gemma/mlp.py`, with `gelu` from `gates.py`.
#
# **Terms 術語** gate 閘 · gated linear unit 門控線性單元 · activation function 激勵函數 ·
# hidden unit 隱藏單元 · hidden width 隱藏層寬度 · feed-forward network 前饋網路 · dead unit 死亡神經元 ·
# error function 誤差函數 · bilinear 雙線性 · learning rate 學習率

# %%
from functools import partial
from inspect import signature

import numpy as np

import gemma_edu as ge
from gemma_edu import check_gradient
from gemma_edu.course import explore, picture, source
from gemma_edu.course.figures import geglu as figures
from gemma_edu.course.figures import geglu_measured as measured
from gemma_edu.course.figures import geglu_unit as unit
from gemma_edu.course.figures.gates import open_gates
from gemma_edu.course.figures.rms_norm import rms
from gemma_edu.lab.geglu import mlps as lab
from gemma_edu.lab.geglu.gates import alone, choices, forget_gates, influence, visible
from gemma_edu.lab.geglu.mlps import contest, contests, folds, fresh_weights, products, revivals, text
from gemma_edu.lab.rms_norm.tower import before, climb, descend
from gemma_edu.numpy_gemma import forward, gated, geglu, no_norm, plain_mlp, rms_norm, swiglu
from gemma_edu.numpy_gemma.gates import gelu, gelu_erf
from gemma_edu.numpy_gemma.gradient import pull_back
from gemma_edu.numpy_gemma.mlp import gated_backward, geglu_backward
from gemma_edu.numpy_gemma.tree import tree_map

# %% [markdown]
# ## The same picture, a third time
#
# You know this picture from chapter 01, where the rows were gates of an LSTM and a GRU, and from chapter 02, where
# they stood between layers. Now the rows are hidden units of the MLPs in the bundled tiny Gemma, while it reads a
# sentence: the twelve that move most in the first layer, and in the last. What exactly is open or shut there, the
# next two sections will say.
#
# **Predict first.** The triangles point at the two tokens `the`. An LSTM's gates would differ there, because so
# much was read in between. What do you expect of the first layer here, and of the last?

# %%
model = ge.load("tiny")
cfg, params = ge.in_numpy(model.cfg), tree_map(np.asarray, model.params)
sentence = "The with statement closes the file, even if an error is raised inside the block."
tokens = np.array([model.tokenizer.encode(sentence)])
words = [model.tokenizer.decode([token]).strip() or "<bos>" for token in tokens[0].tolist()]
z = choices(cfg, params, tokens)          # [L, T, F]: what stands in each gate before the GELU

def liveliest(z, n=12):
    return z[:, np.argsort(np.std(z, axis=0))[-n:]].T

rows = {"first layer": figures.switch(liveliest(z[0])),
        "last layer": figures.switch(liveliest(z[-1]))}
the = [at for at, word in enumerate(words) if word == "the"]
picture(open_gates(rows, tokens=words, ylabel="unit F", marks=the),
        "Two panels of tiles, twelve units by the tokens of a sentence, dark for shut and "
        "bright for open. Units open for some tokens only; the columns of the two tokens "
        "'the' resemble each other.")

# %% [markdown]
# *Each unit is open for some tokens and shut for others, and the same word opens similar gates wherever it stands.*
#
# <details><summary>What to see</summary>
#
# The two columns below the triangles resemble each other, in the first layer and still in the last. A gate does not
# stay open because it was open before. What differences there are came through attention, which mixes the tokens
# before the MLP sees them; the MLP itself treats each position alone. We shall prove that below.
# </details>
#
# Twelve units can deceive. Here is how far *all* switches of the two columns agree (their correlation), layer by
# layer, beside that of two tokens on average:

# %% tags=["nbval-ignore-output"]
alike = np.array([np.corrcoef(figures.switch(each)) for each in z])              # [L, T, T]
average = alike[:, ~np.eye(len(words), dtype=bool)].mean(axis=1)
for name, each in {"the, the": alike[:, the[0], the[1]], "any two": average}.items():
    print(f"{name:<9}", " ".join(f"{share:.2f}" for share in each))

# %% [markdown]
# How many switches are more than half open? We count them in each layer, and once more after shuffling every matrix
# of the model, so that the numbers are the same and their meaning is gone.

# %% tags=["nbval-ignore-output"]
shuffle = np.random.default_rng(0)
shuffled = tree_map(lambda w: shuffle.permutation(w.ravel()).reshape(w.shape), params)
for name, weights in {"trained": params, "shuffled": shuffled}.items():
    opened = np.mean(choices(cfg, weights, tokens) > 0, axis=(1, 2))
    print(f"{name:<9}", " ".join(f"{share:.0%}" for share in opened))

# %% [markdown]
# By chance it is half of them. Training has shut more than half, and least of all in the first layer.
#
# ## By hand
#
# A plain MLP widens the stream, bends each number, and narrows it again. Three matrices make it a *gated linear
# unit*: one reads a **choice** $z$, one reads a **value** $v$, and the bent choice decides how much of the value
# gets through.
#
# $$z = x\,W_\mathrm{gate} \quad v = x\,W_\mathrm{up} \quad y = \big(\mathrm{gelu}(z) \odot v\big)\,W_\mathrm{down}$$
#
# $\odot$ multiplies number by number. $x$ is a position of the stream, D numbers; $z$ and $v$ are F numbers each.

# %%
source(gated, geglu)

# %% [markdown]
# DeepMind's first release tests its MLP with all weights one, D = 2 and F = 3, and wants 11.72758674 for
# $x = (1, 1)$ and 47.99916 for $x = (2, 2)$ (`gemma/modules_test.py`, February 2024). On paper: each choice and
# each value is $1 + 1 = 2$. We need $\mathrm{gelu}(2) = 1.9546$. A unit holds $1.9546 \cdot 2 = 3.9092$, and three
# of them make 11.7276. For $x = (2, 2)$: $\mathrm{gelu}(4) \approx 3.9999$, times 4, times 3.

# %%
ones = {"gate": np.ones((2, 3)), "up": np.ones((2, 3)), "down": np.ones((3, 2))}
for x in (1.0, 2.0):
    print(np.round(geglu(np.full((1, 1, 2), x), **ones)[0, 0], 5))

# %% [markdown]
# ## The switch inside
#
# GELU means: let $x$ through in proportion to how large it is among normally distributed numbers. The exact share
# is the normal distribution's $\Phi(x)$; Gemma computes an approximation by a tanh (Hendrycks and Gimpel, 2016):

# %%
source(gelu)

# %% [markdown]
# And here chapter 01 comes back. Since $\frac{1}{2}(1 + \tanh u) = \mathrm{sigmoid}(2u)$, Gemma's GELU is exactly a
# number times *a sigmoid switch that the number itself sets*. That switch is what the first picture shows.

# %%
source(figures.switch)

# %%
numbers = np.linspace(-6, 6, 1001)
assert np.allclose(gelu(numbers), numbers * figures.switch(numbers), atol=1e-14)
picture(figures.family(),
        "Left: four switches rising from 0 to 1, ReLU's in a jump. Right: what the value is "
        "multiplied by: the sigmoid of GLU stays between 0 and 1, the other three grow "
        "without limit, GELU and SiLU dip below zero.")

# %% [markdown]
# *GLU multiplies by the switch; ReGLU, GeGLU and SwiGLU multiply by choice times switch, so their gates open
# without limit.*
#
# That is a real difference to chapter 01. A forget gate lies between 0 and 1: it can only keep or lose. GELU's
# factor can be 3 (louder) and it can be −0.17 (a faint no). It is better to call it a dial than a door.
#
# How sharp should the switch be? Turn it. At 0 every switch is half open, whatever its choice, and the MLP merely
# multiplies two linear maps. At 1 it is SiLU. Near 1.7 the curve lies on GELU (some libraries compute GELU so). Far
# to the right it is ReLU, and the tiles (our sentence in the last layer) are either dark or bright.

# %%
explore(partial(unit.sharper, choices=liveliest(z[-1], 16)),
        "Left: z times a sigmoid of adjustable sharpness, lying on GELU at 1.7. Right: the "
        "switches of sixteen units over the sentence.", sharpness=(0.0, 8.0, 1.7, 0.1))

# %% [markdown]
# *One dial leads from no switch at all, over SiLU and very nearly GELU, to ReLU.*
#
# ## What a gate buys
#
# A hidden unit of a plain MLP reads one direction of the stream. Along that direction it bends, and across it
# nothing changes. A gated unit reads two directions and multiplies. Here is one unit of each kind over a stream of
# two coordinates; `up` reads coordinate 0, `gate` a direction 70° from it, and each dashed line is where one of
# them reads 0.
#
# **Predict first.** One of the five gives the same answer all along a vertical line. Which?

# %%
picture(unit.units(),
        "Five heat maps of a plane. The plain unit varies from left to right only. The "
        "gated ones are large in the upper right, negative in the upper left and faint "
        "below the gate's dashed line.")

# %% [markdown]
# *A plain unit is a ramp; a gated unit is a slope whose steepness another direction decides.*
#
# <details><summary>Which, and why</summary>
#
# The plain one. Its unit reads coordinate 0 alone, so going up or down changes nothing. The gates of the other four
# read coordinate 1, too.
# </details>
#
# Turn the gate away from the value, and make it louder or fainter. At 0° both read the same. With a faint gate
# (length 0.1) GeGLU is almost half the product $z \cdot v$, a saddle; with a loud one it is a linear map with a
# sharp border.

# %%
explore(unit.unit_dial,
        "One hidden unit over the plane; the kind of MLP, the angle and the loudness of its "
        "gate can be chosen.",
        kind=["GeGLU", "SwiGLU", "ReGLU", "GLU", "plain MLP"],
        angle=(0, 180, 70, 5), gate_length=(0.1, 3.0, 1.0, 0.1))

# %% [markdown]
# *The angle decides what is multiplied with what; the loudness decides how sharp the border is.*
#
# Gemma's layers have no biases, and that makes the difference sharper than any picture. GELU has the property
# $\mathrm{gelu}(z) - \mathrm{gelu}(-z) = z$ (write both out: the tanh drops out). So show an MLP a stream and its
# opposite:
#
# * the plain MLP: $y(x) - y(-x) = x\,W_\mathrm{up} W_\mathrm{down}$. What changes with the sign of $x$, its *odd*
#   part, is linear;
# * GeGLU: $y(x) + y(-x) = (z \odot v)\,W_\mathrm{down}$. What does not change with the sign, its *even* part, is a
#   plain product of two readings.

# %%
random = np.random.default_rng(0)
D, F = 16, 48
x = random.standard_normal((2, 5, D))                     # [B, T, D]
w = fresh_weights(geglu, D, F, random)
gate, up, down = w["gate"], w["up"], w["down"]
assert np.allclose(plain_mlp(x, up, down) - plain_mlp(-x, up, down), x @ up @ down)
assert np.allclose(geglu(x, **w) + geglu(-x, **w), ((x @ gate) * (x @ up)) @ down)
print("plain MLP: the odd part is linear    GeGLU: the even part is a product")

# %% [markdown]
# A plain MLP can buy both with more units and a coordinate that is always one. GeGLU has products from the start.
#
# ## Its gradient
#
# A gradient $dy$ arrives from above and passes `down`: $dh = dy\,W_\mathrm{down}^\top$. Then it meets a product,
# and a product hands each factor its gradient *times the other factor*:
#
# $$dv = dh \odot \mathrm{gelu}(z) \qquad dz = dh \odot v \odot \mathrm{gelu}'(z)$$
#
# Both branches read the same $x$, so their gradients add up:
# $dx = dz\,W_\mathrm{gate}^\top + dv\,W_\mathrm{up}^\top$.

# %%
source(gated_backward, geglu_backward)

# %% [markdown]
# On paper, DeepMind's ones again, $x = (1, 1)$ and $dy = (1, 1)$: each unit gets $dh = 2$. With
# $\mathrm{gelu}(2) = 1.9546$ and $\mathrm{gelu}'(2) = 1.0861$, $dv = 2 \cdot 1.9546 = 3.9092$ and
# $dz = 2 \cdot 2 \cdot 1.0861 = 4.3444$. Each coordinate of $x$ hears three units twice:
# $3\,(3.9092 + 4.3444) = 24.761$.

# %%
dx, dgate, dup, ddown = geglu_backward(np.ones((1, 1, 2)), np.ones((1, 1, 2)), **ones)
for name, grad in {"dx": dx, "dgate": dgate, "dup": dup, "ddown": ddown}.items():
    print(f"{name:<6}{np.round(grad.ravel()[0], 3)}")

# %%
check_gradient(geglu, geglu_backward, x, gate, up, down)
print("the gradient by hand equals the gradient by nudging")

# %% [markdown]
# ## Where a gradient dies
#
# Send a gradient of one into a unit. How much of it reaches the choice, and how much the value? It depends on the
# two numbers that stand there. The scale is logarithmic; black is exactly zero.

# %%
picture(figures.where_gradients_die(),
        "Four heat maps over choice and value. With a ReLU gate the whole left half is "
        "black in both. With a GELU gate the left half fades slowly, and a thin dark valley "
        "crosses at a choice of minus 0.75.")

# %% [markdown]
# *Behind a shut ReLU there is nothing at all, for either branch; behind a shut GELU there is less and less, but not
# nothing.*
#
# Two more things are worth a look. Where the value is 0 the gate learns nothing: who would care whether a silent
# unit is open? And GELU has a blind spot of its own, at $z = -0.75$, where its slope changes sign. It is a line and
# not a half plane, and the value's gradient passes there.
#
# So a ReGLU unit that is shut for every input is dead: gate, up and down all get zero, for ever. Does it matter? We
# shut every second unit of an MLP: its gate reads −depth, give or take a half. Then we train for 100 steps of Adam.
#
# **Predict first.** From which depth on does ReGLU get none of them back? And can GeGLU come back from 3? From 8?

# %%
back = revivals(seeds=3)                  # {kind: [seeds, depths]}
depth = np.array(lab.DEPTHS)
assert np.all(back["reglu"][:, depth >= 3] == 0) and np.all(back["geglu"][:, depth == 3] > 0)
assert gelu(np.array(-8.0)) == 0
picture(measured.revival(back, lab.DEPTHS),
        "Three falling lines. ReGLU reaches zero at depth 3. GeGLU and SwiGLU still bring "
        "back a fifth or more of the units there, and GeGLU reaches zero only at depth 8.")

# %% [markdown]
# *ReGLU loses for good what is shut for every input; GeGLU gets a part of it back, as long as it is not shut too
# far.*
#
# <details><summary>Why a part, and why not from 8</summary>
#
# A faint gradient is enough for Adam, which gives each weight steps of its own size. But it must point in the right
# direction. Left of the blind spot GELU's slope is negative: to raise a factor that is slightly below zero, the
# nearest way is further down, towards zero, and that is where some units go. At −8 the tanh has rounded to −1, and
# Gemma's GELU is *exactly* zero, as dead as a ReLU. SiLU's switch closes more slowly, like $e^{-8} = 0.0003$.
# </details>
#
# ## Its rivals, at equal weights
#
# The gate costs a matrix. A fair comparison gives the plain MLP as many weights: $2\,D\,F' = 3\,D\,F$, so
# $F' = \frac{3}{2}F$. Seen from the other side, a gated MLP is two thirds as wide.
#
# This is also why a number in Gemma's report confuses people. Its Table 1 gives the 2B model "feedforward hidden
# dims" of 32 768. That is gate and up together; each is 16 384 wide. The count of all weights beside the embedding
# proves it:

# %%
D2B, L2B, attention, norms = 2048, 18, 2 * 2048 * 8 * 256 + 2 * 2048 * 256, 2 * 2048
for F2B in (32_768, 16_384):
    total = L2B * (attention + 3 * D2B * F2B + norms) + D2B
    print(f"F = {F2B:,}: {total:,}", "← the report" if total == 1_981_884_416 else "")

# %% [markdown]
# Five MLPs with 32 gated or 48 plain units learn two tasks from nothing, with gradients by hand, 300 steps of Adam
# and three seeds. Neither task is fair, and on purpose they are unfair in opposite ways:
#
# * **products**: what is wanted are mixtures of products of two readings of $x$;
# * **folds**: what is wanted are mixtures of $|a \cdot x + c|$, a fold across a single direction.
#
# **Predict first.** How large is the difference, on either side?

# %%
source(contest)

# %%
losses = {task.__name__: contests(task, seeds=3) for task in (products, folds)}
assert np.mean(losses["products"]["geglu"]) < np.mean(losses["products"]["plain_mlp"]) / 3
assert np.mean(losses["folds"]["plain_mlp"]) < np.mean(losses["folds"]["geglu"])
picture(measured.contest(losses, "error, as a share of the variance", bottom=0),
        "Two panels with a dot for each seed. Products: the plain MLP errs several times as "
        "much as any gated one. Folds: the plain MLP errs less than half as much as any "
        "gated one.")

# %% [markdown]
# *Where products are wanted the gate wins by a factor, and where folds are wanted the plain MLP does: the task
# decides.*
#
# <details><summary>How large, and why</summary>
#
# Products: the plain MLP errs six to seven times as much as GeGLU, which has products built in (its even part,
# above), while the plain one must piece each product together from ramps. Folds: GeGLU errs about three times as
# much as the plain MLP, whose units bend along a single direction, and which has half as many again. In both tasks
# the worst seed of the winner is better than the best seed of the loser.
# </details>
#
# So let us take a task that nobody chose for either: real text. An MLP sees four characters of this package's own
# source and guesses the next one. We compare plain and gated at two widths and two learning rates, with 200 steps
# and three seeds each.
#
# **Predict first.** Will the order be the same in all four?

# %%
pair = [plain_mlp, geglu]
texts = {f"F = {F}, rate {rate}": contests(text, seeds=3, kinds=pair, F=F, rate=rate)
         for F in (32, 64) for rate in (0.01, 0.03)}
picture(measured.contest(texts, "bits for a character"),
        "Four panels with three dots for each kind of MLP. At the slow rate GeGLU is level "
        "or ahead, at the fast rate the plain MLP is ahead, more so in the narrow network. "
        "The axes do not begin at zero.")

# %% [markdown]
# *Here the order depends on the learning rate: level or ahead at the slow one, GeGLU is behind at the fast one.*
#
# <details><summary>What to make of it</summary>
#
# Give each the one of these two rates that suits it better, and the plain MLP is ahead at both widths; at the larger
# one by less than GeGLU's seeds differ among themselves. An honest summary: *at this size, after so few steps, this
# text gives no reason for a gate.* A table that shows one rate and one width could have told either story.
#
# At scale it has been measured, by Shazeer (2020), on T5 with equal weights and equal compute: a held-out
# log-perplexity of 1.677 for ReLU, 1.633 for GeGLU and 1.636 for SwiGLU. That is a gain of 2.6 per cent,
# and between GeGLU and SwiGLU none to speak of. He offers no explanation and credits "divine benevolence". Chapter
# 13 asks again, with whole models and with intervals.
# </details>
#
# ## What goes wrong
#
# **1. The other GELU.** The exact GELU uses the error function erf; Gemma was trained with the tanh. How far apart
# are they?

# %%
picture(figures.apart(),
        "A curve that is flat at zero in the middle and far out, dips twice to minus 2.3 "
        "ten-thousandths and has its two peaks of 4.73 ten-thousandths at plus and minus "
        "2.7.")

# %% [markdown]
# *At most 4.73 ten-thousandths, at ±2.7. To see this mistake you must look there.*
#
# It shipped in `gemma_pytorch` and `transformers`, which mended it in March 2024, and in vLLM. It came *back* in
# `transformers` 4.48, when the code was rewritten to read the activation from Gemma's old `config.json`, which says
# `"gelu"`, and stayed until 5.17. How can that be overlooked? We put three mistakes into the tiny Gemma, trained
# and shuffled, and look at the logits (their largest change, in units of their spread) and at how many of the
# answers (the largest logit) are another token.

# %% tags=["nbval-ignore-output"]
mistakes = {"erf": partial(gated, gelu_erf), "SiLU": swiglu,
            "swapped": lambda x, gate, up, down: geglu(x, up, gate, down)}
for name, weights in {"trained": params, "shuffled": shuffled}.items():
    for mistake, mlp in mistakes.items():
        moved, changed = visible(cfg, weights, tokens, mlp)
        print(f"{name:<9} {mistake:<8} logits move by {moved:.4f}",
              f"answers changed: {changed} of {tokens.size}", sep="   ")
    logits, _ = forward(cfg, weights, tokens)
    repeated = np.sum(np.argmax(logits, axis=-1) == tokens)
    print(f"{name:<9} {repeated} answers repeat their token\n")

# %% [markdown]
# With erf the logits move by less than a hundredth and the answers stay, so a test that compares generated words can
# hardly see it. A test at $z = 2.7$ can.
#
# **2. Gate and up swapped.** Both matrices have the same shape, and nothing crashes. In the trained model most
# answers change. In a model with random weights, which is what a test suite usually has, hardly any do, though
# the logits move by about their spread. The last line of each group says why. A random Gemma mostly answers with the
# token that it was just given, because its input and output embeddings are the same table; whatever its MLPs do, that
# answer stays. DeepMind's own test with ones cannot see it either: there choice and value are the same number.
# Compare logits, never answers, and give the two branches different numbers.
#
# **3. `reshape` for `transpose`.** Hugging Face stores `gate` as [F, D], we need [D, F]. DeepMind's own code once
# reshaped where it should have transposed. The shape is right, and the numbers are garbage:

# %%
stored = gate.T.copy()                                        # [F, D], as in a checkpoint
for name, read in {"transpose": stored.T, "reshape": stored.reshape(D, F)}.items():
    alike = np.corrcoef(geglu(x, read, up, down).ravel(), geglu(x, **w).ravel())[0, 1]
    print(f"{name:<10} shape {read.shape}   resembles the right output: {abs(alike) > 0.9}")

# %% [markdown]
# **4. Begin at zero.** Zeros look like a modest start: the layer adds nothing, and will learn what to add.
# DeepMind's code once began its MLP with zeros, too, and had to be changed.
#
# **Predict first.** Which of these eight beginnings can learn? Ask, for each matrix, whether its gradient at the
# first step is zero: all one needs is a first movement.

# %%
rows = ["none", "gate", "up", "down", "gate, up", "gate, down", "up, down", "gate, up, down"]
dy, norms = random.standard_normal(x.shape), []
for row in rows:
    begin = {name: 0 * each if name in row.split(", ") else each for name, each in w.items()}
    _, grads = pull_back(geglu, dy, x, **begin)
    norms.append([rms(grads[name]) for name in ("gate", "up", "down")])
picture(measured.first_step(np.array(norms), rows),
        "A table of tiles, eight beginnings by three matrices. With one matrix at zero only "
        "that matrix has a gradient. With two or three at zero all tiles are black zeros.")

# %% [markdown]
# *One matrix may begin at zero: it moves first, and then the others follow. Two zeros wait for each other for
# ever.*
#
# <details><summary>Why</summary>
#
# $y$ is a product of three things: a bent choice, a value, and `down`. The gradient of each is the product of the
# other two. One zero leaves its own gradient alive; two zeros kill all three. (gelu(0) = 0, but its slope there is
# one half, so a zero `gate` can move.) Starting `down` at zero is a common and a sound choice.
# </details>
#
# ## Where the article is wrong, and how we know
#
# The article behind this course introduces GeGLU as *an activation function with a gating mechanism*, and goes on
# to explain the gates of LSTM and GRU, and how they fight vanishing gradients. Three tests.
#
# **Is it an activation function?** An activation takes numbers and nothing else. What do ours take?

# %%
for part in (gelu, plain_mlp, geglu):
    print(f"{part.__name__:<10} takes", *signature(part).parameters)

# %% [markdown]
# GELU is the activation. GeGLU is a layer: the whole feed-forward network, with three matrices.
#
# **Does it remember or forget?** We nudge the input at one time S and see which gates move, at each time T. For a
# fair picture the LSTM and the GeGLU read the same random sequence with random weights.
#
# **Predict first.** What shape will the two maps have?

# %%
T, D, C = 16, 8, 16
walk, zeros = random.standard_normal((1, T, D)), np.zeros((1, C))

def draw_gate(bias):
    return (random.standard_normal((D, C)) / D**0.5, random.standard_normal((C, C)) / C**0.5,
            np.full(C, bias))

cell = [draw_gate(bias) for bias in (1.0, 0.0, 0.0, 0.0)]     # forget, input, output, candidate
maps = {"LSTM: forget gate": influence(lambda x: forget_gates(x, (zeros, zeros), *cell), walk),
        "GeGLU: gate": influence(lambda x: gelu(x @ cell[0][0]), walk)}
assert np.all(maps["GeGLU: gate"][~np.eye(T, dtype=bool)] == 0)
picture(measured.who_moves(maps),
        "Two square maps of time against time. LSTM: the diagonal and everything below it "
        "glows, fading with distance. GeGLU: the diagonal alone, the rest is black.")

# %% [markdown]
# *A forget gate listens to the whole past; GeGLU's gate listens to its own position, and to nothing else.*
#
# <details><summary>Why these shapes</summary>
#
# The LSTM's gate sees what the memory shows, and the memory has seen all that came before: a triangle. GeGLU's gate
# is a function of one position: a diagonal, and beside it exact zeros, as the cell asserts.
# </details>
#
# So nothing is kept and nothing is forgotten. In Gemma the past comes in through attention alone.
#
# **Does it keep a gradient alive?** In an LSTM the gate stands *on* the path of the memory. In Gemma the path is
# the residual stream, and no gate touches it. Chapter 02 saw a bare stack of GeGLU die. Is the gate to blame, and
# what helps? We send a gradient down through six layers: MLPs alone, plain and gated, then GeGLU behind a norm, then
# GeGLU as in Gemma, behind a norm and beside a stream.

# %%
D, bare, normed = 64, partial(no_norm), partial(rms_norm, scale=np.zeros(64))
stacks = {"plain MLP alone": (plain_mlp, 192, alone, bare),
          "GeGLU alone": (geglu, 128, alone, bare),
          "GeGLU, norm": (geglu, 128, alone, normed),
          "GeGLU, norm, stream": (geglu, 128, before, normed)}
grads = {name: [] for name in stacks}
for seed in range(4):
    draw = np.random.default_rng(seed)
    x, dy = draw.standard_normal((2, 1, 8, D))
    for name, (mlp, width, place, norm) in stacks.items():
        mlps = [partial(mlp, **fresh_weights(mlp, D, width, draw)) for _ in range(6)]
        down_again = descend(dy, place, norm, mlps, climb(place, norm, mlps, x))
        grads[name].append([rms(each) for each in down_again])
picture(measured.down_the_stack(grads),
        "Four lines on a logarithmic axis, from layer 6 down to layer 0. Plain MLPs alone "
        "lose a factor of thirty; GeGLU alone loses some twelve powers of ten, with a wide "
        "band; with a norm the gradient stays between one and ten, stream or no stream.")

# %% [markdown]
# *In a bare stack this gate makes the vanishing far worse; a norm in front of each layer cures it, with or without
# a stream.*
#
# <details><summary>Why worse</summary>
#
# GeGLU multiplies two readings of $x$, so half the input gives about a quarter of the output. What has become small
# becomes much smaller in the next layer, and a product hands each factor a gradient times the other, small, one. With
# the norm of chapter 05 in front, every layer reads length one, and the question does not arise.
# </details>
#
# What is true of the article's idea is the family likeness: the same sigmoid, as the first picture shows. What it
# does here is another trade. It chooses what a position says, not how long it is remembered.
#
# ## Remember
#
# 1. GeGLU is a layer with three matrices: a bent choice times a value, then down. Inside GELU sits a sigmoid
#    switch.
# 2. A product hands each factor the gradient times the other: so there are two paths to $x$, two zeros are a
#    standstill, and behind a shut ReLU both paths are dead.
# 3. Compare at equal weights, at more than one learning rate, on more than one task; compare logits, and look at
#    ±2.7.
#
# **Read.** Shazeer, *GLU Variants Improve Transformer* (2020). Dauphin et al., *Language Modeling with Gated
# Convolutional Networks* (2016). Hendrycks and Gimpel, *Gaussian Error Linear Units* (2016). **Do** the
# [exercises](../exercises/08_geglu.ipynb).
