"""Two tests of a rope, and what they say together: neither sees everything."""
import numpy as np

from . import misturned


def by_tests(turn, *, length=600, far=True, published=True):
    """The verdict of two tests, either of which may be left out: a shift of the text, and numbers known to be right."""
    random, positions = np.random.default_rng(7), np.arange(length)[None]
    q, k = random.standard_normal((2, 8))
    q, k = (np.tile(each, (1, length, 1, 1)) for each in (q, k))

    def scores(turn, positions):
        tq, tk = turn(q, k, positions)
        return tq[0, :, 0] @ tk[0, :, 0].T
    given = scores(turn, positions)
    if far and not np.allclose(given, scores(turn, positions + 1)):
        return "queries only" if np.allclose(given[0], given[0, 0]) else "bfloat16"
    if published and not np.allclose(given, scores(misturned.right, positions)):
        return "backwards" if np.allclose(given, scores(misturned.backwards, positions)) else "neighbours"
    return "fine"


def by_vectors(turn):
    """Compares turned vectors, and not scores: it cries out at a text that counts from 1."""
    random, positions = np.random.default_rng(7), np.arange(9)[None]
    q, k = random.standard_normal((2, 1, 9, 1, 8))
    same = all(np.allclose(a, b) for a, b in zip(turn(q, k, positions), misturned.right(q, k, positions), strict=True))
    return by_tests(turn) if same or by_tests(turn) != "fine" else "backwards"
