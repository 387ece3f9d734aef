"""Documents to train on and to measure by: what every Python carries, or your own files."""
import json
import lzma
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .library import built_in, language, library
from .sums import sums

KINDS = {".txt": "prose", ".md": "prose", ".rst": "prose", ".py": "code"}
HELD_OUT = 0.06                     # of the names
SALT = "27"                         # chosen by sizes alone: with it, 4 to 7 % of each kind of text
LONG = {"train": 100, "held_out": 40}           # characters; shorter paragraphs may repeat


class Corpus(NamedTuple):
    """Documents of each kind, on either side."""
    train: dict[str, list[str]]
    held_out: dict[str, list[str]]

    @property
    def digest(self) -> str:
        """A fingerprint of every document in its place (SHA-256)."""
        return sha256(json.dumps(self).encode()).hexdigest()


def corpus(problems=40_000, seed=0) -> Corpus:
    """The language reference, documentation and code of this very Python, and generated sums.

    Another Python is another corpus: compare digests before you compare losses.
    """
    train, held_out = [], []
    for document in (*language(), *library(), *built_in(), *sums(problems, seed)):
        _, name, _ = document
        (held_out if is_held_out(name) else train).append(document)
    return without_repeats(train, held_out)


def is_held_out(name: str) -> bool:
    """A hash of the name decides before anything is read: no part of a module crosses over."""
    return int.from_bytes(sha256(f"{SALT}{name}".encode()).digest()[:4], "big") < HELD_OUT * 2**32


def from_files(paths) -> Corpus:
    """Your own prose (.txt, .md, .rst) and code (.py); the end of each file is held out."""
    train, held_out = [], []
    for path in sorted(map(Path, [paths] if isinstance(paths, str | Path) else paths)):
        kind, text = read(path)
        cut = text.find("\n", int(len(text) * (1 - HELD_OUT))) + 1 or len(text)
        train.append((kind, path.name, text[:cut]))
        held_out.append((kind, path.name, text[cut:]))
    own = without_repeats(train, held_out)
    if not own.train or own.train.keys() != own.held_out.keys():
        raise ValueError(f"{len(train)} files, too few lines to hold any out; give longer files")
    return own


def read(path: Path) -> tuple[str, str]:
    """The kind and the text of a file, or a clear refusal."""
    if path.suffix not in KINDS:
        raise ValueError(f"{path} is not known to be prose or code; give {', '.join(KINDS)}")
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}; give the path of a text")
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 at byte {error.start}; save it as UTF-8") from None
    if "\0" in text:
        raise ValueError(f"{path} holds NUL at character {text.index(chr(0))}, so it is no text; leave it out")
    if not text.strip():
        raise ValueError(f"{path} is empty; leave it out, or write something in it")
    return KINDS[path.suffix], text


# ---- what is there twice
def without_repeats(train, held_out) -> Corpus:
    """Keep the first of equal documents, and of equal long paragraphs of prose; training first."""
    texts, paragraphs = set(), set()

    def first(documents, long):
        side = {}
        for kind, _, text in documents:
            if kind == "prose":
                text = "\n\n".join(part for part in text.split("\n\n")
                                   if is_new(part, paragraphs) or len(fold(part)) < long)
            if text.strip() and is_new(text, texts):
                side.setdefault(kind, []).append(text)
        return side
    return Corpus(first(train, LONG["train"]), first(held_out, LONG["held_out"]))


def is_new(text: str, seen: set) -> bool:
    """True the first time."""
    size = len(seen)
    seen.add(fold(text))
    return len(seen) > size


def fold(text: str) -> str:
    """The same text, whatever its white space."""
    return " ".join(text.split())


# ---- what a model is fed, and what it is measured by
def tokens(documents: list[str], tokenizer) -> np.ndarray:
    """All documents in one long row, each begun by bos."""
    dtype = np.uint16 if tokenizer.size <= 2**16 else np.int32
    return np.concatenate([np.array(tokenizer.encode(text), dtype) for text in documents])


def batch(streams: dict, shares: dict, B: int, T: int, seed: int, step: int) -> np.ndarray:
    """Rows of T + 1 tokens from anywhere in the streams, by share; seed and step decide it all."""
    for kind in shares:
        if len(streams[kind]) <= T:
            raise ValueError(f"{kind} has {len(streams[kind])} tokens, a row needs {T + 1}; "
                             "give more text or a smaller T")
    random = np.random.default_rng((seed, step))
    odds = np.array([*shares.values()]) / sum(shares.values())

    def row(stream):
        start = random.integers(len(stream) - T)
        return stream[start:start + T + 1]
    kinds = random.choice([*shares], B, p=odds)
    return np.stack([row(streams[kind]) for kind in kinds]).astype(np.int32)


def yardstick(train: list[str], held_out: list[str]) -> float:
    """Bits per byte that `xz -9e` needs for the held-out text, having seen the training text."""
    seen, both = ("\n".join(texts).encode() for texts in (train, train + held_out))
    return (xz(both) - xz(seen)) * 8 / (len(both) - len(seen))


def xz(data: bytes) -> int:
    return len(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
