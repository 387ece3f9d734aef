# %% [markdown]
# # 06 · RoPE: a position is a rotation
#
# **The question.** Attention compares words by a dot product, and a dot product does not know where its vectors
# stand: to it, *dog bites man* and *man bites dog* are the same three words. How can a model tell a word's place
# without a single weight, and in such a way that only the distance between two words counts?
#
# **Afterwards you can** write RoPE and its gradient by hand, prove that a score sees nothing but a distance, say
# which mistakes a test of yours would miss, and name the first position that bfloat16 cannot hold.
#
# **Time.** 45 minutes to read, some twenty seconds to run on any laptop. The file of this chapter is
# `gemma_edu/numpy_gemma/position.py`.
#
# **Terms 術語** rotary position embedding 旋轉位置編碼 · sinusoidal positions 正弦位置編碼 · learned positions
# 可學習位置編碼 · query 查詢 · key 鍵 · dot product 內積 · rotation 旋轉 · radian 弧度 · wavelength 波長 ·
# extrapolation 外推

# %%
import ml_dtypes
import numpy as np

from gemma_edu import check_gradient
from gemma_edu.axes import weights_of
from gemma_edu.course import explore, picture, source
from gemma_edu.course.figures import rope as figures
from gemma_edu.course.figures.rope_dial import dial
from gemma_edu.lab.rope import misturned, pointer
from gemma_edu.numpy_gemma import learned, rope, sinusoidal, unrotated
from gemma_edu.numpy_gemma.position import rope_backward

# %% [markdown]
# ## The same two words, everywhere
#
# In attention (chapter 07) each word sends out a **query**, what it looks for, and offers a **key**, what it can be
# found by. Both are vectors of H numbers, and their dot product is the **score**: how well they match. That is all we
# need here. (The pictures divide it by $\sqrt H$, as attention does; chapter 07 says why.)
#
# Take one query and one key, and put them at every pair of 48 positions. Then turn them with RoPE, and do it again.
#
# **Predict first.** Without RoPE all the scores must be equal: nothing says where. What will the picture look like
# with it: noise, stripes that run up, stripes that run to the right, or diagonals?

# %%
T, H = 48, 16
random = np.random.default_rng(0)
positions = np.arange(T)[None]                                                       # [B, T]
q, k = (np.tile(random.standard_normal(H), (1, T, 1, 1)) for _ in range(2))          # [B, T, N, H]
turned = figures.scores(rope(q, positions), rope(k, positions))
picture(figures.maps({"as they are": figures.scores(q, k), "turned by RoPE": turned}),
        "Two heat maps of scores, query's position against key's position. The left one is of a single "
        "colour. The right one consists of diagonal stripes: each diagonal has one colour.")

# %% [markdown]
# *Along a diagonal the distance is always the same, and so is the score: RoPE tells how far, and never where.*
#
# <details><summary>Why diagonals</summary>
#
# One step up and one step to the right, query and key have both moved on by one. Both have been turned by the same
# angle, so the angle between them is as before, and with it the dot product. The section *Only the distance counts*
# proves it.
# </details>
#
# ## By hand
#
# Cut a vector of H numbers into two halves, and pair the first number of one with the first of the other: coordinate
# $i$ with coordinate $i + H/2$. Each pair $(a, b)$ is an arrow in a plane. At position $p$, turn it by an angle:
#
# $$\begin{aligned} a' &= a\cos\varphi_i - b\sin\varphi_i \\ b' &= b\cos\varphi_i + a\sin\varphi_i \end{aligned}
# \qquad \varphi_i = \frac{p}{\lambda_i} \qquad \lambda_i = \mathrm{base}^{\,2i/H}$$
#
# $\lambda_i$ is the number of positions for one radian, so one full turn takes $2\pi\lambda_i$ of them. Pair 0 turns
# one radian at each step; each next pair is slower than the one before by the same factor. Only queries and keys are
# turned, and not the *value* that chapter 07 adds to them: a place may decide who is heard, and not what is said.
# (`stretch` is for later Gemmas: it divides the position. Unless we say so, it is 1.)

