"""Norms of sharded parameters, put together from the parts that the ranks hold.

No collective is ever called: a rank that is not watched, that lags or that has died would leave the others waiting in it for ever, or mix it up with one of
the script's own. The parts' squares go through the key-value store by which the ranks have met, and who does not answer in time is done without.
"""

import json
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from .observables import norms_of
from .sharded import is_sharded, part_of

PATIENCE_S = 1.0  # for the others' parts of one norm: ranks leave a backward within milliseconds of one another
IN_VAIN_S = 3.0  # so much may be waited in vain, in all
PAUSE_S = 0.0002
KEPT = 64  # keys of ours in the store; whoever still lacks older ones has stopped waiting
BLIND = "Parameters are sharded, and the other ranks do not answer (they are not watched, or lag): gradient and weight norms of layers are not seen."


class SharedNorms:
    """Euclidean norms of tensors of which each rank holds a part.

    Each rank leaves the squares of its parts in the store under the name and the step, and adds up what all have left. A replica counts once.

    Attributes:
        blind: Why there are no norms any more, empty while there are.

    Limits:
        All ranks must ask for the same tensors at the same step. Where one does not answer within a second the norms of that step are not seen, and after three
        seconds waited in vain nobody is asked any more.
    """

    def __init__(self) -> None:
        self.blind = ""
        self._in_vain = 0.0
        self._own: list[str] = []

    def norms(self, name: str, step: int, tensors: Sequence[Tensor]) -> list[float | None]:
        """Return the norm of each tensor, ``None`` where the other ranks do not tell theirs.

        Args:
            name: Of the quantity.
            step: The optimizer step.
            tensors: In the same order on all ranks.
        """
        found: list[float | None] = list(norms_of([part_of(tensor) for tensor in tensors])) if tensors else []
        own = list(found)
        groups: dict[tuple[int, ...], list[int]] = {}
        for at, tensor in enumerate(tensors):
            if is_sharded(tensor):
                groups.setdefault(_holders(tensor), []).append(at)
        for ranks, places in groups.items():
            squares = [(own[at] or 0.0) ** 2 / _replicas(tensors[at]) for at in places]
            sums = self._sums(f"{name}/{step}/{len(places)}", ranks, squares)
            for place, at in enumerate(places):
                found[at] = None if sums is None else math.sqrt(sums[place]) if sums[place] >= 0 else math.nan
        return found

    def _sums(self, key: str, ranks: tuple[int, ...], squares: list[float]) -> list[float] | None:
        """Return the sums over the ranks, ``None`` where they are not all there in time."""
        if len(ranks) == 1:
            return squares
        store = None if self.blind else _store()
        if store is None:
            return None
        began = time.monotonic()
        try:
            key = f"kazami/{key}/{'-'.join(map(str, (ranks[0], ranks[-1], len(ranks))))}"
            self._leave(store, f"{key}/{torch.distributed.get_rank()}", squares)
            names = [f"{key}/{rank}" for rank in ranks]
            while not store.check(names):
                if time.monotonic() - began > PATIENCE_S:
                    self._waited_in_vain(time.monotonic() - began)
                    return None
                time.sleep(PAUSE_S)
            rows = [json.loads(store.get(name)) for name in names]
            return [sum(column) for column in zip(*rows, strict=True)]
        except (RuntimeError, ValueError):  # the store is gone: the job is ending
            self._waited_in_vain(IN_VAIN_S)
            return None

    def _leave(self, store: Any, key: str, squares: list[float]) -> None:
        store.set(key, json.dumps(squares))
        self._own.append(key)
        while len(self._own) > KEPT:
            with suppress(RuntimeError):
                store.delete_key(self._own[0])
            self._own.pop(0)

    def _waited_in_vain(self, seconds: float) -> None:
        self._in_vain += seconds
        if self._in_vain >= IN_VAIN_S:
            self.blind = BLIND


def _holders(tensor: Any) -> tuple[int, ...]:
    return tuple(int(rank) for rank in tensor.device_mesh.mesh.flatten().tolist())


def _replicas(tensor: Any) -> int:
    sizes: Mapping[int, int] = dict(enumerate(tensor.device_mesh.mesh.shape))
    return math.prod(sizes[axis] for axis, placement in enumerate(tensor.placements) if not placement.is_shard())


def _store() -> Any:
    """Return the store by which the ranks have met, ``None`` where there is none."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return None
    with suppress(AttributeError, ValueError, RuntimeError):
        return torch.distributed.distributed_c10d._get_default_store()
    return None
