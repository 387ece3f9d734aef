"""config.json: the sizes and choices of a Gemma in Hugging Face's words, read and written."""
import json
from dataclasses import fields, replace

from ..config import GEMMA2_2B, GEMMA3_1B, GEMMA_2B, Config, in_numpy
from ..jax_gemma.norm import EPSILON
from . import huggingface_layers as layers

SIZES = {
    "V": "vocab_size", "D": "hidden_size", "L": "num_hidden_layers", "N": "num_attention_heads",
    "K": "num_key_value_heads", "H": "head_dim", "F": "intermediate_size", "S": "max_position_embeddings"}
CHOICES = {      # what every Gemma computes: the value that is written, and others that mean the same
    "hidden_act": ["gelu_pytorch_tanh", "gelu"],      # Gemma's own files say gelu, and mean its tanh form
    "hidden_activation": ["gelu_pytorch_tanh", None],
    "rms_norm_eps": [EPSILON],
    "attention_bias": [False],
    "tie_word_embeddings": [True],
    "use_bidirectional_attention": [None, False],
    "quantization_config": [None]}
GENERATIONS = {"gemma": GEMMA_2B, "gemma2": GEMMA2_2B, "gemma3_text": GEMMA3_1B}
NAMES = {"gemma": "Gemma 1", "gemma2": "Gemma 2", "gemma3_text": "Gemma 3"}
CLASSES = {"gemma": "GemmaForCausalLM", "gemma2": "Gemma2ForCausalLM", "gemma3_text": "Gemma3ForCausalLM"}
PATTERNS, CONSTANTS = ["window", "base", "stretch"], ["query_scale", "score_cap", "logit_cap"]


def read_config(folder) -> Config:
    """What a folder's config.json says; whatever this Gemma does not compute is refused."""
    path = folder / "config.json"
    try:
        return understood(read_json(path))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    except (TypeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"{path} holds a value of a kind that it cannot have ({error}); take the config.json of a "
                         "Gemma") from None


def read_json(path):
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}; download the model's config.json beside its weights")
    try:
        given = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"it is not JSON ({error}); download it again") from None
    if not isinstance(given, dict):
        raise ValueError(f"it holds no JSON object but {given!r:.40}; take the config.json of a Gemma")
    return given


def understood(given) -> Config:
    """The Config that their words describe."""
    if missing := [key for key in ("model_type", *SIZES.values()) if key not in given]:
        raise ValueError(f"it lacks {', '.join(missing)}; take the config.json of a Gemma")
    if given["model_type"] not in GENERATIONS:
        raise ValueError(f"model_type = {given['model_type']!r} is not supported; take the folder of a Gemma that "
                         f"reads text alone: {', '.join(GENERATIONS)}")
    for key, values in CHOICES.items():
        if given.get(key, values[0]) not in values:
            raise ValueError(f"{key} = {given[key]!r}, and only {values[0]!r} is supported, as in every Gemma; "
                             "take the folder of a Gemma")
    sizes = {letter: given[key] for letter, key in SIZES.items()}
    plain = replace(GENERATIONS[given["model_type"]], **sizes)
    return replace(plain, **layers.READERS[given["model_type"]](given, plain))


def config_json(cfg, tokenizer, dtype):
    """A model's config.json; its tokens are Gemma's where there is no tokenizer."""
    generation = generation_of(cfg)
    sizes = {key: getattr(cfg, letter) for letter, key in SIZES.items()}
    choices = {key: values[0] for key, values in CHOICES.items() if values[0] is not None}
    tokens = {name: getattr(tokenizer, name) if tokenizer else usual
              for name, usual in [("pad", 0), ("eos", 1), ("bos", 2)]}
    words = {"architectures": [CLASSES[generation]], "model_type": generation, **choices, **sizes,
             **layers.WRITERS[generation](cfg),
             **{f"{name}_token_id": token for name, token in tokens.items()}, "torch_dtype": str(dtype)}
    check_constants(cfg, words)
    return words


def generation_of(cfg):
    """Which Gemma's choices these are; those of none have no place in its files."""
    slots = [field.name for field in fields(cfg) if callable(getattr(cfg, field.name))]

    def others(plain):
        twins = (plain, in_numpy(plain))
        return [slot for slot in slots if getattr(cfg, slot) not in [getattr(twin, slot) for twin in twins]]
    nearest = min(GENERATIONS, key=lambda generation: len(others(GENERATIONS[generation])))
    refuse(nearest, [f"{slot} = {getattr(cfg, slot).__name__}" for slot in others(GENERATIONS[nearest])])
    return nearest


def check_constants(cfg, words):
    """What is written must be read as it was meant."""
    said = understood(words)
    others = [name for name in PATTERNS if any(a[name] != b[name] for a, b in zip(said.fixed, cfg.fixed, strict=True))]
    others += [name for name in CONSTANTS if getattr(said, name) != getattr(cfg, name)]
    refuse(words["model_type"], [f"{name} = {getattr(cfg, name)}" for name in others])


def refuse(generation, others):
    if others:
        raise ValueError(f"{', '.join(others)}: config.json of a {NAMES[generation]} cannot say that; save the run's "
                         "own checkpoint instead, or a model with Gemma's choices")
