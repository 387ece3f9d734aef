# %% [markdown]
# # 05 · RMSNorm: set the length, then stretch
#
# **The question.** A layer of Gemma adds something to a stream of numbers, and 18 layers do so one after the other.
# What keeps the numbers at a size that the next layer can count on? And what does that cost the gradient?
#
# **Afterwards you can** write RMSNorm and its gradient by hand, say which part of a gradient it lets through, find
# three mistakes that are easily made with it, and prove from a single number how many norms Gemma has.
#
# **Time.** 40 minutes to read, a few seconds to run on any laptop. The file of this chapter is
# `gemma_edu/numpy_gemma/norm.py`.
#
# **Terms 術語** normalization 正規化 · root mean square 均方根 · residual stream 殘差流 · pre-norm 前置正規化 ·
# post-norm 後置正規化 · epsilon (a small constant) 極小常數 · scale (learned) 縮放參數 · bfloat16 bfloat16浮點數格式

# %%
from functools import partial

import numpy as np

from gemma_edu import check_gradient
from gemma_edu.course import explore, picture, source
from gemma_edu.course.figures import rms_norm as figures
from gemma_edu.lab.rms_norm.tower import after, around, before, climb, descend, nowhere, tower
from gemma_edu.numpy_gemma import layer_norm, no_norm, rms_norm
from gemma_edu.numpy_gemma.norm import rms_norm_backward

# %% [markdown]
# ## A tower without a norm
#
# Stack 48 small MLPs: each is two random matrices with a GELU between them. It reads the stream and adds its answer
# to it: `x = x + mlp(x)`. The weights are drawn so that an answer is about two thirds as long as what was read.
#
# **Predict first.** The stream begins with length one (we always mean the length of the average coordinate). How
# long is it after 48 layers: 2, 7, 50, or more than 1000?

# %%
L, D, F = 48, 64, 256
random = np.random.default_rng(0)
x = random.standard_normal((2, 8, D))          # [B, T, D]: texts, places in a text, width
mlps = tower(L, D, F)
bare = climb(nowhere, None, mlps, x)
for layer in (0, 12, 24, 36, 48):
    print(f"after layer {layer:2}: {figures.rms(bare[layer]):8.1f}")

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# Every layer multiplies the length by about 1.22, whatever it is: a long stream gets a long answer. That is
# compound interest, $1.22^{48} \approx 14\,000$, and a network that begins like this ends in numbers of that size
# before it has learned anything.
# </details>
#
# Now the same tower, but each layer reads a *normalised* stream: `x = x + mlp(rms_norm(x))`.

# %%
norm = partial(rms_norm, scale=np.zeros(D))
held = climb(before, norm, mlps, x)
for layer in (0, 12, 24, 36, 48):
    print(f"after layer {layer:2}: {figures.rms(held[layer]):8.1f}")

# %% [markdown]
# What a layer reads has length one, so what it adds has a length of about two thirds, however long the stream is.
# Adding is no longer compound interest: the stream grows like the root of the number of layers. That is all a norm
# has to do.
#
# ## By hand
#
# RMSNorm takes each vector alone. It divides it by its *root mean square*, and then stretches each coordinate by a
# learned scale, here called $w$:
#
# $$\mathrm{rms}(x) = \sqrt{\tfrac{1}{D}\sum_i x_i^2 + \varepsilon}
# \qquad y_i = \frac{x_i}{\mathrm{rms}(x)}\,(1 + w_i)$$

# %%
source(rms_norm)

# %% [markdown]
# On paper, for $x = (3, 4)$ and $w = 0$: the squares are 9 and 16, their mean is 12.5, the root is 3.536, and the
# result is $(3/3.536,\ 4/3.536) = (0.849, 1.131)$.

# %%
print(np.round(rms_norm(np.array([[[3.0, 4.0]]]), np.zeros(2)), 3))

# %% [markdown]
# DeepMind's first release has a test of its own norm: for $(0.1, 0.2)$ it wants $(0.6324429, 1.2648858)$
# (`gemma/layers_test.py`, February 2024). The last digits come from ε: with small numbers, $10^{-6}$ begins to
# show.