# %%
source(rope)

# %% [markdown]
# On paper, for H = 4, base 100, position 3 and the vector $(1, 1, 1, 1)$. The pairs are coordinates 0 and 2, which
# turn by 3 radians, and coordinates 1 and 3, which turn by $3/10$, for $\lambda_1 = 100^{2/4} = 10$:
#
# - $\cos 3 = -0.990$ and $\sin 3 = 0.141$, so the first pair becomes $(-0.990 - 0.141,\ -0.990 + 0.141) =
#   (-1.131, -0.849)$.
# - $\cos 0.3 = 0.955$ and $\sin 0.3 = 0.296$, so the second becomes $(0.955 - 0.296,\ 0.955 + 0.296) = (0.660, 1.251)$.
#
# DeepMind's own tests ask for these numbers at position 3 (`gemma/positional_embeddings_test.py`, February 2024), and
# for others at position 1 (`gemma/gm/math/_positional_embeddings_test.py`):

# %%
ones = np.ones((1, 1, 1, 4))
published = {3: [-1.1311126, 0.6598157, -0.8488725, 1.2508571],
             1: [-0.30116868, 0.89517075, 1.3817732, 1.0948375]}
for p, numbers in published.items():
    ours = rope(ones, np.array([[p]]), base=100.0)[0, 0, 0]
    assert np.max(np.abs(ours - numbers)) < 1e-6
    print(f"position {p}:", np.round(ours, 3))

# %% [markdown]
# ## The picture
#
# One vector whose pairs all point to the right, at 24 positions. (The base is 100 again, so that even the slowest
# pair can be seen moving.)

# %%
picture(figures.vanes(),
        "A field of arrows, 24 positions across and six pairs up. In the lowest row arrows spin by one "
        "radian a step; each row above is slower, and the highest has turned by half a radian at the end.")

# %% [markdown]
# *Six clock hands: the fast ones tell neighbours apart, the slow ones tell the beginning of a text from its end.*
#
# Gemma's heads have H = 256, so 128 pairs, and the base is 10,000. **Predict first.** Its longest text has 8192
# tokens. How many of the 128 pairs do not complete a single turn in it: none, 3, 28 or 100?

# %%
turn = 2 * np.pi * figures.wavelengths(256)
print(f"the fastest pair turns once in {turn[0]:.1f} positions, the slowest in {turn[-1]:,.0f}")
print("pairs that never complete a turn within 8192 positions:", np.sum(turn > 8192))
picture(figures.spectrum(),
        "Left, a heat map of cosines over position and pair: fine waves at the bottom that grow wider "
        "upwards, until all is of one colour. Right: the length of a turn grows from 6 to 60 thousand.")

# %% [markdown]
# *From $2\pi$ to almost $2\pi \cdot 10{,}000$ positions a turn: each pair is a clock hand of a speed of its own.*
#
# <details><summary>Why so many slow ones</summary>
#
# A hand that comes round shows the same face again and again; one that does not can tell far from farther in any
# text. And a pair that hardly turns is useful for another reason: what it says hardly depends on the place. Pairs
# that are slow enough can simply compare what words mean.
# </details>
#
# ## Only the distance counts
#
# Now the dial. A query (blue) stands at position $m$, a key (orange, dashed) at $n$, in a small head of three pairs.
# All hands have length one, so each pair adds to the score the cosine of the angle between its two hands.
#
# Move $m$ alone and the dot runs along the curve. Move $m$ and $n$ by the same number: every hand turns, and the dot
# stays where it is.

# %%
explore(dial, "Three dials with two hands each, for query and key, and a curve of the score over "
        "their distance with a dot on it. Moving both positions alike leaves the dot where it is.",
        m=(0, 40, 9), n=(0, 40, 4))

