"""Random arguments for every function of a room: its signature says in letters what it wants."""
import ast
from inspect import Parameter, getsource, signature
from sys import modules
from typing import get_args, get_origin

import numpy as np
from jaxtyping import Bool, Int
from small import at_home, but, weights

from gemma_edu.axes import slots_of, weights_of

FILES = ["attention", "block", "cap", "contract", "gates", "loss", "mlp", "model", "norm", "position", "precision",
         "recurrent", "tap"]


def module(room, file):
    """The file itself: in the room, `attention` is the function of that name."""
    return modules[f"{room.__name__}.{file}"]


def functions(room, file):
    """The names of a file's own functions, in their order; gradients stand apart."""
    names = [node.name for node in ast.parse(getsource(module(room, file))).body if isinstance(node, ast.FunctionDef)]
    return [name for name in names if not name.endswith("_backward")]


def sizes(seed):
    """A random size for each letter: N is a multiple of K, D and H are even, and S has room for T."""
    random = np.random.default_rng(seed)
    B, G, K, half_D, half_H, F, C = random.integers(1, 5, 7)
    T, V = random.integers(4, 8, 2)
    return {"B": B, "T": T, "S": T + B, "D": 2 * half_D, "H": 2 * half_H, "K": K, "N": G * K, "F": F,
            "C": C, "V": V, "L": 2}


def array(kind, sizes, random):
    """Random numbers in the shape that an annotation names; integers are tokens, or positions, and below T and V."""
    if get_origin(kind) is tuple:
        return tuple(array(each, sizes, random) for each in get_args(kind))
    shape = (2, 3, 4) if kind.dim_str == "..." else [sizes[letter] for letter in kind.dim_str.split()]
    if kind.dtype is Int:
        return random.integers(0, 4, shape)
    if kind.dtype is Bool:
        seen = random.random(shape) < 0.5
        seen[..., 0] = True      # every query sees something
        return seen
    return random.standard_normal(shape)


def from_letters(f, sizes, random):
    """Random arrays for every argument that has no default."""
    kinds = [p.annotation for p in signature(f).parameters.values() if p.default is Parameter.empty]
    return [array(kind, sizes, random) for kind in kinds]


def arguments(gemma, file, name, seed):
    """What to call a function with: the same numbers for both rooms."""
    f, random, each = getattr(module(gemma.room, file), name), np.random.default_rng(seed), sizes(seed)
    if name in UNLETTERED:
        return UNLETTERED[name](gemma, each, random)
    return at_home(gemma, from_letters(f, each, random))


def as_function_of(free, f, args):
    """f of the arguments at the places in `free`; the others stay as they are."""
    def bound(*given):
        moved = dict(zip(free, given, strict=True))
        return f(*(moved.get(i, arg) for i, arg in enumerate(args)))
    return bound


def of_the_model(*names):
    """Arguments for what takes the whole model, or a layer of it."""
    def given(gemma, each, random):
        gemma = but(gemma, **{letter: int(each[letter]) for letter in "VDLNKHFS"})
        params, cfg = weights(gemma), gemma.cfg
        B, T = each["B"], each["T"]
        tokens = random.integers(0, cfg.V, (B, T))
        known = {"cfg": cfg, "params": params, "w": params["layers"][0], "fixed": cfg.fixed[0], "tokens": tokens,
                 "positions": np.broadcast_to(np.arange(T), (B, T)),
                 "x": at_home(gemma, random.standard_normal((B, T, cfg.D)))}
        return [known[name] for name in names]
    return given


def of_mixer(name):
    """Arguments for an attention, its own weights among them."""
    def given(gemma, each, random):
        mixer = getattr(gemma.room, name)
        cfg, fixed, w, x, positions = of_the_model("cfg", "fixed", "w", "x", "positions")(
            but(gemma, mixer=mixer), each, random)
        return [cfg, fixed, x, positions, *(w["mixer"][name] for name in weights_of(mixer))]
    return given


