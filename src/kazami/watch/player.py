"""Player: what is remembered of the parameters that one optimizer moves (a training has one; adversarial ones have several)."""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from ..records.trace import Layer, Series, Trace
from ..signals.stability_gauge import StabilityGauge, stability_gauge
from .layers import Sight
from .losses import LossCall, Targets, entries
from .rotation import Orbit

NEWEST = 8  # measurements of curvature that the live line looks at
EVENTS = ("first_bad", "bad_gradient", "bad_update")  # the first number that was not finite: in the loss, in a gradient, in an update
# The loss may be a multiple of the loss function's value, or have a penalty beside it. At the start a network guesses, so that the ratio is right for the
# guess in both cases; later on a penalty is all that is left.
FIRST_SCALES = 4
EVERY_STEP = "loss", "learning_rate"
Rows = list[tuple[int, dict[int, float]]]
MOST_SETTINGS = ("lr", "momentum", "dampening", "nesterov", "betas", "alpha", "eps", "weight_decay", "amsgrad", "foreach", "fused", "max_iter", "rho")


class Player:
    """Accumulates rows of measurements and gives them as a `Trace`.

    Args:
        optimizer: The optimizer whose parameters these are.
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.parameters: WeakValueDictionary[int, Tensor] = WeakValueDictionary()  # models that the script has dropped must be able to go
        self.sizes: dict[int, int] = {}
        self.paths: dict[int, str] = {}
        self.optimizer_settings: dict[str, Any] = {}
        self.targets = Targets()
        self.facts: dict[str, Any] = {}
        self.loss_kind = "unknown"
        self.trivial: float | None = None
        self.steps = 0
        self.began = 0  # the number of its first step among those of all trainings
        self.thread = 0  # of its newest recorded step
        self.first_loss: float | None = None
        self.layers: list[Layer] = []
        self.given: set[int] = set()
        self.ungiven: dict[int, str] = {}
        self.scales: list[float] = []
        self.n_sampled = 0
        self.orbit = Orbit()
        self.last_update: Tensor | None = None
        self.last_update_step = -1
        self._columns: dict[int, int] = {}
        self._by_layer: dict[str, Rows] = {}
        self._numbers: dict[str, tuple[list[int], list[float]]] = {}
        self._more_at = 0  # the newest step of which more is known than every step has
        self.adopt(optimizer)

    def adopt(self, optimizer: torch.optim.Optimizer) -> None:
        """Take over the parameters and settings of ``optimizer``."""
        for group in optimizer.param_groups:
            self.parameters.update({id(p): p for p in group["params"]})
            self.sizes.update({id(p): p.numel() for p in group["params"]})
        group = max(optimizer.param_groups, key=lambda g: sum(p.numel() for p in g["params"]))
        settings = {key: plain(group[key]) for key in MOST_SETTINGS if key in group}
        settings["learning_rate"] = settings.pop("lr", float("nan"))
        self.optimizer_settings = {"name": type(optimizer).__name__, "groups": len(optimizer.param_groups), **settings}

    @property
    def reference_loss(self) -> float:
        """The loss of the trivial predictor, else the first finite loss, else NaN."""
        if self.trivial is not None and self.trivial > 0:
            return self.trivial
        return abs(self.first_loss) if self.first_loss else float("nan")

    def note_targets(self, calls: Sequence[LossCall], value: float | None, n_losses: float) -> None:
        """Learn from the loss functions of one backward what guessing costs.

        What guessing costs is that of a typical step: of losses that are sums, the newest may be one over fewer samples than the others (the last of an epoch).

        Args:
            calls: The loss functions in its graph.
            value: The loss itself.
            n_losses: How many such losses a step has (gradients may be accumulated over several).
        """
        for call in calls:
            self.targets.add(call)
        parts = [self.targets.trivial(call) for call in calls]
        if not parts or any(part is None for part in parts):
            return
        self.loss_kind = calls[-1].kind
        self.facts["loss_reduction"] = str(calls[-1].options.get("reduction", "mean"))
        own, size = sum(call.value for call in calls), max(entries(call) for call in calls)
        if value is None or not math.isfinite(value) or not math.isfinite(own) or own <= 0 or size == 0:
            return
        if len(self.scales) < FIRST_SCALES:
            self.scales.append(value / own * size * n_losses)
        typical = median(self.scales) / size
        self.trivial = sum(part for part in parts if part is not None) * typical
        least = sum(self.targets.least(call) for call in calls)
        if least > 0:
            self.facts["least_loss"] = least * typical

    def column(self, sight: Sight) -> int:
        """Return the column of a layer, a new one for a new layer."""
        key = self.key_of(sight)
        if key not in self._columns:
            self._columns[key] = len(self.layers)
            self.layers.append(sight.layer)
        self.layers[self._columns[key]] = sight.layer
        return self._columns[key]

    @staticmethod
    def key_of(sight: Sight) -> int:
        """Return what tells a layer from all others while its weight lives."""
        return id(sight.weight) if sight.is_trained else sight.weight.data_ptr()

    @property
    def columns(self) -> Mapping[int, int]:
        """The column of each layer by `key_of`."""
        return self._columns

    def add_layer_values(self, quantity: str, step: int, values: Mapping[int, float]) -> None:
        """Add one row of a quantity of layers."""
        self._more_at = max(self._more_at, step)
        rows = self._by_layer.setdefault(quantity, [])
        if rows and rows[-1][0] == step:
            rows[-1][1].update(values)
        else:
            rows.append((step, dict(values)))

    def add_number(self, quantity: str, step: int, value: float) -> None:
        """Add one number of the whole training."""
        self._more_at = max(self._more_at, step)
        steps, values = self._numbers.setdefault(quantity, ([], []))
        if steps and steps[-1] == step:
            values[-1] = value
        else:
            steps.append(step)
            values.append(value)

    def note_step(self, step: int, loss: float | None, groups: Sequence[Mapping[str, Any]]) -> None:
        """Add what every step has: its loss, if it was read, and the largest learning rate of the optimizer's parameter groups."""
        rate: float | None = groups[0].get("lr") if len(groups) == 1 else None
        if type(rate) is not float:
            rate = max((float(number) for group in groups if "lr" in group and (number := plain(group["lr"])) is not None), default=None)
        for name, value in zip(EVERY_STEP, (loss, rate), strict=True):
            if value is None:
                continue
            known = self._numbers.get(name)
            if known is not None and known[0][-1] < step:  # what `add_number` does, without another call: this runs at every step, with cold caches
                known[0].append(step)
                known[1].append(value)
            else:
                self.add_number(name, step, value)

    def row(self, step: int) -> dict[str, float]:
        """Return all that was recorded at the newest step, by the names of the run directory."""
        if step > self._more_at:
            return {name: known[1][-1] for name in EVERY_STEP if (known := self._numbers.get(name)) is not None and known[0][-1] == step}
        numbers = {name: values[-1] for name, (steps, values) in self._numbers.items() if steps[-1] == step}
        for name, rows in self._by_layer.items():
            if rows and rows[-1][0] == step:
                numbers.update({f"{name}/{column:03d}": value for column, value in rows[-1][1].items()})
        return numbers

    def stability(self) -> StabilityGauge | None:
        """Return how near the newest steps stand to the optimizer's limit, from the newest measurements alone."""
        ratios, rates = self._numbers.get("stability_ratio"), self._numbers.get("learning_rate")
        if ratios is None or rates is None:
            return None
        names = ("stability_ratio", "sharpness_limit")
        newest = {name: self._numbers[name] for name in names if name in self._numbers}
        series = {name: Series(np.asarray(steps[-NEWEST:], dtype=np.int64), np.asarray(values[-NEWEST:])) for name, (steps, values) in newest.items()}
        place = max(bisect_right(rates[0], ratios[0][-1]) - 1, 0)
        series["learning_rate"] = Series(np.asarray(rates[0][place : place + 1], dtype=np.int64), np.asarray(rates[1][place : place + 1]))
        return stability_gauge(Trace(step=self.steps, series=series))

    def trace(self, blind: Sequence[str], settings: Mapping[str, Any], facts: Mapping[str, Any]) -> Trace:
        """Return all that was seen as a record."""
        late = max(self.began - 1, 0)  # it counts its own steps
        series = {
            name: Series(np.asarray(steps, dtype=np.int64) - late, np.asarray(values, dtype=np.float64)) for name, (steps, values) in self._numbers.items()
        }
        for name, rows in self._by_layer.items():
            table = np.full((len(rows), len(self.layers)), np.nan)
            for index, (_, values) in enumerate(rows):
                for column, value in values.items():
                    table[index, column] = value
            series[name] = Series(np.asarray([step for step, _ in rows], dtype=np.int64) - late, table)
        return Trace(
            step=max(self.steps - late, 0),
            series=series,
            layers=tuple(self.layers),
            facts={**_earlier(self.facts, late), **facts},
            optimizer=self.optimizer_settings,
            loss_kind=self.loss_kind,
            trivial_loss=self.trivial,
            blind=tuple(blind),
            settings=dict(settings),
        )


