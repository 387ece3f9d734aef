# %% [markdown]
# # 07 · Attention: ask, compare, gather
#
# **The question.** So far every token of a text stood alone. How does "it" find out what "it" is? Who may look at
# whom, what does looking cost, and why does Gemma 2B keep one key where others keep eight?
#
# **Afterwards you can** write attention and its gradient by hand, read an attention map, say which mistakes in it
# no test of the best token will find, and work out the memory that every token of a conversation costs.
#
# **Time.** 50 minutes to read, half a minute to run on any laptop. The file of this chapter is
# `gemma_edu/numpy_gemma/attention.py`.
#
# **Terms 術語** attention 注意力 · query 查詢 · key 鍵 · value 值 · attention head 注意力頭 · causal mask 因果遮罩 ·
# softmax 歸一化指數函數 · multi-head attention 多頭注意力 · grouped-query attention 分組查詢注意力 ·
# multi-query attention 多查詢注意力 · KV cache 鍵值快取 · sliding window 滑動視窗

# %%
from functools import partial

import numpy as np

import gemma_edu as ge
from gemma_edu.course import explore, picture, plot, source
from gemma_edu.course.figures import attention as figures
from gemma_edu.course.figures import attention_gradient, shared_keys
from gemma_edu.lab.attention.heads import attention_maps, echoes, influence, pooled, slips, visibility
from gemma_edu.lab.attention.reach import reach
from gemma_edu.numpy_gemma import attend, causal_mask, softmax
from gemma_edu.numpy_gemma.attention import attend_backward, softmax_backward
from gemma_edu.numpy_gemma.tree import tree_map

# %% [markdown]
# ## What the tiny Gemma looks at
#
# The tiny Gemma that comes with this course has layers, and in each layer several *heads*. In each head every token
# asks: whom among us shall I listen to? The answer is a row of shares that add up to one. Here are all of them for
# one text, in every head. A row is a token that looks, a column is a token that is looked at.
#
# **Predict first.** A text of T tokens gives T × T pairs. How much of each square will be used?

# %%
tiny = ge.load("tiny")
cfg, params = ge.in_numpy(tiny.cfg), tree_map(np.asarray, tiny.params)
text = "If the list is empty, return the default value. If the list is full, return the"
tokens = np.array([tiny.tokenizer.encode(text)])                    # [B, T]
maps = attention_maps(cfg, params, tokens)[:, 0]                    # [L, N, T, S]
picture(figures.all_heads(maps),
        "A grid of square heat maps, one for each layer and head. In each, the half above "
        "the diagonal is blank. Below it some heads have bright diagonals, some bright "
        "columns, some are evenly dim.")

# %% [markdown]
# *Half of each square is empty: nobody looks ahead. In the other half, each head has a habit of its own.*
#
# <details><summary>How much exactly</summary>
#
# A token sees itself and those before it: 1, 2, 3, … T of them, $T(T+1)/2$ pairs of $T^2$, a little more than half.
# </details>
#
# Nobody told the heads what to do; the maps are what training made of random numbers. For three habits we measure
# which head has most of it, and look closer. `<bos>` marks the beginning of the text.

# %%
def pieces(tokens):
    return figures.words([tiny.tokenizer.pieces.id_to_piece(int(token)) for token in tokens[0]])

picture(figures.three_heads(maps, pieces(tokens)),
        "Three attention maps with the words of the sentence on both axes: the head that "
        "looks most at the token just before, the one that looks most at the first token, "
        "and the most even one.")

# %% [markdown]
# *One head leans on the word before, one rests on the beginning, one takes a little of everything.*
#
# Xiao et al. (2023) found resting heads in many language models and call the first token an *attention sink*:
# shares must add up to one, so a head that has nothing to say must put them somewhere. Now choose a text, a layer
# and a head.

# %%
texts = {}
for each in (text, "def area(self):\n    return self.width * self.",
             "29 + 14 = 43\n81 - 35 = 46\n"):
    ids = np.array([tiny.tokenizer.encode(each)])
    texts[each] = attention_maps(cfg, params, ids)[:, 0], pieces(ids)
explore(figures.head_dial(texts), "One attention map; text, layer and head can be chosen.",
        text=list(texts), layer=(0, len(maps) - 1, 0), head=(0, maps.shape[1] - 1, 0))

