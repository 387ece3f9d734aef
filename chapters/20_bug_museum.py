# %% [markdown]
# # Appendix · The bug museum
#
# **The question.** Every part of this course has a test. Are they worth it? The people who wrote the official Gemmas
# are better at this than most of us, and still they shipped bugs. What were these, and which test would have seen
# them?
#
# **Afterwards you can** say of a bug not only what was wrong, but why nobody noticed, and which test of a few lines
# would have.
#
# **Time.** 25 minutes to read, half a minute to run. The code of this appendix is `gemma_edu/lab/bug_museum/`. There
# are no exercises; the hunt of chapter 09 is where you look for bugs yourself.
#
# **Terms 術語** regression test 迴歸測試 · padding 填充 · end-of-sequence token 序列結束標記 · transpose 轉置 ·
# tolerance 容許誤差 · silent failure 無聲失效

# %%
import numpy as np

import gemma_edu as ge
from gemma_edu.course import explore, picture
from gemma_edu.course.figures import bug_museum as figures
from gemma_edu.lab.bug_museum import claims, half_mended, mended, models, shipped
from gemma_edu.lab.bug_museum.claims import trial
from gemma_edu.lab.bug_museum.decoding import likeliest, padded, together, write
from gemma_edu.lab.bug_museum.empty_slots import moved, with_and_without_a_cache
from gemma_edu.lab.bug_museum.ledger import ledger
from gemma_edu.lab.start_here.family import FAMILY
from gemma_edu.numpy_gemma.sample import generate, greedy
from gemma_edu.numpy_gemma.train import train
from gemma_edu.numpy_gemma.tree import tree_map

# %% [markdown]
# The museum has three rooms, and the same functions stand in each: `shipped.py`, `mended.py`, and for two bugs that
# were mended twice, `half_mended.py` between them. All of it is our code: each bug is told again in the smallest
# piece that has it. Dates and commits are those of the public repositories.
#
# Five exhibits. For each of them: what was shipped, what it did, the test that sees it, the repair. The tests stand
# in `claims.py`; a test is a function that is handed a room, and passes or fails.
#
# ## Exhibit 1 · The crash and its silent brother
#
# | | |
# |---|---|
# | **Where** | Hugging Face transformers 4.38.0; Bumblebee (Elixir) |
# | **Reported** | 21 February 2024, by users, in issues #29181 and #29185: the 7B cannot take a step |
# | **Mended** | within days, in 4.38.1; in Bumblebee a month later, by pull request #364 |
#
# Attention ends with all heads side by side, N vectors of width H. One more product brings them back to the width D
# of the stream. What was shipped, and its repair:

# %%
figures.beside(shipped.mix_heads, mended.mix_heads)

# %% [markdown]
# **Predict first.** On the left the heads are laid out as if they were D wide. For which members of the family does
# that work?

# %%
family = {name: (sizes["N"] * sizes["H"], sizes["D"]) for name, sizes in FAMILY.items()}
picture(figures.widths({**family, "our tiny Gemma": (4 * 64, 256)}),
        "For ten Gemmas and our tiny one, the width of the stream as a square and that of all "
        "heads as a diamond. The diamond lies in its square for Gemma 1 2B and our tiny Gemma "
        "alone.")

# %% [markdown]
# *For the first model that anybody would try, two different sizes were the same number: 2048.*
#
# <details><summary>What happened, and why</summary>
#
# In the 2B, 8 · 256 = 2048 = D. In the 7B, 16 · 256 = 4096, and D is 3072: the reshape has too many numbers and
# raises an error. Of the eight later ones in the picture none has N·H = D. Our tiny Gemma has, so it could not have
# warned us either.
# </details>
#
# The test needs no 7B. It needs a model whose sizes all differ, and such a model may be tiny. That of chapter 09 has
# D = 16 and N·H = 32:

# %%
trial(claims.heads_fit_a_stream_of_their_own_width, claims.heads_fit_a_stream_of_another_width,
      rooms=[shipped, mended])

# %% [markdown]
# A crash is a friendly bug. Its brother is not. Bumblebee did not reshape; it *guessed* the width of a head, and so
# did others (the importer of TensorRT-LLM, pull request #1148):

# %%
figures.beside(shipped.head_width, mended.head_width)

# %% [markdown]
# The matrices in the file had another shape than the guess. The loader passed over what did not fit, with a note in
# its debug log, and left the random numbers of a fresh model in place.
#
# Our tiny Gemma has N·H = D. So we give it four more query heads whose output weights are zero: a Gemma that computes
# the same, but whose 8 heads of width 64 are 512 wide. Then a port with that guess and that loader reads it.
#
# **Predict first.** The embedding, the norms and the MLPs are loaded, more than two thirds of the weights. What comes
# out: an error, slightly worse English, or nonsense?

