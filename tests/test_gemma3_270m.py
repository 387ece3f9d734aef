"""The real Gemma 3 270M is put together from its parts and used only as it is known: with small parts in its place."""
import errno
import shutil
import sys
from hashlib import sha256

import pytest

from gemma_edu.pretrained import gemma3_270m
from gemma_edu.pretrained.gemma3_270m import FILE, PACKAGE, PARTS, TERMS
from gemma_edu.pretrained.load import load

CONTENTS = [bytes([n]) * 1000 for n in range(4)]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Packages with small parts, and a folder for what is made of them."""
    for package, file, content in [*zip(PARTS, PARTS.values(), CONTENTS, strict=True), (PACKAGE, TERMS, b"terms")]:
        data = tmp_path / "packages" / package / "data"
        data.mkdir(parents=True)
        (data / file).write_bytes(content)
        (data.parent / "__init__.py").write_text("raise SystemExit('this is not to be run')")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "packages")])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    monkeypatch.setattr(gemma3_270m, "SHA256", sha256(b"".join(CONTENTS)).hexdigest())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gemma-edu"


def held(cache):
    return sorted(path.name for path in cache.iterdir()) if cache.exists() else []


def test_the_parts_become_one_file_and_the_terms_are_shown_once(cache, capsys):
    path = gemma3_270m.located()
    assert path.read_bytes() == b"".join(CONTENTS) and held(cache) == [FILE]
    shown = capsys.readouterr()
    assert shown.out == "" and "ai.google.dev/gemma/terms" in shown.err and TERMS in shown.err
    assert gemma3_270m.located() == path
    assert capsys.readouterr() == ("", "")


def test_what_is_put_together_needs_its_packages_no_more(cache, tmp_path):
    gemma3_270m.located()
    shutil.rmtree(tmp_path / "packages")
    assert gemma3_270m.located().read_bytes() == b"".join(CONTENTS)


def test_a_changed_file_is_never_used(cache):
    gemma3_270m.located()
    (cache / FILE).write_bytes(b"something else")
    assert gemma3_270m.located().read_bytes() == b"".join(CONTENTS)


def test_changed_parts_are_refused(cache, tmp_path, capsys):
    part = tmp_path / "packages" / f"{PACKAGE}_part2" / "data" / PARTS[f"{PACKAGE}_part2"]
    part.write_bytes(bytes(1000))
    with pytest.raises(ValueError, match="not the known weights .*--force-reinstall 'gemma-edu.gemma3-270m.'"):
        load("gemma3-270m")
    assert held(cache) == [] and capsys.readouterr().err == ""


@pytest.mark.parametrize("gone", [PACKAGE, *PARTS, f"{PACKAGE}_part3/data/{PARTS[f'{PACKAGE}_part3']}"])
def test_a_missing_package_is_named(cache, tmp_path, gone):
    path = tmp_path / "packages" / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(OSError, match="pip install 'gemma-edu.gemma3-270m.'"):
        load("gemma3-270m")
    assert held(cache) == []


def test_a_full_disk_leaves_nothing_behind(cache, monkeypatch):
    def full(source, target):
        target.write(source.read(10))
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(gemma3_270m, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left on device.*253 MB.*make room.*XDG_CACHE_HOME") as error:
        load("gemma3-270m")
    assert error.value.__cause__ is None and held(cache) == []


def test_a_file_where_the_folder_belongs_is_one_clear_error(cache):
    cache.parent.write_text("not a folder")
    with pytest.raises(OSError, match="cannot be put together in .*XDG_CACHE_HOME"):
        load("gemma3-270m")
