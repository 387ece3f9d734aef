"""The same weights in other programs, where they are installed: transformers, eager and compiled, and llama.cpp."""
from importlib.util import find_spec
from pathlib import Path

from .machine import cores, peak_bytes
from .rows import figures, timed


def installed(name):
    return find_spec(name) is not None


def transformers(folder, dtype, task, compiled=False):
    """Hugging Face's own Gemma, greedy, with its cache; compiled, with a static one."""
    import torch
    from transformers import AutoModelForCausalLM
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(cores())
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)).to(device).eval()
    prompt = torch.tensor([task.text(model.config.vocab_size)], device=device)
    options = {"do_sample": False, "use_cache": True, "pad_token_id": 0, "eos_token_id": None}
    if compiled:
        options["cache_implementation"] = "static"
        model.forward = torch.compile(model.forward)

    def write(tokens):
        with torch.no_grad():
            model.generate(prompt, max_new_tokens=tokens, min_new_tokens=tokens, **options)
        if device == "cuda":
            torch.cuda.synchronize()
    write(task.tokens), write(1)
    reading = [timed(lambda: write(1))[0] for _ in range(task.rounds)]
    writing = [timed(lambda: write(task.tokens))[0] - first for first in reading]
    weights = sum(w.numel() * w.element_size() for w in model.parameters())
    cfg = model.config
    slots = 2 * cfg.num_hidden_layers * (task.prompt + task.tokens) * cfg.num_key_value_heads * cfg.head_dim
    read = weights + slots * getattr(torch, dtype).itemsize
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else peak_bytes()
    return figures(task, reading, writing, task.tokens - 1, read) | {"peak_bytes": peak}


def training(cfg, tokens, rounds):
    """Seconds of each training step of Hugging Face's Gemma in float32: the same shapes, clipping and AdamW."""
    import torch
    from transformers import GemmaConfig, GemmaForCausalLM

    from ...pretrained.huggingface_config import config_json
    torch.set_num_threads(cores())
    model = GemmaForCausalLM(GemmaConfig(**config_json(cfg, None, "float32"), attn_implementation="eager"))
    optimizer, tokens = torch.optim.AdamW(model.parameters()), torch.tensor(tokens).long()

    def step():
        optimizer.zero_grad()
        logits = model(tokens[:, :-1]).logits
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return [timed(step)[0] for _ in range(rounds)]


def llama_cpp(path, task):
    """llama.cpp on a GGUF file."""
    from llama_cpp import Llama
    model = Llama(str(path), n_ctx=task.prompt + task.tokens, n_threads=cores(), verbose=False)
    prompt = task.text(model.n_vocab())

    def read():
        model.reset()
        model.eval(prompt)

    def write():
        for _ in range(task.tokens - 1):
            model.eval([model.sample(temp=0.0)])
    reading, writing = [], []
    for _ in range(task.rounds):
        reading.append(timed(read)[0])
        writing.append(timed(write)[0])
    return figures(task, reading, writing, task.tokens - 1, Path(path).stat().st_size) | {"peak_bytes": peak_bytes()}


def export(name, dtype, folder):
    """Our weights in the Hugging Face layout, for the others to read."""
    from ...pretrained import huggingface
    from ...pretrained.load import load
    huggingface.save(folder, load(name, dtype=dtype))
