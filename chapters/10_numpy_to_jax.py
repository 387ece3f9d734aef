# %% [markdown]
# # 10 · NumPy to JAX: let the machine read the code
#
# **The question.** Our Gemma works in NumPy, and every gradient of it was written by hand. What has to change in the
# code to hand it to a machine that derives gradients and compiles programs? And what do we get for it?
#
# **Afterwards you can** port a function from NumPy to JAX, say what `jit`, `grad`, `vmap` and `scan` do to it, know
# when JAX compiles again, and recognise eight traps by their symptoms.
#
# **Time.** 60 minutes to read, about half a minute to run. The folder of this chapter is `gemma_edu/jax_gemma`, beside
# `gemma_edu/numpy_gemma`.
#
# **Terms 術語** just-in-time compilation (jit) 即時編譯 · tracing 追蹤 · tracer 追蹤器 · vectorization (vmap) 向量化 ·
# automatic differentiation 自動微分 · scan 掃描 · operator fusion 算子融合 · recompilation 重新編譯 ·
# pseudorandom key 偽隨機金鑰 · side effect 副作用 · dtype promotion 型別提升 · pytree 樹狀結構 ·
# buffer donation 緩衝區捐贈 · asynchronous dispatch 非同步派發

# %%
import warnings
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

import gemma_edu as ge
from gemma_edu import jax_gemma, numpy_gemma
from gemma_edu.course import explore, picture, source, twins
from gemma_edu.course.figures import numpy_to_jax as figures
from gemma_edu.course.figures import programs as bill
from gemma_edu.lab.numpy_to_jax import clock, gradients, programs, rooms
from gemma_edu.lab.numpy_to_jax.measure import layers_as, measured
from gemma_edu.numpy_gemma.tree import tree_map

warnings.filterwarnings("ignore", message="Explicitly requested dtype float64")   # until trap 4
cfg, params, tokenizer = ge.load("tiny")
in_numpy = ge.in_numpy(cfg), tree_map(np.asarray, params)          # the same model in NumPy

# %% [markdown]
# ## The same model, called in three ways
#
# The tiny Gemma reads 128 tokens at once, and then it writes: one token at a time, with a cache. We do so with the
# NumPy model of chapter 09, with its twin in JAX called just as plainly, and with that twin behind `jax.jit`.
#
# **Predict first.** For writing one token, order the three by their time. By what factor does the slowest lose?

# %%
text = np.arange(128)[None]
one, at = np.array([[7]]), np.array([[128]])
cache = ge.empty_cache(cfg, params, 1, 256)
compiled = jax.jit(ge.forward)

def times(tokens, *rest):
    ours = tree_map(np.array, rest[-1]) if rest else None
    return {"NumPy": clock.seconds(numpy_gemma.forward, *in_numpy, tokens, *rest[:1], ours),
            "JAX, op by op": clock.seconds(ge.forward, cfg, params, tokens, *rest),
            "JAX, jit": clock.seconds(compiled, cfg, params, tokens, *rest)}

jobs = {"read 128 tokens": times(text), "write one token": times(one, at, cache)}
picture(figures.ways(jobs),
        "Two bar charts of milliseconds, reading and writing. In both, JAX op by op takes "
        "longest and jit least; in writing one token the gap is by far the widest.")

# %% [markdown]
# *Whoever only replaces `np` by `jnp` makes the model slower; what pays is the one line that compiles it.*
#
# <details><summary>What happened, and why</summary>
#
# Called plainly, JAX sends each operation to the device on its own, and each costs tens of microseconds of
# book-keeping, before any arithmetic. Writing a token is hundreds of small operations (we count them below), so
# the book-keeping is nearly all of it. `jit` pays it once for all of them. (This page was made with one core for
# NumPy's products, while JAX takes all there are: the reading is no fair race, but the order is what matters here.)
# </details>
#
# ## Two rooms, line by line
#
# Every function of the model in `numpy_gemma` has a twin in `jax_gemma`: the same name, the same arguments, the same
# order of lines. On most lines nothing differs, or one letter does:

# %%
twins(jax_gemma.rms_norm)

# %% [markdown]
# Some lines say something else. An array of JAX cannot be written to; `x.at[i].set(y)` returns a new array, in which
# `y` stands at `i`. (A compiled program may well write in place; you may not see it.)

