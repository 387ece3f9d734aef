# %% [markdown]
# # Exercises 19 · The real thing
#
# Six exercises, about 100 minutes. Replace the line that raises `NotImplementedError`, run the cell, then run the
# check below it. It says **correct**, **not yet** (and why), or **not attempted**. From the second failure on it
# unfolds hints. Nothing is downloaded, and nothing here is larger than a few megabytes.

# %%
import numpy as np

from gemma_edu.course import check, picture, plot, source
from gemma_edu.course.figures import gemma_2b_family as figures
from gemma_edu.lab.gemma_2b import next_gemma, ported
from gemma_edu.lab.gemma_2b.devices import VENDORS
from gemma_edu.numpy_gemma import forward
from gemma_edu.params import param_axes

# %% [markdown]
# ## 1 · Will it fit? ⭐ (15 minutes)
#
# **Goal.** The bytes of the weights of a Gemma 1, and of its cache, before anything is loaded. Remember that the table
# serves as the head as well.
#
# **In** the whole numbers V, D, L, N, K, H, F of a model, S slots for each of B texts, and `size`, the bytes of one
# number. **Out** the pair (bytes of the weights, bytes of the cache), whole numbers. For the 2B in two bytes, one
# text and one slot: (5 012 344 832, 18 432).

# %% answer="bytes_needed"
def bytes_needed(V, D, L, N, K, H, F, S, B, size):
    ### BEGIN SOLUTION
    layer = 2 * D * N * H + 2 * D * K * H + 3 * D * F + 2 * D
    weights = V * D + L * layer + D
    return size * weights, size * 2 * L * B * S * K * H
    ### END SOLUTION

# %% check="bytes_needed" points=2
check.bytes_needed(bytes_needed)

# %% [markdown]
# ## 2 · The roof ⭐ (5 minutes)
#
# **Goal.** How many operations per second a device attains at most.
#
# **In** `intensity`, an array of programs' operations per byte; `peak`, operations per second; `bandwidth`, bytes per
# second. **Out** an array like `intensity`.

# %% answer="attainable"
def attainable(intensity, peak, bandwidth):
    ### BEGIN SOLUTION
    return np.minimum(peak, intensity * bandwidth)
    ### END SOLUTION

# %% check="attainable" points=1
check.attainable(attainable)

# %% [markdown]
# If it is right, this draws the makers' roofs.

# %% open=true
x = np.logspace(-1, 4, 100)
roofs = {name: attainable(x, device.rate, device.bandwidth) / 1e12
         for name, device in VENDORS.items()}
picture(plot.lines(roofs, x, xlabel="operations per byte", log="xy",
                   ylabel="operations per second, in 10¹²"),
        "Five roofs on logarithmic axes: each rises in a straight line and is flat from "
        "some hundred operations per byte on.")

# %% [markdown]
# ## 3 · The intensity of writing ⭐⭐ (15 minutes)
#
# **Goal.** The operations for each byte when B texts are written at once, each with S slots in its cache.
#
# Count two operations for each weight and text. In each layer, every one of the N query heads is compared with all S
# keys, H multiplications and H additions each, and gathers as many values at the same price. Bytes: each weight is
# read once for all texts; each text reads its cache, keys and values of K heads in L layers. A number has `size`
# bytes.
#
# **In** the whole numbers `weights`, L, N, K, H, B, S, `size`. **Out** a number. For the 2B in two bytes, one text,
# S = 1: nearly 1.

# %% answer="decode_intensity"
def decode_intensity(weights, L, N, K, H, B, S, size):
    ### BEGIN SOLUTION
    operations = B * (2 * weights + L * N * S * 4 * H)
    numbers = weights + B * L * S * K * 2 * H
    return operations / (size * numbers)
    ### END SOLUTION

# %% check="decode_intensity" points=3
check.decode_intensity(decode_intensity)

# %% [markdown]
# Use it: how far does a batch of 64 get the 2B and the 7B, with short texts and with long ones?

# %% open=true
models = {"2B": (2_506_172_416, 18, 8, 1, 256), "7B": (8_537_680_896, 28, 16, 16, 256)}
for name, sizes in models.items():
    print(name, {S: round(decode_intensity(*sizes, 64, S, 2), 1) for S in (32, 1024, 8192)})

# %% [markdown]
# ## 4 · Read the profile ⭐⭐ (15 minutes)
#
# **Goal.** A step is made of kernels, one after the other. You have an afternoon for one of them. Which one?
#
# The best that you can do is to bring a kernel up to the roof: it cannot be faster than its bytes can be read, nor
# faster than its operations can be done. Choose the one for which that wins the most time.
#
# **In** `kernels`, a dict {name: (seconds, bytes read, operations)}; `peak`, operations per second; `bandwidth`,
# bytes per second. **Out** the name.

# %% answer="mend_first"
def mend_first(kernels, peak, bandwidth):
    ### BEGIN SOLUTION
    won = {name: seconds - max(read / bandwidth, operations / peak)
           for name, (seconds, read, operations) in kernels.items()}
    return max(won, key=won.get)
    ### END SOLUTION

# %% check="mend_first" points=3
check.mend_first(mend_first)