# %% [markdown]
# *Walk up through the layers: the rows are sharp in some heads and soft in others.*
#
# ## By hand
#
# A token sends out three vectors, each a product of its stream with a learned matrix: a **query** $q$ (what am I
# looking for?), a **key** $k$ (what can I be found by?), and a **value** $v$ (what do I tell those who found me?).
# A query at position $t$ is compared with the key of every position $s$; the scores become shares $p$; the values
# are averaged with these shares:
#
# $$\text{score}_{ts} = \frac{q_t \cdot k_s}{\sqrt H} \qquad p_{ts} = \frac{e^{\text{score}_{ts}}}
# {\sum_r e^{\text{score}_{tr}}} \qquad y_t = \sum_s p_{ts}\, v_s$$
#
# **On paper.** Two positions, $H = 4$. Let $q = (2, 0, 0, 0)$, and let the keys be zero and $(\ln 3, 0, 0, 0)$. The
# scores are $0$ and $2 \ln 3 / \sqrt 4 = \ln 3$. Their exponentials are 1 and 3, so the shares are ¼ and ¾. With
# the values $(8, 0, 0, 0)$ and $(0, 8, 0, 0)$ the answer is $(2, 6, 0, 0)$.

# %%
q = np.array([[[[2.0, 0, 0, 0]]]])                                  # [B, T, N, H]: one query
k = np.array([[[[0.0, 0, 0, 0]], [[np.log(3), 0, 0, 0]]]])          # [B, S, K, H]: two keys
v = np.array([[[[8.0, 0, 0, 0]], [[0, 8.0, 0, 0]]]])
print(attend(q, k, v, mask=np.array([[[True, True]]]))[0, 0, 0].round(6))

# %% [markdown]
# The function from the package does the same for every text, position and head at once:

# %%
source(softmax, attend)

# %% [markdown]
# N is the number of query heads and K that of key heads, of which there may be fewer (a later section says why).
# `by_key` puts all queries that compare with the same key into one matrix, so that one product serves them (there are
# G = N/K of them for each position); `by_head` undoes it. `softmax` subtracts the highest score first: the shares
# stay the same, and no exponential can overflow. `widen` takes the scores to float32, because exponentials and their
# sum want more than the three digits of bfloat16. `mask` says who is seen; it has a section of its own. `tap` lets us
# listen in: that is where the maps above come from. And Gemma turns queries and keys by their position (chapter 06)
# before they get here; the division by $\sqrt H$ comes after the turn. (Before it would be the same: a turn does not
# care for length.)
#
# ## Why divide by the root of H?
#
# A dot product of H random terms is about $\sqrt H$ large. Gemma's heads have H = 256, so its scores would be 16
# times as far apart as those of a head of width one.
#
# **Predict first.** 64 keys, all random. Without the division, what share goes to the best of them when H = 256: a
# tenth, a third, or nine tenths? And what happens to a gradient that has to pass such a softmax? (How it passes is
# the matter of *Its gradient*, below.)

# %%
def crowded(H, scale, random):
    q, k = random.standard_normal((400, H)), random.standard_normal((64, H))
    scores = scale * (q @ k.T)
    dscores = softmax_backward(random.standard_normal(scores.shape), scores)
    lengths = np.sqrt(np.sum(dscores**2, axis=-1))
    return np.mean(np.max(softmax(scores), axis=-1)), *np.quantile(lengths, [0.25, 0.5, 0.75])

widths = [4, 16, 64, 256, 1024]
measured = {name: np.transpose([crowded(H, H**power, np.random.default_rng(H)) for H in widths])
            for name, power in {"as it comes": 0, "divided by √H": -0.5}.items()}
picture(attention_gradient.crowded(widths, measured),
        "Two line charts over the width of a head. Without the division the best key's share "
        "climbs towards one and the gradient falls a thousandfold; with it both lines are "
        "flat.")

# %% [markdown]
# *Dividing by √H keeps the choice open when training begins, at any width; the band holds the middle half of the
# queries.*