# %%
twins(jax_gemma.remember)

# %% [markdown]
# **Predict first.** Take all lines of code in the NumPy room's files of the model, without comments, docstrings and
# imports. Which share of them has no counterpart in JAX at all, because it is a gradient written by hand? And which
# share had to be rewritten?

# %%
kinds = {file: rooms.kinds(file) for file in rooms.FILES}
picture(figures.rooms(kinds),
        "A stacked bar for each file of the NumPy room. About half of nearly every bar is "
        "grey, gradients by hand; most of the rest is the same, and few lines are rewritten.")

# %% [markdown]
# *More than half of these files is gradients. Of the rest, six lines in seven survive as they are or with one letter
# more.*
#
# What was rewritten, and why:

# %%
for reason, names in rooms.REASONS.items():
    print(f"{reason:<32}", ", ".join(names))
assert set(sum(rooms.REASONS.values(), [])) == set(rooms.differing())

# %% [markdown]
# ## What `jit` does: it reads your function once
#
# Python is a language for people, and no compiler reads it. JAX does something simpler: it *calls* your function, not
# with numbers but with **tracers**. A tracer knows its shape and its dtype and no values. Whatever is done to it is
# written down. The list is the program; it is compiled, kept, and from then on Python is out of the game.
#
# **Predict first.** The function below prints a line. It is called three times. How many lines appear?

# %%
@jax.jit
def double(x):
    print("Python reads this:", x.shape, x.dtype)
    return 2 * x

print([double(jnp.ones(3))[0].item() for _ in range(3)])

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# One line: Python ran once, for the tracing. The second and third call found a compiled program for three numbers
# in float32, and ran that.
# </details>
#
# The list that was written down is called a *jaxpr*. `jax.make_jaxpr` shows it. Each line is one operation on
# arrays, with its shape and dtype; there is no Python left, no `widen`, no keyword, no docstring.

# %% tags=["nbval-ignore-output"]
x, scale = jnp.ones((8, 256, 256)), jnp.zeros(256)
jax.make_jaxpr(jax_gemma.rms_norm)(x, scale)

# %% [markdown]
# Then the compiler, XLA, reads the list. Called plainly, each operation reads its arguments from memory and writes
# its result back there. The compiler **fuses**: neighbouring operations become one loop over the array, in which
# what lies between them never leaves the processor.

# %% tags=["nbval-ignore-output"]
for f, args in {jax_gemma.gelu: [x], jax_gemma.softmax: [x], jax_gemma.rms_norm: [x, scale],
                jax_gemma.forward: [cfg, params, one]}.items():
    plain, fused = clock.seconds(f, *args), clock.seconds(jax.jit(f), *args)
    print(f"{f.__name__:<9} {programs.operations(f, *args):4} operations, {1e3 * plain:6.2f} ms"
          f"   → {programs.kernels(f, *args):3} kernels, {1e3 * fused:5.2f} ms")

# %% [markdown]
# *Eight operations of a GELU become one pass over memory. That is what compiling buys where the arithmetic is cheap;
# a large matrix product was fast before.*
#
# ## `grad`: the half that vanishes
#
# A list of known operations can be walked backwards: each has a rule for its gradient, just as our
# `_backward` functions are rules for larger pieces. On paper: the slope of a sigmoid at 0 is
# $\sigma(0)\,(1 - \sigma(0)) = 1/4$. And the gradient of a function is again a function, so it has a gradient, too.

# %%
slope = jax.grad(jax_gemma.sigmoid)
print(f"slope at 0: {slope(0.0):.2f}   at 1: {slope(1.0):.2f}")
print(f"slope of the slope at 1: {jax.grad(slope)(1.0):.2f}")

# %% [markdown]
# `jax.grad` wants a function with one number as its result. `jax.vjp` is the general form, and it is the contract
# of chapter 05: give me `dy`, I return a gradient for each argument. So the two can be held beside each other.

# %%
random = np.random.default_rng(0)
x, scale, dy = (random.normal(size=shape) for shape in [(2, 3, 8), 8, (2, 3, 8)])
y, pull_back = jax.vjp(jax_gemma.rms_norm, x, scale)
by_hand = numpy_gemma.norm.rms_norm_backward(dy, x, scale)
for ours, theirs in zip(by_hand, pull_back(dy.astype(y.dtype)), strict=True):
    print(ours.shape, ours.dtype, theirs.dtype, "agree:", np.allclose(ours, theirs, atol=1e-4))

