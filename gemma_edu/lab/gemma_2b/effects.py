"""What the lines of Gemma 2 and 3 do, each in a few numbers; and what no line may change."""
import jax
import jax.numpy as jnp
import numpy as np

from ... import jax_gemma
from ...numpy_gemma import head_norm, rope, soft_cap
from ...params import empty_cache
from .mistakes import weights


def slots(cfg, S, windows_only=True):
    """Places for a key and a value, in all layers: each keeps what it can still see, or everything."""
    return sum(min(S, int(min(fixed["window"], S))) if windows_only else S for fixed in cfg.fixed)


def slow_pairs(base, stretch, H, S):
    """How many of the H/2 pairs of coordinates do not get once round within S positions."""
    turns = S / stretch / base ** (np.arange(H // 2) * 2 / H) / (2 * np.pi)
    return int(np.sum(turns < 1))


def largest_score(growth, generation, T=64, H=256):
    """The largest score among T positions after wq and wk have each grown by a factor, in Gemma 1, 2 or 3."""
    random = np.random.default_rng(0)
    q, k = (growth * random.standard_normal((1, T, 1, H)) for _ in range(2))      # of length 1 before they grow
    if generation == 3:
        q, k = head_norm(q, np.zeros(H)), head_norm(k, np.zeros(H))
    q, k = (rope(each, np.arange(T)[None]) for each in (q, k))
    scores = q[0, :, 0] @ k[0, :, 0].T * H**-0.5
    return float(np.max(np.abs(soft_cap(scores, 50.0) if generation == 2 else scores)))


def added(cfg, gain):
    """The length (rms) of what a layer of small weights adds to the stream, its last products `gain` times too loud."""
    x = np.random.default_rng(1).standard_normal((1, 16, cfg.D))
    w = weights(cfg)["layers"][0]
    w = w | {"mixer": w["mixer"] | {"wo": gain * w["mixer"]["wo"]}, "mlp": w["mlp"] | {"down": gain * w["mlp"]["down"]}}
    y, _ = cfg.block(cfg, cfg.fixed[0], x, np.arange(16)[None], **w)
    return float(np.sqrt(np.mean((y - x) ** 2)))


def through_a_cache(cfg, params, tokens, prompt):
    """Logits of all tokens, read at once, and read in two ways: `prompt` of them with a cache, then one by one."""
    read = jax.jit(jax_gemma.forward)
    at = jnp.broadcast_to(jnp.arange(tokens.shape[1]), tokens.shape)
    logits, cache = read(cfg, params, tokens[:, :prompt], at[:, :prompt], empty_cache(cfg, params, *tokens.shape))
    pieces = [logits]
    for n in range(prompt, tokens.shape[1]):
        logits, cache = read(cfg, params, tokens[:, n:n + 1], at[:, n:n + 1], cache)
        pieces.append(logits)
    return read(cfg, params, tokens)[0], jnp.concatenate(pieces, axis=1)
