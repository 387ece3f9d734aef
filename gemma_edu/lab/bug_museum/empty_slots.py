"""What hid behind the test that could not fail: queries that look into empty slots of a cache."""
from sys import modules
from unittest.mock import patch

import numpy as np

from ...numpy_gemma import forward
from ...numpy_gemma.sample import empty_cache
from ..gemma_in_numpy import hunt
from ..gemma_in_numpy.bugs import BUGS
from .models import quiet

ATTENTION = modules[forward.__module__.replace("model", "attention")]
PARAMS = quiet(hunt.PARAMS)


def with_and_without_a_cache(sight, slots=12):
    """The logits of one text, read with a cache that has empty slots left, and without one; `sight` is the mask."""
    with patch.object(ATTENTION, "causal_mask", sight):
        with_cache, _ = forward(hunt.CFG, PARAMS, hunt.TOKENS, cache=empty_cache(hunt.CFG, PARAMS, slots))
        return with_cache, forward(hunt.CFG, PARAMS, hunt.TOKENS)[0]


def moved():
    """How far each bug of chapter 09 moves a logit of this model: {bug: the largest change}, those that do."""
    right = hunt.healthy(PARAMS)
    changes = {bug: float(np.max(np.abs(hunt.with_bug(bug, PARAMS) - right))) for bug in BUGS}
    return {bug: change for bug, change in changes.items() if change > 1e-12}
