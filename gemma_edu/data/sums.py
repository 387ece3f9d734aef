"""Generated arithmetic: sums as Python answers them, then told in words."""
from operator import add, mul, sub
from random import Random

SIGNS = {"+": add, "-": sub, "*": mul}
STORIES = {
    "+": "The {noun} was {a} and rose by {b}, so it is now {a} + {b} = {c}.",
    "-": "The {noun} was {a} and fell by {b}, so it is now {a} - {b} = {c}.",
    "*": "The {noun} is {a} long and {b} wide, so its area is {a} * {b} = {c}."}
LEVELS = ["balance", "count", "height", "level", "price", "score", "speed", "temperature"]
PLACES = ["beach", "court", "field", "garden", "hall", "island", "park", "room"]


def sums(problems: int, seed: int):
    """Documents (kind, name, text) of one sum each; `7 * 12` and `12 * 7` share a name."""
    random = Random(seed)
    for _ in range(problems):
        a, b = (random.randrange(10 ** random.choice([1, 2, 3])) for _ in "ab")
        sign = random.choice([*SIGNS])
        noun = random.choice(PLACES if sign == "*" else LEVELS)
        c = SIGNS[sign](a, b)
        name = f"{min(a, b)} {sign} {max(a, b)}"
        story = STORIES[sign].format(noun=noun, a=a, b=b, c=c)
        yield "arithmetic", name, f">>> {a} {sign} {b}\n{c}\n\n{story}\n"