def of_block(name):
    """Arguments for a block, a dict for each of its slots among them."""
    def given(gemma, each, random):
        block = getattr(gemma.room, name)
        cfg, fixed, w, x, positions = of_the_model("cfg", "fixed", "w", "x", "positions")(
            but(gemma, block=block), each, random)
        return [cfg, fixed, x, positions, *(w[slot] for slot in slots_of(block))]
    return given


def of_look_back(gemma, each, random):
    gemma = but(gemma, cap=gemma.room.soft_cap, score_cap=2.0, query_scale=0.8)
    cfg, fixed, positions = of_the_model("cfg", "fixed", "positions")(gemma, each, random)
    q, k, v, _ = from_letters_of(gemma, "attend", {**each, "S": each["T"]}, random)
    return [cfg, fixed, q, k, v, positions]


def of_cap(gemma, each, random):
    return [at_home(gemma, 3 * random.standard_normal((2, 5))), 2.0]


def of_causal_mask(gemma, each, random):
    return [random.integers(0, each["S"] + 2, (each["B"], each["T"])), int(each["S"]), 3]


def of_by_head(gemma, each, random):
    B, T, N, K, H = (int(each[letter]) for letter in "BTNKH")
    return [at_home(gemma, random.standard_normal((B, K, T * N // K, H))), T]


def of_remember(gemma, each, random):
    B, T, S = each["B"], each["T"], each["S"]
    positions = np.argsort(random.random((B, S + 2)))[:, :T]      # some point past the end
    cache, new = ({name: random.standard_normal((B, size, each["K"], each["H"])) for name in "kv"} for size in (S, T))
    return [*at_home(gemma, [cache, new]), positions]


def of_gated(gemma, each, random):
    return [gemma.room.silu, *from_letters_of(gemma, "geglu", each, random)]


def of_unroll(gemma, each, random):
    x, state, *gates = from_letters_of(gemma, "lstm", each, random)
    return [gemma.room.lstm_cell, x, state, tuple(gates)]


def from_letters_of(gemma, name, each, random):
    return at_home(gemma, from_letters(getattr(gemma.room, name), each, random))


def of_contract(gemma, each, random):
    x, w = random.standard_normal((2, 3, 4)), random.standard_normal((4, 2, 6))
    return ["BTD,DNH->BTNH", *at_home(gemma, [x, w])]


def of_lookup(gemma, each, random):
    return [at_home(gemma, random.standard_normal((7, 4))), random.integers(0, 3, (2, 5))]      # some stand twice


UNLETTERED = {
    "contract": of_contract,
    "multiply": lambda gemma, each, random: [of_contract(gemma, each, random)[i] for i in (2, 0, 1)],
    "lookup": of_lookup,
    "rows": of_lookup,
    "widen": lambda gemma, each, random: [at_home(gemma, random.standard_normal(5).astype(np.float16))],
    "untapped": lambda gemma, each, random: ["mlp", at_home(gemma, random.standard_normal(5))],
    "causal_mask": of_causal_mask,
    "by_key": lambda gemma, each, random: [*from_letters_of(gemma, "unrotated", each, random)[:1], int(each["K"])],
    "by_head": of_by_head,
    "remember": of_remember,
    "attention": of_mixer("attention"),
    "attention_with_qk_norm": of_mixer("attention_with_qk_norm"),
    "look_back": of_look_back,
    "soft_cap": of_cap,
    "uncapped": of_cap,
    "gated": of_gated,
    "unroll": of_unroll,
    "block": of_block("block"),
    "block_with_post_norms": of_block("block_with_post_norms"),
    "embed": of_the_model("cfg", "params", "tokens", "positions"),
    "layers": of_the_model("cfg", "params", "x", "positions"),
    "unembed": of_the_model("cfg", "params", "x"),
    "hidden": of_the_model("cfg", "params", "tokens"),
    "forward": of_the_model("cfg", "params", "tokens"),
    "loss": of_the_model("cfg", "params", "tokens"),
}
