# %% [markdown]
# # 01 · Gates: switches that can be half open
#
# **The question.** A network reads a sequence, one step at a time, and has a memory of a few numbers. At every step
# it must decide: keep what is there, or write something new? How does it decide, and how does it learn to?
#
# **Afterwards you can** write a sigmoid that does not overflow, the cells of the RNN, the LSTM and the GRU and
# their gradients, read a picture of gates opening and closing, choose the bias of a forget gate, and tell two
# conventions of the GRU apart before they cost you a week.
#
# **Time.** 60 minutes to read, half a minute to run on any laptop. The files of this chapter are
# `gemma_edu/numpy_gemma/gates.py` and `gemma_edu/numpy_gemma/recurrent.py`. You need Python, and to know what a
# matrix is. Gemma itself has no loop over time; it has gates, and this is where they come from.
#
# **Terms 術語** gate 閘 · sigmoid S型函數 · recurrent neural network (RNN) 循環神經網路 ·
# long short-term memory (LSTM) 長短期記憶 · gated recurrent unit (GRU) 門控循環單元 · forget gate 遺忘閘 ·
# input gate 輸入閘 · output gate 輸出閘 · update gate 更新閘 · reset gate 重置閘 · candidate 候選值 ·
# loss 損失 · gradient 梯度 · backpropagation through time 沿時間反向傳播 · bias 偏權值 · batch 批次 · seed 亂數種子

# %%
import numpy as np

from gemma_edu import check_gradient
from gemma_edu.course import explore, picture, plot, source
from gemma_edu.course.figures import gates as figures
from gemma_edu.lab.gates import fused, opened
from gemma_edu.lab.gates.adding import GUESS, adding, loss_and_gradient, start, steps_until, train
from gemma_edu.lab.gates.opened import CELLS, GATES, weights
from gemma_edu.numpy_gemma import geglu, gru_cell, lstm, lstm_cell, recurrent, rnn_cell, sigmoid
from gemma_edu.numpy_gemma.gates import gate, gate_backward, sigmoid_backward, weigh, weigh_backward

# %% [markdown]
# ## Half open is almost shut
#
# Put a switch in front of a memory. At every step it lets a part of the memory through, and the rest is gone.
#
# **Predict first.** A switch lets 90 % through. How much of a memory is left after 50 steps: about half, a tenth,
# or less than a hundredth? And how far must the switch be open so that half is left?

# %%
for passes in (0.5, 0.9, 0.99, 0.5**(1 / 50)):
    print(f"{passes:7.2%} open: after 50 steps {passes**50:8.2%} is left")

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# $0.9^{50} = 0.005$: one part in two hundred. To keep half for 50 steps, the switch must be open by 98.6 %. What is
# multiplied at every step grows or dies like compound interest. Whoever builds a memory out of switches needs
# switches that can be *almost entirely* open, and that know when not to be.
# </details>
#
# ## A sigmoid is a switch
#
# $$\sigma(z) = \frac{1}{1 + e^{-z}}$$
#
# Far to the left it is 0, and multiplying by it lets nothing through. Far to the right it is 1, and everything
# passes. In between it is half open. It has no corner, so it has a slope everywhere, and a network can learn where
# to put it.

# %%
picture(figures.switch(),
        "Left: the sigmoid climbs from 0, shut, over one half, half open, to 1, open. Right: "
        "its slope, a hill with its top of one quarter at z = 0, and nearly zero beyond plus "
        "or minus six.")

# %% [markdown]
# *A switch that is decided hardly moves any more: its slope is largest, ¼, where it is half open.*
#
# How does a network learn where to put a switch? One number, the **loss**, says how wrong it is. The **gradient**
# says for each number in the network how fast the loss changes when that number is nudged; to learn is to move each a
# little the other way. The gradient is worked out from the end to the beginning, by the chain rule: this is
# *backpropagation*. Each function `f` here has an `f_backward`. It takes `dy`, the gradient at what `f` returned, and
# gives the gradient at what `f` was given. For a sigmoid that is `dy` times the slope, $\sigma' = \sigma(1 -
# \sigma)$:

# %%
source(sigmoid, sigmoid_backward)

# %% [markdown]
# `sigmoid` is not written as the formula is. `np.logaddexp(0, -x)` is $\ln(1 + e^{-x})$ without an overflow; the
# end of this chapter shows what the formulas of the textbooks do with a large number.
#
# ## A gate looks before it opens
#
# A switch by itself is a constant. A **gate** is a row of switches, and each is set by what the network sees now,
# $x$, and by what it remembers, $h$:
#
# $$g = \sigma(x\,w + h\,u + b)$$
#
# Our letters: $x$ has D numbers, $h$ has C numbers (the memory), $w$ is a matrix D × C, $u$ a matrix C × C, and $b$
# has C numbers. The result has C numbers between 0 and 1, one switch for each number of the memory.

# %%
source(gate, weigh, gate_backward, weigh_backward)

# %% [markdown]
# `contract("BD,DC->BC", x, w)` is `x @ w`, with its letters said aloud; B is the batch, many sequences at once. The
# signature says the same: `x: BD` has B rows of D numbers. (All rows share one `b`, so its gradient is a sum over B.)
#
# On paper, with D = 2 and C = 1: we see $x = (0.5, 1)$ and remember $h = 2$; the gate has $w = (-2, 4)$, $u = -1$,
# $b = 1$. Then $z = 0.5·(-2) + 1·4 + 2·(-1) + 1 = 2$, and $\sigma(2) = 1 / (1 + 0.135) = 0.881$. Open, but after
# ten steps only $0.881^{10} = 0.28$ would be left.

# %%
sees, knows = np.array([[0.5, 1.0]]), np.array([[2.0]])
w, u, b = np.array([[-2.0], [4.0]]), np.array([[-1.0]]), np.array([1.0])
z, opens = weigh(sees, knows, w, u, b), gate(sees, knows, w, u, b)
print(f"z = {z.item():.3f}   gate = {opens.item():.3f}")

# %% [markdown]
# ## A task that needs memory
#
# The *adding problem* (Hochreiter and Schmidhuber, 1997). A sequence of T = 30 steps. Each step brings two numbers:
# a random number from 0 to 1, and a mark, which is 1 at two of the steps and 0 elsewhere. At the end, say the sum
# of the two marked numbers.

# %%
x, y = adding(np.random.default_rng(3), B=256, T=30)
picture(figures.one_example(x[0], y[0]),
        "Above: thirty bars, two of them coloured and marked, 0.48 at step 6 and 0.96 at step "
        "15. Below: the sum so far, which jumps at the two marks and is flat between them, up "
        "to 1.44.")

# %% [markdown]
# *The sum must be kept unharmed over many steps in which everything else shouts.*
#
# **Predict first.** Somebody always says 1, whatever the sequence. What is the mean squared error, the mean of (said
# − true)²? (A number drawn evenly from 0 to 1 has a variance of 1/12.)

# %%
_, sums = adding(np.random.default_rng(0), B=50_000, T=30)
print(f"always saying 1: {np.mean((sums - 1)**2):.2f}   on paper: {GUESS:.3f}")
assert abs(np.mean((sums - 1)**2) - GUESS) < 0.003

# %% [markdown]
# <details><summary>Why</summary>
#
# The mean of the sum is 1, and the sum of two independent numbers has twice the variance: 2/12 = 1/6. A network
# that has not learned to remember cannot be better than 1/6.
# </details>
#
# ## Three cells
#
# A **cell** is one step: it takes what is seen and the memory, and gives the new memory.
#
# **RNN.** Everything is overwritten at every step: $h' = \tanh(x\,w + h\,u + b)$. The tanh squeezes any number into
# −1 … 1; its slope is $1 - \tanh^2$.