# %% [markdown]
# Four digits, because JAX computes in float32 unless it is told otherwise (trap 4). Now all of them, with sixteen:
# every function with a gradient by hand whose arguments can be drawn from its letters, at random arguments; and the
# loss of a whole small Gemma, by each of its weights. The gradients of `block`, `embed`, `contract` and others that
# take more than arrays are inside that. (Those of Gemma 2 and 3 alone, `soft_cap`, QK-norm and the norms after the
# parts, stand in `tests/test_gradients.py`.)
#
# **Predict first.** Some of the functions below agree not nearly but *exactly*, with a difference of 0. What
# kind of function could that be?

# %%
parts, weights = gradients.agreement()
print(f"{len(parts)} functions and {len(weights)} weights;", "the worst is below 1e-13:",
      max(*parts.values(), *weights.values()) < 1e-13)
picture(figures.agreement(parts, weights),
        "Two columns of dots on a logarithmic axis, a dot for each gradient: all lie near "
        "1e-16, some are zero, and the limit of 1e-10 is far to the right.")

# %% [markdown]
# *Every gradient that you wrote in Part II is the one that the machine derives; what is left is the last digit of
# float64. (Hollow dots: exactly equal.)*
#
# <details><summary>What kind agrees exactly</summary>
#
# Those that do no arithmetic on the way back, or the same one in the same order: leaving the stream as it is, adding
# a constant, turning back. The others compute the same number in another order, and round differently.
# </details>
#
# Where they could differ is a point without a slope. At 0, ReLU has a kink. We say 0 there, and so does our twin, by
# its `where`; but the textbook line `maximum(x, 0)` splits the gradient between its two equal arguments:

# %%
print("our relu at 0:", jax.grad(jax_gemma.relu)(0.0),
      "  jnp.maximum(x, 0) at 0:", jax.grad(lambda x: jnp.maximum(x, 0.0))(0.0))

# %% [markdown]
# ## `vmap`: write it for one
#
# `attend` carries a batch, a time, heads and their groups through every line. The idea needs none of them. For one
# head in one text:

# %%
def attend_one(q, k, v, mask):                 # [T, H], [S, H], [S, H], [T, S]
    scores = q @ k.T * q.shape[-1]**-0.5
    return jax.nn.softmax(jnp.where(mask, scores, jnp.finfo(scores.dtype).min)) @ v

heads = jax.vmap(attend_one, in_axes=(1, None, None, None), out_axes=1)   # N heads share a key
batch = jax.vmap(heads)                                                   # and so in B texts

sizes = (2, 5, 4, 8), (2, 5, 8), (2, 5, 8)
q, k, v = (jnp.asarray(random.normal(size=size)) for size in sizes)
mask = jax_gemma.causal_mask(jnp.broadcast_to(jnp.arange(5), (2, 5)), 5)
same = jax_gemma.attend(q, k[:, :, None], v[:, :, None], mask)
gathered = batch(q, k, v, mask)
print(gathered.shape, "equal to attend:", bool(jnp.allclose(gathered, same, atol=1e-5)))

# %% [markdown]
# `in_axes` says where the axis stands in each argument; `None` says that an argument has none and is shared. So
# multi-query attention is a `None`: the article behind this course calls it heads that ask independently, and here
# one sees what they share.
#
# Is it a loop in disguise? Count the matrix products in the program: with the loop over 2 texts and 4 heads there
# would be 16.

# %%
def products(f, *args):
    return str(jax.make_jaxpr(f)(*args)).count("dot_general[")

print("products for one head:", products(attend_one, q[0, :, 0], k[0], v[0], mask[0]),
      "  for 2 × 4 of them:", products(batch, q, k, v, mask))

# %% [markdown]
# The axis moved *into* each operation: two larger products instead of eight small ones each.
#
# By hand we always had the gradient of a batch, summed over it. `vmap` of `grad` gives **each example its own**,
# which would have meant rewriting every `_backward`. So we can ask: which text would teach the tiny Gemma most?
#
# **Predict first.** Put these in order: prose from the Python documentation, code, a sum that is right, a sum that is
# wrong, one word repeated, letters at random, Chinese.

