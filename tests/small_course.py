"""A course of one chapter, small enough to be built in seconds."""
from pathlib import Path

PROJECT = '[project.urls]\nRepository = "https://github.com/somebody/fork"\n'

CHAPTER = """\
# %% [markdown]
# # 01 · Doubling
#
# **Terms 術語** double 加倍 · half 一半

# %%
import numpy as np

from gemma_edu.course import explore, picture, plot

# %%
print(2 * np.arange(3))

# %%
picture(plot.lines({"double": 2 * np.arange(3)}, xlabel="x", ylabel="2 x"), "A line that climbs two for each step.")

# %%
explore(lambda slope: plot.lines({"line": slope * np.arange(3)}, xlabel="x", ylabel="y"), "A line with a slope.",
        slope=(0, 3, 1))
"""

SOLUTION = '''\
# %% [markdown]
# # Exercises 01

# %%
from gemma_edu.course.check.exercise import Exercise

check = Exercise(lambda x: 2.0 * x, [lambda random: (1 + random.random(),)],
                 wrong={"You squared it. Doubling adds it to itself.": lambda x: x * x}, name="double")

# %% answer="double"
def double(x):
    ### BEGIN SOLUTION
    secret = x + x
    return secret
    ### END SOLUTION

# %% check="double" points=3
check(double)

# %% open=true
print(double(4.0))
'''


def write(root):
    """The sources of the course, in an empty folder."""
    for folder in "chapters", "solutions":
        (root / folder).mkdir()
    (root / "pyproject.toml").write_text(PROJECT)
    Path(root, "chapters", "01_doubling.py").write_text(CHAPTER, encoding="utf-8")
    Path(root, "solutions", "01_doubling.py").write_text(SOLUTION, encoding="utf-8")
    return root