# %%
print(np.round(rms_norm(np.array([[[0.1, 0.2]]]), np.zeros(2)), 7))

# %% [markdown]
# ## The picture
#
# In two dimensions we can watch. On the left a heap of vectors, coloured by their direction. In the middle each one
# has been set to length one: all that is left is its direction, and they lie on a circle (of radius √2: the
# *average* coordinate has length one). On the right the learned scale stretches the circle into an ellipse.

# %%
picture(figures.unit_then_stretch([0.8, -0.4]),
        "Three panels: a skewed cloud of points; the same points on a circle; the circle stretched "
        "into a flat ellipse. Colour shows that each keeps its direction in the second panel.")

# %% [markdown]
# *A norm throws the length away and keeps the direction; the scale decides which coordinates shall be loud.*
#
# Turn the two scales. At $w = -1$ a coordinate is switched off; at $w = 0$, where training begins, nothing is
# stretched.

# %%
explore(figures.stretch_dial, "The three stages of RMSNorm for two scales that you can turn.",
        w0=(-1.0, 1.5, 0.0), w1=(-1.0, 1.5, 0.0))

# %% [markdown]
# *Two scales turn the circle into any upright ellipse; none of them brings the lengths back.*
#
# ## Its gradient
#
# Call $u = x / \mathrm{rms}(x)$. A gradient $dy$ arrives from above. It first passes the stretch, $du = dy\,(1 +
# w)$. Then it must pass the division, and here is the subtlety: **each coordinate also changes the length by which
# all are divided.** Since $\partial\,\mathrm{rms} / \partial x_j = u_j / D$, one term is left over:
#
# $$dx = \frac{1}{\mathrm{rms}(x)}\Big(du - u\,\cdot\,\tfrac{1}{D}\sum_j du_j u_j\Big)$$
#
# The bracket is a projection. The part of the gradient that points *along* $x$ is taken away, and what is left is
# divided by the length. The scale is simpler: each vector that it has stretched sends it $dy\,u$, and they add up.

# %%
source(rms_norm_backward)

# %% [markdown]
# **Predict first.** The same gradient, straight up, arrives at sixteen vectors: eight directions, each once short
# and once twice as long. Where does nothing get through? And who gets more, the short or the long?

# %%
picture(figures.tangents(),
        "Left: the same upward arrow at sixteen points on two circles. Right: at the top and the "
        "bottom the arrow is gone, elsewhere it lies along the circle, and on the outer circle it is "
        "half as long as on the inner.")

# %% [markdown]
# *Only what turns a vector gets through; what would make it longer has no effect above, so it gets no gradient.*
#
# <details><summary>Why</summary>
#
# Making $x$ longer does not change $y$ at all, so the loss cannot depend on it: the gradient along $x$ must be
# zero. And a long vector turns less from the same push, so its gradient is smaller: that is the division by rms.
# Both are brakes. A stream that grows gets smaller gradients, without anybody deciding it.
# </details>
#
# A theorem makes the better test. The gradient has no part along $x$ (but for ε), for any $x$ and any $dy$:

# %%
dy, scale = random.standard_normal(x.shape), 0.3 * random.standard_normal(D)
dx, dscale = rms_norm_backward(dy, x, scale)
along = np.sum(dx * x, axis=-1)
print(f"along x: {np.max(np.abs(along)):.0e}   across: {np.sqrt(np.sum(dx * dx, axis=-1)).mean():.1f}")
assert np.max(np.abs(along)) < 1e-4

# %% [markdown]
# And finite differences, which trust nobody, agree: `check_gradient` nudges every argument along random directions.

# %%
check_gradient(rms_norm, rms_norm_backward, x, scale)
print("the gradient by hand equals the gradient by nudging")

# %% [markdown]
# ## Its rivals
#
# **LayerNorm** removes the mean first, and adds a bias at the end. **No norm** leaves everything as it is. Does
# the mean matter? For a vector whose coordinates share an offset of 3:

# %%
offset = x[:1, :1] + 3.0
zero = np.zeros(D)
for name, y in {"x": offset, "rms_norm": rms_norm(offset, zero), "layer_norm": layer_norm(offset, zero, zero),
                "no_norm": no_norm(offset)}.items():
    print(f"{name:<10} mean {np.mean(y):5.2f}   length {figures.rms(y):5.2f}")

