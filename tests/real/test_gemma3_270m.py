"""The real Gemma 3 270M, live against transformers: it reads the same file with readers of its own, and in float32.

`make test-real` runs this, in a few minutes; `-s` shows the figures.
"""
import logging
import sys
import warnings
from time import perf_counter

import jax
import numpy as np
import pytest

from gemma_edu import jax_gemma
from gemma_edu.config import GEMMA3_270M, difference
from gemma_edu.inference.sample import generate, generate_tokens
from gemma_edu.pretrained import gemma3_270m
from gemma_edu.pretrained.load import load

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("gguf")

PARAGRAPH = """\
A lighthouse keeper on a small island wrote down the weather every morning for forty years: the wind, the height of the
waves, the first birds of spring, and how far he could see. Nobody had asked him to. When he died, his daughter found
the notebooks in a chest under the stairs, and gave them to the university on the mainland. There they turned out to be
the longest unbroken record of the climate on that coast, and a student who had been born long after the last entry used
them to show that the storms now come two weeks earlier than they did when the keeper was young."""
PROMPTS = ["The capital of France is", "Once upon a time there was", "def fibonacci(n):\n"]
TEXTS = [PARAGRAPH, *PROMPTS, "", " ", "a" * 100, " " * 47, "\n" * 40, "\t\t\t\t \n\n61", "3.14159", "Hi  Hello",
         "def f(x):\n    return x", "<table><td>\x07</td>", "生活的真谛是", "𓀀 é @#😈  🤗!", "naïve <h1>Ωmega</h1>\r\n"]


def resident():
    """The most memory that this process has held, in GB."""
    if sys.platform != "linux":
        return float("nan")
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024 / 1e9


@pytest.fixture(scope="module")
def path():
    try:
        return gemma3_270m.located()
    except OSError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def ours(path):
    began, before = perf_counter(), resident()
    model = load("gemma3-270m")
    print(f"\nloaded in {perf_counter() - began:.1f} s; at most {resident():.2f} GB held, {before:.2f} GB before")
    return model