# %%
source(rnn_cell, recurrent.rnn_cell_backward)

# %% [markdown]
# **LSTM** (Hochreiter and Schmidhuber, 1997; the forget gate came with Gers, Schmidhuber and Cummins, 2000). It has
# two memories. The *cell* $c$ is the safe. The *forget gate* $f$ says how much of it stays, the *input gate* $i$
# how much of the candidate $n$ (a plain RNN step) is added, and the *output gate* $o$ how much is shown to the
# outside as $h$:
#
# $$c' = f \cdot c + i \cdot n \qquad h' = o \cdot \tanh(c')$$
#
# In the code each gate comes as its three weights, `(w, u, b)`, and `*forget` hands over all three.

# %%
source(lstm_cell, recurrent.lstm_cell_backward)

# %% [markdown]
# In the forward, read `f * c`: nothing but a gate stands between the old safe and the new one. No matrix, no tanh.
# In the backward, find the same thing: `dc` is the gradient at the new safe, `dc * f` that at the old one. **What the
# gate lets through forward, it lets through backward.** What is forgotten cannot be learned from.
#
# On paper, one step of one unit: $c = 4$, $f = 0.881$, $i = 0.119$, $n = -0.5$. Then $c' = 0.881·4 + 0.119·(-0.5) =
# 3.524 - 0.060 = 3.464$. To see the same in code, take gates that look at nothing and have only a bias: 2 for the
# forget gate, −2 for the input gate, and for the candidate the number whose tanh is −0.5.

# %%
def only(bias):
    return np.zeros((2, 1)), np.zeros((1, 1)), np.array([bias])

before = knows, np.array([[4.0]])                          # (h, c)
_, c = lstm_cell(sees, before, only(2.0), only(-2.0), only(0.0), only(np.arctanh(-0.5)))
print(f"c' = {c.item():.3f}")

# %% [markdown]
# **GRU** (Cho and others, 2014). One memory, two gates. The *update gate* $z$ slides between the old memory and the
# candidate: what is kept more is written less. The *reset gate* $r$ says how much of the old memory the candidate
# may see:
#
# $$h' = z \cdot h + (1 - z) \cdot n \qquad n = \tanh(x\,w + (r \cdot h)\,u + b)$$
#
# (The letter $z$ is the literature's. Here it is a gate, not the number inside a sigmoid.)

# %%
source(gru_cell, recurrent.gru_cell_backward)

# %% [markdown]
# Here an **open update gate keeps**, as in Cho's paper, in PyTorch and in Keras. Other papers (Chung and others,
# 2014) write $z$ where we write $1 - z$. Neither is wrong; mixing them is, and below we measure how wrong.
#
# | cell | memories | gates | what becomes of the old memory |
# |---|---|---|---|
# | RNN | $h$ | none | goes through a matrix and a tanh |
# | LSTM | $c$ and $h$ | forget, input, output | $f \cdot c$, and something is added |
# | GRU | $h$ | update, reset | $z \cdot h$, and $1 - z$ of something new is added |
#
# Three gradients by hand. `check_gradient` compares each, along all of its arguments, with *finite differences*: it
# nudges every number by a hair and sees what changes.

# %%
random = np.random.default_rng(0)
B, D, C = 3, 2, 4

def part():
    return tuple(random.standard_normal(shape) for shape in [(D, C), (C, C), C])

seen, h, c = (random.standard_normal(shape) for shape in [(B, D), (B, C), (B, C)])
check_gradient(rnn_cell, recurrent.rnn_cell_backward, seen, h, *part())
check_gradient(lstm_cell, recurrent.lstm_cell_backward, seen, (h, c), part(), part(), part(),
               part())
check_gradient(gru_cell, recurrent.gru_cell_backward, seen, h, part(), part(), part())
print("rnn_cell, lstm_cell, gru_cell: the gradient by hand equals the gradient by nudging")

