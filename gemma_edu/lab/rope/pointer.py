"""A head that learns where to look, and nothing else: RoPE and its rivals on one small task.

Every position shall point at the one that stands three places before it.  A way to tell positions is a pair
`(place, rotate)`, as in the slots of a model; the words are noise, and share a part that says nothing.
"""
import numpy as np

from ...axes import BTD
from ...numpy_gemma.contract import contract, contract_backward
from ...numpy_gemma.gradient import backward, pull_back
from ...numpy_gemma.loss import cross_entropy, cross_entropy_backward
from ...numpy_gemma.position import learned, rope, sinusoidal, unplaced, unrotated
from ...numpy_gemma.train import adam, adam_start

BACK = 3                    # how far back to point
D, H, T = 32, 16, 32        # the words' width, the head's, and the length of the texts to learn from
WAYS = {"rope": (unplaced, rope), "sinusoidal": (sinusoidal, unrotated), "learned": (learned, unrotated),
        "unrotated": (unplaced, unrotated)}


def words(random, B, length=T) -> BTD:
    """Noise, and in the first coordinate what all words share, so that a head can ask for a place alone."""
    x = 0.2 * random.standard_normal((B, length, D))
    x[..., 0] = 1
    return x


def start(way, random):
    """Random weights for queries and keys, and a table of T places for the way that learns one."""
    def matrix(*shape):
        return random.standard_normal(shape) / np.sqrt(shape[0])
    place, _ = way
    table = {"table": random.standard_normal((T, D))} if place is learned else {}
    return {"query": matrix(D, 1, H), "key": matrix(D, 1, H), "place": table}


def scores(way, w, x: BTD, positions):
    """How well each position's query matches each position's key: [B, T, S]."""
    place, rotate = way
    x = place(x, positions, **w["place"])
    q, k = (rotate(contract("BTD,DNH->BTNH", x, w[name]), positions)[:, :, 0] for name in ("query", "key"))
    return q @ k.mT / np.sqrt(H)


def scores_backward(dscores, way, w, x, positions):
    """The gradient at every weight."""
    place, rotate = way
    placed = place(x, positions, **w["place"])
    q, k = (contract("BTD,DNH->BTNH", placed, w[name]) for name in ("query", "key"))
    turned_q, turned_k = (rotate(each, positions)[:, :, 0] for each in (q, k))
    dscores = dscores / np.sqrt(H)
    dq = backward(rotate)((dscores @ turned_k)[:, :, None], q, positions)
    dk = backward(rotate)((dscores.mT @ turned_q)[:, :, None], k, positions)
    dx_q, dquery = contract_backward(dq, "BTD,DNH->BTNH", placed, w["query"])
    dx_k, dkey = contract_backward(dk, "BTD,DNH->BTNH", placed, w["key"])
    _, dplace = pull_back(place, dx_q + dx_k, x, positions, **w["place"])
    return {"query": dquery, "key": dkey, "place": dplace}


def causal(scores):
    """Nobody points at the future."""
    return np.where(np.tri(scores.shape[-1], dtype=bool), scores, -1e9)


def targets(scores):
    """Where to point, from the first position on that has somewhere to point at."""
    return np.broadcast_to(np.arange(scores.shape[1] - BACK), (len(scores), scores.shape[1] - BACK))


def surprise(way, w, x, positions):
    """The mean surprise at the right place, and its gradient at every weight."""
    given = causal(scores(way, w, x, positions))
    wanted, dscores = targets(given), np.zeros_like(given)
    share = np.full(wanted.shape, 1 / wanted.size)
    dscores[:, BACK:] = cross_entropy_backward(share, given[:, BACK:], wanted)
    return np.sum(share * cross_entropy(given[:, BACK:], wanted)), scores_backward(dscores, way, w, x, positions)


def learn(way, seed, steps=150, B=4, rate=0.03):
    """The weights after some steps of Adam on texts that all begin at position 0."""
    random = np.random.default_rng(seed)
    w, positions = start(way, random), np.tile(np.arange(T), (B, 1))
    state = adam_start(w)
    for _ in range(steps):
        _, grads = surprise(way, w, words(random, B), positions)
        w, state = adam(w, grads, state, rate)
    return w


def hits(way, w, begin=0, length=T, seed=99):
    """The share of positions that point right, in new texts of some length that begin at some position."""
    x = words(np.random.default_rng(seed), 8, length)
    given = causal(scores(way, w, x, begin + np.tile(np.arange(length), (8, 1))))
    return float(np.mean(np.argmax(given[:, BACK:], axis=-1) == targets(given)))
