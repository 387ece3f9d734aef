"""NumPy and JAX, file by file and function by function: the same names, the same letters, the same numbers."""
from inspect import signature
from pathlib import Path

import jax
import jaxtyping
import numpy as np
import pytest
from arguments import FILES, arguments, as_function_of, functions, module
from small import GEMMAS, close, compiled

from gemma_edu import jax_gemma, numpy_gemma

ONLY_NUMPY = {"gradient", "sample", "train", "tree"}      # the work that JAX does for us, and what runs once it is done
FUNCTIONS = [(file, name) for file in FILES for name in functions(jax_gemma, file)]


def files(room):
    return {path.stem for path in Path(room.__file__).parent.glob("*.py")} - {"__init__"}


def test_each_file_has_its_twin():
    assert files(jax_gemma) == set(FILES)
    assert files(numpy_gemma) - ONLY_NUMPY == set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_each_function_has_its_twin_in_the_same_order(file):
    """What JAX brings along and NumPy lacks is written out there: a faster einsum."""
    assert [name for name in functions(numpy_gemma, file) if name != "einsum"] == functions(jax_gemma, file)


def test_both_rooms_offer_the_same():
    def offered(room):
        return {name for name, value in vars(room).items() if callable(value)}
    assert offered(jax_gemma) == offered(numpy_gemma)


def wanted(f):
    """Names, kinds, annotations and defaults; functions by their name, for each room has its own."""
    return [(p.name, p.kind, p.annotation, getattr(p.default, "__name__", p.default))
            for p in signature(f).parameters.values()] + [signature(f).return_annotation]


@pytest.mark.parametrize("file, name", FUNCTIONS)
def test_twins_have_the_same_signature(file, name):
    ours, theirs = (getattr(module(room, file), name) for room in (numpy_gemma, jax_gemma))
    assert wanted(ours) == wanted(theirs)


@pytest.mark.parametrize("file, name", FUNCTIONS)
def test_twins_compute_the_same(float64, file, name):
    """On random numbers in random shapes; those with a gradient once more, with it, in test_gradients."""
    results = []
    for gemma in GEMMAS.values():
        f, args = getattr(module(gemma.room, file), name), arguments(gemma, file, name, seed=0)
        free = [i for i, arg in enumerate(args) if is_arrays(arg)]
        results.append(compiled(gemma, as_function_of(free, f, args))(*(args[i] for i in free)))
    close(*results, 1e-10)


def is_arrays(tree):
    return all(hasattr(leaf, "shape") for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize("room", [numpy_gemma, jax_gemma], ids=["numpy", "jax"])
def test_every_call_is_checked_against_its_letters(room):
    """If this fails, conftest's hook came too late, and every other test proves less than it says."""
    x, gate, down = np.ones((2, 3, 4)), np.ones((4, 5)), np.ones((5, 4))
    with pytest.raises(jaxtyping.TypeCheckError, match="up"):
        room.geglu(x, gate, np.ones((4, 6)), down)
    with pytest.raises(jaxtyping.TypeCheckError, match="positions"):
        room.rope(np.ones((2, 3, 4, 6)), np.ones((2, 3)))
    assert room.geglu(x, gate, gate, down).shape == x.shape


def test_what_is_checked_keeps_its_name():
    """Gradients are found by it, and weights are read off the signature."""
    assert numpy_gemma.geglu.__name__ == "geglu"
    assert numpy_gemma.geglu.__module__ == "gemma_edu.numpy_gemma.mlp"
    assert list(signature(numpy_gemma.geglu).parameters) == ["x", "gate", "up", "down"]
