"""What stands around every notebook: the badge that opens it in Colab, the way to its neighbours, the installation."""
import tomllib

import nbformat

INSTALL = """\
try:
    import gemma_edu
except ImportError:
    %pip install "gemma-edu[course] @ git+{address}\""""


def framed(notebook, path):
    """The notebook with a badge and its neighbours above the title, and the installation below it."""
    whole = nbformat.from_dict(notebook)
    whole.cells[0].source = "\n\n".join([badge(path), whole.cells[0].source])
    install = nbformat.v4.new_code_cell(INSTALL.format(address=address(path.parents[1])))
    install.id = f"{path.stem.replace('_', '-')}-install"
    whole.cells.insert(1, install)
    return whole


def address(root):
    """Where the project lives; it stands once, in pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]


def badge(path):
    """A line of links: Colab, the chapters beside this one, and its other half."""
    place = address(path.parents[1]).removeprefix("https://")
    image = "https://colab.research.google.com/assets/colab-badge.svg"
    colab = f"https://colab.research.google.com/{place.replace('.com', '', 1)}/blob/main/{path.parent.name}/{path.name}"
    links = [f"[![Open in Colab]({image})]({colab})", *neighbours(path)]
    return " · ".join(links)


def neighbours(path):
    """Links to the unit before, to the other half of this one, and to the unit after."""
    units = sorted((path.parents[1] / "chapters").glob("[0-9][0-9]_*.py"))
    names = [unit.stem for unit in units]
    here = names.index(path.stem)
    if here > 0:
        yield f"[← {title(names[here - 1])}]({names[here - 1]}.ipynb)"
    other, word = ("exercises", "exercises") if path.parent.name == "chapters" else ("chapters", "chapter")
    if (path.parents[1] / "solutions" / f"{path.stem}.py").exists():
        yield f"[{word}](../{other}/{path.name})"
    if here + 1 < len(names):
        yield f"[{title(names[here + 1])} →]({names[here + 1]}.ipynb)"


def title(name):
    return name.replace("_", " ")
