"""`gemma-edu export`: write any model that can be loaded in the Hugging Face layout."""
from pathlib import Path

DTYPES = ["stored", "bfloat16", "float16", "float32"]


def add_arguments(parser):
    parser.add_argument("model", metavar="MODEL", help="tiny, random:NAME, hf:OWNER/NAME, "
                        "kaggle:OWNER/MODEL/FRAMEWORK/VARIATION, or the path of a folder or file with a model")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where to write: a new folder, an empty "
                        "one, or one with a model in this layout, which is replaced")
    parser.add_argument("--dtype", choices=DTYPES, default="stored", help="of the weights (default: as stored)")


def run(args):
    """Write a model in the Hugging Face layout, which transformers and others read; its terms go with it."""
    from .huggingface import save
    from .load import load
    check_target(args.folder, args.model)
    model = load(args.model, args.dtype)
    save(args.folder, model)
    size = sum(file.stat().st_size for file in args.folder.glob("*.safetensors"))
    print(f"{args.folder}: {model.params['embed'].dtype}, {size / 1e9:.2f} GB"
          + ", and no tokenizer: it had none" * (model.tokenizer is None))


def check_target(folder, model):
    """Nothing but an older model is replaced, and no model by itself."""
    from .load import BUNDLED
    from .shards import INDEX, WHOLE
    source = BUNDLED if model == "tiny" else Path(model)
    if source.exists() and folder.exists() and source.samefile(folder):
        raise ValueError(f"{folder} is the model itself; give another folder to write it to")
    held = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else ["a file"] if folder.exists() else []
    if held and not ("config.json" in held and {WHOLE, INDEX} & set(held)):
        raise FileExistsError(f"{folder} is there already, and no model in this layout ({', '.join(held[:3])}); give a "
                              "new folder")
