"""The model only names its points; what a name means is decided outside."""


def untapped(name, x):
    """Let it pass."""
    return x