# %%
TEXTS = {"prose": "The with statement is used to wrap the execution of a block",
         "code": "def __init__(self, name, value=None):", "a sum, right": "12 + 30 = 42",
         "a sum, wrong": "12 + 30 = 57", "one word repeated": "the" + " the" * 10,
         "letters at random": "zxq vvv kjj qqw zzk qxj", "Chinese": "今天天氣很好我們出去玩"}
rows = jnp.array([tokenizer.encode(each)[:11] for each in TEXTS.values()])   # 11 tokens of each
stacked = params | {"layers": ge.stack(params["layers"])}

def lesson(tokens):
    grads = jax.grad(ge.loss, argnums=1)(cfg, stacked, tokens[None])
    return jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(grads)))

lengths = jax.jit(jax.vmap(lesson))(rows)
picture(figures.lessons(dict(zip(TEXTS, lengths.tolist(), strict=True))),
        "Seven bars. The longest gradients are those of the Chinese sentence and of the "
        "repeated word, the shortest those of code, the sums and prose.")

# %% [markdown]
# *What the model has read much of teaches it little: the gradient of Chinese is five times as long as that of code.*
#
# <details><summary>What happened, and why</summary>
#
# A text that surprises pulls hard. The tiny Gemma was trained on English prose, on code, and a little on sums. Chinese
# comes to it as bytes that it has hardly seen, and nobody repeated one word to it eleven times. Whether a sum is right
# makes hardly a difference.
# </details>
#
# ## `scan`: write one layer
#
# Python's `for` is gone when a function is traced: the tracer goes through it, turn by turn, and writes down every
# turn. Six layers give a program six times as long. `lax.scan(step, x, layers)` is a loop *inside* the program: the
# step is traced once, and the weights of all layers come stacked, [L, …].

# %%
twins(jax_gemma.layers)

# %% [markdown]
# A tuple of layers is unrolled; stacked ones are scanned. The same fold serves both, and gives the same numbers:

# %%
logits, _ = jax.jit(ge.forward)(cfg, params, rows)
scanned, _ = jax.jit(ge.forward)(cfg, stacked, rows)
print("a tuple and a stack agree:", bool(jnp.allclose(logits, scanned, atol=1e-3)))

def size(form, L):
    deep = replace(cfg, L=L)
    return programs.operations(ge.forward, deep, layers_as(form, ge.shapes(deep)), one)