# %% [markdown]
# ## Gates set by hand
#
# Before anything is trained: can we *set* the gates so that an LSTM adds? One unit, one number of memory, is enough.
# The forget gate and the output gate are always open (bias 16). The input gate reads the mark: $z = 16 ·
# \text{mark} - 8$, so it opens at a mark and is shut elsewhere. The candidate is the number, made small so that the
# tanh does not bend it: $\tanh(0.1 · \text{number})$. The answer is ten times what is shown at the end.

# %%
hand = opened.by_hand()
rows = {name: each[0].T for name, each in opened.openness("lstm", x[:1], hand).items()}
reading = {"tokens": [f"{number:.2f}" for number in x[0, :, 0]],
           "marks": np.flatnonzero(x[0, :, 1]),
           "xlabel": "the number read at each step (time T →)"}
picture(figures.open_gates(rows, **reading),
        "Three rows of 30 switches. The forget gate and the output gate are open throughout; "
        "the input gate is shut but for the two steps below the marks, where it is open.")

# %% [markdown]
# *Every picture of gates in this course is read like this one: a row is a switch, a column is a moment, dark is
# shut, bright is open.*
#
# **Predict first.** Sixteen weights, written down by hand, not trained. Is the error below that of guessing, 0.17?
# By how much?

# %%
by_hand_error = opened.error("lstm", x, y, hand, out=np.array([[10.0]]), bias=np.zeros((1, 1)))
print(f"an LSTM set by hand: {by_hand_error:.5f}   guessing: {GUESS:.2f}")

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# Thousands of times better than guessing. The little that is left comes from the tanh, which bends a little, and
# from an input gate that is never quite shut: $\sigma(-8) = 0.0003$. So the *cell* can add. The question that
# remains is whether a gradient *finds* such gates.
# </details>
#
# ## Backpropagation through time
#
# Walk forward and keep every memory. Then walk back: the gradient of each step's memory becomes the gradient of the
# memory before it, and every step adds its share to the gradient of the weights, because they are the same weights
# at every step.

# %%
source(recurrent.unroll_backward)

# %% [markdown]
# (`tap` only listens; we use it soon.) A whole LSTM over six steps, checked as before:

# %%
six = random.standard_normal((B, 6, D))
check_gradient(lstm, recurrent.lstm_backward, six, (h, c), part(), part(), part(), part())
print("six steps back in time: the gradient by hand equals the gradient by nudging")

# %% [markdown]
# ## The race
#
# For the experiments we want many networks, because one network is an anecdote. `gemma_edu/lab/gates/fused.py` has the
# same three cells in the form in which they are run in earnest: the matrices of all gates side by side in one,
# several networks in one array, and a tape that remembers each step so that the backward need not compute it twice.
# The shortest of the three, whose `z` is $x\,w + b$ for all steps at once:

# %%
source(fused.rnn, fused.rnn_backward)

# %% [markdown]
# Fast code needs a slow judge. We ask the package's own cells for the same gradient, at the matrices $u$ of each
# cell:

# %%
few = x[:32], y[:32]
batch = [each[None].astype(np.float32) for each in few]         # R = 1 network, in float32
for name in CELLS:
    params = start(name, seeds=[0], bias=1.0)
    params["out"] = params["out"] + np.float32(0.1)     # it starts at 0, which hides errors
    _, grads = loss_and_gradient(name, params, *batch)
    slow = opened.slow_gradient(name, params, *few)
    assert np.allclose(grads["u"][0], slow, rtol=1e-3, atol=1e-4 * np.abs(slow).max())
    print(f"{name:<4} the fast gradient agrees with the package's")

