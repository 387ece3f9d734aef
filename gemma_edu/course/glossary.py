"""The terms of every chapter in English and 繁體中文, collected in one table."""
import re

TERMS = re.compile(r"^# \*\*Terms 術語\*\*(.*?)(?:^#\s*$|^$)", re.MULTILINE | re.DOTALL)
HEAD = """\
# Glossary 詞彙表

Each chapter names its terms; this table, made from them by `make notebooks`, has them all.

| English | 繁體中文 | Chapter |
|---|---|---|
"""


def glossary(root):
    """The page, in alphabetical order; a term that returns keeps its first chapter."""
    rows = {}
    for source in sorted(root.glob("chapters/[0-9][0-9]_*.py")):
        for english, chinese in terms(source.read_text(encoding="utf-8")):
            rows.setdefault(english, f"| {english} | {chinese} | [{source.stem[:2]}]({source.stem}.ipynb) |\n")
    return HEAD + "".join(rows[term] for term in sorted(rows, key=str.lower))


def terms(text):
    """The pairs of a chapter: `# **Terms 術語** gate 閘 · forget gate 遺忘閘`, over as many lines as it takes."""
    for found in TERMS.findall(text):
        for item in found.replace("\n#", " ").split("·"):
            english, _, chinese = " ".join(item.split()).rpartition(" ")
            if english:
                yield english, chinese
