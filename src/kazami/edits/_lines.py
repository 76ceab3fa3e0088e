"""What a user writes himself: a prescription's lines in his own words, and where they belong."""

import os
from collections.abc import Callable, Sequence
from typing import TypeVar

from ..records.finding import Prescription
from ._losses import the_loss
from ._outputs import model_call
from ._places import Places
from ._program import Program
from ._reading import Script
from ._schedules import schedule_steps
from ._source import Source, Uncertain, dotted
from ._wording import renamed

Where = tuple[Source, int, str]
Answer = TypeVar("Answer")

AT_OPTIMIZER = ("lower_learning_rate", "raise_learning_rate", "lower_momentum", "adam_beta2", "lower_decay", "add_decay", "adaptive_optimizer")
BEHIND_OPTIMIZER = ("add_to_optimizer", "warm_up")
AT_STEP = ("adagc", "clip_gradients", "lift_clipping", "reorder_step", "skip_bad_step", "zclip")
AT_LOSS = ("matching_loss", "match_shapes", "drop_output_activation", "log_softmax", "standardise_targets", "bfloat16", "clean_data", "fill_data")
AT_SCHEDULE = ("schedule_floor", "slower_schedule")
BEHIND_MODEL = (
    "init_by_activation",
    "random_init",
    "rescale_init",
    "residual_scale",
    "smaller_head",
    "orthogonal_recurrent",
    "forget_bias",
    "input_batch_norm",
    "add_dropout",
    "norm_layers",
    "insert_activation",
    "change_activation",
    "unfreeze",
    "layer_norm",
    "lower_dropout",
    "standardise_inputs",
    "gated_recurrent",
)


def lines_to_add(script: Script, changes: Sequence[Prescription]) -> str:
    """Return the lines of changes that could not be written into a script, with its own names, each with the place where it belongs.

    Args:
        script: As it stands, with whatever was written into it.
        changes: What is left to the user.

    Returns:
        Python with comments, one paragraph a change; empty for no changes.
    """
    try:
        places: Places | None = Places(Program(script))
    except Uncertain:
        places = None
    return "\n\n".join(_paragraph(places, change) for change in changes)


def _paragraph(places: Places | None, change: Prescription) -> str:
    if places is None:
        return f"# {change.sentence.en}\n{change.code}"
    where = _first(lambda: place_for(places, change.name))
    names = names_in(places)
    place = f" {os.path.basename(where[0].path)}, {where[2].format(line=where[1])}" if where is not None else ""
    head = f"# {change.sentence.en}" + (f"\n#{place}:" if place else "")
    return f"{head}\n{renamed(change.code, names)}"


def place_for(places: Places, cure: str) -> Where | None:
    """Return where a cure's lines belong: a file, a line, and the words for it with ``{line}``."""
    if cure in AT_OPTIMIZER or cure in BEHIND_OPTIMIZER:
        optimizer = places.optimizer
        line = optimizer.source.line(optimizer.call)
        word = "instead of line {line}, where the optimizer is made" if cure in AT_OPTIMIZER else "after line {line}, where the optimizer is made"
        return optimizer.source, line, word
    if cure in BEHIND_MODEL:
        source, node, is_behind = places.model_spot
        if is_behind:
            return source, source.line(node), "after line {line}, where the model is made"
        return source, source.line(node), "before line {line}, where the optimizer is made"
    if cure in AT_LOSS:
        loss = the_loss(places)
        return loss.source, loss.source.line(loss.call), "at line {line}, where the loss is taken"
    if cure in AT_SCHEDULE and schedule_steps(places):
        source, call = schedule_steps(places)[0]
        return source, source.line(call), "at line {line}, where the schedule is stepped"
    step = places.step
    if cure == "zero_grad":
        return step.source, step.source.line(places.backward), "before line {line}, where backward begins"
    if cure in AT_STEP or cure == "average_weights":
        return step.source, step.source.line(step.call), "around line {line}, where the optimizer steps"
    return None


def names_in(places: Places) -> dict[str, str]:
    """Return what a script calls the things that prescriptions speak of; what cannot be told is left out."""
    finders: dict[str, Callable[[], str]] = {
        "model": lambda: places.root,
        "optimizer": lambda: places.optimizer.name or places.step.optimizer,
        "scheduler": lambda: next(source.code(call.func.value) for source, call in schedule_steps(places)),  # type: ignore[attr-defined]
        "output": lambda: _plain(dotted(the_loss(places).output)),
        "target": lambda: _plain(dotted(the_loss(places).target)),
        "inputs": lambda: _inputs(places),
    }
    found = {name: _first(finder) for name, finder in finders.items()}
    return {name: text for name, text in found.items() if text}


def _plain(name: str) -> str:
    return name if name.isidentifier() else ""


def _inputs(places: Places) -> str:
    loss = the_loss(places)
    call = model_call(places, loss.source, loss.output)
    return _plain(dotted(call.args[0].value)) if call is not None and call.args else ""


def _first(finder: Callable[[], Answer]) -> Answer | None:
    try:
        return finder()
    except (Uncertain, StopIteration):
        return None