added = {form: (size(form, 6) - size(form, 2)) // 4 for form in ("tuple", "stacked")}
print("a layer adds more than 100 operations to the unrolled program:", added["tuple"] > 100)
print("and three at most to the scan:", added["stacked"] <= 3)

# %% [markdown]
# **Predict first.** From 1 layer to 64, how much longer does it take to compile the unrolled program? And the scan?
# (Measured once, on the loss and its gradient, with `python -m gemma_edu.lab.numpy_to_jax.measure`, in seconds of
# processor time on two cores.)

# %%
seen = measured()["depth"]
picture(figures.depths(seen["L"], seen["compile"], seen["operations"]),
        "Two charts over the depth, logarithmic. The unrolled program grows in proportion to "
        "the depth, and beyond 16 layers it takes longer to compile than the scanned one, "
        "which is nearly flat from 2 layers on.")

# %% [markdown]
# *A scan has one program, and from two layers on nearly one price; unrolled layers cost less while they are few, and
# more the more they are.*
#
# <details><summary>What happened, and why</summary>
#
# The unrolled program has 48 times as many operations at 64 layers, and takes 7 times as long: part of a compilation
# does not depend on the length of the program. The scan takes longer at 2 layers than at 1, where its loop has
# only one turn and the compiler takes it apart; from there on it hardly changes. The two curves cross near 16 layers.
# Gemma 2B has 18, and 7B has 28.
# </details>
#
# What does it cost to *run*? That is another question, and it has no general answer, so ask it where you are. Here,
# on the machine that ran this notebook:

# %% tags=["nbval-ignore-output"]
stacked_cache = ge.stack(cache)
for job, tuple_args, stack_args in [
        ("read 128 tokens", (params, text), (stacked, text)),
        ("write one token", (params, one, at, cache), (stacked, one, at, stacked_cache))]:
    for form, args in {"tuple": tuple_args, "stack": stack_args}.items():
        print(f"{job}, {form}: {1e3 * clock.seconds(compiled, cfg, *args, times=9):6.2f} ms")

# %% [markdown]
# `ge.load` returns a tuple: on a CPU a large model reads its weights faster that way (chapter 19). `ge.init` returns a
# stack: training is compiled anew for every ablation (chapter 13), and the deeper the model, the more that counts.
#
# ## Trees, and a config that is not an argument
#
# How did `jit` know what to do with `params`, a dict of dicts? A dict, a tuple and a list are *trees*: JAX traces
# the arrays at their leaves and takes the form as part of the program. `cfg` has no arrays. It is declared *static*
# (`jax.tree_util.register_static`): it is not traced but compared, and another config gets another program. That is
# why the model may call `cfg.norm` although it is compiled: the choice is made while it is traced.

# %%
forward, traces = clock.counted(ge.forward)
configs = {"cfg": cfg, "an equal one": replace(cfg, S=cfg.S),
           "without rotation": replace(cfg, rotate=jax_gemma.unrotated), "cfg again": cfg}
for name, each in configs.items():
    before = len(traces)
    forward(each, params, rows)
    print(f"{name:<18}", "traced" if len(traces) > before else "found")

# %% [markdown]
# One more thing may be handed over for good. A step of decoding takes a cache and returns one. `donate_argnames`
# says that the caller gives the old one away, so that the program may write into its memory. JAX then forbids you to
# look at it:

# %%
step = jax.jit(ge.forward, donate_argnames="cache")
mine = ge.empty_cache(cfg, params, 1, 256)
_, theirs = step(cfg, params, one, at, mine)
print("the old cache is gone:", mine[0]["k"].is_deleted())
print("the new one:", theirs[0]["k"].shape)

# %% [markdown]
# ## When it compiles again
#
# A program is kept under what the tracers knew: the tree's form, each leaf's shape and dtype, and whatever is static.
# Values are not among it. A new combination is traced and compiled anew.
#
# **Predict first.** The eight calls below come in this order. Which of them are traced?

# %%
scaled, traces = clock.counted(lambda x, times: x * times, static_argnums=1)
calls = {"ones(3), 2": (jnp.ones(3), 2), "zeros(3), 2": (jnp.zeros(3), 2),
         "ones(4), 2": (jnp.ones(4), 2), "ones(3), 3": (jnp.ones(3), 3),
         "ones(3) in bfloat16, 2": (jnp.ones(3, jnp.bfloat16), 2),
         "1.0, 2": (1.0, 2), "5.0, 2": (5.0, 2), "jnp.float32(1), 2": (jnp.float32(1), 2)}
for name, args in calls.items():
    before = len(traces)
    scaled(*args)
    print(f"{name:<24}", "traced" if len(traces) > before else "·")

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# Other values, the same program: the second call. Another length, another static number, another dtype: traced.
# `1.0` is a Python number. It is traced like an array, but it is *weak*: beside a bfloat16 it becomes bfloat16 and
# does not widen it. So it is another kind than `jnp.float32(1)`, which insists on its width.
# </details>
#
# For a language model this is a daily matter, because every prompt has a length of its own. Our generator pads each
# to the next power of two, at least 32, and padding is invisible (chapter 18 shows how):

# %%
from gemma_edu.inference.request import bucket

source(bucket)

# %% [markdown]
# Is that a good choice? 400 texts come in, most short, a few long. Choose a way to pad, and how many texts have come.
# The times are measured ones, by the same command: to compile and to run the tiny Gemma, for each length from 1 to 256.
#
# **Predict first.** After 10 texts, which way has cost least? After 400?

# %%
explore(bill.programs,
        "Left, each text's tokens and its padding, the shortest first. Right, the seconds of "
        "processor time spent until each text was read, for four ways to pad: a program for "
        "each length costs by far the most.",
        way=list(bill.PADDED), texts=(10, 400, 60, 10))

# %% [markdown]
# *A program for each length waits for the compiler nearly all the time; a few lengths to share cost some padding and
# save most of the waiting.*
#
# <details><summary>Which way costs least</summary>
#
# After 10 texts the one program for the longest: 1.5 seconds against 2.2 for powers of two. But it pads four fifths
# of all that it computes, and from about 60 texts on that costs more than the three further programs. After 400: 9
# seconds for powers of two, 11 for multiples of 32, 20 for the longest, and 99 for each its own, with 122 programs.
# The slower the compiler is beside the model, the fewer programs are best.
# </details>
#
# ## What goes wrong
#
# Eight traps, a cell for each. Most of them say nothing when you step in.
#
# **1. A decision about a value.** A tracer has no value, so Python's `if` cannot ask for it; nor can NumPy, which
# wants to see numbers. Both are said aloud. Write `jnp.where`, `lax.cond`, `jnp.`.

# %%
def said(f, *args):
    try:
        return f(*args)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0][:62]}"

