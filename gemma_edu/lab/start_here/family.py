"""Gemma's family in numbers: the sizes of its models, and how many weights follow from them.

Sizes from the configurations that Google published (google-deepmind/gemma, google/gemma_pytorch); of models that also
see pictures, the part that reads text.
"""

NAMES = ["generation", "V", "D", "L", "N", "K", "H", "F", "window"]
FAMILY = {name: dict(zip(NAMES, sizes, strict=True)) for name, sizes in {
    "Gemma 1 2B":   (1, 256_000, 2048, 18, 8, 1, 256, 16_384, None),
    "Gemma 1 7B":   (1, 256_000, 3072, 28, 16, 16, 256, 24_576, None),
    "Gemma 2 2B":   (2, 256_000, 2304, 26, 8, 4, 256, 9216, 4096),
    "Gemma 2 9B":   (2, 256_000, 3584, 42, 16, 8, 256, 14_336, 4096),
    "Gemma 2 27B":  (2, 256_000, 4608, 46, 32, 16, 128, 36_864, 4096),
    "Gemma 3 270M": (3, 262_144, 640, 18, 4, 1, 256, 2048, 512),
    "Gemma 3 1B":   (3, 262_144, 1152, 26, 4, 1, 256, 6912, 512),
    "Gemma 3 4B":   (3, 262_144, 2560, 34, 8, 4, 256, 10_240, 1024),
    "Gemma 3 12B":  (3, 262_144, 3840, 48, 16, 8, 256, 15_360, 1024),
    "Gemma 3 27B":  (3, 262_144, 5376, 62, 32, 16, 128, 21_504, 1024),
}.items()}
PATTERN = {1: "G", 2: "LG", 3: "LLLLLG"}      # down the layers: sees all before it (global), or a window (local)


def anatomy(V, D, L, N, K, H, F, generation=1, **_):
    """How many weights the parts of a Gemma have, by their names."""
    norms = {1: 2 * D, 2: 4 * D, 3: 4 * D + 2 * H}[generation]      # from Gemma 2 on after a part, too; then q and k
    return {"embedding": V * D, "attention": L * (2 * D * N * H + 2 * D * K * H), "MLP": L * 3 * D * F,
            "norms": L * norms + D}


def weights(**sizes):
    """All of them."""
    return sum(anatomy(**sizes).values())


def with_experts(E, **sizes):
    """The same, had each layer E MLPs and a router that chooses between them."""
    parts, router = anatomy(**sizes), sizes["L"] * sizes["D"] * E if E > 1 else 0
    return sum(parts.values()) + (E - 1) * parts["MLP"] + router


def layers(generation, L, **_):
    """The kind of each layer: a string of L letters, G or L."""
    pattern = PATTERN[generation]
    return (pattern * L)[:L]
