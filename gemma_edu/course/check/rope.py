"""The checks of chapter 06, and the mistakes they know."""
import ml_dtypes
import numpy as np

from ...lab.rope import mistakes, misturned
from ...lab.rope.verdict import by_tests, by_vectors
from ...numpy_gemma import position
from .exercise import Exercise


def draw(random):
    """Two texts that begin at different positions, with Gemma's base."""
    return random.standard_normal((2, 5, 3, 8)), np.arange(5) + random.integers(3, 90, (2, 1))


def draw_base(random):
    return *draw(random), 100.0


def draw_stretch(random):
    return *draw(random), 1_000_000.0, 8.0


def draw_narrow(random):
    """float32, as a model in float32 hands it over."""
    x, positions = draw(random)
    return x.astype(np.float32), positions


rope = Exercise(
    position.rope, [draw, draw_base, draw_stretch, draw_narrow],
    wrong={
        "You rotated neighbouring pairs; Gemma rotates the two halves: coordinate i with coordinate i + H/2.":
            misturned.braided,
        "You paired neighbours on the way in and halves on the way out. Gemma pairs halves both times.":
            mistakes.unbraided,
        "You turn the other way: is the sign of your sine flipped?": mistakes.flipped,
        "Your second half is not a rotation: does every vector keep its length?":
            lambda *args: mistakes.turned(*args, sign=-1),
        "Your second half was turned with the first half as it had become. Both need the first half as it was.":
            mistakes.one_after_the_other,
        "Did you take the row of the array for the position? A text need not begin at 0: use positions.":
            mistakes.by_index,
        "Your wavelengths grow too slowly: coordinates i count to H/2, and the exponent from 0 to almost 1.":
            lambda *args: mistakes.turned(*args, exponent=lambda half: np.arange(half) / (2 * half)),
        "Your slowest pair has the whole base as its wavelength. The exponents step by 2/H and stop short of 1.":
            lambda *args: mistakes.turned(*args, exponent=lambda half: np.linspace(0, 1, half)),
        "You multiplied by the wavelength: slow pairs should turn less, not more.":
            lambda *args: mistakes.turned(*args, angle=lambda at, wavelength: at * wavelength),
        "Is your angle a number of full turns? λ is the number of positions for one radian.":
            lambda *args: mistakes.turned(*args, angle=lambda at, wavelength: 2 * np.pi * at / wavelength),
        "You used a base of 10,000 where another was given.": mistakes.default_base,
        "What does stretch do? A position counts for 1/stretch.": mistakes.unstretched,
        "You multiplied by stretch. A position counts for 1/stretch.": mistakes.compressed,
    },
    hints=["np.split(x, 2, axis=-1) gives the two halves; np.concatenate puts them together again.",
           "The angle of pair i at position p is p / stretch / base**(i / (H/2)), with i from 0 to H/2 - 1.",
           "positions[:, :, None, None] has a place for the head and one for the pair, and broadcasts over both.",
           "The result has the dtype of x: .astype(x.dtype) at the very end."])


def draw_pair(random):
    return random.standard_normal(8), random.standard_normal(8), int(random.integers(2, 60))


def draw_ahead(random):
    """A query that stands before its key."""
    q, k, distance = draw_pair(random)
    return q, k, -distance


def at(vector, p):
    """One vector, turned to a position."""
    return position.rope(vector[None, None, None], np.array([[p]]))[0, 0, 0]


relative_score = Exercise(
    lambda q, k, distance: float(at(q, distance) @ k), [draw_pair, draw_ahead],
    wrong={
        "Is the sign of the distance lost? Three back is not three ahead.":
            lambda q, k, distance: float(at(q, abs(distance)) @ k),
        "You turned the right vector the wrong way, or the wrong one the right way: the distance is m - n, the query's "
        "position less the key's.": lambda q, k, distance: float(at(k, distance) @ q),
        "Your score is the same at any distance. Both are turned by one angle, or by none: what is between them then?":
            lambda q, k, distance: float(at(q, distance) @ at(k, distance)),
        "You turned one forward and the other back by the whole distance: now they are twice as far apart.":
            lambda q, k, distance: float(at(q, distance) @ at(k, -distance)),
        "A score here is the bare dot product; leave the division by the root of H to attention.":
            lambda q, k, distance: float(at(q, distance) @ k) / np.sqrt(len(q)),
    },
    hints=["Turn the dial back until the key stands at position 0. Where is the query now?",
           "rope wants [B, T, N, H] and positions [B, T]: q[None, None, None] and np.array([[distance]]) will do."])