print(said(jax.jit(lambda x: x if x > 0 else -x), 1.0))
print(said(jax.jit(lambda x: np.exp(x)), 1.0))
print(said(jax.jit(lambda x: jnp.where(x > 0, x, -x)), -1.0))

# %% [markdown]
# **2. What happens beside the function happens once.** A setting that is read from outside is a constant in the
# program; so is a random number of NumPy's. Nothing is said aloud. Predict the number in each row.

# %%
settings = {"rate": 1.0}

@jax.jit
def update(w):
    return w - settings["rate"]

for rate in (1.0, 0.1, 0.0):
    settings["rate"] = rate
    print("rate", rate, "  w after:", update(1.0))
draw = jax.jit(lambda w: w * np.random.random())
print("NumPy's random number, three times the same:", draw(1.0) == draw(1.0) == draw(1.0))

# %% [markdown]
# Hand it in as an argument. (Our `cfg` is safe: it is frozen, and it is part of what programs are kept under.)
#
# **3. A key used twice.** JAX's random numbers have no hidden state, which `jit` would freeze as it froze NumPy's. The
# state is a *key*, and you hold it: the same key draws the same numbers, always. `split` makes new ones.

# %%
key = jax.random.key(0)
first, second = jax.random.split(key)
pairs = {"the same key, twice": (key, key), "two keys, split off": (first, second)}
drawn = {name: [jax.random.normal(each, 400) for each in keys] for name, keys in pairs.items()}
picture(figures.draws(drawn),
        "Two scatter plots of a first against a second draw. With the same key all points lie "
        "on the diagonal; with two keys they form a round cloud.")

# %% [markdown]
# *Two layers drawn with one key begin equal, and two draws of "independent" noise are one.*
#
# **4. Dtypes that nobody chose.** JAX makes float32 of every float64, unless `jax_enable_x64` is set. And it widens:
# a Python number is weak and gives way, but NumPy's `np.sqrt(256)` is a float64 that insists. One such factor, and a
# model in bfloat16 computes in float32 from there on, at twice the memory. So `embed` casts its root. (Who asks for
# float64 by name is warned, which this page has silenced; an array of NumPy's is narrowed without a word. And float32
# ends at 24 bits: beyond, a whole number loses its last.)

# %%
half = jnp.ones(3, jnp.bfloat16)
products = {"jnp.ones(3, float64)": jnp.ones(3, "float64"), "half * 16.0": half * 16.0,
            "half * np.sqrt(256)": half * np.sqrt(256),
            "half * jnp.float32(16)": half * jnp.float32(16)}
for name, y in products.items():
    print(f"{name:<24} {y.dtype}")
print("2²⁴ + 1 is 2²⁴ in float32:", jnp.float32(2**24) + 1 == 2**24)

# %% [markdown]
# **5. A change that is thrown away.** `x[0] = 1` is an error, and says so. `x.at[0].set(1)` without a name for what
# it returns is no error, and does nothing.

# %%
x = jnp.zeros(3)
def assign():
    x[0] = 1

print(said(assign))
x.at[0].set(1)
print("thrown away:", x, "  kept:", x.at[0].set(1))

# %% [markdown]
# **6. Past the end.** A program on an accelerator cannot stop and raise an error. Reading past the end gives the
# *last* row, writing there is dropped, and −1 is the last, as ever in Python. Our cache relies on it, and therefore
# says it: `mode="drop"`. A step of a batch: text 0 is full and waits, so its token is padding; text 1 goes on.

