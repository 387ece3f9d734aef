"""The same answers, found another way."""
import numpy as np

from gemma_edu.numpy_gemma import forward


def bytes_needed(V, D, L, N, K, H, F, S, B, size):
    matrices = [(D, N * H), (D, K * H), (D, K * H), (N * H, D), (D, F), (D, F), (F, D), (1, D), (1, D)]
    weights = V * D + D + sum(L * rows * columns for rows, columns in matrices)
    return weights * size, sum(np.zeros((B, K, H), np.int8).nbytes * S * size for _ in range(2 * L))


def attainable(intensity, peak, bandwidth):
    return np.where(intensity < peak / bandwidth, intensity * bandwidth, peak)


def decode_intensity(weights, L, N, K, H, B, S, size):
    operations = sum(2 * weights + L * N * S * (2 * H + 2 * H) for _ in range(B))
    return operations / (weights * size + B * L * S * K * (H + H) * size)


def mend_first(kernels, peak, bandwidth):
    ranked = sorted(kernels, key=lambda name: min(
        kernels[name][0] - kernels[name][1] / bandwidth, kernels[name][0] - kernels[name][2] / peak))
    return ranked[-1]


def port_next_gemma(stored, cfg, tokens):
    """By einsum and fancy indexing, from the last layer to the first."""
    N, K, H = cfg.N, cfg.K, cfg.H

    def heads(w, first, count):
        return np.moveaxis(w[first * H:(first + count) * H].reshape(count, H, -1), -1, 0)

    def layer(i):
        qkv, wide = stored[f"layer.{i}.attn.qkv"], stored[f"layer.{i}.mlp.in"].reshape(2, cfg.F, cfg.D)
        norm = {slot: {"scale": stored[f"layer.{i}.norm_{n}"] - 1} for n, slot in enumerate(
            ["mixer_norm", "mixer_post_norm", "mlp_norm", "mlp_post_norm"], start=1)}
        mixer = {"wq": heads(qkv, 0, N), "wk": heads(qkv, N, K), "wv": heads(qkv, N + K, K),
                 "wo": np.einsum("DNH->NHD", stored[f"layer.{i}.attn.out"].reshape(-1, N, H)),
                 "q_norm": stored[f"layer.{i}.attn.q_norm"] - 1, "k_norm": stored[f"layer.{i}.attn.k_norm"] - 1}
        mlp = {"gate": np.swapaxes(wide, 1, 2)[0], "up": np.swapaxes(wide, 1, 2)[1],
               "down": np.transpose(stored[f"layer.{i}.mlp.out"])}
        return norm | {"mixer": mixer, "mlp": mlp}
    layers = tuple(reversed([layer(i) for i in reversed(range(cfg.L))]))
    params = {"embed": np.delete(stored["table"], range(cfg.V, len(stored["table"])), axis=0), "place": {},
              "layers": layers, "final_norm": {"scale": stored["last_norm"] - 1}}
    return forward(cfg, params, tokens)[0]


def wrong_line():
    return "ABCDEFGH"[2]
