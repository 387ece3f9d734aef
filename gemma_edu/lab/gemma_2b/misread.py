"""Reading the checkpoint of the next Gemma, with a choice of mistakes."""
import numpy as np

from ...numpy_gemma import forward
from ...numpy_gemma.tree import tree_map

NORMS = ("norm_1", "norm_2", "norm_3", "norm_4")


def read(stored, cfg, one=1, other=1, norms=NORMS, order="qkv", halves=(0, 1), cut=None, rows=None):
    """Their checkpoint as our tree; without options, rightly."""
    table = stored["table"][:cfg.V if rows is None else rows]
    layers = [layer(cfg, part(stored, f"layer.{number}."), one, other, norms, order, halves, cut or heads_of)
              for number in range(cfg.L)]
    return {"embed": table, "place": {}, "layers": tuple(layers), "final_norm": {"scale": stored["last_norm"] - one}}


def part(stored, prefix):
    return {name.removeprefix(prefix): w for name, w in stored.items() if name.startswith(prefix)}


def layer(cfg, w, one, other, norms, order, halves, cut):
    """One layer: `one` is taken off the norms of the stream, and `other` off those of queries and keys."""
    N, K, H, D, F = cfg.N, cfg.K, cfg.H, cfg.D, cfg.F
    parts = np.split(w["attn.qkv"], [N * H, (N + K) * H])
    q, k, v = (parts["qkv".index(letter)].T.reshape(D, -1, H) for letter in order)
    gate, up = (w["mlp.in"][F * half:F * (half + 1)].T for half in halves)
    before, after, before_mlp, after_mlp = ({"scale": w[name] - one} for name in norms)
    mixer = {"wq": q, "wk": k, "wv": v, "wo": cut(w["attn.out"], N, H, D),
             "q_norm": w["attn.q_norm"] - other, "k_norm": w["attn.k_norm"] - other}
    return {"mixer_norm": before, "mixer": mixer, "mixer_post_norm": after, "mlp_norm": before_mlp,
            "mlp": {"gate": gate, "up": up, "down": w["mlp.out"].T}, "mlp_post_norm": after_mlp}


def heads_of(w, N, H, D):
    """[D, N·H] to [N, H, D]."""
    return w.T.reshape(N, H, D)


def ported(**mistake):
    """The logits of a port."""
    return lambda stored, cfg, tokens: forward(cfg, read(stored, cfg, **mistake), tokens)[0]


def with_all_rows(stored, cfg, tokens):
    """The padding of the table kept."""
    return ported(rows=len(stored["table"]))(stored, cfg, tokens)


def final_norm_forgotten(stored, cfg, tokens):
    """Its 1 stays, and is added once more."""
    params = read(stored, cfg)
    return forward(cfg, params | {"final_norm": tree_map(lambda scale: scale + 1, params["final_norm"])}, tokens)[0]