# %% [markdown]
# ## 5 · Port the next Gemma ⭐⭐⭐ (30 minutes)
#
# **Goal.** Somebody has published a next Gemma. Its Config is given; its blocks are those of Gemma 3, with QK-norm and
# norms after the parts. Its checkpoint speaks another language. Read it into our tree, and let it compute.
#
# What its card says:
#
# | name | what it holds |
# |---|---|
# | `table` | a row for each piece, and some rows of padding behind them |
# | `layer.0.norm_1` … `norm_4` | before and after attention, before and after the MLP, in this order |
# | `layer.0.attn.qkv` | queries of all heads, then keys, then values, one below the other |
# | `layer.0.attn.q_norm`, `attn.k_norm` | the norms of queries and keys |
# | `layer.0.attn.out` | from all heads, side by side, to the stream |
# | `layer.0.mlp.in` | the gate, and below it the up |
# | `layer.0.mlp.out` | the down |
# | `last_norm` | after all layers |
#
# Matrices are stored as (out, in). The norms are stored as the factor that multiplies; ours as its distance from 1.
#
# **In** `stored`, a dict of float32 arrays; `cfg`, with its letters `cfg.V`, `cfg.D`, …; `tokens` [B, T]. **Out** the
# logits [B, T, V]: `forward(cfg, params, tokens)[0]`. Let `params["layers"]` be a tuple with a dict for each layer.
# These are the names and letters of our tree, and the shapes of theirs:

# %%
stored, cfg, tokens = next_gemma.checkpoint(np.random.default_rng(0))
print({letter: getattr(cfg, letter) for letter in "VDLNKHF"}, "\n")
ours = param_axes(cfg)
tops = {name: ours[name] for name in ("embed", "place", "final_norm")}
print("ours:", tops, "and in each layer")
for slot, part in ours["layers"].items():
    print(f"   {slot:<16}", {name: axes.removeprefix("L") for name, axes in part.items()})
print("\ntheirs, with one of the layers:")
for name, w in stored.items():
    if not name.startswith(("layer.1", "layer.2")):
        print(f"   {name:<20} {w.shape}")

# %% answer="port_next_gemma"
def port_next_gemma(stored, cfg, tokens):
    ### BEGIN SOLUTION
    N, K, H, D, F = cfg.N, cfg.K, cfg.H, cfg.D, cfg.F
    layers = []
    for n in range(cfg.L):
        w = {name.removeprefix(f"layer.{n}."): array for name, array in stored.items()}
        q, k, v = np.split(w["attn.qkv"], [N * H, (N + K) * H])
        gate, up = np.split(w["mlp.in"], [F])
        layers.append({
            "mixer_norm": {"scale": w["norm_1"] - 1},
            "mixer": {"wq": q.T.reshape(D, N, H), "wk": k.T.reshape(D, K, H),
                      "wv": v.T.reshape(D, K, H), "wo": w["attn.out"].T.reshape(N, H, D),
                      "q_norm": w["attn.q_norm"] - 1, "k_norm": w["attn.k_norm"] - 1},
            "mixer_post_norm": {"scale": w["norm_2"] - 1},
            "mlp_norm": {"scale": w["norm_3"] - 1},
            "mlp": {"gate": gate.T, "up": up.T, "down": w["mlp.out"].T},
            "mlp_post_norm": {"scale": w["norm_4"] - 1}})
    params = {"embed": stored["table"][:cfg.V], "place": {}, "layers": tuple(layers),
              "final_norm": {"scale": stored["last_norm"] - 1}}
    return forward(cfg, params, tokens)[0]
    ### END SOLUTION

# %% check="port_next_gemma" points=5
check.port_next_gemma(port_next_gemma)

# %% [markdown]
# ## 6 · The line that no argmax sees ⭐⭐⭐ (20 minutes)
#
# **Goal.** A colleague has ported Gemma 3. On the test text the likeliest token is the right one at every position, in
# the colleague's port as in the original, and the port was released. One line of it is not right. Which one?
#
# This is the layer. Only the lines with a letter are under suspicion.

# %%
source(ported.ported_block)

# %% [markdown]
# The two agree on every likeliest token. Where do their *logits* part? (The window of local layers is 8.)

# %%
true, port = ported.true_logits(), ported.ported_logits()
other = np.sum(np.argmax(true, -1) != np.argmax(port, -1))
print("likeliest tokens that differ:", other, "of", true.shape[1])
picture(figures.by_position(np.max(np.abs(true - port), axis=-1)[0] / np.std(true)),
        "A bar for each position: the largest difference of a logit. At position 0 it is "
        "nothing; from position 1 on it is a tenth of the spread and more.")

# %% [markdown]
# Try what you like. `ported.ported_logits(tokens, base=(…,), query_scale=…, window=(…,))` computes the port with
# another line in its Config, on any tokens [[…]] from 0 to 511.

# %%
for change in ({}, {"query_scale": 0.9}, {"window": (float("inf"),)}, {"base": (10_000.0,)}):
    apart = np.max(np.abs(ported.true_logits() - ported.ported_logits(**change))) / np.std(true)
    print(f"{change!s:<24} apart by {apart:.1f}")

# %% [markdown]
# **Out** one of the letters `"A"` to `"H"`.

# %% answer="wrong_line"
def wrong_line():
    ### BEGIN SOLUTION
    return "C"
    ### END SOLUTION

# %% check="wrong_line" points=2
check.wrong_line(wrong_line)
