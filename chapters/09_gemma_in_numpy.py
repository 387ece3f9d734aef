# %% [markdown]
# # 09 · Gemma in NumPy: all of it on one page
#
# **The question.** We have norms, rotations, attention and gates, each with its gradient. Do they fit together on a
# page, do they learn, and how would we know that what we built is Gemma and not something like it?
#
# **Afterwards you can** read the whole model in one sitting, bring a gradient from the loss down to every weight by
# hand, train it on real text, and find a bug that no sample and no argmax would have shown.
#
# **Time.** 75 minutes to read, less than a minute to run. The file of this chapter is
# `gemma_edu/numpy_gemma/model.py`; `train.py` and `sample.py` stand beside it.
#
# **Terms 術語** embedding 嵌入 · tied weights 權重共享 · logits 未正規化對數機率 · cross-entropy 交叉熵 ·
# KV cache 鍵值快取 · prefill 預填 · decoding 解碼 · finite differences 有限差分 · greedy decoding 貪婪解碼

# %%
from functools import partial
from itertools import islice
from pydoc_data.topics import topics

import numpy as np

import gemma_edu as ge
from gemma_edu import check_gradient, numpy_gemma
from gemma_edu.course import picture, source, weights
from gemma_edu.course.figures import gemma_in_numpy as figures
from gemma_edu.lab.gemma_in_numpy import first_release, hunt
from gemma_edu.lab.gemma_in_numpy.bugs import BUGS
from gemma_edu.numpy_gemma.block import block_backward
from gemma_edu.numpy_gemma.model import forward_backward, loss_backward
from gemma_edu.numpy_gemma.sample import generate, generate_without_cache, greedy, sampled
from gemma_edu.numpy_gemma.train import train
from gemma_edu.numpy_gemma.tree import leaves, per_layer, tree_map

# %% [markdown]
# ## It speaks
#
# The tiny Gemma that comes with this package has Gemma's architecture in full. Every number behind the text below
# is computed by the NumPy functions of Part II. Each token is drawn by lot: the likelier the model finds it, the more
# often (at a *temperature* of 0.7, which favours the likely a little more than the model does).

# %% tags=["nbval-ignore-output"]
cfg, params, tokenizer = ge.load("tiny")
cfg, params = ge.in_numpy(cfg), tree_map(np.asarray, params)       # each function becomes its namesake

prompt = "The with statement"
print(prompt + tokenizer.decode(generate(cfg, params, tokenizer.encode(prompt), 60, sampled(0.7, seed=3))))

# %% [markdown]
# ## One page of code
#
# A **stream** of D numbers stands at each position. `embed` looks up where it begins. Each of L blocks adds two
# things to it: what attention gathered from other positions, and what the MLP thought about it. `unembed` compares
# what came out with every row of the table that it began with.

# %%
source(numpy_gemma.embed, numpy_gemma.block, numpy_gemma.layers, numpy_gemma.unembed,
       numpy_gemma.hidden, numpy_gemma.forward)

# %% [markdown]
# That is Gemma. `cfg` says which function fills each slot: `norm` is `rms_norm`, `mixer` is `attention`, `mlp` is
# `geglu`; `place` and `cap`, which this Gemma does not need, change nothing. `fixed` has the constants of a layer,
# such as the base of its rotation. `contract` is an einsum; `widen` makes float32 of anything narrower.
#
# Two arguments have stood in the wings until now. `cache` remembers keys and values of positions that
# were read before; we come to it below. `tap` is called with a name at a few points and returns what it was given:
# it lets us look, and changes nothing. Both may be left out.
#
# The weights are a dict of arrays. Where does the tree come from? From the signatures: an argument annotated without
# a batch is a weight, and a block's argument annotated `Norm`, `Mixer` or `Mlp` is a dict: the weights of whatever
# fills that slot.

# %%
weights(cfg)

# %% [markdown]
# *One table is a fifth of this model, as in Gemma 2B: 1.05 of 5.57 million here, 0.52 of 2.51 billion there.*
#
# ## The length of an embedding
#
# `embed` multiplies each row by $\sqrt D$. Why? The same table has two jobs. At the **head** it is multiplied by a
# stream of length one, and for logits of ordinary size its rows must be short: each number about $1/\sqrt D$. At the
# **foot** the layers expect a stream that can hold its own against what they add.
#
# **Predict first.** How large are the numbers in a row of a fresh table, for D = 64: 1, 1/8 or 1/64? And what the
# first layer adds to the stream: larger than that, or smaller?

