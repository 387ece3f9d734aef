"""Live against Hugging Face's own Gemma: the same numbers, whoever wrote the folder."""
import jax
import numpy as np
import pytest
from small import stirred

from gemma_edu import jax_gemma, numpy_gemma
from gemma_edu.config import Config, in_numpy
from gemma_edu.numpy_gemma.tree import tree_map
from gemma_edu.params import stack
from gemma_edu.pretrained import huggingface
from gemma_edu.pretrained.load import Model, load

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

CONFIGS = {
    "one key": Config(V=99, D=32, L=3, N=4, K=1, H=8, F=48, S=64),
    "shared keys": Config(V=99, D=24, L=2, N=6, K=2, H=8, F=40, S=64),          # N·H = 48, D = 24
    "a key per query": Config(V=130, D=40, L=2, N=4, K=4, H=6, F=36, S=64),     # N·H = 24, D = 40
    "another rotation": Config(V=99, D=32, L=2, N=2, K=1, H=16, F=48, S=64, base=(300.0,))}
TOKENS = np.random.default_rng(0).integers(0, 99, (2, 40))


def theirs(folder):
    model = transformers.GemmaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return model.eval()


def logits_of(model):
    with torch.no_grad():
        return model(torch.tensor(TOKENS)).logits.numpy()


def ours(model):
    """The logits of both twins, one of them compiled."""
    cfg, params, _ = model
    return (jax.jit(jax_gemma.forward)(cfg, params, TOKENS)[0],
            numpy_gemma.forward(in_numpy(cfg), tree_map(np.asarray, params), TOKENS)[0])


def assert_close(given, needed):
    assert needed.std() > 0.1
    assert np.abs(np.asarray(given) - needed).max() <= 1e-5 * needed.std()


@pytest.mark.parametrize("cfg", CONFIGS.values(), ids=CONFIGS.keys())
@pytest.mark.parametrize("largest", [10**9, 20_000])
def test_what_we_save_they_load_and_compute_the_same(tmp_path, cfg, largest):
    params = stirred(cfg)
    huggingface.save(tmp_path, Model(cfg, params | {"layers": stack(params["layers"])}, None), largest)
    needed = logits_of(theirs(tmp_path))
    for given in ours(Model(cfg, params, None)):
        assert_close(given, needed)


@pytest.mark.parametrize("cfg", CONFIGS.values(), ids=CONFIGS.keys())
@pytest.mark.parametrize("size", ["1GB", "20KB"])
def test_what_they_save_we_load_and_compute_the_same(tmp_path, cfg, size):
    torch.manual_seed(1)
    config = transformers.GemmaConfig(
        vocab_size=cfg.V, hidden_size=cfg.D, num_hidden_layers=cfg.L, num_attention_heads=cfg.N, head_dim=cfg.H,
        num_key_value_heads=cfg.K, intermediate_size=cfg.F, max_position_embeddings=cfg.S,
        rope_parameters={"rope_type": "default", "rope_theta": cfg.base[0]}, attn_implementation="eager")
    model = transformers.GemmaForCausalLM(config).eval()
    with torch.no_grad():
        for w in model.parameters():
            w.normal_(0, 0.3 if w.ndim == 1 else w.shape[-1]**-0.5)
    model.save_pretrained(tmp_path, max_shard_size=size)
    loaded = load(tmp_path)
    assert loaded.cfg == cfg
    for given in ours(loaded):
        assert_close(given, logits_of(model))


def test_bfloat16_weights_arrive_bit_by_bit(tmp_path):
    cfg = CONFIGS["shared keys"]
    params = jax.tree.map(lambda w: w.astype("bfloat16"), stirred(cfg))
    huggingface.save(tmp_path / "ours", Model(cfg, params, None))
    model = transformers.GemmaForCausalLM.from_pretrained(tmp_path / "ours", dtype="auto")
    assert model.dtype == torch.bfloat16
    model.save_pretrained(tmp_path / "theirs")
    again = load(tmp_path / "theirs", "bfloat16").params
    assert jax.tree.all(jax.tree.map(lambda a, b: a.dtype == b.dtype and bool((a == b).all()), again, params))


def test_their_gelu_is_the_tanh_form(tmp_path):
    """Versions 4.48 to 5.17 read the exact form out of Gemma's own config.json, which says "gelu"."""
    cfg = CONFIGS["one key"]
    huggingface.save(tmp_path, Model(cfg, stirred(cfg), None))
    x = torch.tensor([2.7], dtype=torch.float64)
    for layer in theirs(tmp_path).model.layers:
        given = layer.mlp.act_fn(x).item()
        tanh, exact = (torch.nn.functional.gelu(x, approximate=form).item() for form in ("tanh", "none"))
        assert given == pytest.approx(tanh, abs=1e-9)
        assert abs(given - exact) > 4e-4
    assert float(numpy_gemma.gelu(x.numpy())[0]) == pytest.approx(tanh, abs=1e-9)
