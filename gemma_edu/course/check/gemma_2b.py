"""The checks of chapter 19, and the mistakes they know."""
import numpy as np

from ...lab.gemma_2b import next_gemma
from ...lab.gemma_2b.misread import final_norm_forgotten, ported, with_all_rows
from ...lab.gemma_2b.profiles import READS_TOO_SLOWLY, WAITS_FOR_ITSELF, profile, worst
from ...lab.gemma_2b.work import attainable as under_the_roof
from .exercise import Exercise


# ---- will it fit
def gemma(V, D, L, N, K, H, F):
    return lambda random: (V, D, L, N, K, H, F, int(random.integers(1, 9)) * 512, int(random.integers(2, 9)), 2)


def drawn(random):
    """Sizes of a Gemma 1, a text, a batch, and the bytes of a number."""
    V, D, H, F = (int(random.integers(2, 9)) * unit for unit in (1000, 64, 16, 128))
    L, K, B = (int(random.integers(2, 9)) for _ in range(3))
    return V, D, L, 2 * K, K, H, F, int(random.integers(50, 500)), B, 4


def needed(V, D, L, N, K, H, F, S, B, size):
    weights = V * D + L * (2 * D * N * H + 2 * D * K * H + 3 * D * F + 2 * D) + D
    return size * weights, size * 2 * L * B * S * K * H


def but(change):
    """The right answer with its (weights, cache) changed: `change(weights, cache, sizes)`."""
    names = ("V", "D", "L", "N", "K", "H", "F", "S", "B", "size")
    return lambda *sizes: change(*needed(*sizes), dict(zip(names, sizes, strict=True)))