def with_origins(traces: Sequence[Trace], players: Sequence[Player]) -> list[Trace]:
    """Return the traces of ``players``; where several turned non-finite, the later ones tell where the first of them did.

    Networks that train together (the players of a game, a network and the one that makes its inputs) hand each other what spoils them within a step. What
    happened before a player's first step is none of its affairs.
    """
    turned = [min((int(player.facts[name]["backward"]) for name in EVENTS if name in player.facts), default=math.inf) for player in players]
    told = []
    for trace, player, own in zip(traces, players, turned, strict=True):
        others = [index for index, at in enumerate(turned) if at < own and _step_of(players[index]) >= player.began]
        if others and (own < math.inf or not np.isfinite(trace["loss"].values).all()):
            origin = traces[min(others, key=turned.__getitem__)].facts
            events = {name: origin[name] for name in EVENTS if name in origin}
            trace = trace.replaced(facts={name: fact for name, fact in trace.facts.items() if name not in EVENTS} | events)
        told.append(trace)
    return told


def _step_of(player: Player) -> int:
    return min(int(player.facts[name]["step"]) for name in EVENTS if name in player.facts)


def _earlier(facts: Any, late: int) -> Any:
    """Return facts with the numbers of their steps lowered."""
    if late == 0 or not isinstance(facts, dict):
        return facts
    return {name: fact - late if name == "step" and isinstance(fact, int) else _earlier(fact, late) for name, fact in facts.items()}


def number_of(value: Any) -> float:
    """Return a number that may be a tensor with a graph, or be given by a call."""
    value = value() if callable(value) and not isinstance(value, Tensor) else value
    return float(value.detach()) if isinstance(value, Tensor) else float(value)


def plain(value: Any) -> Any:
    """Return a setting as plain data (a learning rate may be a 0-d tensor)."""
    if isinstance(value, Tensor):
        return number_of(value) if value.numel() == 1 else None
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value if isinstance(value, int | float | str | bool) or value is None else str(value)