# %%
for name, (shares, _, middle, _) in measured.items():
    print(f"H = 256, {name:<14} best share {shares[3]:.1f}   median gradient {middle[3]:.2f}")

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# Without the division one key gets about nine tenths, whichever happens to be best: the head has made up its mind
# before it has learned anything. And a softmax that is sure does not learn. Its gradient is made of products
# $p_s(1-p_s)$, and they vanish when a share is near 0 or 1: the saturated sigmoid of chapter 02 once more.
# </details>
#
# ## The mask as a picture
#
# At training time all positions of a text are worked out at once, and each is asked for its next token. A position
# that could see the next token would copy it. So the scores of the future are replaced by a number so low that
# their share is exactly zero.

# %%
T, random = 6, np.random.default_rng(0)
positions = np.arange(T)[None]                                      # [B, T]
q, k = random.standard_normal((2, 1, T, 1, 4))
scores = np.einsum("BTNH,BSNH->TS", q, k) / 2
picture(figures.three_steps(scores, causal_mask(positions, T)[0]),
        "Three tables of 6 by 6 numbers. First all scores; then the upper right is blanked "
        "out; then the rows are shares, the first row a single 1, and each row adds up to 1.")

# %% [markdown]
# *The first position has only itself, so it gives itself everything; the last one sees all six.*

# %%
source(causal_mask)

# %% [markdown]
# The function knows nothing but positions. Seen from position $t$, a key at position $s$ lies $t - s$ steps ago; if
# that is negative, it lies ahead and is hidden. The queries need not be the same positions as the keys: when Gemma
# writes, one new query at a time looks at all the keys before it. And the *window* is a preview: Gemma 2 and 3 let
# some layers see only the last few hundred or thousand positions.

# %%
eight = np.arange(8)[None]
picture(figures.masks({"Gemma 1: all of the past": (causal_mask(eight, 8)[0], range(8)),
                       "window of 3": (causal_mask(eight, 8, window=3)[0], range(8)),
                       "one new query, at 5": (causal_mask(np.array([[5]]), 8)[0], [5])}),
        "Three masks. A triangle with its diagonal; a diagonal band three wide; a single row "
        "in which the first six cells are open and the last two are shut.")

# %% [markdown]
# *A mask is a question about distance: not in the future, and not too long ago.*
#
# **How low is low?** DeepMind's first release writes $-2.3819763 \cdot 10^{38}$, which is 0.7 times the lowest
# number of float32; ours takes the lowest number that the dtype has. Why not $-\infty$? Look at a row in which
# *everything* is masked, as padding may be. And why not zero?

# %%
row, two, nobody = np.array([1.0, 2.0, 3.0]), [True, True, False], [False] * 3
lows = {"-inf": -np.inf, "lowest float": np.finfo(float).min, "zero": 0.0}
with np.errstate(invalid="ignore", over="ignore"):
    for name, low in lows.items():
        print(f"{name:<13} two of three seen: {softmax(np.where(two, row, low)).round(2)}"
              f"   none seen: {softmax(np.where(nobody, row, low)).round(2)}")
    print("DeepMind's number in float16:", np.float32(-2.3819763e38).astype(np.float16))

# %% [markdown]
# With $-\infty$ a row that sees nobody is not a number, and poisons everything that looks at it. With the lowest
# number it is an average of everything: of no use, but a number. A score of *zero* hides nothing: $e^0 = 1$ is a fine
# share. And in float16, whose lowest number is −65,504, DeepMind's number is $-\infty$ itself; so ours asks the
# dtype.
#
# ## Its gradient
#
# First softmax. If $y$ are the shares and $dy$ is the gradient that arrives at them, the gradient of the scores is
#
# $$dx_s = y_s \Big( dy_s - \sum_r dy_r\, y_r \Big)$$
#
# So the gradient of a score is positive where that of its share is above the average, in which each counts by the
# size of its share. **On paper**, with the shares ¼ and ¾ from above and $dy = (1, 0)$: the average is
# $\tfrac14 \cdot 1 + \tfrac34 \cdot 0 = \tfrac14$, so $dx = (\tfrac14 \cdot \tfrac34,\ \tfrac34 \cdot
# (-\tfrac14)) = (3/16, -3/16)$.

# %%
dx = softmax_backward(np.array([1.0, 0.0]), np.array([0.0, np.log(3)]))
print((16 * dx).round(6), "sixteenths")

# %% [markdown]
# **Predict first.** Random gradients arrive at the shares of the six positions above, all sorts of sums in their
# rows. What will the rows add up to below the softmax? And which number in the first row?

