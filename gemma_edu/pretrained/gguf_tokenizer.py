"""The vocabulary in a GGUF file, written as the SentencePiece model that it came from.

Such a model is a message of Protocol Buffers: fields, each a number and a value.  They are written here by hand, for
the classes that come with sentencepiece cannot be imported beside those of transformers.
"""
import struct

from ..data.tokenizer import TURNS, Tokenizer

UNKNOWN, CONTROL, USER_DEFINED, LAST = 2, 3, 4, 6      # types of pieces, numbered alike in both formats
SPECIAL = {"unk": "<unk>", "bos": "<bos>", "eos": "<eos>", "pad": "<pad>"}
BPE = 2

MODEL = {"pieces": 1, "trainer_spec": 2, "normalizer_spec": 3}      # names and numbers of the fields
PIECE = {"piece": 1, "score": 2, "type": 3}
TRAINER = {"model_type": 3, "vocab_size": 4, "byte_fallback": 35, "unk_id": 40, "bos_id": 41, "eos_id": 42,
           "pad_id": 43, "unk_piece": 45, "bos_piece": 46, "eos_piece": 47, "pad_piece": 48}
NORMALIZER = {"name": 1, "add_dummy_prefix": 3, "remove_extra_whitespaces": 4}


def read_tokenizer(file) -> Tokenizer | None:
    """The tokenizer of a GGUF file, if it has one."""
    kind = file.metadata.get("tokenizer.ggml.model")
    if kind is None:
        return None
    if kind != "llama":
        raise ValueError(f"{file.path} has a vocabulary of the kind {kind!r}, and only 'llama', which is "
                         "SentencePiece's, is read; take a conversion that was made beside the tokenizer.model")
    columns = [file.metadata.get(f"tokenizer.ggml.{name}", []) for name in ("tokens", "scores", "token_type")]
    try:
        return Tokenizer(sentencepiece_model(*columns))
    except (RuntimeError, ValueError) as error:
        reason = str(error).split("] ")[-1]
        raise ValueError(f"{file.path} has no vocabulary of a Gemma ({reason}); download it again") from None


def sentencepiece_model(tokens, scores, types) -> bytes:
    """A SentencePiece model of these pieces, with Gemma's rules.

    What a file calls the end of a text may be the end of a turn, so special pieces are found by their spelling.
    """
    ids = {f"{name}_id": tokens.index(piece) for name, piece in SPECIAL.items()}
    pieces = [message(PIECE, piece=spelled(token, kind), score=float(score), type=meant(token, kind))
              for token, score, kind in zip(tokens, scores, types, strict=True)]
    rules = message(TRAINER, model_type=BPE, vocab_size=len(tokens), byte_fallback=True, **ids,
                    **{f"{name}_piece": piece for name, piece in SPECIAL.items()})
    plain = message(NORMALIZER, name="identity", add_dummy_prefix=False, remove_extra_whitespaces=False)
    return b"".join(field(MODEL["pieces"], piece) for piece in pieces) + message(
        MODEL, trainer_spec=rules, normalizer_spec=plain)


def spelled(token, kind):
    """The converter spells the spaces in user-defined pieces out."""
    return token.replace(" ", "▁") if kind == USER_DEFINED else token


def meant(token, kind):
    """The converter calls the unknown piece and the turn markers control pieces, and so typed markers stay text."""
    if token == SPECIAL["unk"]:
        return UNKNOWN
    if token in SPECIAL.values():
        return CONTROL
    return USER_DEFINED if token in TURNS else kind


def message(numbers, **values) -> bytes:
    """Fields by their names."""
    return b"".join(field(numbers[name], value) for name, value in values.items())


def field(number, value) -> bytes:
    """A field: its number, joined with how its value is written, and the value."""
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(number) -> bytes:
    """Seven bits to a byte, the lowest first; the eighth says that more follow."""
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)
