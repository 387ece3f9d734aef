"""The same answers, found another way."""
import numpy as np


def block(cfg, fixed, x, positions, mixer_norm, mixer, mlp_norm, mlp, cache=None, tap=None):
    added, cache = cfg.mixer(cfg, fixed, cfg.norm(x, **mixer_norm), positions, cache=cache, **mixer)
    return sum([x, added, cfg.mlp(x=cfg.norm(x=x + added, **mlp_norm), **mlp)]), cache


def tied_gradient(tokens, dx, h, dlogits, table):
    """By one-hot vectors: looking a row up is a product with one of them."""
    V, D = table.shape
    chosen = np.eye(V)[tokens]
    return sum(chosen[b].T @ dx[b] * D**0.5 + dlogits[b].T @ h[b] for b in range(len(tokens)))


def positions_read(prompt, new):
    with_cache = without = 0
    for n in range(new):
        with_cache += prompt if n == 0 else 1
        without += prompt + n
    return with_cache, without


def is_close(given, wanted, tolerance):
    try:
        gaps = [abs(a - b) <= tolerance for a, b in zip(given.ravel(), wanted.ravel(), strict=True)]
    except ValueError:
        return False
    return given.ndim == wanted.ndim and all(map(bool, gaps))


def hunt():
    """By comparing each patient with each suspect."""
    from gemma_edu.lab.gemma_in_numpy import hunt as ward
    patients = {number: ward.patient(number) for number in range(1, ward.PATIENTS + 1)}
    suspects = {bug: ward.with_bug(bug) for bug in ward.SUSPECTS}
    return {number: min(suspects, key=lambda bug, sick=sick: np.max(np.abs(suspects[bug] - sick)))
            for number, sick in patients.items()}


def unseen_by_argmax():
    from gemma_edu.lab.gemma_in_numpy import hunt as ward
    right = ward.healthy().argmax(-1)
    return int(sum((ward.patient(number).argmax(-1) == right).all() for number in range(1, ward.PATIENTS + 1)))
