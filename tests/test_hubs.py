"""Models from Kaggle and Hugging Face: what is asked for, and what is said when it does not come.  No network."""
import json
import subprocess
import sys
from fnmatch import fnmatch
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Thread
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from small_orbax import tensors, with_folders, with_ocdbt
from test_load_errors import CFG

from gemma_edu.cli import main
from gemma_edu.data import tokenizer
from gemma_edu.pretrained import huggingface
from gemma_edu.pretrained.load import load, random_model

KAGGLE, HF = "kaggle:google/gemma/flax/2b-it", "hf:google/gemma-2b-it"
PACKAGES = {KAGGLE: "kagglehub", HF: "huggingface_hub"}


@pytest.fixture
def hub(monkeypatch):
    """Put something that answers in the place of both packages; it remembers what it was asked."""
    def answering(answer):
        asked = []

        def respond(*args, **options):
            asked.append((args, options))
            return answer() if callable(answer) else str(answer)
        for package in PACKAGES.values():
            monkeypatch.setitem(sys.modules, package, SimpleNamespace(
                model_download=respond, snapshot_download=respond))
        return asked
    return answering


def same(one, other):
    return jax.tree.all(jax.tree.map(lambda a, b: np.array_equal(a, b), one, other))


# ---- what is asked for
def test_kaggle_s_folder_is_an_orbax_checkpoint_with_its_tokenizer_beside_it(hub, tmp_path):
    with_folders(tmp_path / "2b-it", tensors(CFG))
    tokenizer.train(["one two three " * 50], 300).save(tmp_path)
    asked = hub(tmp_path)
    assert same(load(KAGGLE).params, load(tmp_path).params) and load(KAGGLE).tokenizer.size == 300
    load(f"{KAGGLE}/3")
    assert [args for args, _ in asked] == [("google/gemma/flax/2b-it",)] * 2 + [("google/gemma/flax/2b-it/3",)]


def test_hugging_face_s_folder_is_in_its_layout(hub, tmp_path):
    huggingface.save(tmp_path, random_model(CFG))
    asked = hub(tmp_path)
    assert same(load(HF).params, load(tmp_path).params)
    load(f"{HF}@refs/pr/1")
    assert [(args, options["revision"]) for args, options in asked] == [
        (("google/gemma-2b-it",), None), (("google/gemma-2b-it",), "refs/pr/1")]


def test_of_a_repository_only_what_is_read_is_downloaded(hub, tmp_path):
    huggingface.save(tmp_path, random_model(CFG))
    asked = hub(tmp_path)
    load(HF)
    options = asked[0][1]

    def taken(name):
        return any(fnmatch(name, each) for each in options["allow_patterns"]) and not fnmatch(
            name, options["ignore_patterns"])
    wanted = ["config.json", "model-00001-of-00002.safetensors", "model.safetensors", "model.safetensors.index.json",
              "tokenizer.model"]
    others = ["pytorch_model.bin", "model.pt", "gemma-2b.gguf", "tokenizer.json", "README.md", "old/model.safetensors",
              "consolidated.00.pth", "optimizer.pkl", "flax_model.msgpack"]
    assert [name for name in wanted + others if taken(name)] == wanted


# ---- what cannot be meant
@pytest.mark.parametrize("name, words", [
    ("kaggle:", ["no model of Kaggle", "kaggle:OWNER/MODEL/FRAMEWORK/VARIATION", "kaggle:google/gemma/flax/2b-it"]),
    ("kaggle:google/gemma", ["no model of Kaggle"]), ("kaggle:google/gemma/flax", ["no model of Kaggle"]),
    ("kaggle:google/gemma/flax/2b/latest", ["no model of Kaggle"]), ("kaggle:gemma 2b", ["no model of Kaggle"]),
    ("kaggle:google/gemma/flax/2b/1/2", ["no model of Kaggle"]), ("kaggle:a//b/c", ["no model of Kaggle"]),
    ("kaggle:google/gemma/pyTorch/2b", ["in the layout pyTorch", "flax, jax, transformers, gguf"]),
    ("kaggle:google/gemma/keras/gemma_2b_en", ["in the layout keras"]),
    ("hf:", ["no repository of Hugging Face", "hf:OWNER/NAME", "hf:google/gemma-2b-it"]),
    ("hf:gemma-2b", ["no repository of Hugging Face"]), ("hf:google/gemma-2b@", ["no repository of Hugging Face"]),
    ("hf:google/gemma-2b/config.json", ["no repository of Hugging Face"]),
    ("hf:google/../x", ["no repository of Hugging Face"]),
    ("huggingface:google/gemma-2b", ["there is no model", '"hf:OWNER/NAME"', '"kaggle:OWNER/MODEL'])])