# %% [markdown]
# *The curve is drawn over the distance alone, and the dot never leaves it.*
#
# Why? Turn every pair back by the angle of $n$. Angles between hands do not change, the key stands where it began,
# and the query is turned by the angle of $m - n$ alone. In symbols, where $R_p$ turns every pair by position $p$:
#
# $$(R_m\, q)\cdot(R_n\, k) \;=\; (R_n^{\top} R_m\, q) \cdot k \;=\; (R_{m-n}\, q) \cdot k$$
#
# The first step takes a matrix across the dot product, which transposes it. The second needs two things: the
# transpose of a rotation is the rotation back, and turns add up. Nothing was said about $q$ and $k$: it holds for all
# of them, trained or not. So we test it on random ones, a thousand positions further on:

# %%
a, b = random.standard_normal((2, 1, T, 4, H))
near = np.einsum("BTNH,BSNH->BNTS", rope(a, positions), rope(b, positions))
far = np.einsum("BTNH,BSNH->BNTS", rope(a, positions + 1000), rope(b, positions + 1000))
print(f"largest score: {np.max(np.abs(near)):.0f}")
print("moved by a thousand, equal to ten digits:", np.allclose(near, far, rtol=0, atol=1e-9))

# %% [markdown]
# ## Does a score fade with distance?
#
# It is often said that RoPE makes far words quieter. The paper that introduced it (Su et al. 2021, section 3.4.3)
# shows that a *bound* on the score falls.
#
# **Predict first.** Two experiments with Gemma's 128 pairs. In the first the query equals the key, all ones. In the
# second, 100 queries and keys are drawn at random. In which of them does the score fade?

# %%
distances = np.unique(np.geomspace(1, 8192, 150).astype(int)) - 1                     # 0 … 8191
S = len(distances)
alike = rope(np.ones((1, S, 1, 256)), distances[None]).mean(axis=(0, 2, 3))
one_q, one_k = random.standard_normal((2, 100, 1, 1, 256))                            # at position 0
keys = rope(np.repeat(one_k, S, axis=1), np.tile(distances, (100, 1)))                # and further on
many = np.sum(keys * one_q, axis=(2, 3)) / np.sqrt(256)
picture(figures.over_distance(distances, alike, many),
        "Left, the score of a vector with itself falls from 1 to nearly 0 over 8192 positions. Right, the "
        "scores of random pairs wander between plus and minus two or three, and their size stays at one.")

# %% [markdown]
# *A word that looks for its own likeness finds the near ones loudest; for queries and keys in general nothing fades.*
#
# <details><summary>Why</summary>
#
# A query equal to its key begins with all cosines at 1, and there is no way but down: the fast pairs get out of step
# first. A random pair begins in no order, and turning what is in no order leaves it in no order. Whether a head
# listens near or far is therefore something it *learns*. Barbero et al. (2024) proved the same, and found inside
# Gemma 7B that it uses its slow pairs most, as if they were hardly turned, and its fast pairs for heads that look a
# fixed distance back, such as at the word before.
# </details>
#
# ## Its gradient
#
# A rotation is a matrix, so its gradient is the transpose of that matrix, and the transpose of a rotation is the
# rotation back. That is the whole derivation:
#
# $$y = R_p\,x \qquad\Rightarrow\qquad dx = R_p^{\top}\,dy = R_{-p}\,dy$$

# %%
source(rope_backward)

# %% [markdown]
# **Predict first.** The same $x$ stands at twelve positions of a pair that turns once in twelve. At each of them the
# gradient $dy$ points *further round*. What do the twelve gradients look like when they arrive at $x$? And what would
# become of their sum if the backward pass forgot to turn?

# %%
picture(figures.turned_back(),
        "Left: twelve vectors like the hours of a clock, each with a gradient at a right angle to it. "
        "Right: turned back, all twelve vectors are one, and all twelve gradients are one arrow.")