# %% [markdown]
# LayerNorm spends one dimension on forgetting the mean. RMSNorm keeps it, and needs one pass over the data, not
# two. Zhang and Sennrich (2019) found that forgetting the mean was not what made LayerNorm work. Gemma follows
# them.
#
# Now the question that counts: the length of the stream going up through 48 layers, and of the gradient coming
# down. The gradients are real ones, by the backward pass of `gemma_edu/lab/rms_norm/tower.py`.

# %%
norms = {"rms_norm": norm,
         "layer_norm": partial(layer_norm, scale=zero, bias=zero),
         "no_norm": partial(no_norm)}
streams = {name: climb(before, each, mlps, x) for name, each in norms.items()}
grads = {name: descend(dy, before, each, mlps, streams[name]) for name, each in norms.items()}
picture(figures.through_the_layers(streams, grads),
        "Two line charts on logarithmic axes. Without a norm both the stream and the gradient grow by "
        "a factor of thousands; with RMSNorm or LayerNorm they stay below ten, one on the other.")

# %% [markdown]
# *With a norm, both directions are tame; which norm it is hardly shows. (RMSNorm is the cheaper of the two.)*
#
# ## Where the norm stands
#
# Four places have been tried: **before** a layer (Gemma 1, Llama), **after** each addition, on the stream itself
# (the original Transformer), **around** a layer (Gemma 2 and 3), and **nowhere**.

# %%
source(before, after, around)

# %% [markdown]
# **Predict first.** We make each layer three times too loud (`gain=3`), as a bad initialisation or a bad update
# might. Which of the four bursts? And which one of the others ends in a longer stream than it did?

# %%
loud = tower(L, D, F, gain=3.0)
places = {place.__name__: place for place in (before, after, around, nowhere)}
streams = {name: climb(place, norm, loud, x) for name, place in places.items()}
grads = {name: descend(dy, place, norm, loud, streams[name]) for name, place in places.items()}
picture(figures.through_the_layers(streams, grads),
        "Two line charts, logarithmic. Nowhere: stream and gradient explode beyond ten to the "
        "seventeenth. After: the stream stays at one. Before and around: both grow slowly.")

# %% [markdown]
# *Without a norm both grow past $10^{17}$; with one, wherever it stands, neither grows past 20.*
#
# The length at the top of the tower, as it was and three times too loud, over five draws of the weights:

# %%
for name, place in places.items():
    tops = [[figures.rms(climb(place, norm, tower(L, D, F, gain, seed), x)[-1]) for seed in range(5)]
            for gain in (1.0, 3.0)]
    print(f"{name:<8}", "".join(f"{np.mean(top):10.3g} ± {np.std(top) / np.mean(top):.0%}" for top in tops))

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# *Nowhere* bursts. *Before* ends in a longer stream: it leaves the stream alone, so that loud layers add up, and
# the gradient has a motorway down. *After* holds the stream at one by force, but its gradient must pass through a
# norm in every layer: there is no free path. In this tower that does no harm; Xiong et al. (2020) show where it
# does. *Around* does not notice the gain at all: what is added has length one, however loud the layer is. Gemma 2
# and 3 stand there.
# </details>

# %% [markdown]
# ## What goes wrong
#
# Three mistakes are easily made with this small function. Well-known implementations have shipped some of them.
#
# **1. `scale` instead of `1 + scale`.** Gemma stores the distance from one. Forget to add the one, and a fresh
# model is silent. Add it to weights that contain it already, as those in GGUF files do, and the model is twice as
# loud:

# %%
def without_one(x, scale):
    return rms_norm(x, scale - 1)

for name, y in {"right": rms_norm(x, zero), "without the one": without_one(x, zero),
                "with the one twice": rms_norm(x, zero + 1)}.items():
    print(f"fresh weights, {name}: {figures.rms(y):.2f}")

# %% [markdown]
# **2. ε outside the root.** (Keras's Gemma once ignored ε altogether, keras-hub #1472.) For a stream of ordinary
# length nobody can see it:

