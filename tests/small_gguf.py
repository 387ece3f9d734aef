"""Small GGUF files, written by llama.cpp's package from folders in the Hugging Face layout, as its converter does."""
import json

import gguf
import numpy as np
from safetensors.numpy import load_file

F32, F16 = gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16
ARCHITECTURES = {"gemma": gguf.MODEL_ARCH.GEMMA, "gemma2": gguf.MODEL_ARCH.GEMMA2,
                 "gemma3_text": gguf.MODEL_ARCH.GEMMA3}


def metadata_of(config):
    """What the converter says of a config.json: {key: value}, without the architecture before each key."""
    said = {
        "context_length": config["max_position_embeddings"], "embedding_length": config["hidden_size"],
        "block_count": config["num_hidden_layers"], "feed_forward_length": config["intermediate_size"],
        "attention.head_count": config["num_attention_heads"], "attention.key_length": config["head_dim"],
        "attention.head_count_kv": config["num_key_value_heads"], "attention.value_length": config["head_dim"],
        "attention.layer_norm_rms_epsilon": config["rms_norm_eps"]}
    if config["model_type"] != "gemma":
        said["attention.sliding_window"] = config["sliding_window"]
    if config["model_type"] == "gemma2":
        said |= {f"{name}_logit_softcapping": config[f"{name}_logit_softcapping"] for name in ("attn", "final")}
    if config["model_type"] == "gemma3_text":
        said["rope.freq_base"] = config["rope_theta"]
        if scaling := config.get("rope_scaling"):
            said |= {"rope.scaling.type": "linear", "rope.scaling.factor": scaling["factor"]}
    return said


def tensors_of(folder, layers):
    """Its tensors by llama.cpp's names: those of the norms are one larger."""
    config = json.loads((folder / "config.json").read_text())
    names = gguf.get_tensor_name_map(ARCHITECTURES[config["model_type"]], layers)
    return {names.get_name(name, try_suffixes=(".weight",)): w + (1 if name.endswith("norm.weight") else 0)
            for name, w in load_file(folder / "model.safetensors").items()}


def packed(w, kind):
    """Numbers in blocks; those of a norm stay as they are."""
    return (w.astype(np.float32), F32) if w.ndim == 1 else (gguf.quantize(w.astype(np.float32), kind), kind)


def write(path, architecture, metadata, tensors):
    """A file of {key: value} and {name: (numbers or blocks, type)}."""
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in metadata.items():
        add(writer, key.format(arch=architecture), value)
    for name, (blocks, kind) in tensors.items():
        writer.add_tensor(name, blocks, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def add(writer, key, value):
    """One entry, in the type that the converter chooses for it."""
    adding = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string,
              list: writer.add_array}
    adding[type(value)](key, value)


def converted(folder, path, kind=F32, vocabulary=None, metadata=None, tensors=None):
    """The GGUF file of a folder; what is given as metadata and tensors is changed, and gone where it is None."""
    config = json.loads((folder / "config.json").read_text())
    said = {f"{{arch}}.{key}": value for key, value in metadata_of(config).items()} | (vocabulary or {})
    held = {name: packed(w, kind) for name, w in tensors_of(folder, config["num_hidden_layers"]).items()}
    said, held = ({name: value for name, value in (old | (new or {})).items() if value is not None}
                  for old, new in ((said, metadata), (held, tensors)))
    return write(path, config["model_type"].removesuffix("_text"), said, held)


def pieces_of(model):
    """A SentencePiece model, read by the classes that come with it."""
    from sentencepiece.sentencepiece_model_pb2 import ModelProto
    return ModelProto.FromString(model)


def vocabulary_of(tokenizer):
    """A vocabulary as the converter writes it down."""
    tokens, scores, types = zip(*map(entry, pieces_of(tokenizer.model).pieces), strict=True)
    return {"tokenizer.ggml.model": "llama", "tokenizer.ggml.add_space_prefix": False,
            "tokenizer.ggml.tokens": [*tokens], "tokenizer.ggml.scores": [*scores],
            "tokenizer.ggml.token_type": [*types]}


def entry(piece):
    """Special pieces and user-defined ones have a score of their own; the spaces of these are spelled."""
    if piece.type in (piece.UNKNOWN, piece.CONTROL) or piece.piece.endswith("_of_turn>"):
        return piece.piece, -1000.0, int(gguf.TokenType.CONTROL)
    if piece.type == piece.USER_DEFINED:
        return piece.piece.replace("▁", " "), -1000.0, int(gguf.TokenType.USER_DEFINED)
    return piece.piece, piece.score, piece.type