# %% tags=["nbval-ignore-output"]
cfg, params, tokenizer = ge.load("tiny")
cfg, params = ge.in_numpy(cfg), tree_map(np.asarray, params)
wide = models.with_silent_heads(cfg, params, N=8)
for room in (mended, shipped):
    port, found, ignored = models.forgiving_load(room, *wide)
    written = generate(port, found, tokenizer.encode("The with statement"), 24, greedy)
    print(f"H = {port.H}, {len(ignored)} weights passed over:\n{tokenizer.decode(written)!r}\n")

# %%
trial(claims.no_weight_is_made_up, rooms=[shipped, mended])

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# Nonsense, and nothing was raised. All attention matrices, four in each of six layers, stayed random. Bumblebee's
# pull request calls the results unintelligible.
# </details>
#
# The test that sees it is a sentence: *no weight is made up*. `ge.load` is built so: a tensor that is missing, left
# over or of another shape is an error, before any weight is read.
#
# **The lesson.** Two sizes that happen to be equal will be confused. Test with a model in which no two letters are
# the same number, and let nothing that does not fit pass.
#
# ## Exhibit 2 · The text that would not end
#
# | | |
# |---|---|
# | **Where** | google-deepmind/gemma, the sampler of the first release (`f03bf63`, 19 February 2024) |
# | **Mended** | `4ecc4e7`, 18 March 2024, by Robert Dadashi: four weeks; and `d609405`, 3 May 2024 |
#
# A sampler writes token after token into a buffer until every row has met the *end-of-sequence token*, ⟨eos⟩. In JAX
# arrays do not change: each step makes a new buffer, and for a moment there are two. The loop asked the wrong one.

# %%
figures.beside(shipped.finished, mended.finished)

# %% [markdown]
# **Predict first.** When does the left one stop? (Our tiny Gemma seldom ends a text by itself, so here a line feed
# plays the part of ⟨eos⟩.)

# %% tags=["nbval-ignore-output"]
[line_feed] = tokenizer.encode("\n", bos=False)
prompt = np.array([tokenizer.encode("A list is")])
tiny = likeliest(cfg, params)
for room in (shipped, half_mended):
    [answer], steps = write(room, tiny, prompt, 40, line_feed)
    print(f"{steps} steps: {tokenizer.decode(answer)!r}\n")

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# It never stops: 40 steps is all that it was allowed. The column that a step is about to fill is empty in the old
# buffer, in every step.
# </details>

# %%
written = [tokenizer.decode([token]).strip(" ") for token in [*prompt[0][1:], *answer]]
pieces = ["⟨bos⟩", *(piece.replace("\n", "⟨eos⟩") for piece in written)]
picture(figures.two_buffers([*pieces, "", ""], at=len(pieces) - 1),
        "Two rows of cells: the buffer before the last step, where the next cell is empty, and "
        "after it, where the same cell holds the end of the text.")

# %% [markdown]
# *Only the lower row knows that the text has ended; the loop asked the upper one.*
#
# In NumPy this bug is hard to make. There one writes in place, and the old buffer *is* the new one.
#
# The repair was one word. But now look at two prompts in one batch:

# %% tags=["nbval-ignore-output"]
two = np.array([tokenizer.encode("A list is"), tokenizer.encode("The function returns")])
for room in (half_mended, mended):
    rows, steps = write(room, tiny, two, 40, line_feed)
    print(f"{steps} steps: {tokenizer.decode(rows[0])!r}\n")

# %% [markdown]
# The batch goes on while *any* row is unfinished, and a row that has finished goes on with it. What it writes after
# its end must be cut off. DeepMind's sampler has done so since May 2024 (`d609405`).

# %%
trial(claims.writing_stops_at_the_end, claims.an_answer_ends_at_its_own_end,
      rooms=[shipped, half_mended, mended])