# %% [markdown]
# *The gradient turns back by as much as its vector was turned, so what all positions say adds up at $x$.*
#
# The sum of the twelve, with turning back and without. (The `stretch` makes it one turn in twelve positions.)

# %%
hours = np.arange(12)[None]
one = np.tile([1.0, 0.0], (1, 12, 1, 1))
y = rope(one, hours, stretch=12 / (2 * np.pi))
dy = np.stack([-y[..., 1], y[..., 0]], axis=-1)                       # a quarter turn ahead of y
dx = rope_backward(dy, one, hours, stretch=12 / (2 * np.pi))
for name, gradient in {"turned back": dx, "forgotten": dy}.items():
    print(f"{name:<12} {np.linalg.norm(gradient.sum(axis=1)):4.1f}")

# %% [markdown]
# <details><summary>Why the sum matters</summary>
#
# Whatever made $x$, a weight of the layer below, made it at all twelve positions, and its gradient is the sum of the
# twelve. All twelve say the same to it. With the turn forgotten they would cancel, and it would learn nothing.
# </details>
#
# And a rotation changes no length. Where RMSNorm (chapter 05) took a part of the gradient away, RoPE passes all of
# it, at every position and through any number of layers. By itself it can make no gradient vanish, and none explode.

# %%
x, dy = random.standard_normal((2, 2, T, 4, H))
where = np.stack([np.arange(T), np.arange(T) + 5000])
dx = rope_backward(dy, x, where)
assert np.allclose(np.linalg.norm(dx, axis=-1), np.linalg.norm(dy, axis=-1), rtol=1e-12)
check_gradient(rope, rope_backward, x, where)
print("every gradient keeps its length, and nudging agrees with it")

# %% [markdown]
# ## Its rivals
#
# Three other ways. **Sinusoidal** positions (Vaswani et al. 2017) *add* a fixed wave to each word, before queries and
# keys are made. **Learned** positions (BERT and GPT-2, for example) add a row of a table of weights. And one can
# leave words **unrotated**: then nothing tells their order but a rule of chapter 07, that nobody looks ahead.

# %%
source(sinusoidal, learned)

# %% [markdown]
# The experiment of the beginning, for all four: one word at 48 positions, random weights for queries and keys, and a
# table that was made for 32. **Predict first.** Which of the four consist of diagonals? And what does the table do
# past its end?

# %%
word = np.tile(random.standard_normal(pointer.D), (1, T, 1))
maps = {}
for name, way in pointer.WAYS.items():
    w = pointer.start(way, np.random.default_rng(4))
    grid = pointer.scores(way, w, word, positions)[0]
    maps[name] = (grid - grid.mean()) / max(grid.std(), 1e-9)          # one scale for all
picture(figures.maps(maps, label="score (standard deviations)"),
        "Four heat maps. RoPE: diagonals. Sinusoidal: a plaid of soft spots. Learned: noise, which "
        "turns into plain stripes past position 31. Unrotated: a single colour.")

# %% [markdown]
# *Only RoPE is made of diagonals alone; added positions mix where with how far, and past the end of the table all
# places are alike.*
#
# A picture of random weights shows what a way makes easy, not what training can make of it. So let us train. The task
# is as simple as one about places can be: *point at the word three places back*, and nobody looks ahead. The words
# are noise, but for one coordinate that is 1 in all of them, so that a head can ask for a place and for no word. One
# head learns from texts of 32 words that begin at position 0, by 150 steps of Adam. Then we move the texts along, or
# make them longer than any that it has seen, which is called **extrapolation**. All of it is in
# `gemma_edu/lab/rope/pointer.py`, gradients by hand.

# %%
source(pointer.scores, pointer.learn)

# %% [markdown]
# **Predict first.** Trained at positions 0 to 31, tested on texts that begin at position 16, or 1024. Who still
# points right? And who does in texts of 256 words, eight times as long as any that it has seen? (Five seeds each;
# some seconds.)