# %%
nano, fresh, _ = ge.load("random:nano", dtype="float32")
nano, fresh = ge.in_numpy(nano), tree_map(np.asarray, fresh)

def rms(x):
    return float(np.sqrt(np.mean(np.square(x))))

positions = np.arange(64)[None]
x = numpy_gemma.embed(nano, fresh, positions, positions)           # the tokens 0 to 63
y, _ = numpy_gemma.block(nano, nano.fixed[0], x, positions, **per_layer(fresh["layers"])[0])
print(f"a row of the table: {rms(fresh['embed']):.3f}   times √64: {rms(x):.1f}")
print(f"what the first layer adds: {rms(y - x):.1f}")

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# An eighth. The layer reads a normalised stream, so it adds its 0.7 whether the factor is there or not. Without it
# that would be six times as loud as the token it is about, and the token would drown. In Gemma 2B, with D = 2048,
# the factor is 45. It is a constant and not a weight, so no checkpoint reminds a port of it, nor of its rounding:
# Gemma was trained in bfloat16, where it is 45.25 for 2B, and 55.5, not 55.43, for 7B. Ports that took the exact
# root were off by 0.13 %.
# </details>
#
# ## The whole gradient, by hand
#
# The backward pass reads like the forward pass from bottom to top. `block_backward` first walks up once more, to
# know what each part was given. Then it hands the gradient to the MLP, adds what comes out to the gradient of the
# stream (the stream went both ways, so both gradients add up), and does the same with attention. `pull_back` calls
# the backward function that stands beside a part.

# %%
source(block_backward, forward_backward, loss_backward)

# %% [markdown]
# Is it right? Finite differences trust nobody. Every weight of a Gemma in float64 is nudged along random directions,
# and the loss must change as fast as the gradient says.

# %%
small = hunt.CFG                                                   # D = 16, L = 2: a model for proofs
check_gradient(partial(numpy_gemma.loss, small),
               lambda dloss, *args: loss_backward(dloss, small, *args),
               hunt.PARAMS, hunt.TOKENS)
print("the gradient of", sum(leaf.size for leaf in leaves(hunt.PARAMS)), "weights agrees with nudging")

# %% [markdown]
# ## One table, two gradients
#
# The embedding is **tied**: it is the foot and the head. So its gradient comes down two paths, and they add up. Tap
# the two apart: what `embed_backward` returns, and what `unembed_backward` returns.
#
# **Predict first.** Nine different tokens of a vocabulary of 32 stand in the text. How many of the 32 rows get a
# gradient as input? How many as output?

# %%
from gemma_edu.numpy_gemma.loss import cross_entropy_backward
from gemma_edu.numpy_gemma.model import embed_backward, layers_backward, unembed_backward

tokens, targets = hunt.TOKENS[:, :-1], hunt.TOKENS[:, 1:]
positions = numpy_gemma.in_order(tokens)
x = numpy_gemma.embed(small, hunt.PARAMS, tokens, positions)
top, _ = numpy_gemma.layers(small, hunt.PARAMS, x, positions)
logits = numpy_gemma.unembed(small, hunt.PARAMS, top)
dlogits = cross_entropy_backward(np.full(targets.shape, 1 / targets.size), logits, targets)
head, dx = unembed_backward(dlogits, small, hunt.PARAMS, top)
_, dx = layers_backward(dx, small, hunt.PARAMS, x, positions)
foot = embed_backward(dx, small, hunt.PARAMS, tokens, positions)
lengths = [np.linalg.norm(each["embed"], axis=-1) for each in (foot, head)]
print("rows that hear as input:", np.sum(lengths[0] > 0), "  as output:", np.sum(lengths[1] > 0))

# %%
picture(figures.two_paths(*lengths),
        "Two rows of bars over the 32 tokens of the vocabulary. Above, as input, only the eight "
        "tokens that were read have a bar. Below, as output, every token has one.")

# %% [markdown]
# *As input a row hears only when its token is read; as output every row hears at every position, to be raised or
# lowered.*
#
# <details><summary>Why</summary>
#
# A look-up touches one row. The softmax touches all of them: each token that was not the right one is pushed down a
# little. (Eight tokens are read, not nine: the last one is only ever a target.) A port that forgets one of the two
# gradients still runs, and no test of the forward pass would notice.
# </details>
#
# ## A gradient on its way
#
# Now look inside while the tiny Gemma reads a sentence. Each column reads the piece below it and must guess the one
# above it; the bar says how surprised it was. Then the gradient of that surprise flows down through the layers, and
# back to earlier tokens through attention. The tap of the backward pass measures its length at each point where
# attention or the MLP adds to the stream.

