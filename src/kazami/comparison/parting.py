"""Where two runs differ for the first time, and in what."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..records import Series
from .weights import Distances, Weights

BATCH = ("batch_inputs", "batch_targets")


@dataclass(frozen=True, slots=True)
class Parting:
    """The first difference between two runs.

    Attributes:
        what: ``"parameters"`` (other shapes), ``"start"`` (the first weights), ``"weights"``, ``"batch"``, ``"loss"`` or ``"learning_rate"``.
        step: Of weights, the number of optimizer steps after which they differ; of everything else, the step at which it differs.
        after: The last step up to which everything recorded is the same, ``None`` where nothing is.
        name: The parameter (the one that differs most), the part of the batch, or what else there is to name.
        n_parameters: How many parameters differ there.
        size: Relative size of the difference.
    """

    what: str
    step: int
    after: int | None
    name: str
    n_parameters: int
    size: float


def parting_of(apart: Distances, a: Mapping[str, Series], b: Mapping[str, Series]) -> Parting | None:
    """Return the first difference, ``None`` where all that was recorded of both is the same.

    Order within a step: the batch, the loss, the learning rate, then the weights after it.
    """
    weights = int(np.flatnonzero(~apart.is_same)[0]) if (~apart.is_same).any() else None
    first_weights = int(apart.steps[weights]) if weights is not None else None
    first_batch, names = _first_batch(a, b)
    first_loss = _first_step(a, b, "loss")
    first_rate = _first_step(a, b, "learning_rate")
    limits = [step for step in (first_weights,) if step is not None] + [step - 0.5 for step in (first_batch, first_loss, first_rate) if step is not None]
    if not limits:
        return None
    first = min(limits)
    if weights == 0 and apart.steps[0] == 0:
        return _of_weights(apart, 0, 0, None, "start")
    if first_batch is not None and first_batch - 0.5 == first:
        return Parting("batch", first_batch, first_batch - 1, names, 0, 0.0)
    if first_loss is not None and first_loss - 0.5 == first:
        return _of_loss(apart, weights, first_loss, a, b)
    if first_rate is not None and first_rate - 0.5 == first:
        return Parting("learning_rate", first_rate, first_rate - 1, "", 0, _relative(a["learning_rate"], b["learning_rate"], first_rate))
    if weights is None:
        return None
    return _of_weights(apart, weights, int(apart.steps[weights]), _last_same(apart, int(apart.steps[weights])), "weights")


def other_parameters(a: Weights, b: Weights) -> str | None:
    """Return the first parameter that only one of the networks has, or that has another shape in each; ``None`` where there is none."""
    for player in sorted(a.forms.keys() | b.forms.keys()):
        ours, theirs = (run.forms.get(player, [(0, [])])[0][1] for run in (a, b))
        if [shape for _, shape, _ in ours] == [shape for _, shape, _ in theirs]:
            continue
        for left, right in zip(ours, theirs, strict=False):
            if left[1] != right[1]:
                return f"{left[0]} {_shape(left[1])} / {right[0]} {_shape(right[1])}"
        return max(ours, theirs, key=len)[min(len(ours), len(theirs))][0]
    return None


def _of_weights(apart: Distances, row: int, step: int, after: int | None, what: str) -> Parting:
    part = np.where(np.isnan(apart.parts[row]), np.inf, apart.parts[row])
    name = apart.names[int(np.argmax(part))] if part.size else ""
    return Parting(what, step, after, name, int(apart.changed[row].sum()), float(apart.relative[row]))


def _of_loss(apart: Distances, weights: int | None, step: int, a: Mapping[str, Series], b: Mapping[str, Series]) -> Parting:
    """A loss that differs first shows other weights before it, unless those were recorded and are the same."""
    before = int(np.searchsorted(apart.steps, step - 1))
    is_recorded = before < apart.steps.size and apart.steps[before] == step - 1
    if weights is not None and not is_recorded:
        return _of_weights(apart, weights, step - 1, _last_same(apart, step - 1), "weights")
    return Parting("loss", step, step - 1, "", 0, _relative(a["loss"], b["loss"], step))


def _last_same(apart: Distances, step: int) -> int | None:
    same = apart.steps[apart.is_same & (apart.steps < step)]
    return int(same[-1]) if same.size else None


def _first_batch(a: Mapping[str, Series], b: Mapping[str, Series]) -> tuple[int | None, str]:
    found = {name: step for name in BATCH if (step := _first_step(a, b, name)) is not None}
    if not found:
        return None, ""
    first = min(found.values())
    return first, " and ".join(name.removeprefix("batch_") for name, step in found.items() if step == first)


def _first_step(a: Mapping[str, Series], b: Mapping[str, Series], name: str) -> int | None:
    if name not in a or name not in b:
        return None
    steps, ours, theirs = np.intersect1d(a[name].steps, b[name].steps, return_indices=True)
    x, y = a[name].values[ours], b[name].values[theirs]
    other = np.flatnonzero((x != y) & ~(np.isnan(x) & np.isnan(y)))
    return int(steps[other[0]]) if other.size else None


def _relative(a: Series, b: Series, step: int) -> float:
    x, y = (float(one.values[int(np.searchsorted(one.steps, step))]) for one in (a, b))
    size = max(abs(x), abs(y))
    return abs(x - y) / size if size > 0 and np.isfinite(size) else float("inf")


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "scalar"