# %% tags=["nbval-ignore-output"]
begins, lengths = [0, 1, 4, 16, 64, 1024], [32, 64, 128, 256]
heads = {name: [pointer.learn(way, seed) for seed in range(5)] for name, way in pointer.WAYS.items()}
further, longer = {}, {}
for name, way in pointer.WAYS.items():
    further[name] = [[pointer.hits(way, w, begin) for begin in begins] for w in heads[name]]
    longer[name] = [[pointer.hits(way, w, length=length) for length in lengths] for w in heads[name]]
picture(figures.pointing(begins, further, lengths, longer),
        "Left: RoPE stays at one wherever the text begins, sinusoidal falls to 0.6, learned falls to the "
        "level of unrotated. Right: over longer texts RoPE falls a little for some seeds, the others far.")

# %% [markdown]
# *Moving a text along costs RoPE nothing, as proved; longer texts are another matter, even for RoPE.*

# %%
print(f"{'':<12}{'as trained':>12}{'far on':>12}{'far longer':>12}")
for name in pointer.WAYS:
    begun, grown = np.mean(further[name], axis=0), np.mean(longer[name], axis=0)      # over the seeds
    print(f"{name:<12}{begun[0]:12.1f}{begun[-1]:12.1f}{grown[-1]:12.1f}")

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# **Learned**: rows past 31 do not exist (ours repeats the last one), so every word there stands in the same place.
# **Sinusoidal**: its places are known everywhere, but the head has learned what to do with those it has met. The
# distance is there to be found, and is not forced upon it. **RoPE**: scores at position 1024 *are* the scores at
# position 0. But in a text of 256 words there are distances that were never seen, and nothing in training has told
# the head that their scores must stay low. Some seeds are lucky, some are not. Gemma 3, from the 4B on, has a remedy
# in the layers that look far: it divides positions by 8, so that far ones stay within what has been seen (`stretch`).
#
# **Unrotated** is about what guessing gives. All of this is one small task with noise for words; it shows what each
# way makes easy, and no more.
# </details>
#
# ## What goes wrong
#
# RoPE is a few lines, and it is easily got wrong. Here are four mistakes and one harmless change, on the query and
# the key of the beginning. **Predict first.** Two of these five will look just like the right one. Which of them is
# harmless for ever, and which only here?

# %%
suspects = {"right": misturned.right} | misturned.MISTAKES
grids = {name: figures.scores(*turn(q, k, positions)) for name, turn in suspects.items()}
picture(figures.maps(grids, columns=3),
        "Six heat maps of scores. Right, bfloat16 and from one are the same diagonals. Neighbours and "
        "backwards are other diagonals. Queries only has horizontal stripes.")

# %% [markdown]
# *Three kinds of wrong: other diagonals, no diagonals, and the same diagonals for now.*
#
# <details><summary>Which is which</summary>
#
# - **Neighbours.** Coordinate 0 is paired with 1, 2 with 3, as in the paper. Gemma's weights were trained with halves.
# - **Backwards.** The sign of the sine is flipped: three back looks like three ahead, and the picture is mirrored.
# - **Queries only.** Keys are not turned, so a score depends on where the query stands, and on no distance.
# - **bfloat16.** Positions are held in 16 bits. The 48 of the picture are all held exactly; later ones are not.
# - **From one.** Counting begins at 1. By the theorem no score can change, and none does: it is not a bug at all.
# </details>

# %%
source(misturned.neighbours, misturned.braided, misturned.backwards, misturned.queries_only)

# %% [markdown]
# Which test would have caught them? Four candidates, each a thing that ought to be true. *Lengths* stay as they are.
# Position *zero* is not turned. Scores see only the *distance*: they stay when a text moves on by a thousand. And
# position 3 agrees with *published* numbers (here: with those of the right one). Where a test cries out, it says
# `seen`.