# %%
held = jnp.array([[1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 0, 0, 0, 0, 0]])
row, new = jnp.arange(2)[:, None], jnp.array([[-9], [4]])
def wrote(padding, mode):
    return held.at[row, jnp.array([[padding], [3]])].set(new, mode=mode)

print("read at 8:", held[0][8], "  read at −1:", held[0][-1])
picture(figures.slots({"padding at 8, dropped: ours": wrote(8, "drop"),
                       "padding at −1": wrote(-1, "drop"),
                       "padding at 8, clipped": wrote(8, "clip")}),
        "Three caches of two texts with eight slots. In the first, padding is gone; in the "
        "other two it has overwritten the last token of the text that was full.")

# %% [markdown]
# *A padding position points past the end and is dropped; at −1, or clipped, it destroys the last token of a text that
# waits.*
#
# **7. `where` and the branch not taken.** `where` computes *both* branches and picks one. On the way back the other
# gets a gradient of 0, and multiplies it by its own slope. If that is infinite, or no number, the product is no number.

# %%
def root(x):
    return jnp.where(x > 0, jnp.sqrt(x), 0.0)

def safe(x):
    return jnp.where(x > 0, jnp.sqrt(jnp.where(x > 0, x, 1.0)), 0.0)

xs = jnp.arange(-20, 21) / 20
slopes = {f"{f.__name__}(x)": np.asarray(jax.vmap(jax.grad(f))(xs)) for f in (root, safe)}
picture(figures.slopes(np.asarray(xs), slopes),
        "The gradient of a square root that is zero for negative numbers. Written with one "
        "where, it is NaN from 0 downwards; with two it is 0 there.")

# %% [markdown]
# *The value was right everywhere; the gradient was lost wherever the other branch has none. Guard what goes into the
# root, and not only what comes out.*
#
# A relative of it is why `attend` masks with the lowest finite number and not with $-\infty$. A query that may see
# nobody, such as padding, has only masked scores. Here the loss looks at query 0 alone; query 1 sees nobody.

# %%
seen = jnp.array([[True, True], [False, False]])

def gradient_of_values(lowest):
    shares = jax.nn.softmax(jnp.where(seen, 0.0, lowest))
    return jax.grad(lambda v: jnp.sum((shares @ v)[0]))(jnp.ones((2, 1)))

for name, lowest in {"−inf": -jnp.inf, "the lowest finite": jnp.finfo(jnp.float32).min}.items():
    print(f"masked by {name:<18}", gradient_of_values(lowest).ravel())

# %% [markdown]
# The shares of query 1 are $0/0$, and on the way back they are multiplied by a gradient of 0. One row of padding, and
# every value has lost its gradient.
#
# **8. A clock that is stopped too early.** JAX returns at once, with a promise, and computes behind your back. Who
# stops the clock then has measured how long it takes to *ask*.

# %% tags=["nbval-ignore-output"]
from time import perf_counter

large = jnp.ones((1200, 1200))
power = jax.jit(lambda x: x @ x @ x @ x).lower(large).compile()
start = perf_counter()
promise = power(large)
asked = perf_counter() - start
promise.block_until_ready()
print(f"asked: {1e3 * asked:.1f} ms   done: {1e3 * (perf_counter() - start):.1f} ms")

# %% [markdown]
# *Every other time that a program runs is taken with `block_until_ready`, as the median of some calls, and the first
# call, which compiles, is left out:*

# %%
source(clock.seconds, clock.once)

# %% [markdown]
# ## Remember
#
# 1. JAX calls your function once with tracers and keeps the program: values flow, shapes, dtypes and statics decide
#    which program, and what happens beside the function happens once.
# 2. More than half of our NumPy model was gradients, and JAX derives the same numbers; `vmap` adds an axis, `scan`
#    folds layers.
# 3. Without `jit`, JAX is slower than NumPy at small things. With it, count your compilations.
#
# **Read.** Frostig, Johnson and Leary, *Compiling machine learning programs via high-level tracing* (2018). Bradbury
# et al., *JAX: composable transformations of Python+NumPy programs* (2018), and its documentation's "sharp bits".
# **Do** the [exercises](../exercises/10_numpy_to_jax.ipynb).
