"""The checks of chapter 10, and the mistakes they know."""
from functools import partial

import jax.numpy as jnp
from jax import lax

from ... import jax_gemma
from ...lab.numpy_to_jax import miscounted, misported, suspects, trials, verdicts
from .exercise import Exercise


def draw_write(random, B=2, T=3, S=6):
    """A cache, new keys and values, and positions of which some may point past the end."""
    positions = jnp.asarray([random.permutation(S + 2)[:T] for _ in range(B)])
    cache, new = ({name: normal(random, B, size, 1, 2) for name in "kv"} for size in (S, T))
    return cache, new, positions


def normal(random, *shape):
    return jnp.asarray(random.standard_normal(shape), jnp.float32)


def draw_padded(random):
    """Each row ends in padding: its last slot, and its first, must stay."""
    cache, new, _ = draw_write(random)
    return cache, new, jnp.array([[2, 3, 6], [2, 4, 7]])


remember = Exercise(
    jax_gemma.remember, [draw_padded, draw_write],
    wrong={
        "Without jit this works. A tracer has no values, so nobody knows how many positions a mask keeps, and the "
        "result has no shape. Can you write all of them, and let JAX drop those past the end?": misported.word_by_word,
        "Padding landed on the last slot. What does your mode do with a position past the end?":
            partial(misported.write, mode="clip"),
        "Padding came round to the front again. It must not be written at all.": misported.round_again,
        "The cache came back as it was. What does x.at[…].set(…) return, and where did you put it?":
            misported.thrown_away,
        "Each row of the batch has positions of its own; you wrote all rows at those of the first.":
            misported.all_rows_alike,
        "You added the new to the old. A slot is overwritten.": partial(misported.write, how="add"),
    },
    hints=["slots.at[rows, positions].set(new, mode=…): rows and positions broadcast against each other to [B, T].",
           "Rows of shape [B, 1] beside positions of shape [B, T].",
           "Of the modes, one drops what points past the end. Return a new dict."],
    under=trials.traced)


def draw_heads(random, B=2, T=3, S=5, N=4, H=6):
    """Loud queries, one key and one value for all heads, and a mask in which everybody sees the first."""
    mask = random.random((B, T, S)) < 0.6
    mask[..., 0] = True
    return 2 * normal(random, B, T, N, H), normal(random, B, S, H), normal(random, B, S, H), jnp.asarray(mask)


attend_by_vmap = Exercise(
    lambda q, k, v, mask: jax_gemma.attend(q, k[:, :, None], v[:, :, None], mask),
    [draw_heads, partial(draw_heads, B=1, T=4)],
    wrong={
        "The heads came out in front of the time. Where out_axes puts the new axis is up to you.":
            misported.heads_first,
        "A dot product of H terms grows like the root of H. Who divides by it?": misported.unscaled,
        "You divided by H. The size of a dot product of H terms grows like its root.": misported.scaled_twice,
        "The shares of a query add up to one over the keys; yours do over the queries. Which axis is that of the keys?":
            misported.along_queries,
        "You multiplied the scores by the mask. A score of 0 is still a score, and gets its share.": misported.silenced,
        "You masked the shares after the softmax. Those that are left no longer add up to one.": misported.masked_late,
        "The mask is not used: your queries see the future.": misported.unmasked,
    },
    hints=["First the function for one head of one text: q [T, H], k and v [S, H], mask [T, S]. A few lines.",
           "Then a vmap over the heads: in q they are axis 1, and the other three have no such axis.",
           "Then a vmap over the batch: axis 0 of everything, which is what vmap assumes."],
    under=trials.traced)


def layer(x, w):
    """Something that reads the stream and adds to it."""
    return x + jnp.tanh(x @ w["in"]) @ w["out"]


def draw_layers(random, L=5, D=4, F=8):
    return layer, normal(random, 3, D), {"in": normal(random, L, D, F), "out": normal(random, L, F, D) / F}


scan_layers = Exercise(
    miscounted.scanned, [draw_layers],
    wrong={
        "The numbers are right, but in your program each layer is written out: it is as long as the model is deep. "
        "Which loop is read once?": miscounted.unrolled,
        "Each length is that of the stream before its layer; give the one after it.": miscounted.before_each,
        "You return the streams. Of each, give its length: the root of the mean square, one number.":
            miscounted.whole_streams,
        "The length is the root of the mean, over all of x, of the square; you took the root of the sum.":
            miscounted.summed,
        "Every layer read the same x. A layer reads what the one below it left: that is the carry.":
            miscounted.not_carried,
        "You began with the last layer.": miscounted.from_the_top,
        "Have you exchanged the two results? First the stream after the last layer, then the lengths.":
            miscounted.exchanged,
    },
    hints=["lax.scan(step, carry, layers) calls step(carry, w) with the weights of one layer; it wants a pair back.",
           "The pair: what the next layer reads, and what shall be kept of this one.",
           "lax.scan returns the last carry, and what was kept, stacked along L."],
    under=trials.of_one_length)


