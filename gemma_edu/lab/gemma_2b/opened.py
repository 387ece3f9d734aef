"""The model behind the chapter's knob, or, where it cannot be had, one of the same shapes."""
from ...config import GEMMA_2B
from ...pretrained.fit import reduced
from ...pretrained.load import load, random_model

REDUCED = "reduced:gemma-2b"


def opened(name):
    """The model of that name; where it does not fit or is not there, this is said, and the reduced 2B stands in."""
    if name == REDUCED:
        return random_model(reduced(GEMMA_2B))
    try:
        return load(name)
    except (OSError, MemoryError) as error:
        print(f"{name} is not here: {error}\n\nUntil it is, {REDUCED} stands in for it.")
        return opened(REDUCED)