# %% [markdown]
# Now the race. Five networks of each kind, C = 16 numbers of memory, T = 30 steps of reading. Each learns in 300
# steps, every one on a batch of 32 fresh sequences. *Adam* (Kingma and Ba, 2014) takes the steps: it gives every
# weight a pace of its own, and the *rate* says how long a step may be. (Gradients longer than 1 are shortened.
# Chapter 03 opens both.)
#
# The five differ in their *seed*, the number with which chance begins: in their first weights and in their data. The
# gate that keeps the memory (the forget gate, the update gate) starts with a bias of +1; why, comes soon. LSTM and
# GRU learn at a rate of 0.02; with that rate the RNN learns nothing, so it gets 0.003, the best for it of 0.001,
# 0.003, 0.01 and 0.02.
#
# **Predict first.** Which cells get below the line of the guesser? In what order? (This takes some seconds.)

# %%
seeds = range(5)
trained, losses = {}, {}
for name in CELLS:
    gated = name != "rnn"
    fresh = start(name, seeds, bias=1.0 if gated else 0.0)
    rate = 0.02 if gated else 0.003
    trained[name], losses[name] = train(name, fresh, seeds, B=32, steps=300, rate=rate)
picture(figures.race(losses, GUESS),
        "Error over 300 steps on a logarithmic axis, five networks each as a band with its "
        "median. The RNN stays on the line of the guesser; the LSTM falls to a few "
        "thousandths, the GRU faster and lower.")

# %% [markdown]
# *Both gated cells learn to add well before the end; the RNN has hardly left the line of the guesser.*

# %% tags=["nbval-ignore-output"]
for name, each in losses.items():
    last = each[:, -20:].mean(axis=1)
    print(f"{name:<4}  error at the end: median {np.median(last):.4f}, "
          f"from {last.min():.4f} to {last.max():.4f}")
print(f"by hand: {by_hand_error:.5f}")

# %%
ended = {name: np.median(each[:, -20:]) for name, each in losses.items()}
assert ended["rnn"] > 0.1 and ended["lstm"] < 0.02 and ended["gru"] < 0.01
print("learned:", ", ".join(name for name, loss in ended.items() if loss < 0.02))

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# The RNN pushes its whole memory through a matrix and a tanh at every step, so the first marked number must survive
# up to 29 rewritings. LSTM and GRU can leave a number where it is. The GRU is ahead of the LSTM here, with fewer
# weights; on this task, at this size, with these rates. The bands overlap for most of the way, and five seeds are not
# fifty.
#
# And note who won: the LSTM that we set by hand is still better than all that were trained. The gradient finds *a*
# solution, not the tidy one.
# </details>
#
# Is the RNN *unable* to add? **Predict first**, then give it 1200 steps, four times as long.

# %% tags=["nbval-ignore-output"]
_, patient = train("rnn", start("rnn", seeds), seeds, B=32, steps=1200, rate=0.003)
for end in (300, 600, 1200):
    last = patient[:, end - 50:end].mean(axis=1)
    print(f"RNN after {end:4} steps: median error {np.median(last):.3f}")

# %% [markdown]
# <details><summary>What happened</summary>
#
# It is not. It learns late: after 1200 steps it stands where the gated cells stood by about step 100. "An RNN cannot
# remember" is folklore; "an RNN learns slowly to remember" is what we measured, for 30 steps. Chapter 02 looks for
# the reason in the gradient, and goes to 100 steps.
# </details>
#
# ## Watch them open and close
#
# A trained GRU reads the sequence from above. The rows are sorted: what reacts most to the marks is on top.

# %%
def sorted_rows(name, first):
    """The gates of one network that reads x[0]; what reacts most to the marks is on top."""
    read = opened.openness(name, x[:1], weights(trained[name]))
    marked, reacts = x[0, :, 1] == 1, read[first][0]                # [T], [T, C]
    order = np.argsort(-np.abs(reacts[marked].mean(0) - reacts[~marked].mean(0)))
    return {gate: each[0].T[order] for gate, each in read.items()}

picture(figures.open_gates(sorted_rows("gru", "update gate z"), **reading),
        "Two panels of 16 rows of switches over 30 steps. The update gate is bright, open, "
        "nearly everywhere; below the two marks some rows turn darker. The reset gate is half "
        "open, with darker and brighter columns.")