# %% [markdown]
# These tests need no weights. The sampler is handed somebody who only *recites*: at each step the next token of a
# script. Then the right answer is known to the letter, and so is the number of steps.
#
# **The lesson.** No logit is wrong here, and no comparison of logits can see it. Test a loop with a model whose every
# word you know in advance.
#
# ## Exhibit 3 · The repair that broke something else
#
# | | |
# |---|---|
# | **Where** | google-deepmind/gemma, the same sampler |
# | **Mended** | `bf2d158`, 25 April 2024: nine weeks; and the repair's own bug in `95475a9`, 3 May: eight days |
#
# Whoever brings prompts of different lengths to one length pads them, and nobody must see the padding. (DeepMind's
# sampler lets every row begin at column 0 and adds none, but in the first release later steps saw padding that stood in
# a prompt. We put it in front, where it is met most often.) The repair did two things: it hid the padding, and it
# counted **positions** anew, so that padding does not count. For each column, `places` returns the slot where its key
# is kept (one past the end is nowhere) and the angle, in positions, by which RoPE turns it.

# %%
figures.beside(shipped.places, half_mended.places)

# %% [markdown]
# **Predict first.** The buffer has the prompt on its left and, on its right, the empty columns that will be written.
# An empty column holds PAD. What does the right-hand function say about the position of the third new token?

# %% tags=["nbval-ignore-output"]
prompts = [tokenizer.encode(text) for text in (
    "If the file", "The for statement is used to iterate over the elements of a sequence")]
for room in (shipped, half_mended, mended):
    new, _ = together(room, cfg, params, prompts, 24)
    print(f"{room.__name__.split('.')[-1]}:\n{tokenizer.decode(new[0].tolist())!r}\n")
print(f"alone:\n{tokenizer.decode(generate(cfg, params, prompts[0], 24, greedy))!r}")

# %%
buffer, length = padded([[2, 3, 4], [2, 3, 4, 5, 6]], count=4)
versions = {"shipped": shipped, "half mended": half_mended, "mended": mended}
angles = {name: [each[0] for each in room.places(buffer, length)]
          for name, room in versions.items()}
pieces = ["pad", "pad", "⟨bos⟩", "If", "the", "new", "new", "new", "new"]
picture(figures.turned_by(angles, pieces, length),
        "A row of two padding cells, three of a prompt and four new ones, and below it the "
        "position of each, in three versions. Shipped: 0 to 8, padding seen. Half mended: "
        "padding hidden, but all new cells have position 2. Mended: 0 to 6.")

# %% [markdown]
# *Shipped, the padding can be seen (red); half mended, every new token stands where the prompt ended; mended, they go
# on counting.*
#
# <details><summary>What happened, and why</summary>
#
# The count asked "is it padding?" of columns that were merely not written *yet*. So the count stood still after the
# prompt: every new token was turned by the same angle, and the model could no longer tell what came after what. The
# first bug harmed the padded row only, and it stayed fluent. The second harmed *every* row of every batch, padded or
# not.
# </details>
#
# The second repair:

# %%
figures.beside(half_mended.places, mended.places)

# %% [markdown]
# Why did the repair's own test not see it? It compared the logits of the *prompt* with those of a plain forward
# pass, and the bug begins one token later. (In `sampler_test.py` of `bf2d158`, ten tokens are written, and only the
# logits of the input are compared.)

# %%
trial(claims.padding_is_invisible_in_a_prompt, claims.a_row_writes_what_it_writes_alone,
      rooms=[shipped, half_mended, mended])

# %% [markdown]
# **The lesson.** A repair needs a test that is wider than the bug. Here: *a row of a batch writes what it writes
# alone*, and of the whole text, not of the part that was broken.
#
# ## Exhibit 4 · The right shape
#
# | | |
# |---|---|
# | **Where** | google-deepmind/gemma, the MLP, while Gemma 2 came in (`e6e2fee`, 10 July 2024) |
# | **Mended** | `5e2ff66`, 22 July 2024: twelve days |
#
# Some checkpoints keep gate and up as [2, F, D], others as [2, D, F]. So the axes must be exchanged on the way in:

# %%
figures.beside(shipped.gate_and_up, mended.gate_and_up)

# %% [markdown]
# **Predict first.** Write the gates of the tiny Gemma into a file as [2, F, D] and read them with the left one. Which
# of these notices: the shape, the sum of all numbers, the largest, the histogram?

# %%
wrong = models.through_the_file(shipped, params)
stored, again = params["layers"][0]["mlp"]["gate"], wrong["layers"][0]["mlp"]["gate"]
print("same shape:  ", stored.shape == again.shape)
print("same numbers:", np.array_equal(np.sort(stored, axis=None), np.sort(again, axis=None)))
print("in the same place: less than", f"{np.ceil(100 * np.mean(stored == again)):.0f} %")

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# None of them. It is the same heap of numbers, in another order, and each of these questions is asked of a heap.
# </details>
#
# Now in small. Colour each number by the hidden unit that it belongs to:

# %%
D, F = 16, 24
units = np.broadcast_to(np.arange(F)[:, None], (F, D))     # as stored, [F, D]: a row is a unit
belong = [room.gate_and_up(np.stack([units, units]))[0] for room in (mended, shipped)]
picture(figures.belonging(*belong),
        "Two matrices of 16 by 24. Left, each column has one colour. Right, colours run along "
        "the rows: each column has sixteen colours.")

# %% [markdown]
# *Right, each unit is put together from sixteen others, one number of each.*

# %% tags=["nbval-ignore-output"]
for name, weights in {"transposed": params, "reshaped": wrong}.items():
    written = generate(cfg, weights, tokenizer.encode("The with statement"), 20, greedy)
    print(f"{name}: {tokenizer.decode(written)!r}\n")

# %% [markdown]
# Anybody who had listened to it would have heard it. But there *was* a test, and it was run for this very way of
# storing. Its numbers are in chapter 08: x = 1 gives 11.7276, and x = 2 gives 47.9992. We run it, and one more:

# %%
trial(claims.an_mlp_of_ones_gives_the_published_number,
      claims.an_mlp_of_different_numbers_is_itself, rooms=[shipped, mended])

# %% [markdown]
# All weights in that test are **one**. Ones, reshaped, are ones. A test with equal weights sees no order: no
# transpose, no swap of gate and up. In February, when it tested a GELU, it had been good enough.
#
# In the next case lies another bug of the same class. It lived from the first release to 13 September 2024
# (`bb3494c`), nearly seven months. It is in the weights that a fresh MLP begins with.

# %%
figures.beside(shipped.fresh_mlp, mended.fresh_mlp)

# %% [markdown]
# Nobody who loads a checkpoint will ever notice. Somebody who trains from scratch might, or not:
#
# **Predict first.** A small Gemma learns to guess the next byte of Python's language reference, 60 steps of Adam,
# with each of these beginnings. Does the loss fall with zeros?

# %%
from pydoc_data.topics import topics

nano, fresh = claims.nano()
text = "".join(topics[name] for name in sorted(topics)[:40]).encode()
starts = np.random.default_rng(0).integers(len(text) - 49, size=(60, 8, 1))
batches = np.frombuffer(text, np.uint8).astype(int)[starts + np.arange(49)]

def rms(x):
    return float(np.sqrt(np.mean(x**2)))

losses, lengths = {}, {}
for name, room in {"zeros": shipped, "gate and up random": mended}.items():
    walk = list(train(nano, models.with_fresh_mlps(room, nano, fresh), batches, rate=5e-3))
    losses[name] = [float(loss) for _, loss in walk]
    lengths[name] = [rms(now["layers"][0]["mlp"]["down"]) for now, _ in walk]

# %%
picture(figures.learning(losses, lengths),
        "Left, two falling losses, that with zeros a little above the other. Right, the size "
        "of the MLP's last matrix: one line rises, the other stays at zero to the end.")

# %% [markdown]
# *The loss falls in both; in one of them no MLP has learnt anything.*
#
# <details><summary>Why</summary>
#
# Attention and the embedding learn, and that is enough for a falling curve. The MLP is a product, $(g(xW_g) \odot
# xW_u)\,W_d$, and each factor's gradient contains the other. If both are zero, both gradients are zero, and stay so
# for ever. One zero is harmless: the repair draws gate and up at random and leaves the last matrix at zero, so that
# it moves in the first step and the others from the second. The price shows only to those who have both curves.
# </details>

# %%
trial(claims.every_weight_of_a_fresh_mlp_learns, rooms=[shipped, mended])

# %% [markdown]
# **The lesson.** A shape says how many, not which. Test with numbers that are all different, and test the gradient
# of a fresh model, too: no output was wrong.
#
# ## Exhibit 5 · The test that could not fail
#
# | | |
# |---|---|
# | **Where** | google-deepmind/gemma, `transformer_test.py` of the first release: with a cache and without one |
# | **Until** | 30 April 2025 (`9210149`), when its file was deleted: fourteen months. It was never mended |
#
# Chapter 09 has shown it in passing: NumPy wants a number of **decimals** there, and was given a tolerance. Here is
# what was hidden behind it.

# %%
figures.beside(shipped.assert_equal, mended.assert_equal)

# %%
trial(claims.a_cache_changes_nothing, claims.the_test_fails_where_every_sign_is_turned,
      rooms=[shipped, mended])

# %% [markdown]
# In both rooms the test passes. Only one of the two can fail, so in the other its passing says nothing.
#
# **Predict first.** We put the bugs of chapter 09 into a model whose logits are as small as theirs were (of size
# 0.04); 22 of them move a logit of it. We ask a test with so many decimals. How many does it notice at 0.00001
# decimals? At 2? At 5?

