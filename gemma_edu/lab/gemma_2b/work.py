"""How much a step computes and how much it reads: what the roofline is drawn from.  Williams et al. 2009."""
import numpy as np

from ...params import count
from ...pretrained.fit import cache_bytes, weight_bytes


def flops(cfg, S, B=1, T=1):
    """Operations of a step that feeds T tokens to each of B rows, each of which looks at S slots.

    Each weight that a token meets costs a multiplication and an addition; the head looks at the last token alone.
    """
    head = cfg.V * cfg.D
    return B * (T * 2 * (count(cfg) - head) + 2 * head + T * 4 * cfg.L * cfg.N * cfg.H * S)


def bytes_read(cfg, dtype, S, B=1):
    """Every weight once, for all rows, and the cache of each row."""
    return weight_bytes(cfg, dtype) + cache_bytes(cfg, dtype, S, B)


def intensity(cfg, dtype, S, B=1, T=1):
    """Operations for each byte that is read."""
    return flops(cfg, S, B, T) / bytes_read(cfg, dtype, S, B)


def attainable(intensity, peak, bandwidth):
    """Operations per second at most: the memory feeds no more, and the device does no more."""
    return np.minimum(peak, intensity * bandwidth)


def ceiling(cfg, dtype, device, S=1, B=1):
    """Tokens per second at most when B rows are written at once."""
    roof = attainable(intensity(cfg, dtype, S, B), device.rate, device.bandwidth)
    return float(B * roof / flops(cfg, S, B))