KINDS = [lambda random: normal(random, random.integers(2, 4)), lambda random: normal(random, 2).astype(jnp.bfloat16),
         lambda random: normal(random, 2, 1), lambda random: jnp.arange(2) + int(random.integers(5)),
         lambda random: float(random.integers(1, 5)), lambda random: jnp.float32(random.integers(1, 5))]


def draw_calls(random, count=14):
    """Calls of a function of x and a static S, some of them alike."""
    return ([(KINDS[random.integers(len(KINDS))](random), int(random.choice([8, 16]))) for _ in range(count)],)


def each_kind(random):
    """Two shapes by turns, Python numbers, an array without axes, two in another dtype, three with another S."""
    at_8 = [jnp.ones(3), jnp.ones(4), jnp.zeros(3), jnp.zeros(4), 1.0, 2.0, jnp.float32(1),
            jnp.ones(3, jnp.bfloat16), jnp.ones(4, jnp.bfloat16)]
    return ([*((x, 8) for x in at_8), *((x, 16) for x in (jnp.ones(3), jnp.ones(4), 1.0))],)


count_traces = Exercise(
    miscounted.distinct, [each_kind, draw_calls, partial(draw_calls, count=25)],
    wrong={
        "You counted the calls. What is traced is kept, and found again.": len,
        "You counted whenever a call differs from the one before. The older programs are kept, too: how many different "
        "ones are there?": miscounted.changes,
        "You counted shapes. A program is made for a dtype, too, and for a value of what is static.":
            partial(miscounted.distinct, without=("dtype", "weak", "S")),
        "You left out the static argument: S is no array, and each value of it is another program.":
            partial(miscounted.distinct, without=("S",)),
        "You left out the dtype: bfloat16 and float32 are two programs, even where the shapes are equal.":
            partial(miscounted.distinct, without=("dtype",)),
        "A Python number and a jnp.float32 have the same shape and the same dtype, and yet they are two: one gives way "
        "beside a narrower array, the other does not.": partial(miscounted.distinct, without=("weak",)),
    },
    hints=["What does a tracer know of x? Collect that, and S, in a set.",
           "jnp.shape(x) and jnp.result_type(x) also work for Python numbers.",
           "isinstance(x, float) tells a weak number from a strong one."])


safe_length = Exercise(
    suspects.long,
    [lambda random: (jnp.zeros(5),), *[
        lambda random, size=size: (size * normal(random, 5),) for size in (1, 1e-3, 1e-15)]],
    wrong={
        "At the zero vector the length is right, and its gradient is NaN: the root has an infinite slope there. A "
        "where behind the root does not help, for the way back goes down both branches. What goes *into* the root?":
            suspects.root,
        "An epsilon in the root makes the gradient finite, and every short vector longer than it is. How long is "
        "yours at zero?": miscounted.longer,
        "You held the square above a floor, and the length of zero is no longer zero.": miscounted.never_zero,
        "You call short vectors zero. Only zero is: every other has a length and a direction.":
            partial(suspects.long, above=1e-6),
        "You forgot the root.": lambda x: jnp.sum(x * x),
        "You stopped the gradient for all vectors, and only zero needs it.":
            lambda x: lax.stop_gradient(suspects.long(x)),
    },
    hints=["Differentiate it on paper: x divided by its length. What happens at zero?",
           "jnp.where(ok, jnp.sqrt(…), 0.0) is half of it. What should the root be given where it is not ok?",
           "Something with an ordinary slope, such as 1: a second where, inside."],
    under=trials.with_gradient)


STEPS = [suspects.unsafe, suspects.right, suspects.frozen, suspects.clamped, suspects.together, suspects.lost]
FINE = "One of them is fine to you that is not. "

which_trap = Exercise(
    verdicts.by_questions, [lambda random, step=step: (step,) for step in STEPS],
    wrong={
        FINE + "Have you asked for a row of zeros?": partial(verdicts.by_questions, zero=False),
        FINE + "Have you asked for a token past the end of the table, and looked at every row?":
            partial(verdicts.by_questions, past=False),
        FINE + "Have you compared the pushes of two rows in one call?": partial(verdicts.by_questions, twins=False),
        FINE + "Have you called it twice, with one thing changed at a time?":
            partial(verdicts.by_questions, rates=False),
        "A step that moves nothing also moves two equal rows alike. Ask first whether it moves at all.":
            partial(verdicts.by_questions, moves=False),
    },
    hints=["Use one small table with two equal rows and a row of zeros, and always the same key.",
           "Look at step(w, tokens, rate, key) - w: which rows moved, and by how much?",
           "Five questions: does it move at all; a zero row; a token past the end; two equal rows; another rate."])
