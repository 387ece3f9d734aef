"""Download a model from where Google gives it out: Kaggle and Hugging Face, under its terms, with your own account.

Each hub's own package downloads, finds your login, keeps what it has in its own place, and goes on where it was
interrupted.  What is added here is what to do when it fails.
"""
import re
from importlib import import_module

from .shards import INDEX

FILES = ["config.json", "*.safetensors", INDEX, "tokenizer.model"]      # of a repository's first level; never pickles
LAYOUTS = ("flax", "jax", "transformers", "gguf")                       # of Kaggle's, those that are read

UNREACHED = {"ConnectionError", "ConnectError", "ProxyError", "Timeout", "TimeoutException", "LocalEntryNotFoundError"}
KAGGLE = ("open {page}, sign in and accept the terms; then make a token on kaggle.com (Settings, API) and give it to "
          "this machine as the variable KAGGLE_API_TOKEN, or in Colab as a secret of that name")
HUGGING_FACE = ("open {page}, sign in and accept the terms; then log in with `hf auth login`, or give a token that may "
                "read gated repositories as the variable HF_TOKEN, or in Colab as a secret of that name")


def kaggle(handle):
    """The folder of "OWNER/MODEL/FRAMEWORK/VARIATION", or of a version of it: "…/VERSION"."""
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+){3}(/\d+)?", handle):
        raise ValueError(f"kaggle:{handle} is no model of Kaggle; give kaggle:OWNER/MODEL/FRAMEWORK/VARIATION, "
                         "perhaps with /VERSION behind it, as in kaggle:google/gemma/flax/2b-it")
    layout = handle.split("/")[2]
    if layout.lower() not in LAYOUTS:
        raise ValueError(f"kaggle:{handle} is in the layout {layout}, and only {', '.join(LAYOUTS)} are read; "
                         "take kaggle:google/gemma/flax/2b-it, say")
    page = f"kaggle.com/models/{handle}"
    return download("kagglehub", lambda hub: hub.model_download(handle), f"kaggle:{handle}", page, KAGGLE)


def hugging_face(repo):
    """The folder of "OWNER/NAME", or of a branch, a tag or a commit of it: "OWNER/NAME@REVISION"."""
    if not re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", repo):
        raise ValueError(f"hf:{repo} is no repository of Hugging Face; give hf:OWNER/NAME, perhaps with @REVISION "
                         "behind it, as in hf:google/gemma-2b-it")
    name, _, revision = repo.partition("@")
    page = f"huggingface.co/{name}"
    return download("huggingface_hub", lambda hub: hub.snapshot_download(
        name, revision=revision or None, allow_patterns=FILES, ignore_patterns="*/*"), f"hf:{repo}", page, HUGGING_FACE)


def download(package, ask, name, page, admission):
    """Ask a hub's package for a folder; an error says which model, what is wrong, and what to do."""
    try:
        hub = import_module(package)
    except ModuleNotFoundError:
        raise OSError(f"{name} needs the package {package}; install it with: pip install {package}") from None
    try:
        return ask(hub)
    except Exception as error:
        kind, advice = diagnosis(error)
        raise kind(f"{name}: {advice.format(page=page, admission=admission.format(page=page))} "
                   f"({type(error).__name__}: {' '.join(str(error).split())[:160]})") from None


def diagnosis(error):
    """What went wrong, by the status that the hub answered with, or by the names of the package's own errors."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "GatedRepoError" in kinds:
        return PermissionError, "the hub does not let you in yet; {admission}"
    if "RevisionNotFoundError" in kinds:
        return FileNotFoundError, "there is no such revision; look at {page}/commits"
    if "UnauthenticatedError" in kinds or status in (401, 403):
        return PermissionError, "there is no such model, or the hub does not let you in yet; {admission}"
    if "RepositoryNotFoundError" in kinds or status == 404:
        return FileNotFoundError, "there is no such model; look at {page}"
    if kinds & UNREACHED:
        return ConnectionError, ("the hub was not reached, and the model is not on this machine as a whole; ask again, "
                                 "what has arrived is kept")
    return OSError, "the download failed; ask again, what has arrived is kept"
