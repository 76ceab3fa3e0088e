"""What each layer's learning is worth: the same training with that layer frozen at its initial values."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
import torch
from torch import nn

from ...errors import UsageError, unknown_name


class Trained(Protocol):
    """What a training leaves behind."""

    model: nn.Module
    losses: list[float]
    score: float | None


class Trainable(Protocol):
    """What is needed of a training; :class:`kazami.Training` is one."""

    @property
    def model(self) -> Callable[..., nn.Module]:
        """The factory of the model."""
        ...

    def replaced(self, **changes: Any) -> Self:
        """Return a copy with some arguments changed."""
        ...

    def run(self) -> Trained:
        """Train."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenLayer:
    """What freezing one layer costs.

    Attributes:
        name: The module's name.
        n_parameters: Parameters frozen.
        scores: One per seed, higher is better.
        cost: Mean over the seeds of the score of the whole training minus this one's; positive: freezing hurts.
        standard_error: Of ``cost``; ``nan`` with one seed.
        why_not: Why it could not be trained, where it could not.
    """

    name: str
    n_parameters: int
    scores: list[float] = field(default_factory=list)
    cost: float = float("nan")
    standard_error: float = float("nan")
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenLayers:
    """What freezing each layer costs.

    Attributes:
        rows: One per layer that owns parameters, in the order of the model.
        scores: Of the whole training, one per seed.
        unit: ``"score"`` (the training's own ``evaluate``) or ``"minus loss"`` (of the last tenth of the steps).
        seeds: The seeds.
    """

    rows: list[FrozenLayer] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    unit: str
    seeds: tuple[int, ...]


def freeze_layers(
    training: Trainable,
    *,
    layers: Sequence[str] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    progress: Callable[[int, int], None] | None = None,
) -> FrozenLayers:
    """Train once as it is and once with each layer frozen at its initial values, from the same seeds, and return what freezing costs.

    Args:
        training: A :class:`kazami.Training`, or anything with ``model``, ``replaced`` and ``run`` like it.
        layers: Names of modules; all that own parameters by default.
        seeds: One paired comparison each.
        progress: Called with (done, total) after each training.

    Raises:
        UsageError: There is no such layer, or no seed.

    Limits:
        Frozen are parameters; running statistics of normalisation layers go on. A cost of 0 says that *this* layer need not learn while the others do, not that
        it is not needed (replace it by the identity for that).

    References:
        Zhang, Bengio and Singer 2022, "Are all layers created equal?" (there after training; here from the start); Raghu et al. 2017, "SVCCA", freeze training.
    """
    if not seeds:
        raise UsageError("seeds should name at least one seed, and is empty.")
    with torch.random.fork_rng(devices=[]):
        made = training.model()
    owners = {
        name: sum(p.numel() for p in m.parameters(recurse=False)) for name, m in made.named_modules() if next(m.parameters(recurse=False), None) is not None
    }
    known = dict(made.named_modules())
    chosen = {name: sum(p.numel() for p in known[name].parameters()) for name in layers if name in known} if layers is not None else owners
    for name in layers or ():
        if name not in known:
            raise unknown_name("layer", name, known)
    total, done, results = (len(chosen) + 1) * len(seeds), 0, dict[str, list[float] | str]()
    for name in ["", *chosen]:
        results[name] = _scores(training, name, seeds)
        done += len(seeds)
        if progress is not None:
            progress(done, total)
    whole = results.pop("")
    if isinstance(whole, str):
        raise UsageError(f"The training should run, and it does not: {whole}")
    unit = "score" if getattr(training, "evaluate", None) is not None else "minus loss"
    return FrozenLayers(rows=[_row(name, chosen[name], found, whole) for name, found in results.items()], scores=whole, unit=unit, seeds=tuple(seeds))


def _row(name: str, n_parameters: int, found: list[float] | str, whole: list[float]) -> FrozenLayer:
    if isinstance(found, str):
        return FrozenLayer(name=name, n_parameters=n_parameters, why_not=found)
    costs = [a - b for a, b in zip(whole, found, strict=True)]
    with np.errstate(invalid="ignore"):  # the cost of a training that diverges is no number, and is answered so
        cost = float(np.mean(costs))
        error = float(np.std(costs, ddof=1)) / len(costs) ** 0.5 if len(costs) > 1 else float("nan")
    return FrozenLayer(name=name, n_parameters=n_parameters, scores=found, cost=cost, standard_error=error)


def _scores(training: Trainable, name: str, seeds: Sequence[int]) -> list[float] | str:
    make = training.model

    def frozen() -> nn.Module:
        model = make()
        if name:
            model.get_submodule(name).requires_grad_(False)
        return model

    scores = []
    for seed in seeds:
        try:
            with torch.random.fork_rng(devices=[]):
                scores.append(_score(training.replaced(model=frozen, seed=seed).run()))
        except (RuntimeError, ValueError) as error:  # nothing left to train, or an optimizer that wants every parameter
            return str(error).partition("\n")[0]
    return scores


def _score(run: Trained) -> float:
    if run.score is not None:
        return run.score
    last = run.losses[-max(1, len(run.losses) // 10) :]
    return -statistics.fmean(last)