# %% [markdown]
# *Keep, keep, keep, and at a mark let go of a part: the update gate has found what we set by hand, though nowhere
# as cleanly.*
#
# The LSTM has a gate for each of the two decisions:

# %%
picture(figures.open_gates(sorted_rows("lstm", "input gate i"), **reading),
        "Three panels of 16 rows of switches over 30 steps. In the input gate the upper rows "
        "light up, or turn dark, below the two marks; the forget gate is mostly more than "
        "half open; the output gate is mixed.")

# %% [markdown]
# *The input gate has columns of another colour just where the marks are. The forget gate is not the open door that
# you might expect.*
#
# Pretty pictures seduce. Does the *movement* of a gate matter, or do we only see what we hope for? We nail one gate
# down: each of its switches stays where it is on average, and nothing else is changed.
#
# **Predict first.** Which gate's movement matters most in the LSTM: forget, input or output? And in the GRU?

# %%
def with_nailed(name, which):
    """The median error of the five networks."""
    def nail(whole):
        return opened.nailed(name, x, whole, which) if which else whole
    return np.median(opened.errors(name, trained[name], x, y, change=nail))

errors = {f"{name}:\n{which or 'as trained'}": with_nailed(name, which)
          for name in ("lstm", "gru") for which in [None, *GATES[name]]}
picture(plot.bars(errors, ylabel="median error of five networks", log="y", width=9.6,
                  title="One gate stands still at its average"),
        "Bars on a logarithmic axis. As trained both are near a thousandth. With the input "
        "gate of the LSTM or the update gate of the GRU nailed the error is above a tenth; "
        "with the others it is in between.")

# %% [markdown]
# *When to write is the decision that counts: without the LSTM's input gate or the GRU's update gate the network is
# no better than a guesser.*

# %%
assert min(errors["lstm:\ninput gate i"], errors["gru:\nupdate gate z"]) > 0.14
assert max(errors[f"{name}:\nas trained"] for name in ("lstm", "gru")) < 0.02
print("the gates whose movement matters most: input (LSTM), update (GRU)")

# %% [markdown]
# <details><summary>What happened, and why</summary>
#
# The input gate, and the update gate: each decides *when to write*. Standing still, it writes every number, marked or
# not, and the sum is lost. With another gate nailed the error is several times what it was; the network still adds,
# only worse.
# </details>
#
# And why is the forget gate of the trained LSTM not wide open? Many of its switches stand around 0.7, and
# $0.7^{10} = 0.03$. Something else must help. A suspicion: the loop, that is the matrix $u$ by which what is shown
# comes back into the candidate. We cut it.

# %% tags=["nbval-ignore-output"]
def cut_loop(whole):
    *gates, (w, u, b) = whole
    return *gates, (w, 0 * u, b)

cut = np.median(opened.errors("lstm", trained["lstm"], x, y, change=cut_loop))
whole = errors["lstm:\nas trained"]
assert cut > 0.05 > 10 * whole
print(f"median error: as trained {whole:.3f}, loop cut {cut:.2f}, guessing {GUESS:.2f}")

# %% [markdown]
# With the loop cut, they have forgotten how to add. So the loop carries something that the gates alone do not. A gate
# makes remembering easy to learn; nothing forces a network to remember by its gates only.
#
# ## The forget gate's bias
#
# In a fresh network the memory is still near zero, and the bias sets the tone: the forget gate stands around
# $\sigma(b)$. Turn the bias:

# %%
explore(figures.memory_lasts,
        "What is left of a memory over the steps, on a logarithmic axis: each unit of bias "
        "moves the curve to the right by a factor of about e.", bias=(-3.0, 7.0, 1.0, 0.1))

