"""Small checkpoints with the names and axes of Google's own, written by Orbax, and DeepMind's formulas on them."""
import json
import shutil
from itertools import count

import jax.numpy as jnp
import msgpack
import numpy as np
import orbax.checkpoint as ocp


def tensors(cfg, rows=None, together=False, turned=False, seed=0, spread=0.3):
    """Random arrays in the flat dict of a checkpoint; norms that do something."""
    post, qk = cfg.block.__name__ == "block_with_post_norms", cfg.mixer.__name__ == "attention_with_qk_norm"
    D, N, K, H, F = cfg.D, cfg.N, cfg.K, cfg.H, cfg.F
    sizes = {"transformer/embedder": {"input_embedding": (rows or cfg.V, D)}, "transformer/final_norm": {"scale": (D,)}}
    for i in range(cfg.L):
        layer = {"attn/attn_vec_einsum": {"w": (N, H, D)},
                 "mlp/gating_einsum": {"w": (2, F, D) if turned else (2, D, F)}, "mlp/linear": {"w": (F, D)},
                 "pre_attention_norm": {"scale": (D,)}, "pre_ffw_norm": {"scale": (D,)}}
        layer |= {"attn/qkv_einsum": {"w": (3, N, D, H)}} if together else {
            "attn/q_einsum": {"w": (N, D, H)}, "attn/kv_einsum": {"w": (2, K, D, H)}}
        layer |= {"post_attention_norm": {"scale": (D,)}, "post_ffw_norm": {"scale": (D,)}} if post else {}
        layer |= {"attn/_query_norm": {"scale": (H,)}, "attn/_key_norm": {"scale": (H,)}} if qk else {}
        sizes |= {f"transformer/layer_{i}/{name}": leaf for name, leaf in layer.items()}
    rng = np.random.default_rng(seed)
    return {name: {last: jnp.asarray(spread * rng.standard_normal(size), jnp.bfloat16) for last, size in leaf.items()}
            for name, leaf in sizes.items()}


def with_ocdbt(path, tree):
    with ocp.PyTreeCheckpointer() as checkpointer:
        checkpointer.save(path, tree)


def with_folders(path, tree):
    """A folder for each array, as the first Gemma has them."""
    with ocp.PyTreeCheckpointer(use_ocdbt=False) as checkpointer:
        checkpointer.save(path, tree)


def with_zarr3(path, tree):
    with ocp.PyTreeCheckpointer(use_zarr3=True) as checkpointer:
        checkpointer.save(path, tree)


def of_2024(path, tree):
    """What Orbax 0.5.3 wrote, when Gemma came out: another _METADATA, and a msgpack of where the arrays are."""
    with_folders(path, tree)
    shutil.rmtree(path / "array_metadatas")
    for name in ("_CHECKPOINT_METADATA", "commit_success.txt"):
        (path / name).unlink(missing_ok=True)
    entries = json.loads((path / "_METADATA").read_text())["tree_metadata"]
    for entry in entries.values():
        entry["value_metadata"].pop("write_shape", None)
    (path / "_METADATA").write_text(json.dumps({"tree_metadata": entries, "use_zarr3": False}))
    (path / "checkpoint").write_bytes(msgpack.packb(
        {name: {last: f"PLACEHOLDER://{name}.{last}" for last in leaf} for name, leaf in tree.items()}))


def standard(path, tree):
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(path, tree)


def deep(path, tree):
    """A dict in a dict for each slash, and no /w under mlp: what DeepMind's library saves today."""
    nested = {}
    for name, leaf in tree.items():
        *outer, last = name.removeprefix("transformer/").split("/")
        inside = nested
        for key in outer:
            inside = inside.setdefault(key, {})
        inside[last] = leaf["w"] if "mlp/" in name else leaf
    standard(path, nested)


STYLES = {style.__name__: style for style in (with_ocdbt, with_folders, with_zarr3, of_2024, standard, deep)}


def logits_of(tree, cfg, tokens):
    """Gemma 1, 2 or 3 for one text in float64, by DeepMind's einsums; of cfg only what no shape says."""
    w = {f"{name}/{last}".removeprefix("transformer/"): np.asarray(array, np.float64)
         for name, leaf in tree.items() for last, array in leaf.items()}
    table = w["embedder/input_embedding"]
    D = table.shape[1]
    x = table[tokens] * np.sqrt(D)

    def norm(x, scale):
        return x / np.sqrt(np.mean(x**2, -1, keepdims=True) + 1e-6) * (1 + scale)

    def rope(x, base, stretch):
        half = x.shape[-1] // 2
        angle = (np.arange(len(x)) / stretch)[:, None, None] / base ** (np.arange(half) / half)
        one, other = x[..., :half], x[..., half:]
        return np.concatenate([one * np.cos(angle) - other * np.sin(angle),
                               other * np.cos(angle) + one * np.sin(angle)], -1)

    def capped(x, most):
        return x if most == np.inf else most * np.tanh(x / most)

    for i in count():
        layer = {name.removeprefix(f"layer_{i}/"): array for name, array in w.items() if name.startswith(f"layer_{i}/")}
        if not layer:
            break
        base, stretch, window = (pattern[i % len(pattern)] for pattern in (cfg.base, cfg.stretch, cfg.window))
        h = norm(x, layer["pre_attention_norm/scale"])
        if "attn/qkv_einsum/w" in layer:
            q, k, v = np.einsum("TD,SNDH->STNH", h, layer["attn/qkv_einsum/w"])
        else:
            q = np.einsum("TD,NDH->TNH", h, layer["attn/q_einsum/w"])
            k, v = np.einsum("SD,CKDH->CSKH", h, layer["attn/kv_einsum/w"])
        if "attn/_query_norm/scale" in layer:
            q, k = norm(q, layer["attn/_query_norm/scale"]), norm(k, layer["attn/_key_norm/scale"])
        q = rope(q, base, stretch) * q.shape[-1]**-0.5 * cfg.query_scale
        k, v = (np.repeat(each, q.shape[1] // k.shape[1], axis=1) for each in (rope(k, base, stretch), v))
        s = capped(np.einsum("TNH,SNH->TNS", q, k), cfg.score_cap)
        ago = np.arange(len(x))[:, None] - np.arange(len(x))
        p = np.exp(np.where(((ago >= 0) & (ago < window))[:, None], s, -np.inf))
        mixed = np.einsum("TNS,SNH->TNH", p / p.sum(-1, keepdims=True), v)
        h = np.einsum("TNH,NHD->TD", mixed, layer["attn/attn_vec_einsum/w"])
        x = x + (norm(h, layer["post_attention_norm/scale"]) if "post_attention_norm/scale" in layer else h)
        h = norm(x, layer["pre_ffw_norm/scale"])
        gates, down = layer["mlp/gating_einsum/w"], layer["mlp/linear/w"]
        g, u = np.einsum("TD,CDF->CTF" if gates.shape[1] == D else "TD,CFD->CTF", h, gates)
        h = 0.5 * g * (1 + np.tanh(np.sqrt(2 / np.pi) * (g + 0.044715 * g**3))) * u @ down
        x = x + (norm(h, layer["post_ffw_norm/scale"]) if "post_ffw_norm/scale" in layer else h)
    return capped(norm(x, w["final_norm/scale"]) @ table.T, cfg.logit_cap)
