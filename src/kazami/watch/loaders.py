"""When the script begins a pass over a data loader, so that a step can be named as a batch of an epoch."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import torch
from torch.utils.data import DataLoader

MOST_LOADERS = 4
MOST_BEGINS = 64

Sink = Callable[[int, int | None, int | None], None]
_sinks: list[Sink] = []
_undo: list[Callable[[], None]] = []


def listen(sink: Sink) -> None:
    """Tell ``sink`` whenever a loader is begun: its identity, how many batches it gives, and of what size (``None`` where it does not know, or no
    gradients are made).
    """
    if not _sinks:
        original = DataLoader.__iter__

        @functools.wraps(original)
        def begun(self: DataLoader[Any]) -> Any:
            n = _length(self)
            for told in tuple(_sinks):
                told(id(self), n, self.batch_size if torch.is_grad_enabled() else None)
            return original(self)

        DataLoader.__iter__ = begun  # type: ignore[method-assign]
        _undo.append(lambda: setattr(DataLoader, "__iter__", original))
    _sinks.append(sink)


def stop_listening(sink: Sink) -> None:
    """Tell ``sink`` no more; the last one takes the wrapper away."""
    if sink in _sinks:
        _sinks.remove(sink)
    if not _sinks:
        while _undo:
            _undo.pop()()


def _length(loader: DataLoader[Any]) -> int | None:
    told = vars(loader).get("_IterableDataset_len_called")
    try:
        return len(loader)
    except Exception:  # a data set without a length, which says so in a way of its own
        return None
    finally:
        if "_IterableDataset_len_called" in vars(loader):  # what the loader warns by, where more come than the data set has told it
            vars(loader)["_IterableDataset_len_called"] = told


@dataclass(slots=True)
class Loaders:
    """The passes over the loaders of one process.

    Attributes:
        begins: By loader, the number of its batches and the steps at which it was begun.
        sizes: The size of its batches, ``None`` for one that was begun where no gradients are made.
    """

    begins: dict[int, tuple[int | None, list[int]]] = field(default_factory=dict)
    sizes: dict[int, int | None] = field(default_factory=dict)

    def add(self, loader: int, batches: int | None, step: int, *, size: int | None = None) -> None:
        """Note that a loader is begun before ``step``."""
        if loader not in self.begins and len(self.begins) >= MOST_LOADERS:
            return
        self.sizes[loader] = size if self.sizes.get(loader, size) == size else None
        steps = self.begins.setdefault(loader, (batches, []))[1]
        if len(steps) < MOST_BEGINS and (not steps or steps[-1] != step):
            steps.append(step)

    def facts(self, newest: int) -> dict[str, dict[str, int]]:
        """Return what is known of epochs and beginnings at step ``newest``, by the names of facts."""
        known = {"epoch": self.epoch(newest), "restarted_loader": self.restarted(newest)}
        return {name: fact for name, fact in known.items() if fact is not None}

    def restarted(self, newest: int) -> dict[str, int] | None:
        """Return the batches of a loader, their size, and how often it was begun, if it was begun anew before every single step and has several batches."""
        for loader, (batches, steps) in self.begins.items():
            size, last = self.sizes.get(loader), min(newest, steps[-1])
            is_each = len(steps) > 1 and steps[-1] - steps[0] == len(steps) - 1 and (len(steps) == MOST_BEGINS or last >= newest)
            if batches and batches > 1 and size and is_each:
                return {"batches": batches, "size": size, "times": len(steps), "first": steps[0]}
        return None

    def epoch(self, newest: int) -> dict[str, int] | None:
        """Return the first step of a known epoch and its number of steps, for the loader that the steps follow; ``None`` where there is none such.

        A loader is followed if as many steps lie between two of its beginnings as it has batches, or, in its first epoch, if it alone was begun at step 1.
        """
        for batches, steps in self.begins.values():
            if batches and any(later - sooner == batches for sooner, later in pairwise(steps)):
                return {"first": steps[0], "batches": batches}
        first = [batches for batches, steps in self.begins.values() if steps == [1] and batches and batches >= newest]
        return {"first": 1, "batches": first[0]} if len(first) == 1 else None
