"""What differs between layers and generations, in the words of Hugging Face's config.json.

A reader takes what the file says, and a Config with its sizes; it returns the fields to replace.  Its writer says
them again.
"""
from math import inf

LOCAL, GLOBAL = "sliding_attention", "full_attention"


def read_gemma(given, plain):
    base, _ = turn(rope_of(given), {"default"})
    return {"base": (base,)}


def write_gemma(cfg):
    return {"rope_theta": float(cfg.base[0])}


def read_gemma2(given, plain):
    base, _ = turn(rope_of(given), {"default"})
    caps = {name: number(given, key) for name, key in [("score_cap", "attn_logit_softcapping"),
                                                       ("logit_cap", "final_logit_softcapping")]}
    return {"base": (base,), "window": windows(given, plain), "query_scale": query_scale(given, plain), **caps}


def write_gemma2(cfg):
    return {"rope_theta": float(cfg.base[0]), "attn_logit_softcapping": cfg.score_cap,
            "final_logit_softcapping": cfg.logit_cap, **layer_types(cfg), **query_width(cfg)}


def read_gemma3_text(given, plain):
    if caps := [key for key in ("attn_logit_softcapping", "final_logit_softcapping") if given.get(key) is not None]:
        raise ValueError(f"{caps[0]} = {given[caps[0]]!r}; a Gemma 3 has no cap")
    new = given.get("rope_parameters")
    if new is None:
        local = {"rope_theta": given.get("rope_local_base_freq", 10_000.0)}
        new = {LOCAL: local, GLOBAL: {"rope_theta": given.get("rope_theta", 1_000_000.0)} | scaling(given)}
    if not isinstance(new, dict) or not new.keys() >= {LOCAL, GLOBAL}:
        raise ValueError(f"rope_parameters = {new!r}; a Gemma 3 turns by one for {LOCAL} and one for {GLOBAL}")
    turns = {kind: turn(new[kind], {"default", "linear"}) for kind in (LOCAL, GLOBAL)}
    window = windows(given, plain)
    base, stretch = zip(*(turns[GLOBAL if each == inf else LOCAL] for each in window), strict=True)
    return {"window": window, "base": shortest(base), "stretch": shortest(stretch),
            "query_scale": query_scale(given, plain)}


def write_gemma3_text(cfg):
    turns = {kind: (layer["base"], layer["stretch"]) for layer in cfg.fixed
             for kind in [GLOBAL if layer["window"] == inf else LOCAL]}
    base, stretch = turns.get(GLOBAL, (1_000_000.0, 1.0))
    return {"rope_theta": base, "rope_local_base_freq": turns.get(LOCAL, (10_000.0, 1.0))[0],
            "rope_scaling": None if stretch == 1 else {"rope_type": "linear", "factor": stretch},
            **layer_types(cfg), **query_width(cfg)}


READERS = {"gemma": read_gemma, "gemma2": read_gemma2, "gemma3_text": read_gemma3_text}
WRITERS = {"gemma": write_gemma, "gemma2": write_gemma2, "gemma3_text": write_gemma3_text}


# ---- rotations
def rope_of(given):
    """Old files say rope_theta; new ones say it inside rope_parameters."""
    new = given.get("rope_parameters") or {}
    new = new if isinstance(new, dict) else {"rope_type": new}
    return {"rope_theta": given.get("rope_theta", 10_000.0)} | scaling(given) | new


def scaling(given):
    said = given.get("rope_scaling") or {}
    if not isinstance(said, dict):
        raise ValueError(f"rope_scaling = {said!r}; a Gemma says it in a dict, or says null")
    return {{"type": "rope_type"}.get(key, key): value for key, value in said.items()}


def turn(said, kinds):
    """The base and the stretch that they mean by a rotation."""
    rope = {"rope_type": "default"} | said
    base, stretch, kind = rope.pop("rope_theta", None), rope.pop("factor", 1.0), rope.pop("rope_type")
    if rope or kind not in kinds or (stretch != 1) != (kind == "linear"):
        raise ValueError(f"a rotation {said}; this Gemma turns by the rope_type {' or '.join(sorted(kinds))}")
    return number({"rope_theta": base}, "rope_theta"), number({"factor": stretch}, "factor")


# ---- windows
def windows(given, plain):
    """How far back each layer sees, as the shortest pattern that repeats."""
    kinds = given.get("layer_types")
    if kinds is None:
        every = given.get("sliding_window_pattern", len(plain.window))
        kinds = [LOCAL if (layer + 1) % every else GLOBAL for layer in range(plain.L)]
    if len(kinds) != plain.L or not set(kinds) <= {LOCAL, GLOBAL}:
        raise ValueError(f"layer_types = {kinds}; give {plain.L} times {LOCAL} or {GLOBAL}")
    reach = {GLOBAL: inf} | ({LOCAL: number(given, "sliding_window")} if LOCAL in kinds else {})
    return shortest(tuple(reach[kind] for kind in kinds))


def shortest(pattern):
    """The shortest beginning that, repeated, gives all of it."""
    L = len(pattern)
    return next(pattern[:n] for n in range(1, L + 1) if (pattern[:n] * L)[:L] == pattern)


def layer_types(cfg):
    reach = [layer["window"] for layer in cfg.fixed]
    return {"layer_types": [GLOBAL if each == inf else LOCAL for each in reach],
            "sliding_window": next((each for each in reach if each != inf), None)}


# ---- queries
def query_scale(given, plain):
    """They name the width whose root divides a query; it is H in most Gemmas."""
    return (plain.H / number(given, "query_pre_attn_scalar"))**0.5


def query_width(cfg):
    return {"query_pre_attn_scalar": round(cfg.H / cfg.query_scale**2)}


def number(given, key):
    value = given.get(key)
    if type(value) not in (int, float) or not 0 < value < inf:
        raise ValueError(f"{key} = {value!r}; give a number above 0")
    return value
