"""In tests, every call into the model is checked against the letters of its signature."""
import jax
import pytest
from jaxtyping import install_import_hook

install_import_hook(["gemma_edu.numpy_gemma", "gemma_edu.jax_gemma"], "beartype.beartype")      # before their import

pytest.register_assert_rewrite("small", "small_course", "arguments")


@pytest.fixture
def float64():
    """Sixteen digits: what is equal on paper is equal to 1e-10.  What runs once is compiled in haste."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
    jax.config.update("jax_enable_x64", before)


@pytest.fixture(params=["jax", "numpy"])
def gemma(request):
    """A small model, once from each room."""
    from small import GEMMAS
    return GEMMAS[request.param]
