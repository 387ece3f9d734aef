"""Text to numbers and back: Gemma's tokenizer, loaded from a file or trained on your own text."""
import codecs
import io
import re
from operator import index
from pathlib import Path

import sentencepiece

TURNS = ["<start_of_turn>", "<end_of_turn>"]
NEWLINES = ["\n" * n for n in range(1, 4)]
INDENTS = ["▁" * n for n in range(2, 25)]        # SentencePiece writes a space as ▁
GEMMA = {
    "model_type": "bpe", "split_digits": True, "allow_whitespace_only_pieces": True,
    "byte_fallback": True, "character_coverage": 0.9999,        # the rarest characters become bytes
    "normalization_rule_name": "identity", "add_dummy_prefix": False,
    "remove_extra_whitespaces": False, "user_defined_symbols": TURNS + NEWLINES + INDENTS,
    "pad_id": 0, "eos_id": 1, "bos_id": 2, "unk_id": 3,
    "pad_piece": "<pad>", "eos_piece": "<eos>", "bos_piece": "<bos>"}
LONGEST = 2**14                                  # characters; SentencePiece dies of a word of 2**16
TYPED_TURN = re.compile("(?<=<)(?=(?:start|end)_of_turn>)")

sentencepiece.set_min_log_level(2)


class Tokenizer:
    """A vocabulary of pieces, and the rules that cut text into them.

    Control pieces typed as text (`<bos>`, `<eos>`) stay text; typed turn markers become markers,
    as in SentencePiece, unless `encode` is told `markers=False`: do so with text from strangers.
    """

    def __init__(self, model: bytes):
        self.model, self.pieces = model, sentencepiece.SentencePieceProcessor()
        self.pieces.LoadFromSerializedProto(model)
        self.pad, self.eos, self.bos = (
            self.pieces.pad_id(), self.pieces.eos_id(), self.pieces.bos_id())
        self.start_of_turn, self.end_of_turn = map(self.find, TURNS)

    @classmethod
    def load(cls, path) -> "Tokenizer":
        """Read a SentencePiece model: a file, or a folder with a `tokenizer.model`."""
        path = model_file(path)
        if not path.is_file():
            raise FileNotFoundError(f"no tokenizer at {path}; train one, or give the path of a "
                                    "SentencePiece tokenizer.model")
        try:
            return cls(path.read_bytes())
        except (RuntimeError, UnicodeDecodeError):
            raise ValueError(f"{path} is not a SentencePiece model; give a tokenizer.model, "
                             "not a tokenizer.json or weights") from None

    def save(self, path):
        """Write the model to a file, or into a folder as `tokenizer.model`; never half of it."""
        path = model_file(path)
        fresh = path.with_name(f"{path.name}.new")
        fresh.write_bytes(self.model)
        fresh.replace(path)

    @property
    def size(self) -> int:
        """How many pieces there are."""
        return len(self.pieces)

    def find(self, piece: str) -> int | None:
        """The id of a piece by its exact spelling; None where the vocabulary lacks it."""
        found = self.pieces.piece_to_id(piece)
        return found if self.pieces.id_to_piece(found) == piece else None

    def encode(self, text: str, bos=True, markers=True) -> list[int]:
        """Cut text into pieces; without `markers`, a typed turn marker is ordinary text.

        All text comes back from `decode`, but for a typed ▁, which comes back as a space.
        """
        check_text(text)
        parts = [text] if markers else TYPED_TURN.split(text)
        return [self.bos] * bos + [token for part in parts for token in self.pieces.encode(part)]

    def decode(self, ids) -> str:
        """The text of some tokens; bytes that form no character become U+FFFD."""
        return "".join(self.decode_stream(ids))

    def decode_stream(self, ids):
        """Yield text as tokens arrive, holding bytes back until they complete a character."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for token in ids:
            if text := decoder.decode(self.spelling(token)):
                yield text
        if text := decoder.decode(b"", final=True):
            yield text

    def spelling(self, token: int) -> bytes:
        """The bytes that one token stands for; a control token stands for none."""
        token = index(token)
        if not 0 <= token < self.size:
            raise ValueError(f"token {token} is not in the vocabulary; ids go from 0 to "
                             f"{self.size - 1}. Was the text encoded by another tokenizer?")
        piece = self.pieces.id_to_piece(token)
        if self.pieces.is_byte(token):
            return bytes([int(piece[3:5], 16)])                 # <0x0A>
        if self.pieces.is_control(token):
            return b""
        if self.pieces.is_unknown(token):
            return "\ufffd".encode()
        return piece.replace("▁", " ").encode()


def train(texts, size: int) -> Tokenizer:
    """Learn a vocabulary by Gemma's rules: merges of frequent pairs, digits apart, spaces kept.

    The same texts give the same bytes.  Text that no piece covers falls back to its UTF-8 bytes.
    """
    if isinstance(texts, str):
        raise TypeError("train reads many texts, this is one str; put it into a list")
    texts, model = list(texts), io.BytesIO()
    for text in texts:
        check_text(text)
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=lines(texts), model_writer=model, vocab_size=size, **GEMMA,
            max_sentence_length=4 * LONGEST, num_threads=1, minloglevel=2)
    except RuntimeError as error:
        reason = str(error).split("] ")[-1] or "there is no text, or no room"
        raise ValueError(f"cannot learn {size} pieces from these texts: {reason}") from None
    return Tokenizer(model.getvalue())


def lines(texts):
    """Cut texts at newlines, which no piece reaches across, and lines that are still too long."""
    for text in texts:
        for line in text.split("\n"):
            yield from (line[at:at + LONGEST] for at in range(0, len(line), LONGEST))


def model_file(path) -> Path:
    """A folder means its `tokenizer.model`."""
    path = Path(path)
    return path / "tokenizer.model" if path.is_dir() else path


def check_text(text):
    """Refuse what is not text, at the door."""
    if not isinstance(text, str):
        raise TypeError(f"a tokenizer reads str, not {type(text).__name__}; decode bytes first")
    if bad := re.search("[\0\ud800-\udfff]", text):
        raise ValueError(f"{bad[0]!r} at position {bad.start()} is no character of a text; remove "
                         "it, and see whether this is a text file read with its own encoding")