# %%
def seen(given, wanted):
    return "seen" if np.max(np.abs(given - wanted)) > 1e-6 else "-"

u, v = random.standard_normal((2, 1, T, 1, H))
print(f"{'':<14}{'lengths':>9}{'zero':>9}{'distance':>10}{'published':>11}")
for name, turn in suspects.items():
    (tu, tv), later = turn(u, v, positions), turn(u, v, positions + 1000)
    row = [seen(np.linalg.norm(tu, axis=-1), np.linalg.norm(u, axis=-1)), seen(tu[:, 0], u[:, 0]),
           seen(figures.scores(tu, tv), figures.scores(*later)), seen(tv[:, 3], rope(v, positions)[:, 3])]
    print(f"{name:<14}{row[0]:>9}{row[1]:>9}{row[2]:>10}{row[3]:>11}")

# %% [markdown]
# Lengths see nothing. Position 0 gives one alarm, and a false one. The distance misses *neighbours* and *backwards*:
# they are proper rotations, only not Gemma's. The published numbers miss bfloat16 (and cry out at *from one*, which
# harms nobody). **It takes the last two together**, and the distance must reach beyond 256. Here is why.
#
# ### Positions in bfloat16
#
# bfloat16 keeps eight binary digits. Up to 256 every whole number is exact. **Predict first.** What becomes of 257?
# And how many different places are left for the 8192 positions of a long text?

# %%
every = np.arange(8192)
held = misturned.rounded(every)
print("257 becomes", held[257], "  8190 and 8191 become", held[8190], held[8191])
print("first that is wrong:", every[held != every][0], "  places left:", len(np.unique(held)))
print("furthest off:", np.max(np.abs(held - every)), "positions, and as many radians in the fastest pair")
assert ml_dtypes.bfloat16(257) == 256

# %%
end = np.arange(8096, 8192)[None]
q_end, k_end = (np.repeat(z[:, :1], end.shape[1], axis=1) for z in (q, k))
exact, rounded = (figures.scores(*turn(q_end, k_end, end))
                  for turn in (misturned.right, misturned.in_bfloat16))
picture(figures.collisions(every[240:300], held[240:300], 8096, exact, rounded),
        "Left: held positions follow the diagonal to 256, then go in steps. Middle: diagonal stripes "
        "of scores near position 8192. Right: the same scores as flat blocks of 32 by 32.")

# %% [markdown]
# *Near the end of a long text, some 32 words in a row stand in one place, and their order is lost.*
#
# <details><summary>Why 897</summary>
#
# Eight binary digits hold 256 numbers below 256. From there on each doubling brings 128 more: steps of 2 up to 512,
# steps of 4 up to 1024, and so on to steps of 32 up to 8192. That is $256 + 5 \cdot 128$, and 8192 itself, to which
# the last positions are rounded.
# </details>
#
# Keras did this under its mixed precision until it was found (keras-hub, issue 1497); `transformers` did the whole of
# RoPE in bfloat16 where training ran under autocast (issue 29285, repaired in 4.38.2). How far off are the turned
# vectors? `late` computes the angle in float32 and rounds sine and cosine before they are used.

# %%
def late(x, positions, dtype=np.float32, half=ml_dtypes.bfloat16):
    """RoPE with its angle in some dtype, and sine, cosine and products in bfloat16."""
    a, b = np.split(x, 2, axis=-1)
    angle = positions[:, :, None, None].astype(dtype) / figures.wavelengths(x.shape[-1]).astype(dtype)
    sin, cos = np.sin(angle).astype(half), np.cos(angle).astype(half)
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)

z = random.standard_normal((1, 8192, 1, 64)).astype(ml_dtypes.bfloat16)
truth = rope(z.astype(float), every[None])
tries = {"Gemma: round once, at the end": rope(z, every[None]),
         "sine and cosine rounded": late(z, every[None]),
         "positions rounded": rope(z, held[None]),
         "all in bfloat16": late(z, every[None], ml_dtypes.bfloat16)}