# %%
def outside(x):
    return x / (np.sqrt(np.mean(x * x, axis=-1, keepdims=True)) + 1e-6)

lengths = np.logspace(-8, 1, 40)
vectors = [length * x[:1, :1] for length in lengths]
picture(figures.wrong_epsilon(lengths, [figures.rms(norm(v)) for v in vectors],
                              [figures.rms(outside(v)) for v in vectors]),
        "Both curves are one for long vectors. Below a length of 0.01 the right one falls smoothly to "
        "zero; the wrong one stays near one down to a hundred-thousandth.")

# %% [markdown]
# *Inside the root, ε is $10^{-3}$ of length: faint vectors stay faint. Outside it is $10^{-6}$, and noise is blown
# up.*
#
# The lesson for your own tests: an ordinary random input changes by less than 0.0001 %, and an ordinary test
# passes. Test with a faint input.
#
# **3. Rounding too early.** In bfloat16 a number has between two and three digits. `1 + w` in bfloat16 forgets
# every $w < 2^{-8} = 0.0039$; and casting before the stretch rounds twice. So our `rms_norm` widens to float32
# first (`widen`) and casts last. `gemma_pytorch` and `transformers` both had to fix this in 2024.

# %%
import ml_dtypes

half = x.astype(ml_dtypes.bfloat16)
w = (0.05 * random.standard_normal(D)).astype(ml_dtypes.bfloat16)
truth = rms_norm(half.astype(float), w.astype(float))

def error(y):
    return figures.rms(y.astype(float) - truth) / figures.rms(truth)

in_float32 = rms_norm(half, w)                           # widen, compute, round once at the end
early = rms_norm(half, np.zeros_like(w)) * (1 + w)       # round, then stretch, then round again
print(f"rounded once: {error(in_float32):.1e}   rounded early: {error(early):.1e}")
print("1 + 0.003 in bfloat16 is", ml_dtypes.bfloat16(1) + ml_dtypes.bfloat16(0.003))

# %% [markdown]
# ## Where the article is wrong, and how we know
#
# The article behind this course says that Gemma normalises the *input and the output* of each sub-layer. The first
# version of Gemma's report is quoted as saying so, too. We need nobody's word for it: the report's Table 2 counts
# **1,981,884,416** weights beside the embedding of the 2B model. Every norm costs $D = 2048$. Count, with one, two
# and four norms in a layer. (The other sizes are those of the report, too: L layers, N heads of width H that share
# K = 1 keys and values, an MLP of width F. Chapters 07 and 08 build these matrices.)

# %%
D2B, L2B, N, K, H, F2B = 2048, 18, 8, 1, 256, 16_384
attention, mlp = 2 * D2B * N * H + 2 * D2B * K * H, 3 * D2B * F2B
for norms_per_layer in (1, 2, 4):
    total = L2B * (attention + mlp + norms_per_layer * D2B) + D2B      # and the final norm
    print(norms_per_layer, f"{total:,}", "← the report" if total == 1_981_884_416 else "")

# %% [markdown]
# Two norms a layer: one before attention, one before the MLP, and none after. There is no room for more. (From Gemma
# 2 on there are four; the sentence came true later.)
#
# The article also says that RMSNorm "avoids vanishing and exploding gradients". Our curves say what is true of it:
# with a norm before, after or around each layer the gradient of this tower keeps its size, because nobody can
# shout, and without one it bursts. They do not say that a norm is enough: each of these towers has a residual path,
# too. Chapter 12 takes the two apart inside Gemma.
#
# ## Remember
#
# 1. RMSNorm keeps the direction of a vector and throws its length away; the scale, stored as $w$, stretches by $1 + w$.
# 2. Its gradient is a projection: nothing along $x$, and the rest divided by the length.
# 3. ε inside the root, float32 inside, round last; test with faint vectors.
#
# **Read.** Zhang and Sennrich, *Root Mean Square Layer Normalization* (2019). Xiong et al., *On Layer Normalization
# in the Transformer Architecture* (2020), for before and after. **Do** the
# [exercises](../exercises/05_rms_norm.ipynb).