# %% [markdown]
# *For large biases, each +1 makes a memory last about e = 2.7 times as long.*
#
# On paper: with $b = 0$ the gate is ½ and half the memory is gone after one step. With $b = 1$ it is 0.731, and
# $\ln 0.5 / \ln 0.731 = 2.2$ steps. With $b = 4$: 0.982, and 38 steps.
#
# The gradient has the same fate. We send one back from the last step and measure its length at the safe $c$ after
# each step, in real, fresh LSTMs.

# %%
def lengths(bias, run):
    fresh = weights(start("lstm", seeds, bias=bias), run)
    _, at_c = opened.gradient_at_the_end("lstm", x[:32], fresh, dh=np.ones((32, 16)))
    return at_c[:-1]                  # at the last step c has none yet

signs = {-2.0: "−2", 0.0: "0", 1.0: "+1", 2.0: "+2", 4.0: "+4"}
measured = {f"bias {signs[bias]}": np.stack([lengths(bias, run) for run in seeds])
            for bias in signs}
middle = {name: np.median(each, axis=0) for name, each in measured.items()}
spread = {name: (each.min(axis=0), each.max(axis=0)) for name, each in measured.items()}
picture(plot.lines(middle, spread=spread, log="y", width=9.0, height=4.0,
                   xlabel="time T (the gradient walks from right to left)",
                   ylabel="length of the gradient at c"),
        "Length of the gradient over 29 steps on a logarithmic axis, five lines. Going back "
        "in time the lines of a bias of minus 2 and 0 fall by many orders of magnitude; the "
        "line of plus 4 stays level.")

# %% [markdown]
# *The wider the forget gate stands open, the more of the gradient comes back.* More comes back than the gate alone
# would let through: for +1 that is $0.731^{28} = 0.00016$, and the picture shows about a hundredth. What the safe
# loses, the loop through $h$ brings back in part.
#
# **Predict first.** We train five LSTMs for each bias, 200 steps each. Which learns first: −2, 0, +1, +2, or +4? Is
# more always better? (This takes some seconds.)

# %%
until = {}
for bias in signs:
    _, each = train("lstm", start("lstm", seeds, bias=bias), seeds, B=32, steps=200)
    until[signs[bias]] = steps_until(each)
picture(figures.until_learned(until, never=200),
        "Steps until the error is below 0.05, for five biases; each dot is one of five "
        "networks, a line their median. A bias of plus 1 or plus 2 is quickest, minus 2 and "
        "plus 4 are slower.")

# %% [markdown]
# *A bias of +1 or +2 learned first; −2, and +4, a door that will hardly shut, were slower.*

# %% tags=["nbval-ignore-output"]
for bias, each in until.items():
    print(f"bias {bias:>2}: after {np.median(each):.0f} steps (median)   each: {np.sort(each)}")

# %% [markdown]
# <details><summary>What happened, and what to make of it</summary>
#
# With −2, what is written is gone after a step or two, and so is the gradient. With +4 nearly everything is kept,
# the numbers without a mark as well, and a switch that is decided hardly moves: its slope is $\sigma'(4) = 0.018$.
# (That these are the causes is a guess; we have measured the order.) Jozefowicz, Zaremba and Sutskever (2015)
# recommend +1 after thousands of experiments. Ours agree, in small: between +1 and +2 five seeds see no difference,
# and even the bias of 0 learned in the end.
# </details>
#
# ## What goes wrong
#
# **1. An overflow in the switch.** Two formulas for the same sigmoid, as textbooks print them, at $z = ±1000$:

# %%
z = np.array([-1000.0, 1000.0])
with np.errstate(all="ignore"):
    print("1 / (1 + exp(-z))        ", 1 / (1 + np.exp(-z)), "  by way of", np.exp(-z))
    print("exp(z) / (1 + exp(z))    ", np.exp(z) / (1 + np.exp(z)))
    print("the slope, exp(-z) / (1 + exp(-z))²", np.exp(-z) / (1 + np.exp(-z))**2)
print("sigmoid(z)               ", sigmoid(z), "  slope", sigmoid_backward(1.0, z))

