"""config.json: the sizes of a Gemma 1 in Hugging Face's words, and what they say of its choices."""
import json
from dataclasses import fields
from math import inf

from ..config import GEMMA_2B, Config, in_numpy
from ..jax_gemma.norm import EPSILON

SIZES = {
    "V": "vocab_size", "D": "hidden_size", "L": "num_hidden_layers", "N": "num_attention_heads",
    "K": "num_key_value_heads", "H": "head_dim", "F": "intermediate_size", "S": "max_position_embeddings"}
CHOICES = {      # what Gemma 1 computes: the value that is written, and others that mean the same
    "model_type": ["gemma"],
    "hidden_act": ["gelu_pytorch_tanh", "gelu"],      # Gemma's own files say gelu, and mean its tanh form
    "hidden_activation": ["gelu_pytorch_tanh", None],
    "rms_norm_eps": [EPSILON],
    "attention_bias": [False],
    "tie_word_embeddings": [True],
    "rope_scaling": [None],
    "use_bidirectional_attention": [None, False],
    "quantization_config": [None]}


def read_config(folder) -> Config:
    """The sizes in a folder's config.json; whatever this Gemma does not compute is refused."""
    path = folder / "config.json"
    given = read_json(path)
    if missing := [key for key in ("model_type", *SIZES.values()) if key not in given]:
        raise ValueError(f"{path} lacks {', '.join(missing)}; take the config.json of a Gemma 1")
    for key, values in CHOICES.items():
        if given.get(key, values[0]) not in values:
            raise ValueError(f"{path}: {key} = {given[key]!r}, and only {values[0]!r} is supported, as in Gemma 1; "
                             "take the folder of a Gemma 1")
    try:
        return Config(**{letter: given[key] for letter, key in SIZES.items()}, base=(rope_base(given),))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_json(path):
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}; download the model's config.json beside its weights")
    try:
        given = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}); download it again") from None
    if not isinstance(given, dict):
        raise ValueError(f"{path} holds no JSON object but {given!r:.40}; take the config.json of a Gemma 1")
    return given


def rope_base(given):
    """Old files say rope_theta; new ones say it inside rope_parameters."""
    rope = {"rope_type": "default", "rope_theta": given.get("rope_theta", 10_000.0)}
    new = given.get("rope_parameters") or {}
    rope |= new if isinstance(new, dict) else {"rope_type": new}
    base = rope.pop("rope_theta")
    if rope != {"rope_type": "default"}:
        raise ValueError(f"rope_parameters = {rope}; Gemma 1 turns all of a head by the default rope_type")
    if type(base) not in (int, float) or not 0 < base < inf:
        raise ValueError(f"rope_theta = {base!r}; give a number above 0")
    return float(base)


def config_json(cfg, tokenizer, dtype):
    """A model's config.json; its tokens are Gemma's where there is no tokenizer."""
    sizes = {key: getattr(cfg, letter) for letter, key in SIZES.items()}
    choices = {key: values[0] for key, values in CHOICES.items() if values[0] is not None}
    tokens = {name: getattr(tokenizer, name) if tokenizer else usual
              for name, usual in [("pad", 0), ("eos", 1), ("bos", 2)]}
    return {"architectures": ["GemmaForCausalLM"], **choices, **sizes, "rope_theta": float(cfg.base[0]),
            **{f"{name}_token_id": token for name, token in tokens.items()}, "torch_dtype": str(dtype)}


def check_choices(cfg):
    """Only Gemma 1's own choices have a place in its files."""
    slots = [field.name for field in fields(cfg) if callable(getattr(cfg, field.name))]
    twins = [{slot: getattr(gemma, slot) for slot in slots} for gemma in (GEMMA_2B, in_numpy(GEMMA_2B))]
    others = [f"{slot} = {getattr(cfg, slot).__name__}" for slot in slots
              if getattr(cfg, slot) not in [twin[slot] for twin in twins]]
    patterns = {"window": {inf}, "stretch": {1.0}, "base": {cfg.base[0]}}
    others += [f"{name} = {getattr(cfg, name)}" for name, plain in patterns.items() if set(getattr(cfg, name)) != plain]
    if others:
        raise ValueError(f"{', '.join(others)}: config.json of a Gemma 1 cannot say that; save the run's own "
                         "checkpoint instead, or a model with Gemma's choices")
