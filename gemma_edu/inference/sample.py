"""Writing: read the prompts once, then feed each new token back in at its position.

A row of a batch writes what it writes alone: padding is invisible, and its draws depend on its
seed and its positions, not on its neighbours.
"""
from functools import partial
from itertools import takewhile

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..jax_gemma import forward, hidden, unembed
from ..params import empty_cache
from .choose import choose
from .request import encode, request, stop_tokens


def draw(how, logits, positions):
    """Choose the token that will stand at each row's position."""
    def key(seed, position):
        return jax.random.fold_in(jax.random.key(seed), position)
    keys = jax.vmap(key)(how["seed"], positions)
    return choose(logits, keys, how["temperature"], how["top_k"], how["top_p"])


@partial(jax.jit, static_argnames="S")
def prefill(cfg, params, how, text, lengths, S):
    """Read the prompts; returns the token that follows each, its position, and the cache."""
    order = jnp.broadcast_to(jnp.arange(text.shape[1]), text.shape)
    positions = jnp.where(order < lengths[:, None], order, S)          # padding points past the end
    x, cache = hidden(cfg, params, text, positions, empty_cache(cfg, params, len(text), S))
    last = jnp.take_along_axis(x, lengths[:, None, None] - 1, axis=1)  # the head is the dearest product: once a row
    return draw(how, unembed(cfg, params, last)[:, 0], lengths), lengths, cache


def step(cfg, params, how, token, position, cache):
    """Feed one token of each row; returns the next, its position, and the cache."""
    logits, cache = forward(cfg, params, token[:, None], position[:, None], cache)
    return draw(how, logits[:, 0], position + 1), position + 1, cache


advance = partial(jax.jit, donate_argnames="cache")(step)


@partial(jax.jit, static_argnames="S", donate_argnames="cache")
def decode(cfg, params, how, token, position, cache, tokens, S):
    """Take steps until each row has its tokens, or all have stopped; returns the text and the cache."""
    def unfinished(state):
        n, done, *_ = state
        return (n < tokens) & ~jnp.all(done)

    def write(state):
        n, done, text, token, *rest = state
        # the weights pass by with something that changes, or the compiler keeps them before the loop in a wider copy
        weights, token = lax.optimization_barrier((params, token))
        token, position, cache = step(cfg, weights, how, token, *rest)
        return n + 1, done | ends(token), text.at[:, n].set(token), token, position, cache

    def ends(token):
        return jnp.isin(token, how["stops"])

    text = jnp.zeros((len(token), S), jnp.int32).at[:, 0].set(token)
    _, _, text, _, _, cache = lax.while_loop(unfinished, write, (1, ends(token), text, token, position, cache))
    return text, cache


def generate_tokens(cfg, params, prompts, tokens=40, temperature=0.0, top_k=None, top_p=1.0, seed=0, stops=()):
    """Continue lists of ids; returns what was added to each, up to its first stop."""
    how, text, lengths, S = request(cfg, prompts, tokens, temperature, top_k, top_p, seed, stops)
    text, _ = decode(cfg, params, how, *prefill(cfg, params, how, text, lengths, S), tokens, S)
    return [list(takewhile(lambda token: token not in stops, row)) for row in np.asarray(text)[:, :tokens].tolist()]


def stream_tokens(cfg, params, prompt, tokens=40, temperature=0.0, top_k=None, top_p=1.0, seed=0, stops=()):
    """Continue one list of ids; yields each as soon as it is chosen."""
    how, text, lengths, S = request(cfg, [prompt], tokens, temperature, top_k, top_p, seed, stops)

    def walk():
        state = prefill(cfg, params, how, text, lengths, S)
        for n in range(tokens):
            state = advance(cfg, params, how, *state) if n else state
            token = int(state[0][0])
            if token in stops:
                return
            yield token
    return walk()      # the door has closed before the first token is asked for


def generate(model, prompt, tokens=40, temperature=0.0, top_k=None, top_p=1.0, seed=0):
    """Continue a text, or each of a list of texts; returns what was added.

    One seed serves all rows, so that equal prompts get equal texts; a list gives each its own.
    """
    cfg, params, tokenizer = model
    many = isinstance(prompt, (list, tuple))
    prompts = encode(tokenizer, prompt if many else [prompt])
    rows = generate_tokens(cfg, params, prompts, tokens, temperature, top_k, top_p, seed, stop_tokens(tokenizer))
    texts = [tokenizer.decode(row) for row in rows]
    return texts if many else texts[0]


def stream(model, prompt, tokens=40, temperature=0.0, top_k=None, top_p=1.0, seed=0):
    """Continue a text; yields it in pieces, never half a character, that join to what `generate` returns."""
    cfg, params, tokenizer = model
    [prompt] = encode(tokenizer, [prompt])
    return tokenizer.decode_stream(
        stream_tokens(cfg, params, prompt, tokens, temperature, top_k, top_p, seed, stop_tokens(tokenizer)))
