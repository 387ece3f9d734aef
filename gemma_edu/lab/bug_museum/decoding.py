"""Two ways to write that a room (`shipped`, `half_mended`, `mended`) fills in: until an end, and in a batch."""
from dataclasses import replace

import numpy as np

from ...numpy_gemma import forward
from ...numpy_gemma.sample import empty_cache
from ...numpy_gemma.tree import tree_map

PAD = 0


def write(room, next_tokens, prompts, count, eos):
    """Write until every row has finished, at most `count` tokens; returns (the answer of each row, the steps taken).

    `next_tokens(buffer, at)` says for each row which token shall stand at column `at`.
    """
    B, T = prompts.shape
    after, done, at = np.pad(prompts, ((0, 0), (0, count)), constant_values=PAD), np.zeros(B, bool), T
    while at < T + count and not done.all():
        before, after = after, after.copy()
        after[:, at] = next_tokens(after, at)
        done = room.finished(done, before, after, at, eos)
        at += 1
    return [room.answer(row, eos) for row in after[:, T:at].tolist()], at - T


def likeliest(cfg, params):
    """The next tokens that a model finds likeliest."""
    def next_tokens(buffer, at):
        logits, _ = forward(cfg, params, buffer[:, :at])
        return np.argmax(logits[:, -1], axis=-1)
    return next_tokens


def recited(*scripts):
    """The next tokens of one who only recites: a row for each script, and no model."""
    def next_tokens(buffer, at):
        return [script[at - 1] for script in scripts]      # after a prompt of one token
    return next_tokens


def padded(prompts, count):
    """Prompts of several lengths in a buffer [B, length + count], padding in front; returns (buffer, length)."""
    length = max(map(len, prompts))
    rows = [[PAD] * (length - len(prompt)) + list(prompt) + [PAD] * count for prompt in prompts]
    return np.array(rows), length


def together(room, cfg, params, prompts, count):
    """Continue prompts in one batch, greedily; returns (the new tokens [B, count], the logits of all columns)."""
    buffer, length = padded(prompts, count)
    slots, angles = room.places(buffer, length)
    cache = tree_map(lambda leaf: np.repeat(leaf, len(buffer), axis=0), empty_cache(cfg, params, buffer.shape[1]))
    seen, columns = [], slice(0, length)
    for at in range(length, length + count):
        turned = replace(cfg, rotate=at_angles(cfg.rotate, angles[:, columns]))
        logits, cache = forward(turned, params, buffer[:, columns], slots[:, columns], cache)
        buffer[:, at] = np.argmax(logits[:, -1], axis=-1)
        seen, columns = [*seen, logits], slice(at, at + 1)
    return buffer[:, length:], np.concatenate(seen, axis=1)


def at_angles(rotate, angles):
    """Turn by angles of their own: in our model a position says the angle and the slot, here they may differ."""
    def turn(x, positions, *rest):
        return rotate(x, angles, *rest)
    return turn
