"""RoPE with one mistake: each function turns a query and a key, as some release did or nearly did.

They are called like `right`: turn(q, k, positions) -> (q, k).  `braided` turns one of the two, by whichever rope, and
`rounded` takes positions alone.
"""
import ml_dtypes
import numpy as np

from ...axes import BT, BTNH
from ...numpy_gemma.position import rope


def right(q: BTNH, k: BTNH, positions: BT):
    """No mistake."""
    return rope(q, positions), rope(k, positions)


def neighbours(q, k, positions):
    """Coordinate 2i is paired with 2i + 1, and not i with i + H/2."""
    return braided(q, positions), braided(k, positions)


def backwards(q, k, positions):
    """The sign of the sine is flipped: everything turns the other way."""
    return rope(q, -positions), rope(k, -positions)


def queries_only(q, k, positions):
    """Keys are forgotten."""
    return rope(q, positions), k


def in_bfloat16(q, k, positions):
    """Positions are stored in bfloat16 before they are used."""
    return right(q, k, rounded(positions))


def from_one(q, k, positions):
    """The first position is called 1."""
    return right(q, k, positions + 1)


def braided(x, *where, turn=rope):
    """Sort the neighbours into halves, turn, and sort them back."""
    H = x.shape[-1]
    order = np.r_[0:H:2, 1:H:2]
    return turn(x[..., order], *where)[..., np.argsort(order)]


def rounded(positions):
    """Whole numbers as bfloat16 holds them: with eight binary digits."""
    return positions.astype(ml_dtypes.bfloat16).astype(int)


MISTAKES = {"neighbours": neighbours, "backwards": backwards, "queries only": queries_only,
            "bfloat16": in_bfloat16, "from one": from_one}
