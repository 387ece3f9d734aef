"""Profiles of programs in which the slowest kernel is not the one to mend first."""

KERNELS = ["mlp", "head", "attention", "prompt", "norms", "mixer", "router", "sums"]

READS_TOO_SLOWLY = [                      # milliseconds of memory, milliseconds of arithmetic, milliseconds measured
    (13.0, 12.5, 14.0),                   # at the edge of the roof, and the slowest
    (9.5, 0.4, 10.0),                     # reads well
    (0.6, 11.5, 12.0),                    # computes well
    (2.0, 0.8, 6.0),                      # should take a third
    (0.001, 0.0001, 0.1)]                 # far below the roof, and short
WAITS_FOR_ITSELF = [
    (13.0, 12.5, 14.0),
    (0.6, 11.5, 12.0),
    (5.0, 4.8, 11.0),                     # reads, and only then computes: should take half
    (1.0, 0.4, 5.4),                      # farther from the roof, and less to win
    (0.001, 0.0001, 0.1)]


def profile(ideal):
    """Five kernels at or below the roof, in a random order and under random names: (kernels, peak, bandwidth)."""
    def draw(random):
        peak, bandwidth = 100e12, 1e12
        names, sizes = random.permutation(KERNELS)[:5], random.uniform(0.97, 1.03, 5)
        kernels = {str(names[n]): (time * size / 1e3, memory * size / 1e3 * bandwidth, work * size / 1e3 * peak)
                   for n, ((memory, work, time), size) in enumerate(zip(ideal, sizes, strict=True))}
        return {str(name): kernels[str(name)] for name in random.permutation(names)}, peak, bandwidth
    return draw


def worst(measure):
    """The name of the kernel for which `measure(seconds, seconds for bytes, seconds for operations)` is largest."""
    def pick(kernels, peak, bandwidth):
        found = {name: measure(time, read / bandwidth, work / peak) for name, (time, read, work) in kernels.items()}
        return max(found, key=found.get)
    return pick
