"""A run that can be killed at any moment: its whole state, saved now and then, and its diary."""
import json
import logging
from pathlib import Path

import jax
import orbax.checkpoint as ocp

logging.getLogger("absl").setLevel(logging.CRITICAL)      # orbax's threads log what `save` is about to say in a line


def manager(folder):
    """Keeps the last two states; each is written beside its place and then renamed, so never half there."""
    options = ocp.CheckpointManagerOptions(max_to_keep=2, enable_async_checkpointing=False)
    return ocp.CheckpointManager(Path(folder).absolute() / "checkpoints", options=options)


def save(keeper, state, about):
    """Write down a state, and what it must be continued with; if that fails, the one before stays."""
    step = int(state["step"])
    items = ocp.args.Composite(state=ocp.args.StandardSave(state), about=ocp.args.JsonSave(about))
    try:
        keeper.save(step, args=items)
    except Exception as error:      # a full disk comes in many forms
        raise OSError(f"the checkpoint of step {step} could not be written into {keeper.directory}; those before it "
                      f"are whole: make room, and go on with --resume ({' '.join(str(error).split())})") from error


def restore(keeper, state, about):
    """The last saved state, in the form of the one given; that one where nothing was saved.

    Refuses to go on with another text, model or recipe than the run began with.
    """
    number = keeper.latest_step()
    if number is None:
        return state
    saved = read(keeper, number, "about", ocp.args.JsonRestore())
    for name, value in about.items():
        if saved[name] != value:
            raise ValueError(f"this run began with another {name} ({saved[name]}, now {value}); "
                             f"go on with the same {name}, or begin anew in another folder")
    form = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype), state)
    return read(keeper, number, "state", ocp.args.StandardRestore(form))


def read(keeper, number, name, how):
    """One of the two things that a checkpoint holds."""
    try:
        return keeper.restore(number, args=ocp.args.Composite(**{name: how}))[name]
    except Exception as error:      # files that are lost or cut short come in many forms
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"the checkpoint {keeper.directory / str(number)} is not whole ({reason}); delete this "
                         "folder, and --resume goes on from the one before it") from None


def cut_back(diary, step):
    """Forget what a run's diary says of the steps after this one, and a line that was cut short."""
    kept = [line for line in read_diary(diary) if line["step"] <= step] if diary.exists() else []
    new = diary.with_suffix(".new")
    new.write_text("".join(json.dumps(line) + "\n" for line in kept))
    new.replace(diary)


def read_diary(diary):
    """What happened at each step: one JSON object a line, as far as the lines are whole."""
    text = diary.read_text()
    return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]


def write_diary(diary, line):
    """Add what happened at a step."""
    with diary.open("a") as file:
        file.write(json.dumps(line) + "\n")
