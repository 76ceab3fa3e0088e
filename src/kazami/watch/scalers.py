"""Gradient scalers: which one steps for which optimizer, where its scale stands, and how often it has left a step out."""

import weakref
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch

OFTEN = 64  # a scale that lives on a device is read at each so many updates: reading it waits for the device

_scaler_of: "weakref.WeakKeyDictionary[torch.optim.Optimizer, weakref.ref[Any]]" = weakref.WeakKeyDictionary()
_updated: list["weakref.ref[Any]"] = []


def note_scaler(scaler: Any, optimizer: torch.optim.Optimizer) -> None:
    """Remember that ``scaler`` decides about the steps of ``optimizer``."""
    with suppress(TypeError):  # a class of the user's may forbid hashing
        _scaler_of[optimizer] = weakref.ref(scaler)


def note_update(scaler: Any) -> None:
    """Remember which scaler was updated last."""
    _updated[:] = [weakref.ref(scaler)]


def updated_scaler() -> Any:
    """Return the scaler that was updated last, ``None`` where it is gone or switched off."""
    scaler = _updated[0]() if _updated else None
    return scaler if scaler is not None and scaler.is_enabled() else None


def optimizers_of_update() -> list[torch.optim.Optimizer]:
    """Return the optimizers for which the scaler that was updated last steps."""
    scaler = updated_scaler()
    return [optimizer for optimizer, known in list(_scaler_of.items()) if scaler is not None and known() is scaler]


@dataclass(slots=True)
class ScalerMemory:
    """What is remembered of the scalers' updates.

    Attributes:
        updates: How many there were.
        skipped: How many of them followed a step that was left out.
        in_a_row: How many of the newest did.
        first: The first scale seen.
        scale: The newest.
    """

    updates: int = 0
    skipped: int = 0
    in_a_row: int = 0
    first: float = 0.0
    scale: float = 0.0

    def updated(self, *, was_skipped: bool) -> None:
        """Take one update into account; a fused optimizer is called even where nothing is updated, so there the fall of the scale tells."""
        self.updates += 1
        held = getattr(updated_scaler(), "_scale", None)
        if isinstance(held, torch.Tensor) and (held.device.type == "cpu" or self.updates % OFTEN == 1):
            before, self.scale = self.scale, float(held)
            self.first = self.first or self.scale
            was_skipped = was_skipped or self.scale < before
        self.skipped += was_skipped
        self.in_a_row = self.in_a_row + 1 if was_skipped else 0

    def facts(self) -> dict[str, Any]:
        """Return the fact ``scaler``; nothing where no scaler was updated."""
        if not self.updates or not self.first:
            return {}
        counts = {"updates": self.updates, "skipped": self.skipped, "in_a_row": self.in_a_row}
        return {"scaler": {"scale": self.scale, "first": self.first, **counts}}