# %%
text = "If the file does not exist, FileNotFoundError is raised; otherwise the file object is returned."
read = np.array([tokenizer.encode(text)])
flow = []

def measure(name, dx):
    if name != "stream":
        flow.insert(0, np.linalg.norm(dx[0], axis=-1))
    return dx

logits, _ = numpy_gemma.forward(cfg, params, read[:, :-1])
bits = numpy_gemma.cross_entropy(logits, read[:, 1:])[0] / np.log(2)
_ = loss_backward(1.0, cfg, params, read, tap=measure)

# %%
pieces = ["⟨bos⟩"] + [tokenizer.decode([token]).strip() for token in read[0, 1:]]
picture(figures.reading(pieces, bits, np.stack(flow)),
        "A heat map, layers upwards and the tokens of a sentence from left to right, coloured by the "
        "length of the gradient; above each column a bar shows how surprising the next token was.")

# %% [markdown]
# *From the top layer down to the first the gradient does not fade; it even grows, as each layer adds its share.*
#
# That is the heat map of chapter 02, inside Gemma, and it does not go dark towards the bottom. At the top a column
# is dark where the next token was no surprise; on the way down attention spreads the gradient over earlier tokens.
# The residual stream is the free path, and the norms keep anybody from shouting.
#
# ## It learns
#
# We need a model of 127,296 weights, a vocabulary of 512 pieces learnt on the spot, Python's own language reference,
# and Adam as in `numpy_gemma/train.py`. There is no framework in it.

# %%
from gemma_edu.data.tokenizer import train as train_tokenizer

reference = "\n\n".join(text for _, text in sorted(topics.items()))[:300_000]
vocabulary = train_tokenizer([reference], nano.V)
stream = np.array(vocabulary.encode(reference))

def batches(B=8, T=48, seed=0):
    random = np.random.default_rng(seed)
    while True:
        yield np.stack([stream[at:at + T + 1] for at in random.integers(len(stream) - T - 1, size=B)])

print(f"{ge.count(nano):,} weights")

# %% [markdown]
# **Predict first.** A model that knows nothing guesses among 512 pieces. What is its loss, in nats? And one that
# knows only how frequent each piece is?

# %% tags=["nbval-ignore-output"]
shares = np.bincount(stream, minlength=nano.V) / len(stream)
floor = -np.sum(shares[shares > 0] * np.log(shares[shares > 0]))
walk = list(islice(train(nano, fresh, batches(), rate=1e-2), 200))
learnt, losses = walk[-1][0], [float(loss) for _, loss in walk]
picture(figures.learning(losses, np.log(nano.V), floor),
        "The loss falls from above six nats, through the line of one who knows only how frequent the "
        "pieces are, to about three and a half.")

# %% [markdown]
# *It first learns which pieces are frequent; what it gains below the lower line, it has learnt from what came
# before.*
#
# <details><summary>What happened, and why</summary>
#
# A guess among V pieces costs $\ln 512 = 6.24$ nats. Knowing the frequencies costs their entropy, about 5 nats. Our
# fresh model begins a little *above* a guess: random logits are confident without a reason.
# </details>
#
# What it writes before, and after:

# %% tags=["nbval-ignore-output"]
for name, weights_now in (("before", fresh), ("after", learnt)):
    written = generate(nano, weights_now, vocabulary.encode("The "), 40, sampled(0.7, seed=0))
    print(f"{name}: The {vocabulary.decode(written)!r}\n")

# %%
assert np.mean(losses[-20:]) < floor - 0.8
print("below the frequencies alone by more than 0.8 nats")

# %% [markdown]
# ## The cache
#
# To write a token, the model must know the keys and values of all positions before it. Without a cache it reads the
# whole text again for each token. With one, each position is read once, and its keys and values stay in their slots.

# %%
source(generate, generate_without_cache)

# %% [markdown]
# **Predict first.** A prompt of 10 tokens, and 60 new ones. How many positions does each way read? (Nobody reads the
# very last token.)

# %%
start = tokenizer.encode("The value of the")
both = [list(way(cfg, params, start, 24, greedy)) for way in (generate, generate_without_cache)]
assert both[0] == both[1]
new = np.arange(1, 61)
with_cache, without = 10 + new - 1, np.cumsum(10 + new - 1)
print("the same text; positions read for 60 tokens:", with_cache[-1], "against", without[-1])

# %%
picture(figures.work({"with a cache": with_cache, "without": without}, new),
        "The line with a cache grows slowly to 69; the line without bends upwards to 2370.")

