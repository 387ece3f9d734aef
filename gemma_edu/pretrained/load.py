"""A model by its name."""
from functools import partial
from math import prod, sqrt
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from ..config import PRESETS
from ..numpy_gemma.tree import tree_map
from ..params import count, fan_in, shape
from . import gemma3_270m, gguf, hubs, huggingface, orbax
from .fit import check_fit
from .huggingface_names import ours
from .model import Model, precision
from .shards import PICKLES

BUNDLED = Path(__file__).parent / "tiny"
RANDOM = {f"random:{preset}": cfg for preset, cfg in PRESETS.items()}
HUBS = {"hf": hubs.hugging_face, "kaggle": hubs.kaggle}


def load(name, dtype=None) -> Model:
    """A model: the bundled "tiny", "random:gemma-2b" for random weights of its shape, one of a hub's, or a path.

    "hf:google/gemma-2b-it" and "kaggle:google/gemma/flax/2b-it" are downloaded once, and "gemma3-270m" comes from a
    package.  A path leads to a folder in the Hugging Face layout, to an Orbax checkpoint, or to a GGUF file.  Layers
    come as a tuple.  Without a `dtype`, weights come in float32 on a CPU if the checkpoint is below 1 GB, else as
    stored; "random:" and quantised ones count as bfloat16.
    """
    if not isinstance(name, (str, Path)):
        raise TypeError(f"load takes the name of a model or its folder, not {name!r}; {known()}")
    if name in RANDOM:
        return random_model(RANDOM[name], dtype)
    path = located(name)
    for recognises, read in READERS.values():
        if recognises(path):
            return read(path, dtype)
    raise FileNotFoundError(f"{path} is no model; {known()}")


def located(name) -> Path:
    """Where a model lies on this machine, once it is downloaded."""
    if name == "tiny":
        if not BUNDLED.is_dir():
            raise FileNotFoundError(f"the tiny Gemma is missing from this installation: there is no {BUNDLED}; install "
                                    "the package again, or train one: gemma-edu train --preset tiny --out DIR")
        return BUNDLED
    if name == gemma3_270m.NAME:
        return gemma3_270m.located()
    hub, _, model = str(name).partition(":")
    if hub in HUBS:
        return Path(HUBS[hub](model))
    if not Path(name).exists():
        raise FileNotFoundError(f"there is no model {str(name)!r}; {known()}")
    return Path(name)


def in_hugging_face_layout(path):
    """Is this a folder with its weights, or one of those weights, or else a config.json that is not a GGUF's?"""
    files = list(path.iterdir()) if path.is_dir() else [path]
    weights = any(file.suffix in (".safetensors", *PICKLES) for file in files)
    return weights or any(file.name == "config.json" for file in files) and not gguf.recognises(path)


READERS = {      # what may be given, how it is recognised, and who reads it
    "a folder with config.json and model.safetensors": (in_hugging_face_layout, huggingface.load),
    "an Orbax checkpoint": (orbax.recognises, orbax.load),
    "a GGUF file": (gguf.recognises, gguf.load)}


def known():
    return (f'give "tiny", "{gemma3_270m.NAME}", "hf:OWNER/NAME", "kaggle:OWNER/MODEL/FRAMEWORK/VARIATION", '
            f"{', '.join(map(repr, RANDOM))}, or the path of {' or of '.join(READERS)}")


def random_model(cfg, dtype=None, seed=0) -> Model:
    """Weights of the right shapes that say nothing; drawn one by one, the embedding first."""
    dtype, source = precision(dtype, jnp.bfloat16, 2 * count(cfg)), np.random.SFC64(seed)
    check_fit(cfg, dtype)
    return Model(cfg, tree_map(lambda axes: draw(cfg, axes, source, dtype), ours(cfg)), None)


def draw(cfg, axes, source, dtype):
    """Random numbers that keep the length of what they multiply; a norm starts neutral."""
    sizes = shape(cfg, axes)
    if len(axes) == 1:
        return jnp.zeros(sizes, dtype)
    bits = source.random_raw(-(-prod(sizes) // 4)).view(np.uint16)[:prod(sizes)]      # 16 for each weight
    w = spread(bits.reshape(sizes), fan_in(cfg, axes)**-0.5, dtype)
    return jax.block_until_ready(w)      # or the bits of the next ones wait in memory meanwhile


@partial(jax.jit, static_argnames="dtype")
def spread(bits, std, dtype):
    """Uniform around zero: billions of them are drawn in seconds, and of normal numbers in minutes."""
    return ((bits.astype(jnp.float32) - (2**16 - 1) / 2) * (std * sqrt(12) / 2**16)).astype(dtype)