@pytest.fixture(scope="module")
def theirs(path, ours):
    """Their sizes, names, norms and blocks out of the file; the class is told to load them as its own."""
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint
    logging.disable(logging.WARNING)
    config = transformers.AutoConfig.from_pretrained(path.parent, gguf_file=path.name)
    config._attn_implementation = "eager"
    model = transformers.Gemma3ForCausalLM(config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tensors = load_gguf_checkpoint(path, return_tensors=True, model_to_load=model)["tensors"]
    missing = model.load_state_dict({name: torch.as_tensor(w) for name, w in tensors.items()}, strict=False)
    assert missing.unexpected_keys == [] and missing.missing_keys in ([], ["lm_head.weight"])      # which is tied
    model.tie_weights()
    return model.float().eval()


def both(ours, theirs, tokens, last):
    """The logits at the last positions of a text, from ours and from theirs."""
    x, _ = jax_gemma.hidden(ours.cfg, ours.params, np.array([tokens]))
    with torch.no_grad():
        needed = theirs(torch.tensor([tokens]), logits_to_keep=last).logits[0].numpy()
    return np.asarray(jax_gemma.unembed(ours.cfg, ours.params, x[:, -last:])[0]), needed


def surprise(logits, tokens):
    """The average negative log-likelihood of each next token, in nats."""
    logits = logits.astype(np.float64)[:-1]
    logits = logits - logits.max(-1, keepdims=True)
    chances = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return -chances[np.arange(len(chances)), tokens[1:]].mean()


def test_it_is_the_gemma_that_it_is_called(ours):
    assert difference(ours.cfg, GEMMA3_270M) == {}
    special = ours.tokenizer
    assert (special.pad, special.eos, special.bos, special.start_of_turn, special.end_of_turn) == (0, 1, 2, 105, 106)
    assert special.size == 262_144


def test_every_token_of_a_paragraph_surprises_it_as_much_as_theirs(ours, theirs):
    tokens = ours.tokenizer.encode(PARAGRAPH)
    given, needed = both(ours, theirs, tokens, len(tokens))
    mine, others = surprise(given, tokens), surprise(needed, tokens)
    print(f"\n{len(tokens)} tokens: {mine:.6f} nats here and {others:.6f} there; "
          f"logits differ by {np.abs(given - needed).max():.1e} of {needed.std():.2f}")
    assert abs(mine - others) < 1e-4 and 1 < mine < 5
    assert np.abs(given - needed).max() < 1e-4 * needed.std()


def test_past_its_window_it_still_computes_what_theirs_does(ours, theirs):
    """600 tokens: five layers of six have lost sight of the first 88."""
    tokens = (ours.tokenizer.encode(PARAGRAPH) * 6)[:600]
    given, needed = both(ours, theirs, tokens, 20)
    assert np.abs(given - needed).max() < 1e-4 * needed.std()


@pytest.mark.parametrize("prompt", PROMPTS)
def test_it_writes_what_theirs_writes(ours, theirs, prompt):
    tokens = ours.tokenizer.encode(prompt)
    [given] = generate_tokens(ours.cfg, ours.params, [tokens], 32)
    needed = theirs.generate(torch.tensor([tokens]), attention_mask=torch.ones(1, len(tokens)), do_sample=False,
                             min_new_tokens=32, max_new_tokens=32)[0].tolist()
    print(f"\n{prompt!r} {ours.tokenizer.decode(given)!r}")
    assert tokens + given == needed


def test_it_knows_paris(ours):
    """A base model of this size goes on from "is" in many ways, and from a list in one."""
    text = generate(ours, "Germany: Berlin\nItaly: Rome\nSpain: Madrid\nFrance:", tokens=2)
    assert text.split()[0] == "Paris"


def test_it_writes_fast(ours):
    tokens = ours.tokenizer.encode(PROMPTS[1])
    for _ in range(2):      # the first time, it is compiled
        began = perf_counter()
        [written] = generate_tokens(ours.cfg, ours.params, [tokens], 64)
        seconds = perf_counter() - began
    print(f"\n{64 / seconds:.1f} tokens a second on {jax.default_backend()}; at most {resident():.2f} GB held")
    assert len(written) == 64


# ---- its vocabulary
def joined(text, pieces, user):
    """BPE as a rule: the longest user-defined pieces first; then, of all joins of neighbours, that of the lowest id."""
    text, parts = text.replace(" ", "▁"), []
    while text:
        length = next((n for n in range(min(len(text), 40), 0, -1) if text[:n] in user), 1)
        parts.append(text[:length])
        text = text[length:]
    while joins := [(pieces[one + two], i) for i, (one, two) in enumerate(zip(parts, parts[1:], strict=False))
                    if one + two in pieces and not {one, two} & user]:
        at = min(joins)[1]
        parts[at:at + 2] = [parts[at] + parts[at + 1]]
    return [token for part in parts for token in (
        [pieces[part]] if part in pieces else [pieces[f"<0x{byte:02X}>"] for byte in part.encode()])]


def test_its_vocabulary_cuts_text_by_the_rule_of_the_lowest_id(path, ours):
    import gguf
    fields = gguf.GGUFReader(path).fields
    tokens, kinds = (fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "token_type"))
    user = {token.replace(" ", "▁") for token, kind in zip(tokens, kinds, strict=True) if kind == 4}
    pieces = {token.replace(" ", "▁"): n for n, token in enumerate(tokens) if kinds[n] in (1, 4, 6)}
    assert len(user) == 165
    for text in TEXTS:
        assert ours.tokenizer.encode(text, bos=False) == joined(text, pieces, user), text


def test_its_vocabulary_cuts_text_as_theirs(path, ours):
    theirs = transformers.AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    for text in [*TEXTS, "<start_of_turn>user\nHi<end_of_turn>\n"]:
        if text != " " * 47:      # theirs merges what SentencePiece takes longest first: 31 and 16 spaces
            assert ours.tokenizer.encode(text) == theirs(text).input_ids, text
        assert ours.tokenizer.decode(ours.tokenizer.encode(text)) == text