# %% [markdown]
# *A cache turns a square into a line, and the text does not change by a letter.*
#
# With a cache, 10 positions of the prompt and then 59 one by one. Without, 10 + 11 + … + 69.
#
# ## Is it Gemma?
#
# A model may learn and still not be Gemma. So we ask DeepMind's own code. Its first release computed the logits of a
# tiny model with weights made by a formula; the numbers stand in `gemma_edu/lab/gemma_in_numpy/first_release.json`,
# with the commit they come from. Our functions, the same weights:

# %%
ours = hunt.healthy(first_release.weights(np.float32))[0]
theirs = np.array(first_release.NUMBERS["logits"])
assert np.max(np.abs(ours - theirs)) < 1e-5
print("shape", ours.shape, "  logits of size", round(float(np.std(theirs)), 1), "  apart by less than 1e-5")

# %% [markdown]
# ## More than eight ways to get Gemma wrong
#
# Each of these bugs was shipped by somebody, or is a slip that a port could make; they stand in
# `gemma_edu/lab/gemma_in_numpy/bugs.py`. We put each into our model and see how far the logits move, and how many of
# the nine most likely next tokens, the *argmaxes*, change.
#
# **Predict first.** Of the bugs that move the logits at all, how many change not one of the nine argmaxes: a tenth,
# a quarter, half?

# %%
right = hunt.healthy()
seen = {bug: hunt.symptoms(hunt.with_bug(bug), right) for bug in BUGS}
seen = {bug: effect for bug, effect in seen.items() if max(effect[:2]) > 1e-12}
unseen = [bug for bug, (_, _, changed) in seen.items() if changed == 0]
print(len(seen), "bugs move a logit;", len(unseen), "of them change no argmax")

# %%
picture(figures.visibility(seen),
        "A list of bugs; for each a circle for the change at position 0 and a diamond for later "
        "positions, from a millionth to two standard deviations. More than half of the marks are open, "
        "also far to the right: no argmax changed.")

# %% [markdown]
# *More than half change no argmax, and some of those move the logits by a whole standard deviation: assert logits.*
#
# Swap the gate and the value of every MLP, and after each of the nine tokens the likeliest next one is still the
# same. That is why our tests compare numbers.
#
# Now look at the circles on the left edge. At **position 0** a token sees only itself: there is one key, and its
# share is one, however it is turned or scaled. So the first row of logits divides the suspects in two:
#
# | Row 0 is … | then look into |
# |---|---|
# | well | rope, the query's scale, the cache |
# | sick | embedding, norms, the MLP, values, the output; or a mask that shows row 0 anything but itself |

# %%
for bug in ("RoPE on q only", "no query scale", "gate and up swapped", "norm without + 1"):
    first, later, changed = seen[bug]
    print(f"{bug:<20} row 0 {'well' if first < 1e-12 else 'sick'}   argmaxes changed: {changed}")

# %% [markdown]
# Two bugs need a test of their own. *Epsilon outside the root* moves the logits by a millionth; only a faint stream
# shows it. And *erf for tanh* needs x = 2.7. The second has shipped more than once (chapter 08); a norm
# that ignored its epsilon shipped, too (chapter 05).
#
# ## Who tests the tests?
#
# DeepMind's first release had a test that a forward pass with a cache equals one without. It said
# `assert_array_almost_equal(with_cache, without, 1e-5)`. The third argument is a number of **decimals**. Rounded to
# 0.00001 decimals, everything is equal to everything:

# %%
from numpy.testing import assert_array_almost_equal

logits_of_size_002 = 0.02 * np.random.default_rng(0).standard_normal((2, 9, 32))
assert_array_almost_equal(logits_of_size_002, -logits_of_size_002, 1e-5)
print("passed, with the sign of every logit turned round")

# %% [markdown]
# The allowed distance was about 1.5, and the logits were of size 0.02. Behind it hid a true mismatch: with their
# all-true mask the queries looked into two empty slots of the cache. A test that cannot fail is worse than none. Ask
# of each test: *which bug would make you fail?* Then put the bug in, and watch.
#
# ## Remember
#
# 1. Gemma is one stream per position and L times two additions to it; the gradient goes down the same stream.
# 2. A tied table hears twice. A cache changes the work, never the text.
# 3. More than half of these bugs change no argmax: compare logits, and ask position 0 which half of the model to open.
#
# **Read.** Gemma Team, *Gemma: Open Models Based on Gemini Research and Technology* (2024). Press and Wolf, *Using
# the Output Embedding to Improve Language Models* (2016), for tied tables. **Do** the
# [exercises](../exercises/09_gemma_in_numpy.ipynb): the hunt is waiting.
