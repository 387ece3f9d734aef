"""How far each bug of the museum moves the logits of a model, and how many argmaxes it changes."""
import numpy as np

from ...numpy_gemma import forward
from . import half_mended, shipped
from .claims import rows
from .empty_slots import with_and_without_a_cache
from .models import forgiving_load, through_the_file, with_silent_heads


def seen(given, wanted):
    """(largest change in standard deviations of the right logits, argmaxes changed, positions)."""
    moved = np.max(np.abs(given - wanted)) / np.std(wanted)
    changed = np.sum(np.argmax(given, axis=-1) != np.argmax(wanted, axis=-1))
    return float(moved), int(changed), wanted[..., 0].size


def ledger(cfg, params, tokens, prompts):
    """{bug: what `seen` says}, for one text [1, T], and for a batch of prompts whose first is padded."""
    right, _ = forward(cfg, params, tokens)
    port, found, _ = forgiving_load(shipped, *with_silent_heads(cfg, params, 2 * cfg.N))
    return {"1  a guess, and a loader that passes over": seen(forward(port, found, tokens)[0], right),
            "2  the old buffer":               seen(right, right),
            "3  padding seen":                 in_a_batch(shipped, cfg, params, prompts),
            "3' positions stand still":        in_a_batch(half_mended, cfg, params, prompts),
            "4  reshape for transpose":        seen(forward(cfg, through_the_file(shipped, params), tokens)[0], right),
            "5  a look into empty slots":      seen(*with_and_without_a_cache(shipped.sight))}


def in_a_batch(room, cfg, params, prompts):
    given, wanted, _ = next(rows(room, cfg, params, prompts, count=12))
    return seen(given, wanted)