for name, given in tries.items():
    error = np.sqrt(np.mean(np.square(given.astype(float) - truth)) / np.mean(np.square(truth)))
    print(f"{name:<30} off by {error:.1%}")

# %% [markdown]
# To round sine and cosine costs a little; `transformers` 5.23 still does. To round the angle costs the meaning.
#
# ### Dividing, or multiplying by the inverse
#
# Gemma divides: `p / λ`. Other implementations, `gemma_pytorch` and `transformers` among them, multiply by a stored
# `1 / λ`, which is quicker. In exact arithmetic there is no difference. In float32:

# %%
wavelength = figures.wavelengths(256).astype(np.float32)
divided = every[:, None].astype(np.float32) / wavelength
multiplied = every[:, None].astype(np.float32) * (np.float32(1) / wavelength)
exact = every[:, None] / figures.wavelengths(256)
off, by_division, by_inverse = (np.max(np.abs(a - b)) for a, b in (
    (divided, multiplied), (divided, exact), (multiplied, exact)))
print(f"angles that differ: {np.mean(divided != multiplied):.0%}, by up to {off:.1e} radians")
print(f"from the exact angle: {by_division:.0e} and {by_inverse:.0e}")
assert max(by_division, by_inverse) < 1e-3

# %% [markdown]
# Neither is right to the last digit, and a quarter of the angles differ in it. No sine and no cosine moves by more
# than its angle does, so that is less than a thousandth. It harms only those who compare two programs digit by digit,
# and look for a bug where there is none.
#
# ## Where the article is wrong, and how we know
#
# The article behind this course says that RoPE *shares embeddings between layers and so shrinks the model*. Ask the
# functions themselves: an argument annotated without a batch is a weight, and that is how this package counts.

# %%
sizes = {"S": 8192, "D": 2048}
for way in (rope, sinusoidal, learned, unrotated):
    weights = weights_of(way)
    count = sum(np.prod([sizes[letter] for letter in axes]) for axes in weights.values())
    print(f"{way.__name__:<11} weights: {', '.join(weights) or 'none':<7} {count:>11,} in Gemma 2B")

# %% [markdown]
# RoPE has no weights. There is nothing in it to share, and nothing to shrink: it costs a model 17 million weights
# less than a learned table would, and as many as sinusoidal positions do, none. And the non-embedding weights of
# chapter 05 added up to the report's 1,981,884,416 with no place for a position in them.
#
# How did the sentence come about? Gemma's report names two facts in one breath: rotary embeddings are used in each
# layer, and embeddings are shared *across inputs and outputs*. The second is another thing, **tied embeddings**: the
# table that turns a token into a vector also turns the last vector into scores for the next token. That does shrink
# the model, and the report's count shows it:

# %%
V, D = 256_128, 2048
rest, report = 1_981_884_416, 524_550_144         # Table 2: without the embedding, and the embedding
print("one table, V × D:", f"{V * D:,}", "← the report" if V * D == report else "")
print(f"two tables would make the model {(2 * V * D + rest) / (V * D + rest) - 1:.0%} larger")

# %% [markdown]
# Tied embeddings come in chapter 09. They have nothing to do with RoPE: each works without the other.
#
# ## Remember
#
# 1. RoPE turns each pair of coordinates $(i, i + H/2)$ by position over wavelength; it has no weights.
# 2. Turns add up, so a score depends on the distance alone; the gradient turns back and keeps its length.
# 3. Test two things: published numbers, and a shift beyond 256. Keep positions whole, and angles in float32.
#
# **Read.** Su et al., *RoFormer: Enhanced Transformer with Rotary Position Embedding* (2021). Barbero et al., *Round
# and Round We Go! What Makes Rotary Positional Encodings Useful?* (2024), which looks inside Gemma 7B. **Do** the
# [exercises](../exercises/06_rope.ipynb).
