"""gemma-edu: Google's Gemma by hand, first in NumPy, then in JAX.

    import gemma_edu as ge
    model = ge.load("tiny")
    print(ge.generate(model, "The with statement"))
"""
from importlib import import_module

HOMES = {
    "config": ["Config", "TINY", "GEMMA_2B", "GEMMA_7B", "PRESETS", "difference", "in_numpy"],
    "params": ["count", "init", "shapes", "param_axes", "stack", "unstack", "empty_cache"],
    "jax_gemma": ["forward", "hidden", "loss"],
    "numpy_gemma.gradient": ["check_gradient"],
    "pretrained.load": ["load", "Model"],
    "pretrained.huggingface": ["save"],
    "data.tokenizer": ["Tokenizer"],
    "inference.sample": ["generate", "stream"],
    "inference.fast": ["load_fast"],
}
WHERE = {name: room for room, names in HOMES.items() for name in names}
__all__ = sorted(WHERE)
__version__ = "0.1.0"


def __getattr__(name):
    """A room is opened when something in it is asked for: `import gemma_edu` alone is quick."""
    if name not in WHERE:
        raise AttributeError(f"gemma_edu has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f".{WHERE[name]}", __name__), name)


def __dir__():
    return [*globals(), *__all__]
