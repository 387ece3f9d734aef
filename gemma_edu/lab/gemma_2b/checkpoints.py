"""One layer of a Gemma in three languages: ours, that of Kaggle's Flax checkpoint, and that of Hugging Face's files."""
from ...numpy_gemma.tree import leaves
from ...params import shape
from ...pretrained import huggingface_names, orbax_names


def dictionary(cfg):
    """For each weight of a layer: ours, Kaggle's and Hugging Face's name, letters and shape."""
    one = [tree["layers"][0] for tree in (huggingface_names.ours(cfg), orbax_names.theirs(cfg, {}),
                                          huggingface_names.theirs(cfg))]
    for (slot, part), *_ in zip(one[0].items()):
        for name in part:
            axes, kaggle, face = (tree[slot][name] for tree in one)
            yield (f"{slot}.{name}", axes, shape(cfg, axes)), orbax(cfg, kaggle), hugging_face(cfg, face)


def orbax(cfg, text):
    """Their name, which of the stacked ones is meant, and the shape in the file."""
    name, sizes, _, which = orbax_names.matrix(cfg, text)
    return name.removeprefix("layer_0/") + "".join(f"[{part}]" for part in which), text.split()[1], sizes


def hugging_face(cfg, text):
    name, sizes, _ = huggingface_names.matrix(cfg, text)
    return name.removeprefix("model.layers.0.").removesuffix(".weight"), " ".join(text.split()[1:]), sizes


def tensors(cfg):
    """How many tensors Hugging Face's files hold."""
    return len(leaves(huggingface_names.theirs(cfg)))