def draw_backward(random):
    x, positions = draw(random)
    return random.standard_normal(x.shape), x, positions


def draw_backward_options(random):
    """Another base, and a stretch."""
    return *draw_backward(random), 100.0, 4.0


rope_backward = Exercise(
    position.rope_backward, [draw_backward, draw_backward_options],
    wrong={
        "You turned the gradient forward once more. It must undo the turn.":
            lambda dy, x, *args: position.rope(dy, *args),
        "The gradient went through as it came. Does a turned vector have the same directions as before?":
            lambda dy, x, *args: dy,
        "You turned x back. What arrives from above is dy, and x plays no part: a rotation is linear.":
            lambda dy, x, *args: position.rope_backward(x, dy, *args),
        "Each coordinate of x goes into two of y, its own and its partner's. You followed the first path only.":
            mistakes.own_coordinate,
        "You differentiated by the position. Positions are whole numbers and get no gradient; x does.":
            mistakes.of_position,
        "Do base and stretch reach your backward pass? It must turn by the same angle.": mistakes.default_options,
    },
    hints=["Write one pair's rotation as a matrix of two rows. Its gradient is the transpose.",
           "The transpose has the two sines exchanged: it is the rotation by the opposite angle.",
           "Which position turns by the opposite angle? One call of rope is enough."])


def held(dtype, S):
    """Every position, and what the format makes of it."""
    return np.arange(S), np.arange(S).astype(dtype).astype(np.float64)


def lost(dtype, S):
    every, places = held(dtype, S)
    return int(every[places != every][0]), len(np.unique(places))


def exact(dtype, S):
    every, places = held(dtype, S)
    return int(np.sum(places == every))


lost_positions = Exercise(
    lost,
    [lambda random: (ml_dtypes.bfloat16, 8192), lambda random: (np.float16, 4096),
     lambda random: (ml_dtypes.float8_e4m3fn, int(random.integers(150, 400)))],
    wrong={
        "Your first is the last one that is right: up to there every whole number is held exactly.":
            lambda dtype, S: (lost(dtype, S)[0] - 1, lost(dtype, S)[1]),
        "You counted the positions that are held exactly. The others have places too, only not their own: count "
        "different results.": lambda dtype, S: (lost(dtype, S)[0], exact(dtype, S)),
        "You counted the positions that are wrong. How many different places do all of them fall into?":
            lambda dtype, S: (lost(dtype, S)[0], S - exact(dtype, S)),
        "Have you exchanged the two results? First comes the first lost position.":
            lambda dtype, S: lost(dtype, S)[::-1],
    },
    hints=["np.arange(S).astype(dtype).astype(float) says what the format makes of every position.",
           "The first answer: where do the two differ for the first time? The second: np.unique."])


SUSPECTS = [misturned.from_one, misturned.in_bfloat16, misturned.right, misturned.neighbours, misturned.queries_only,
            misturned.backwards]


which_rope_bug = Exercise(
    by_tests, [lambda random, turn=turn: (turn,) for turn in SUSPECTS],
    wrong={
        "A text that counts from 1 has other vectors and the very same scores. It is fine: compare scores.": by_vectors,
        "Everything is fine to you. Did you test far enough from position 0, where positions grow large?":
            lambda turn: by_tests(turn, length=200) if by_tests(turn) == "bfloat16" else by_tests(turn),
        "A score that sees only the distance may still be the wrong score. Compare it with one that is known.":
            lambda turn: by_tests(turn, published=False),
        "Your test never moves a text, so it does not ask whether only the distance counts.":
            lambda turn: by_tests(turn, far=False),
    },
    hints=["Put one query and one key at every position, and look at the scores as a heat map: `figures.maps`.",
           "Two tests: do the scores stay when all positions grow by one? Are they the right ones?",
           "bfloat16 shows only beyond 256: use 600 positions. Queries only: no score depends on the key's position."])


predict_the_base = Exercise(
    lambda: ("same", "slower"), [lambda random: ()],
    wrong={
        "Pair 0 has the wavelength base ** 0. What is that, for any base?": lambda: ("slower", "slower"),
        "A larger base makes longer wavelengths, and a longer wavelength makes a slower turn.":
            lambda: ("same", "faster"),
        "Did you read the formula upside down? The wavelength divides the position.": lambda: ("faster", "faster"),
        "The last pair's wavelength is nearly the whole base. It cannot stay as it was.": lambda: ("same", "same"),
        "Have you exchanged the two? Pair 0 is the fastest.": lambda: ("slower", "same"),
    },
    hints=["The wavelength of pair i is base ** (2i/H). Put in i = 0, and the largest i."])