# %%
mask = causal_mask(positions, T)[0]
masked = np.where(mask, scores, np.finfo(float).min)
dshares = random.standard_normal((T, T))
dscores = softmax_backward(dshares, masked)
picture(attention_gradient.competition(dshares, dscores, mask),
        "Two triangular tables of signed numbers. On the left the row sums differ; on the "
        "right every row adds up to zero, and the first row, a single cell, is zero.")

# %% [markdown]
# *Attention is a competition: what one score gains the others lose, and who has no rival gets no gradient.*
#
# <details><summary>Why</summary>
#
# Adding the same number to all scores of a row changes no share. So the loss cannot depend on it, and the gradient
# has no part in that direction: each row adds up to zero. (RMSNorm had the same kind of blind direction: along
# $x$.) Where the mask hides a score, its share is zero, and so is its gradient.
# </details>
#
# The rest of the way down is products. Each product $Y = A B$ sends $dA = dY\,B^\top$ and $dB = A^\top dY$:

# %%
source(attend_backward)

# %% [markdown]
# And nudging agrees, for four queries that share two keys:

# %%
q, k, v = (random.standard_normal((2, T, heads, 8)) for heads in (4, 2, 2))
seen = causal_mask(np.repeat(positions, 2, axis=0), T)
ge.check_gradient(partial(attend, mask=seen), partial(attend_backward, mask=seen), q, k, v)
print("the gradients of q, k and v by hand equal the gradients by nudging")

# %% [markdown]
# **How far back does a gradient reach?** Part I was about gradients that die on their way through time. We put all
# of the loss at the last of 100 steps, and measure the gradient at each input: for a plain recurrent network, and
# for one head of attention, both with fresh weights; median and range of five draws.
#
# **Predict first.** What will be left of the gradient at the input of 99 steps ago?

# %%
runs = [reach(T=100, D=32, seed=seed) for seed in range(5)]
back = {name: np.array([run[name][::-1] for run in runs]) for name in runs[0]}
picture(plot.lines({name: np.median(each, axis=0) for name, each in back.items()},
                   spread={name: (each.min(0), each.max(0)) for name, each in back.items()},
                   xlabel="steps before the last", ylabel="length of the gradient", log="y",
                   title="What the last step teaches the steps before it"),
        "Two curves on a logarithmic axis. The recurrent network's falls in a straight line "
        "by twenty orders of magnitude; attention's stays level at about a hundredth.")

# %% [markdown]
# *In attention every step is one step away. The price: to look at everything, everything must be kept.*
#
# <details><summary>What happened, and why</summary>
#
# In the recurrent network the gradient passes 99 products, and each takes something away. In attention it passes
# one, with a share of about 1/100: small, but as large for a step 99 back as for the step before. (The last step
# itself gets more: it also asks.) Gates (chapter 01) were one way to save a gradient from time; attention does away
# with the walk. What it costs comes next.
# </details>
#
# ## Its rivals: how many keys?
#
# N heads ask N questions. Must each have keys and values of its own? **Multi-head attention** says yes: K = N
# (Vaswani et al. 2017; Gemma 7B has 16 of each). **Multi-query attention** lets all heads compare with one key: K =
# 1 (Shazeer 2019; Gemma 2B has 8 queries). **Grouped-query attention** stands between (Ainslie et al. 2023; Gemma 2
# 2B has 8 queries and 4 keys). In our code it is one function; the shape of `k` decides.

# %%
kinds = {"K = 8: multi-head": 8, "K = 4: grouped": 4, "K = 1: multi-query": 1}
picture(shared_keys.wiring(8, kinds),
        "Three wiring diagrams with eight queries above. Eight keys, one for each query; "
        "four keys, each with two neighbouring queries; one key, with all eight.")

# %% [markdown]
# *The number of questions is the same; the number of keys and values is not.*
#
# **A theorem for a test.** Heads that share a key compute the same as heads that have a copy of it each, side by
# side:

# %%
N, H, T = 8, 16, 64
q = random.standard_normal((1, T, N, H))
seen = causal_mask(np.arange(T)[None], T)
for K in (8, 4, 2, 1):
    k, v = random.standard_normal((2, 1, T, K, H))
    copies = attend(q, k.repeat(N // K, axis=2), v.repeat(N // K, axis=2), seen)
    assert np.allclose(attend(q, k, v, seen), copies, rtol=0, atol=1e-12)
    print(f"K = {K}: sharing equals copying")

# %% [markdown]
# So sharing is a *restriction*: nothing is computed that multi-head attention could not compute. What does it cost,
# and what does it save? For the sizes of Gemma 2B we count, for each K, the weights of attention in a layer and the
# bytes that a token leaves behind in all layers (bfloat16). With small random heads we measure two more things.
# *Directions*: stack the score tables of all heads, and count how many directions of the past they can tell apart
# (their rank). *Off by*: take eight keys and values, replace each group by its mean, and see how far the output
# moves, relative to its length.

# %%
k8, v8 = random.standard_normal((2, 1, T, N, H))
right = attend(q, k8, v8, seen)
print(" K   queries   keys, values   bytes a token   directions   off by")
for K in (8, 4, 2, 1):
    keys, values = pooled(k8, K), pooled(v8, K)
    off = np.linalg.norm(attend(q, keys, values, seen) - right) / np.linalg.norm(right)
    tables = np.einsum("BTNH,BSNH->NTS", q, keys.repeat(N // K, axis=2)).reshape(N * T, T)
    asked, told, kept = 2048 * 8 * 256, 2 * 2048 * K * 256, 2 * 18 * K * 256 * 2
    print(f"{K:2}{asked / 1e6:8.1f} M{told / 1e6:13.1f} M{kept:16,}"
          f"{np.linalg.matrix_rank(tables):13}{off:9.1f}")

# %% [markdown]
# Read it column by column. The queries cost the same at any K. Keys, values and bytes shrink with K. One shared key
# of width H can tell apart H directions, however many heads ask (here 16 of 64). And you cannot take the mean of
# keys that have nothing in common, as these random ones, and go on as if nothing had happened. Ainslie et al. begin
# with the mean of trained keys, and then train on.
#
# **A shared key hears from all its heads.** Its gradient is the sum of what each head sends, because a nudge of the
# key moves all of them. Two dimensions, four heads, one key: the arrows are real gradients from `attend_backward`,
# laid end to end.

# %%
N, T = 4, 8
q, dy = random.standard_normal((2, 1, T, N, 2))
k, v = random.standard_normal((2, 1, T, 1, 2))
seen = causal_mask(np.arange(T)[None], T)
copies = k.repeat(N, axis=2), v.repeat(N, axis=2)
_, shared, _ = attend_backward(dy, q, k, v, seen)                   # [1, S, 1, 2]
_, apart, _ = attend_backward(dy, q, *copies, seen)                 # [1, S, N, 2]
assert np.allclose(apart.sum(axis=2), shared[:, :, 0], rtol=0, atol=1e-12)
picture(attention_gradient.head_to_tail(apart[0], shared[0, :, 0], [0, 3, 6]),
        "Three panels, one for each of three positions. Four coloured arrows, one per head, "
        "are laid end to end; a thick grey arrow from the start ends exactly where the last "
        "one ends.")

# %% [markdown]
# *The shared key goes where the sum of all heads pulls it; heads may pull against each other.*
#
# ## What sharing saves
#
# When Gemma writes, it makes one token at a time, and each new query looks at all the keys and values of the past.
# They do not change any more, so they are kept: the **KV cache** (chapter 09 builds it). A token leaves behind one
# key and one value, in each of L layers, for each of K key heads, H numbers each:
#
# $$\text{bytes per token} = 2 \cdot L \cdot K \cdot H \cdot \text{bytes per number}$$

# %%
models = {"Gemma 2B": (18, 1), "Gemma 2B, had it K = 8": (18, 8), "Gemma 7B": (28, 16)}
for name, (L, K) in models.items():
    each = shared_keys.per_token(L, K, 256, "bfloat16")
    print(f"{name:<24}{each:8,} bytes a token;"
          f"{shared_keys.readable(8192 * each):>9} for 8,192 tokens")

# %% [markdown]
# That is for *one* conversation; a server has many. Turn the knobs. The diamond is your model, and the grey line is
# the memory that all the weights of Gemma 2B take.

# %%
explore(shared_keys.cache_dial,
        "Memory of the cache against the length of the text, both logarithmic: parallel "
        "lines for Gemma 2B, for a 2B with eight keys, for Gemma 7B, and for the model that "
        "you set.",
        K=(1, 16, 1), L=(2, 60, 18), H=[256, 64, 128], dtype=list(shared_keys.BYTES),
        context=(1024, 131_072, 8192, 1024))

# %% [markdown]
# *Every knob but the text moves the line straight up or down; with one key in place of eight it lies eight times
# lower.*
#
# The memory is not all: each new token must *read* the whole cache. What that means for the speed of writing is a
# matter for chapter 18.
#
# Why did Google give the 2B model one key and the 7B model sixteen? The report of February 2024 says that each choice
# improved performance at its size; the April version, that multi-query attention works well at small scales. Neither
# gives the numbers of its ablations.
#
# ## What goes wrong
#
# **1. The gain thrown away.** DeepMind's first release computed with one key, but repeated it eight times *before*
# it went into the cache (repaired in commit `33c96b2`). Every output is right. Only the memory tells:

# %%
q, k, v = (random.standard_normal((1, 5, heads, 256)).astype(np.float32) for heads in (8, 1, 1))
seen = causal_mask(np.arange(5)[None], 5)
cached = k.repeat(8, axis=2), v.repeat(8, axis=2)
print("same output:", np.allclose(attend(q, k, v, seen), attend(q, *cached, seen), atol=1e-5),
      "  bytes:", k.nbytes + v.nbytes, "→", sum(each.nbytes for each in cached))

# %% [markdown]
# **2. A size that fits by chance.** The heads of Gemma 2B put together are as wide as its stream: 8 × 256 = 2048.
# So a reshape to the width of the *stream* works there. Gemma 7B has 16 × 256 = 4096, and its stream is 3072 wide:
# version 4.38.0 of `transformers` crashed. And `-1` in a reshape can turn a crash into silence:

# %%
for D, N in ((2048, 8), (3072, 16)):
    gathered = np.zeros((1, 3, N, 256))                             # three positions
    fits = gathered.size == 3 * D
    print(f"D = {D}: reshape(1, 3, {D}) {'works' if fits else 'crashes'};   "
          f"reshape(1, -1, {D}) gives", gathered.reshape(1, -1, D).shape)

# %% [markdown]
# Three positions went in and four came out. Our code has no such reshape: `contract("BTNH,NHD->BTD", …)` names the
# axes.
#
# **3. The copies in the wrong order.** Query heads 0 and 1 share key 0: copies stand side by side, k0 k0 k1 k1
# (`repeat`). `tile` gives k0 k1 k0 k1.

# %%
q = random.standard_normal((1, 5, 8, 16))
for K in (8, 4, 1):
    k, v = random.standard_normal((2, 1, 5, K, 16))
    tiled = attend(q, *(np.tile(each, (1, 1, 8 // K, 1)) for each in (k, v)), seen)
    same = np.allclose(tiled, attend(q, k, v, seen))
    print(f"K = {K}: tile for repeat", "cannot be seen" if same else "is wrong")

# %% [markdown]
# Both sizes of Gemma 1 stand at the ends, K = N and K = 1, and there the mistake has no effect at all. It waits for
# Gemma 2. The lesson for your tests: choose sizes that differ from each other, and 1 < K < N.
#
# **4. A mask without the diagonal.** Write `0 < ago` in place of `0 <= ago`, and a position no longer sees itself.
#
# **Predict first.** What will the *first* position look at, which now may look at nobody?

# %%
picture(figures.three_steps(scores, causal_mask(positions - 1, 6)[0]),
        "The three tables again, with the diagonal blanked out, too. The first row has no "
        "scores left, and its shares are 0.17 for each of the six positions, those of the "
        "future included.")

# %% [markdown]
# *A row without anything to see is an even average of everything: the mask that was too strict lets the future in.*
#
# <details><summary>Why</summary>
#
# Softmax only compares. If all six scores are the same lowest number, all six shares are the same. From the second
# row on everything looks healthy, and one step late.
# </details>
#
# **5. Which slips would you notice?** We put five into the whole tiny Gemma, as it was trained, and into the same
# model with random weights, as a unit test would use it. Two tests: compare the logits; compare which token wins.
#
# **Predict first.** How often does another token win, in the model with random weights?

# %%
fresh = tree_map(np.asarray, ge.load("random:tiny", dtype="float32").params)
shown = {"as trained": visibility(cfg, params, tokens),
         "with random weights": visibility(cfg, fresh, tokens)}
picture(attention_gradient.visible(shown),
        "Bar charts for five slips in two models. Each slip moves the logits by standard "
        "deviations in both models. Another token wins in the trained model only; with "
        "random weights never.")

# %% [markdown]
# *The logits show each slip in both models; with random weights the winner shows none.*

# %%
random_weights = shown["with random weights"].values()
print("every logit test would fail:", all(moved > 1 for moved, _, _ in random_weights))
print("every argmax test would pass:", all(other == 0 for _, other, _ in random_weights))
print("because the winner is always the token just read:", echoes(cfg, fresh, tokens) == 1)

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# In Gemma the embedding is also the head. With random weights the stream still points towards the token that it
# began with, so this token gets the highest logit, whatever attention adds. A test of the winner then passes for
# any attention at all. Trained weights do show the slips, but your tests will not always have them. Compare logits.
# </details>
#
# There is a quicker way to find such a bug than staring at code: **ask position 0.** It can only look at itself, so
# its share is 1 whatever the scores are. A wrong scale cannot be seen there; swapped values can:

# %%
for name, (_, _, first) in shown["as trained"].items():
    print(f"{name:<26}position 0", "moves" if first > 1e-3 else "does not move")

# %% [markdown]
# ## Where the article is wrong, and how we know
#
# **Who is compared with whom.** The article behind this course says that a Transformer decoder compares each
# element with all other elements. We replace one token after the other and measure how far the logits of every
# position move: on the left in Gemma, on the right in the same model without its mask.

# %%
without = slips(cfg, params, tokens.shape[1])["no mask at all"]
moved = {"with the mask": influence(cfg, params, tokens, tiny.tokenizer.eos),
         "without it": influence(*without, tokens, tiny.tokenizer.eos)}
picture(figures.influences(moved, pieces(tokens)),
        "Two square heat maps. With the mask everything above the diagonal is dark: a token "
        "moves only its own logits and later ones. Without the mask the whole square is lit.")

# %% [markdown]
# *In a decoder an element is compared with itself and its past, never with its future.*

# %%
for name, grid in moved.items():
    ahead = np.max(np.triu(grid, 1))
    assert not 1e-3 < ahead < 0.1
    print(f"{name}, a token {'moves' if ahead > 0.1 else 'does not move'} what comes before it")

# %% [markdown]
# All other elements: that is an encoder, BERT for example.
#
# **Who asks independently.** The article says that multi-query attention lets each head ask independently and look
# at different parts. Heads always did; it is what *multi-head* means. Multi-query attention leaves the queries
# alone (the column "queries" above does not depend on K) and takes all keys and values but one away. Do heads still
# look at different things then? The tiny Gemma has a single key head in each layer. We take any two heads of a layer,
# and measure which part of their shares differs, averaged over the text:

# %%
heads = maps[:, :, 2:]                          # [L, N, T, S], where there is a choice
apart = 0.5 * np.abs(heads[:, :, None] - heads[:, None]).sum(axis=-1).mean(axis=-1)
pairs = apart[:, *np.triu_indices(apart.shape[1], 1)]                             # [L, pairs]
print("key heads in a layer:", cfg.K)
print("any two heads differ in more than a tenth of their shares:", bool(np.all(pairs > 0.1)))

# %% [markdown]
# They share the key, and differ by their questions. What multi-query attention brings is not freedom but a small
# cache: 18,432 bytes a token for Gemma 2B, where eight keys would take 147,456.
#
# ## Remember
#
# 1. Ask, compare, gather: scores $q \cdot k / \sqrt H$, no future, softmax, average of the values. Each row adds up
#    to one, and its gradient to zero.
# 2. A query is used once, keys and values must be kept: $2 \cdot L \cdot K \cdot H$ numbers for each token. Sharing
#    keys equals copying them, and their gradients add up.
# 3. Test logits, not winners; with 1 < K < N; and ask position 0 first.
#
# **Read.** Vaswani et al., *Attention Is All You Need* (2017), section 3.2. Shazeer, *Fast Transformer Decoding:
# One Write-Head is All You Need* (2019). Ainslie et al., *GQA* (2023). **Do** the
# [exercises](../exercises/07_attention.ipynb).
