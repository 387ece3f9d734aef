"""What is asked of a generator, checked at the door and laid out for the device."""
from math import inf
from numbers import Integral, Real

import numpy as np

FEWEST = 32      # slots: below that, another program costs more than the slots do


def encode(tokenizer, prompts):
    """Texts to ids, each with its <bos>."""
    if tokenizer is None:
        raise ValueError("this model has no tokenizer; put a tokenizer.model into its folder and load it again, "
                         "or pass token ids to generate_tokens")
    if any(isinstance(prompt, str) and not prompt for prompt in prompts):
        raise ValueError("the prompt is empty; give at least one character to go on from")
    return [tokenizer.encode(prompt) for prompt in prompts]


def stop_tokens(tokenizer):
    """Where a text ends: at its end, and at the end of a turn."""
    if tokenizer is None:
        return ()
    return tuple(token for token in (tokenizer.eos, tokenizer.end_of_turn) if token is not None)


def check_choice(tokens, temperature, top_k, top_p, seeds):
    """Refuse what no generator can do."""
    for name, value, fine, needed in [
            ("tokens", tokens, whole(tokens) and tokens >= 1, "a whole number of at least 1"),
            ("temperature", temperature, isinstance(temperature, Real) and 0 <= temperature < inf,
             "a number of at least 0; 0 always takes the likeliest token"),
            ("top_k", top_k, top_k is None or whole(top_k) and top_k >= 1,
             "a whole number of at least 1, or None to leave no token out"),
            ("top_p", top_p, isinstance(top_p, Real) and 0 < top_p <= 1,
             "a number above 0 and at most 1; 1 leaves no token out"),
            *(("seed", seed, whole(seed) and 0 <= seed < 2**32, "a whole number from 0 to 2**32 - 1")
              for seed in seeds)]:
        if not fine:
            raise ValueError(f"{name} = {value!r}; give {needed}")


def check_prompts(cfg, prompts, tokens):
    """Refuse ids that are none, and texts that do not fit."""
    if not prompts:
        raise ValueError("there are no prompts; give at least one")
    for prompt in prompts:
        if not len(prompt):
            raise ValueError("a prompt has no tokens; give at least one, e.g. <bos>")
        for token in prompt:
            if not whole(token) or not 0 <= token < cfg.V:
                raise ValueError(f"token {token!r} is not in the vocabulary; ids go from 0 to {cfg.V - 1}")
        if len(prompt) + tokens > cfg.S:
            room = cfg.S - len(prompt)
            way = f"ask for at most {room}" if room > 0 else "shorten the prompt"
            raise ValueError(f"a prompt of {len(prompt)} tokens and {tokens} new ones make {len(prompt) + tokens}, "
                             f"and this model reads at most S = {cfg.S}; {way}")


def whole(number):
    return isinstance(number, Integral) and not isinstance(number, bool)


def request(cfg, prompts, tokens, temperature, top_k, top_p, seed, stops):
    """How to choose, the prompts padded on the right, their lengths, and the slots that all of it needs."""
    seeds = list(seed) if isinstance(seed, (list, tuple, range)) else [seed] * len(prompts)
    check_choice(tokens, temperature, top_k, top_p, seeds)
    check_prompts(cfg, prompts, tokens)
    if len(seeds) != len(prompts):
        raise ValueError(f"{len(seeds)} seeds for {len(prompts)} prompts; give one seed for all, or one for each")
    lengths = np.array([len(prompt) for prompt in prompts], np.int32)
    text = np.zeros((len(prompts), bucket(cfg, max(lengths))), np.int32)
    for row, prompt in zip(text, prompts, strict=True):
        row[:len(prompt)] = prompt
    how = {"seed": np.array(seeds, np.uint32), "temperature": np.float32(temperature), "top_p": np.float32(top_p),
           "top_k": np.int32(min(top_k or cfg.V, cfg.V)), "stops": np.array(stops, np.int32)}
    return how, text, lengths, bucket(cfg, max(lengths) + tokens)


def bucket(cfg, size):
    """The next power of two, so that texts of similar lengths share a compiled program."""
    return min(cfg.S, max(FEWEST, 1 << (int(size) - 1).bit_length()))