# %% [markdown]
# The first survives by luck, with a warning. The second and the slope are `nan` on one side: infinity divided by
# infinity. And one `nan` in a loop is a `nan` in every step after it. In float32 it begins at $|z| = 89$, in
# float16 at 12.
#
# **2. The update gate turned round.** Weights trained with "open keeps" are loaded into a cell where open *writes*.
#
# **3. The reset gate in another place.** Cho's candidate is $(r \cdot h)\,u$; PyTorch and cuDNN compute $r \cdot
# (h\,u)$, which lets all gates share one matrix product. Keras has a switch for it, `reset_after`. Both are good
# cells; the weights of one are not the weights of the other.

# %%
def turned_round(x, h, update, reset, candidate):
    z, r = gate(x, h, *update), gate(x, h, *reset)
    return (1 - z) * h + z * rnn_cell(x, r * h, *candidate)

def reset_after(x, h, update, reset, candidate):
    z, r, (w, u, b) = gate(x, h, *update), gate(x, h, *reset), candidate
    return z * h + (1 - z) * np.tanh(x @ w + r * (h @ u) + b)

def read_by(step):
    return np.median(opened.errors("gru", trained["gru"], x, y, step=step))

wrong = {"as trained": read_by(gru_cell), "reset after\nthe product": read_by(reset_after),
         "guessing": GUESS, "update gate\nturned round": read_by(turned_round)}
picture(plot.bars(wrong, ylabel="median error of five networks", log="y"),
        "Bars on a logarithmic axis: as trained a thousandth; with the reset gate after the "
        "product more than ten times as much; guessing 0.17; with the update gate turned round "
        "even more than guessing.")

# %% [markdown]
# *A gate turned round is worse than guessing, and you will notice. A reset gate in the wrong place still adds, only
# worse, and you may never notice.*
#
# Nothing crashed in either case. All shapes fit. The lesson for your own ports: compare numbers, not shapes.
#
# ## Gates without a memory
#
# The article behind this course explains Gemma's GeGLU as an activation with a gating mechanism, and goes on to
# tell of LSTM and GRU. The family likeness is real: something decides, number by number, how much of something else
# gets through. But GeGLU (chapter 08) has no memory, no time and nothing to forget. We need not argue: if a part
# has no memory, then shuffling the steps of a sequence only shuffles its answers.

# %%
shuffle = random.permutation(30)
gate_w, up, down = (random.standard_normal(shape) for shape in [(2, 8), (2, 8), (8, 2)])
parts = {"geglu": lambda x: geglu(x, gate_w, up, down),
         "lstm": lambda x: opened.shown("lstm", x, weights(trained["lstm"]))}
for name, f in parts.items():
    same = np.allclose(f(x[:, shuffle]), f(x)[:, shuffle])
    print(f"{name:<5} shuffled:", "the same answers, shuffled" if same else "other answers")

# %% [markdown]
# So the sentence should be: GeGLU *borrows the gate* of these cells and leaves the loop behind. In chapter 08 you
# will see the same picture of switches again, with tokens where the steps are now.
#
# ## Remember
#
# 1. A gate is a row of sigmoids that multiplies; what it lets through forward, it lets through backward.
# 2. LSTM: keep by $f$, add by $i$, show by $o$. GRU: slide by $z$ (here open keeps), look back by $r$.
# 3. Half open is almost shut: where a forget gate starts decides how soon anything is learned. Start it above zero.
#
# **Read.** Hochreiter and Schmidhuber, *Long Short-Term Memory* (1997). Gers, Schmidhuber and Cummins, *Learning to
# Forget* (2000). Cho and others, *Learning Phrase Representations using RNN Encoder–Decoder* (2014). Jozefowicz,
# Zaremba and Sutskever, *An Empirical Exploration of Recurrent Network Architectures* (2015), for the forget bias.
# **Do** the [exercises](../exercises/01_gates.ipynb).