# %%
with_cache, without = with_and_without_a_cache(shipped.sight)
changes, mismatch = tuple(moved().values()), float(np.max(np.abs(with_cache - without)))

def dial(decimals):
    return figures.tolerance(changes, mismatch, decimals)

explore(dial, "Twenty-two bugs by how far they move a logit, none as far as one, and a "
              "tolerance of 1.5 to the right of all of them: none is noticed.",
        decimals=(0.00001, 8.0, 0.00001, 0.5))

# %%
for name, decimals in {"0.00001": 0.00001, "2": 2, "5": 5}.items():
    noticed = np.sum(np.array(changes) >= 1.5 * 10.0**-decimals)
    print(f"{name:>7} decimals: {noticed} of {len(changes)} bugs noticed")

# %% [markdown]
# *At the tolerance that was written, no bug is noticed; where it was meant to be, all but two.*
#
# <details><summary>Why</summary>
#
# 0.00001 decimals are a tolerance of $1.5 \cdot 10^{-0.00001} \approx 1.5$, more than thirty times the size of the
# logits. Two hide below 0.000015: erf for tanh, which is looked for at x = 2.7 (chapter 09), and a root that is not
# rounded. (Here D = 16 and the root is 4, so there is nothing to round; the dot is only its detour through float32.)
# </details>
#
# The red diamond is the difference between cache and no cache in our model, with the mask that the test was shipped
# with. It let every query see every key, also those of the cache's empty slots. Their keys are zero, their scores are
# zero, and zero is a score like any other: they take a share. The mask that was used, and a causal one:

# %%
figures.beside(shipped.sight, mended.sight)

# %%
def holds(test, sight):
    try:
        test(*with_and_without_a_cache(sight))
    except AssertionError:
        return "FAILS"
    return "passes"

for mask, sight in {"everything is seen": shipped.sight, "causal": mended.sight}.items():
    print(f"{mask:<19} tolerance 1.5: {holds(shipped.assert_equal, sight)}   "
          f"0.00001: {holds(mended.assert_equal, sight)}")

# %% [markdown]
# At 1.5 everything passes. At 0.00001 only the right mask does. In DeepMind's tiny set-up the mismatch was
# half a per cent of the output; in ours, whose scores are larger, it is more than half a standard deviation.
#
# **The lesson.** Who tests the tests? You do: put a bug in, and watch the test fail. (Ours are tested so, in
# `tests/test_bugs.py`.)
#
# ## The ledger
#
# How visible was each? The largest change of a logit in standard deviations, and the likeliest next tokens that
# changed: for 1, 3 and 4 in our tiny Gemma (for 3 in the padded row), for 5 in the model of the exhibit. The reshape
# of exhibit 1 gives no logits at all, and the zeros of exhibit 4 are gone as soon as weights are loaded.

# %%
sentence = ("If the file does not exist, FileNotFoundError is raised; "
            "otherwise the file object is returned.")
read = np.array([tokenizer.encode(sentence)])
print(f"{'':<42} change   argmaxes")
for bug, (effect, changed, of) in ledger(cfg, params, read, prompts).items():
    print(f"{bug:<42} {effect:6.1f}   {changed:2} of {of}")

# %% [markdown]
# | | Seen by eye? | Why not by the tests of its day | The kind of test that finds it |
# |---|---|---|---|
# | 1 a size for another | at once; as nonsense | the 2B's sizes agree | a tiny model whose sizes differ |
# | 2 the old buffer | the text goes on | no logit is wrong | a loop with a model that recites |
# | 3 padding; its repair | hardly; as nonsense | they ended with the prompt | a batch equals its rows, to the end |
# | 4 reshape; zeros | as nonsense; not at all | all weights were one | numbers that differ; two steps of learning |
# | 5 a tolerance for decimals | no | it was the test | a bug put in on purpose |
#
# Two more hang elsewhere: keys repeated *before* they were cached, in chapter 07, and the GELU that came back, in
# chapter 08.
#
# ## Remember
#
# 1. Let no two sizes, no two weights and no two rows of a test be the same.
# 2. Test a loop with a script, a batch against its rows, and a fresh model by its gradient.
# 3. A test that you have not seen fail is a hope.
#
# **Read.** The histories themselves: `git show 4ecc4e7` in a clone of google-deepmind/gemma is one line long. **Do**
# the hunt of chapter 09: [exercises](../exercises/09_gemma_in_numpy.ipynb).
