"""What the notebooks call; a room is opened when something in it is asked for, and none of them needs JAX."""
from importlib import import_module

HOMES = {
    "show": ["differences", "source", "twins", "weights"],
    "drawing": ["picture"],
    "widgets": ["explore"],
}
WHERE = {name: room for room, names in HOMES.items() for name in names}
ROOMS = {"show", "plot", "widgets", "check", "figures"}
__all__ = sorted(WHERE.keys() | ROOMS)


def __getattr__(name):
    if name in WHERE:
        return getattr(import_module(f".{WHERE[name]}", __name__), name)
    if name in ROOMS:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"gemma_edu.course has no {name!r}; it has {', '.join(__all__)}")


def __dir__():
    return [*globals(), *__all__]