bytes_needed = Exercise(
    needed, [gemma(256_000, 2048, 18, 8, 1, 256, 16_384), gemma(256_000, 3072, 28, 16, 16, 256, 24_576), drawn],
    wrong={
        "You counted a head of its own. In Gemma the table is used twice, and stored once.":
            but(lambda w, c, s: (w + s["size"] * s["V"] * s["D"], c)),
        "For each position there is a key, and what else?": but(lambda w, c, s: (w, c // 2)),
        "Your cache has a key for each query head. How many heads share one?":
            but(lambda w, c, s: (w, c * s["N"] // s["K"])),
        "Your cache is that of one text. A batch has B of them.": but(lambda w, c, s: (w, c // s["B"])),
        "Your cache is that of one layer.": but(lambda w, c, s: (w, c // s["L"])),
        "You returned numbers of weights and slots; how many bytes does each take?":
            but(lambda w, c, s: (w // s["size"], c // s["size"])),
        "The norms are missing: two in each layer, and one at the end.":
            but(lambda w, c, s: (w - s["size"] * (2 * s["L"] + 1) * s["D"], c)),
        "The MLP has gate, up and down: three matrices.":
            but(lambda w, c, s: (w - s["size"] * s["L"] * s["D"] * s["F"], c)),
    },
    hints=["Chapter 05 counted everything beside the embedding; add the table, once, and multiply by the bytes.",
           "The cache: two arrays in each layer, each of [B, S, K, H]."])


# ---- the roofline
def points(random):
    """Programs on both sides of the edge, and a device."""
    intensity = random.permutation([*random.uniform(0.2, 2, 3), *random.uniform(500, 900, 3)])
    return intensity, float(random.uniform(1e14, 3e14)), float(random.uniform(1e12, 3e12))


attainable = Exercise(
    under_the_roof, [points],
    wrong={
        "Where little is done with each byte, the matrix units wait. Which of the two limits is the lower?":
            lambda intensity, peak, bandwidth: np.maximum(peak, intensity * bandwidth),
        "With no limit to what the device computes, every program would be as fast as it is dense.":
            lambda intensity, peak, bandwidth: intensity * bandwidth,
        "No program waits for the memory in yours.": lambda intensity, peak, bandwidth: 0 * intensity + peak,
        "Bytes per second, divided by operations per byte: what unit is that? Yours should be operations per second.":
            lambda intensity, peak, bandwidth: np.minimum(peak, bandwidth / intensity),
        "That is the edge of the roof, in operations per byte; asked is how fast one may be.":
            lambda intensity, peak, bandwidth: 0 * intensity + peak / bandwidth,
    },
    hints=["Two sentences: the memory delivers so many bytes a second; with each, so many operations are done."])


def step(random):
    """Weights, sizes L, N, K, H, a batch, a context, and the bytes of a number."""
    K = int(random.integers(1, 5))
    return (int(random.integers(10, 99)) * 10**6, int(random.integers(2, 30)), K * int(random.integers(3, 6)), K, 64,
            int(random.integers(3, 20)), int(random.integers(1, 9)) * 1000, int(random.choice([1, 2, 4])))


def per_byte(weights, L, N, K, H, B, S, size, rows=None, read=2, looks=4):
    rows = B if rows is None else rows
    return B * (2 * weights + looks * L * N * H * S) / (size * (weights + rows * read * L * K * H * S))


decode_intensity = Exercise(
    per_byte, [step, lambda random: (2_506_172_416, 18, 8, 1, 256, int(random.integers(3, 65)), 8192, 2)],
    wrong={
        "Are the weights read anew for each row? One reading serves all B of them.":
            lambda *s: per_byte(*s[:5], 1, *s[6:]),
        "Every row has a cache of its own: it is read B times as much.": lambda *s: per_byte(*s, rows=1),
        "Keys are read, and values, too.": lambda *s: per_byte(*s, read=1),
        "A weight is multiplied and added: two operations.": lambda w, *s: per_byte(w, *s) - s[4] * w / (
            s[6] * (w + 2 * s[0] * s[2] * s[3] * s[4] * s[5])),
        "All N query heads look at each slot, though only K keys are read for them.":
            lambda w, L, N, K, H, B, S, size: per_byte(w, L, N, K, H, B, S, size, looks=4 * K / N),
        "You left the cache out: nothing in yours depends on S.":
            lambda w, L, N, K, H, B, S, size: per_byte(w, L, N, K, H, B, 0, size),
        "Each slot costs a product with the key, H multiplications and H additions, and as much with the value.":
            lambda *s: per_byte(*s, looks=2),
        "You divided by numbers that are read; how many bytes does each take?":
            lambda *s: per_byte(*s[:7], 1),
    },
    hints=["Operations: 2 for each weight and row; for each row, layer, query head and slot 2·H with the key, and the "
           "same with the value.",
           "Bytes: the weights once; for each row and layer S keys and S values of K heads of width H."])


# ---- the profile
mend_first = Exercise(
    worst(lambda time, read, work: time - max(read, work)), [profile(READS_TOO_SLOWLY), profile(WAITS_FOR_ITSELF)],
    wrong={
        "Reading and computing go on at the same time: the longer of the two is the least it can take, not both.":
            worst(lambda time, read, work: time - (read + work)),
        "You chose the slowest. Could it be any faster on this device?": worst(lambda time, read, work: time),
        "You chose the one that is farthest from its roof. How much of the step would you win?":
            worst(lambda time, read, work: time / max(read, work)),
        "Yours reads slowly because it computes: look at its operations, too.":
            worst(lambda time, read, work: time - read),
        "Yours computes slowly because it waits for bytes: look at these, too.":
            worst(lambda time, read, work: time - work),
    },
    hints=["How many seconds would each kernel take on its roof?", "The largest difference is worth the most."])


# ---- the next Gemma
port_next_gemma = Exercise(
    ported(), [next_gemma.checkpoint],
    wrong={
        "Their norms hold the whole factor; ours hold its distance from 1, and add the 1 themselves.":
            ported(one=0, other=0),
        "The norms of queries and keys are stored like all other norms.": ported(other=0),
        "And the last norm, after all layers?": final_norm_forgotten,
        "norm_2 comes after attention, norm_3 before the MLP; you have them the other way round.":
            ported(norms=("norm_1", "norm_3", "norm_2", "norm_4")),
        "Your gate and your up are exchanged: only the gate goes through the GELU.": ported(halves=(1, 0)),
        "Your keys and values are exchanged. Their shapes are the same.": ported(order="qvk"),
        "attn.out has the right number of numbers for [N, H, D], but not in that order: transpose it before you cut.":
            ported(cut=lambda w, N, H, D: w.reshape(N, H, D)),
        "In attn.out the columns run head by head: the N heads one after the other, each of width H.":
            ported(cut=lambda w, N, H, D: w.T.reshape(H, N, D).swapaxes(0, 1)),
        "Your model can say words that do not exist: the last rows of their table belong to no piece.":
            with_all_rows,
    },
    hints=["Do one layer first, and compare shapes with those of param_axes(cfg): N, K, H, D and F are all different.",
           "A matrix (out, in) is transposed to [in, out]; then out, where it is heads, is cut into [heads, H].",
           "All norms of the file are larger than ours by 1, seven in all kinds: four, two, and the last."])


wrong_line = Exercise(
    lambda: "C", [lambda random: ()],
    wrong={
        "A: whatever is wrong with a norm of the stream is wrong at position 0, too. Is it?": lambda: "A",
        "B: base and stretch are those of the Config. Try others: do the two ever agree?": lambda: "B",
        "D: positions 0 to 7 see the same tokens, whether the window is 8 or 9. Where does the difference begin?":
            lambda: "D",
        "E: another scale of the queries would show; try query_scale. Does any value make the logits agree?":
            lambda: "E",
        "F: a norm after the addition would be seen at position 0.": lambda: "F",
        "G: each position thinks alone there, so position 0 would differ as well.": lambda: "G",
        "H: as with F, position 0 would not be spared.": lambda: "H",
    },
    hints=["At position 0 the two agree to the last digit. Which lines do nothing special there?",
           "Nothing is rotated at position 0. What would change if two lines changed places?"])