def test_what_names_no_model_is_refused_before_anything_is_asked(hub, name, words):
    asked = hub("nowhere")
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        load(name)
    assert [word for word in words if word not in str(error.value)] == [] and not asked


@pytest.mark.parametrize("name", PACKAGES)
def test_a_missing_package_says_how_to_get_it(monkeypatch, capsys, name):
    monkeypatch.setitem(sys.modules, PACKAGES[name], None)
    with pytest.raises(OSError, match=f"{name} needs .*: pip install {PACKAGES[name]}"):
        load(name)
    assert main(["export", name, "nowhere"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


# ---- what a hub answers
def error_of(names, status=None):
    """Something raised by a class with one of the packages' names, and its bases'."""
    kind = Exception
    for name in reversed(names):
        kind = type(name, (kind,), {})
    error = kind("a long story\n\nin several lines")
    error.response = None if status is None else SimpleNamespace(status_code=status)
    return error


GATED = {KAGGLE: ["kaggle.com/models/google/gemma/flax/2b-it", "accept the terms", "KAGGLE_API_TOKEN", "Colab"],
         HF: ["huggingface.co/google/gemma-2b-it", "accept the terms", "hf auth login", "HF_TOKEN", "Colab"]}
UNREACHED = ["not reached", "ask again", "is kept"]
TROUBLES = [
    (HF, ["GatedRepoError", "RepositoryNotFoundError", "HfHubHTTPError"], 403, PermissionError, GATED[HF]),
    (HF, ["RepositoryNotFoundError", "HfHubHTTPError"], 401, PermissionError, ["no such model, or", *GATED[HF]]),
    (HF, ["RepositoryNotFoundError", "HfHubHTTPError"], 404, FileNotFoundError, ["no such model; look at"]),
    (HF, ["RevisionNotFoundError", "HfHubHTTPError"], 404, FileNotFoundError, ["no such revision", "/commits"]),
    (HF, ["HfHubHTTPError"], 401, PermissionError, GATED[HF]),
    (HF, ["LocalEntryNotFoundError", "EntryNotFoundError"], None, ConnectionError, UNREACHED),
    (HF, ["IncompleteSnapshotError", "LocalEntryNotFoundError"], None, ConnectionError, UNREACHED),
    (HF, ["ConnectTimeout", "TimeoutException"], None, ConnectionError, UNREACHED),
    (HF, ["HfHubHTTPError"], 503, OSError, ["download failed", "ask again"]),
    (KAGGLE, ["KaggleApiHTTPError", "HTTPError"], 403, PermissionError, ["no such model, or", *GATED[KAGGLE]]),
    (KAGGLE, ["KaggleApiHTTPError", "HTTPError"], 401, PermissionError, GATED[KAGGLE]),
    (KAGGLE, ["ColabHTTPError", "HTTPError"], 403, PermissionError, GATED[KAGGLE]),
    (KAGGLE, ["UnauthenticatedError"], None, PermissionError, GATED[KAGGLE]),
    (KAGGLE, ["KaggleApiHTTPError", "HTTPError"], 404, FileNotFoundError, ["no such model; look at"]),
    (KAGGLE, ["ConnectionError", "RequestException"], None, ConnectionError, UNREACHED),
    (KAGGLE, ["ReadTimeout", "Timeout"], None, ConnectionError, UNREACHED),
    (KAGGLE, ["DataCorruptionError"], None, OSError, ["download failed", "ask again"])]


@pytest.mark.parametrize("name, kinds, status, kind, words", TROUBLES, ids=lambda value: str(value)[:40])
def test_trouble_with_a_hub_says_what_to_do(hub, capsys, name, kinds, status, kind, words):
    def fail():
        raise error_of(kinds, status)
    hub(fail)
    with pytest.raises(OSError) as error:
        load(name)
    text = str(error.value)
    assert type(error.value) is kind and error.value.__cause__ is None
    assert [word for word in [name, kinds[0], *words] if word not in text] == [] and "\n" not in text
    assert main(["generate", "a", "--model", name]) == 2 and text in capsys.readouterr().err


def test_an_interruption_is_no_trouble_with_the_hub(hub):
    def interrupt():
        raise KeyboardInterrupt
    hub(interrupt)
    with pytest.raises(KeyboardInterrupt):
        load(HF)


# ---- the packages themselves
class Hub(BaseHTTPRequestHandler):
    """As much of Hugging Face as a download asks for; it drops the line once, in the middle of the weights."""
    files, commit, cut = {}, "c" * 40, []

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        path, etag = self.path.split("?")[0], {}
        if "gated" in path:
            return self.send(403, b"{}", {"X-Error-Code": "GatedRepo"})
        if "nobody" in path:
            return self.send(401, b"{}", {"X-Error-Code": "RepoNotFound"})
        if "/resolve/" in path:
            body = self.files[path.rsplit("/", 1)[1]]
            etag = {"ETag": f'"{sha1(body).hexdigest()}"', "X-Repo-Commit": self.commit, "Accept-Ranges": "bytes"}
        elif "/tree/" in path:
            body = json.dumps([{"type": "file", "path": name, "size": len(body), "oid": sha1(body).hexdigest()}
                               for name, body in self.files.items()]).encode()
        elif path.endswith(("/main", self.commit)):
            body = json.dumps({"id": "google/gemma", "sha": self.commit,
                               "siblings": [{"rfilename": name} for name in self.files]}).encode()
        else:
            return self.send(404, b"{}", {"X-Error-Code": "RevisionNotFound"})
        self.send(200, body, etag)

    do_GET = do_HEAD

    def send(self, status, body, headers):
        start = int(self.headers.get("Range", "bytes=0-")[6:].split("-")[0])
        self.send_response(206 if start else status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        if self.command == "GET":
            short = self.path.endswith(".safetensors") and not self.cut
            self.cut.extend(["here"] * short)
            self.wfile.write(body[start:len(body) // 2] if short else body[start:])
            self.close_connection = short or self.close_connection


ASKS = """
import os, sys
from gemma_edu.pretrained.hubs import hugging_face
for repo in sys.argv[1:]:
    try:
        print(hugging_face(repo))
    except OSError as error:
        print(type(error).__name__, error)
"""


def test_hugging_face_s_own_package_is_understood(tmp_path):
    pytest.importorskip("huggingface_hub")
    huggingface.save(tmp_path / "model", random_model(CFG))
    Hub.files = {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()} | {"pytorch_model.bin": b"?"}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    env = {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path / "home"), "NO_PROXY": "*",
           "HF_HUB_DISABLE_XET": "1", "PYTHONPATH": ":".join(sys.path)}

    def asked(*repos):
        command = [sys.executable, "-c", ASKS, *repos]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.splitlines()
    first, folder = asked("google/gemma", "google/gemma")
    errors = asked("google/gemma@other", "google/gated", "google/nobody")
    assert Hub.cut and (first == folder or "ask again, what has arrived is kept" in first)      # it may go on by itself
    assert same(load(folder).params, load(tmp_path / "model").params)
    assert not (tmp_path / folder / "pytorch_model.bin").exists()
    assert [error.split()[0] for error in errors] == ["FileNotFoundError", "PermissionError", "PermissionError"]
    assert "no such revision" in errors[0] and "accept the terms" in errors[1] and "no such model, or" in errors[2]
    server.shutdown()
    server.server_close()
    again, error = asked("google/gemma", "google/other")
    assert again == folder and error.startswith("ConnectionError") and "not reached" in error


def test_kaggle_s_own_package_is_understood(tmp_path, monkeypatch):
    pytest.importorskip("kagglehub")
    import requests
    with_ocdbt(tmp_path / "model/2b-it", tensors(CFG))
    files = {str(path.relative_to(tmp_path / "model")): path.read_bytes()
             for path in (tmp_path / "model").rglob("*") if path.is_file()}
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    answers = SimpleNamespace(status=200, reached=True)

    def send(session, request, **_):
        if not answers.reached:
            raise requests.ConnectionError("there is nobody")
        body, path = json.loads(request.body or "{}"), None
        if "List" in request.url:
            content = {"files": [{"name": name} for name in files], "nextPageToken": ""}
        else:
            content, path = {"versionNumber": 3}, body.get("path")
        response = requests.Response()
        response.status_code, response.url, response.request = answers.status, request.url, request
        response.raw = BytesIO(files[path] if path else json.dumps(content).encode())
        response.headers.update({} if path else {"Content-Type": "application/json"})
        return response
    monkeypatch.setattr(requests.Session, "send", send)
    for status, kind, words in [(403, PermissionError, "accept the terms"), (404, FileNotFoundError, "no such model")]:
        answers.status = status
        with pytest.raises(kind, match=words):
            load(KAGGLE)
    answers.status = 200
    assert same(load(KAGGLE).params, load(tmp_path / "model").params)
    answers.reached = False
    assert same(load(f"{KAGGLE}/3").params, load(tmp_path / "model").params)      # a version is not looked up again
    with pytest.raises(ConnectionError, match="not reached"):
        load(f"{KAGGLE}/4")
