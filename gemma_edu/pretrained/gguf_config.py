"""The metadata of a GGUF file: the sizes of a Gemma 1, 2 or 3, and what it says of their choices."""
from dataclasses import replace
from functools import partial
from math import inf, isclose

from ..config import PRESETS, Config
from ..jax_gemma.norm import EPSILON

SIZES = {"D": "embedding_length", "L": "block_count", "N": "attention.head_count", "K": "attention.head_count_kv",
         "F": "feed_forward_length", "S": "context_length"}
ABSENT = {      # what no file of a generation says, but for one with changed choices
    "gemma": ["attention.sliding_window", "attn_logit_softcapping", "final_logit_softcapping", "rope.scaling.factor"],
    "gemma2": ["rope.scaling.factor"],
    "gemma3": ["attn_logit_softcapping", "final_logit_softcapping"]}


def read_config(file) -> Config:
    """The sizes and choices that a file says; what it leaves unsaid is as in the released model of its depth."""
    try:
        return understood(file.metadata, rows(file))
    except ValueError as error:
        raise ValueError(f"{file.path}: {error}") from None


def rows(file):
    """How many tokens have a row in the table; the metadata does not say."""
    if "token_embd.weight" not in file.tensors:
        raise ValueError("it lacks token_embd.weight; take a file with a whole model")
    return file.tensors["token_embd.weight"].shape[0]


def understood(metadata, V) -> Config:
    """The Config that their words describe."""
    kind = architecture(metadata)
    says = partial(said, metadata, kind)
    check_choices(metadata, kind, says)
    sizes = {letter: says(key) for letter, key in SIZES.items()} | {"H": head_width(says), "V": V}
    released = [cfg for name, cfg in PRESETS.items() if name.startswith(f"{kind}-")]
    usual = next((cfg for cfg in released if cfg.L == sizes["L"]), released[0])      # so llama.cpp knows a 27B
    return replace(usual, **sizes, **CHOICES[kind](says))


def architecture(metadata):
    """Which Gemma, and whether it is all in this file."""
    kind = metadata.get("general.architecture")
    if kind not in CHOICES:
        raise ValueError(f"its architecture is {kind!r}, and only {', '.join(CHOICES)} are read; take the file of a "
                         "Gemma 1, 2 or 3")
    if (files := metadata.get("split.count", 1)) > 1:
        raise ValueError(f"it is one of {files} files; join them first: llama-gguf-split --merge")
    return kind


def said(metadata, kind, key, usual=None):
    """One number of the metadata."""
    value = metadata.get(f"{kind}.{key}", usual)
    if value is None:
        raise ValueError(f"it lacks {kind}.{key}; download another conversion, or make one with a newer llama.cpp")
    if type(value) not in (int, float):
        raise ValueError(f"{kind}.{key} = {value!r:.40} should be a number; download another conversion")
    return value


def check_choices(metadata, kind, says):
    """Whatever this Gemma does not compute is refused."""
    strange = [key for key in ABSENT[kind] if metadata.get(f"{kind}.{key}")]
    if not isclose(says("attention.layer_norm_rms_epsilon"), EPSILON, rel_tol=1e-6):      # it comes in float32
        strange.append("attention.layer_norm_rms_epsilon")
    if metadata.get(f"{kind}.rope.scaling.type", "none") not in ("none", "linear"):
        strange.append("rope.scaling.type")
    if strange:
        given = ", ".join(f"{kind}.{key} = {metadata[f'{kind}.{key}']}" for key in strange)
        raise ValueError(f"{given}: no Gemma was released so; take the file of one that was")


def head_width(says):
    """One width for queries, keys and values."""
    width = says("attention.key_length", 256)
    if (values := says("attention.value_length", width)) != width:
        raise ValueError(f"its keys have {width} numbers and its values {values}; in a Gemma they have as many, so "
                         "download another conversion")
    return width


def gemma(says):
    return {"base": (says("rope.freq_base", 10_000.0),)}


def gemma2(says):
    """The first files left out the window and the caps."""
    return {"base": (says("rope.freq_base", 10_000.0),), "window": (says("attention.sliding_window", 4096), inf),
            "score_cap": says("attn_logit_softcapping", 50.0), "logit_cap": says("final_logit_softcapping", 30.0)}


def gemma3(says):
    """Five layers see what is near, the sixth sees everything."""
    return {"base": five_to_one(says("rope.freq_base_swa", 10_000.0), says("rope.freq_base")),
            "window": five_to_one(says("attention.sliding_window"), inf),
            "stretch": five_to_one(1.0, says("rope.scaling.factor", 1.0))}


def five_to_one(near, far):
    return (far,) if near == far else (*[near] * 5, far)


CHOICES = {"gemma": gemma, "gemma2": gemma2, "gemma3": gemma3}
