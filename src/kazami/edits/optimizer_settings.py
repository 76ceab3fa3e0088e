"""Learning rate, momentum and weight decay, where they are written: at the call, in a constant, a default, a dictionary or a parameter group."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._numbers import close, tidy
from ._places import Optimizer, Places
from ._settings import ADAMS, Setting, add_keyword, group_settings, put_number, top_setting, value_of
from ._source import Uncertain
from ._values import origin

_DEFAULTS = {"lr": {"Adam": 1e-3, "AdamW": 1e-3, "SGD": 1e-3, "RMSprop": 1e-2}, "weight_decay": {"AdamW": 1e-2}}  # torch's own
BETAS = (0.9, 0.999)  # Adam's own


class OptimizerSettings(AbstractEdit):
    """Writes another learning rate, momentum or weight decay.

    Limits:
        A rate that was given on the command line is written nowhere in the script, and so cannot be changed in it.
    """

    name: ClassVar = "optimizer_settings"
    writes: ClassVar = ("lower_learning_rate", "raise_learning_rate", "lower_momentum", "adam_beta2", "lower_decay", "add_decay")
    how: ClassVar = "At the optimizer's call, or where the number comes from: a constant, a default, argparse, a dictionary, a dataclass, parameter groups."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write the new number where the old one stands."""
        key, new, old = wanted(change)
        chosen = [one for one in places.optimizers if len(places.optimizers) == 1 or has(places, one, key, old)]
        if not chosen or len({(one.source.path, one.name) for one in chosen}) != 1:
            raise Uncertain("which optimizer is meant")
        for optimizer in chosen:
            if key == "beta2" or (key == "momentum" and optimizer.kind in ADAMS):
                put_beta(draft, places, optimizer, int(key == "beta2"), new, old)
            else:
                put_setting(draft, places, optimizer, key, new, old)
            if change.parameters.get("optimizer") == "AdamW" and optimizer.kind == "Adam":
                draft.replace(optimizer.source, optimizer.call.func, draft.rooted(optimizer.source, "torch.optim.AdamW"))


def wanted(change: Prescription) -> tuple[str, float, float | None]:
    """Return which setting a prescription changes, to what, and from what where that is known."""
    key = next((one for one in ("momentum", "beta2", "weight_decay") if one in change.parameters), "learning_rate")
    old = change.parameters.get("from")
    return ("lr" if key == "learning_rate" else key), float(change.parameters[key]), float(old) if isinstance(old, int | float) else None


def has(places: Places, optimizer: Optimizer, key: str, old: float | None) -> bool:
    """Return whether an optimizer has the setting's old number."""
    if old is None:
        return False
    if key == "beta2" or (key == "momentum" and optimizer.kind in ADAMS):
        return top_setting(places, optimizer, "betas") is not None or close(old, BETAS[key == "beta2"])
    setting = top_setting(places, optimizer, key)
    if setting is None:
        return close(_DEFAULTS.get(key, {}).get(optimizer.kind, 0.0), old)
    value = value_of(places, setting, old)
    return value is not None and close(value, old)


def put_setting(draft: Draft, places: Places, optimizer: Optimizer, key: str, new: float, old: float | None) -> None:
    """Write a number into the call, and into its parameter groups in the same proportion (decay: the same number)."""
    top, groups = top_setting(places, optimizer, key), group_settings(places, optimizer, key)
    own = [one for one in groups if one is not None]
    if not own:
        if top is None:
            default = _DEFAULTS.get(key, {}).get(optimizer.kind)
            if key == "lr" and (default is None or old is None or not close(default, old)):
                raise Uncertain("where the learning rate is given")
            add_keyword(draft, optimizer.source, optimizer.call, f"{key}={tidy(new)}")
        else:
            put_number(draft, places, top, new, old if key != "lr" or not _is_scheduled(places, top) else None)
        return
    every = [top or (_ for _ in ()).throw(Uncertain("a default rate")) if one is None else one for one in groups]
    values = [value_of(places, one, None) for one in every]
    if any(value is None for value in values) or (old is not None and not any(close(value or 0.0, old) for value in values)):
        raise Uncertain("the rates of the parameter groups")
    first = values[0] or 0.0
    if key == "lr" and not first > 0:
        raise Uncertain("a first group that does not move")
    for setting in {id(one.node): one for one in [*every, *([top] if top is not None else [])]}.values():
        value = value_of(places, setting, None)
        put_number(draft, places, setting, float(f"{(value or 0.0) * new / first:.4g}") if key == "lr" else new, value)


def _is_scheduled(places: Places, top: Setting) -> bool:
    """Return whether a schedule begins from a number written at the call: the largest rate of a run is then not that number."""
    schedules = any(source.called(call).startswith("torch.optim.lr_scheduler.") for source, call in places.program.calls())
    return schedules and isinstance(top.node, cst.BaseNumber)


def put_beta(draft: Draft, places: Places, optimizer: Optimizer, index: int, new: float, old: float | None) -> None:
    """Write one of Adam's betas; the first is its momentum."""
    top = top_setting(places, optimizer, "betas")
    if top is None:
        add_keyword(draft, optimizer.source, optimizer.call, f"betas=({', '.join(tidy(new if one == index else beta) for one, beta in enumerate(BETAS))})")
        return
    end = origin(places.program, top.source, top.node)
    if end is None or not isinstance(end.node, cst.Tuple | cst.List) or len(end.node.elements) != 2:
        raise Uncertain("Adam's betas")
    put_number(draft, places, Setting(end.source, end.node.elements[index].value), new, old)
