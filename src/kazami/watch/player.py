"""Player: what is remembered of the parameters that one optimizer moves (a training has one; adversarial ones have several)."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from ..records.trace import Layer, Series, Trace
from ..signals.stability_gauge import StabilityGauge, stability_gauge
from .layers import Sight
from .losses import Targets
from .rotation import Orbit

NEWEST = 8  # measurements of curvature that the live line looks at
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
        self.memories: dict[int, dict[str, Any]] = {}
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

    def memory(self, sight: Sight) -> dict[str, Any]:
        """Return the lasting memory of a layer's observables."""
        return self.memories.setdefault(self.column(sight), {})

    def add_layer_values(self, quantity: str, step: int, values: Mapping[int, float]) -> None:
        """Add one row of a quantity of layers."""
        rows = self._by_layer.setdefault(quantity, [])
        if rows and rows[-1][0] == step:
            rows[-1][1].update(values)
        else:
            rows.append((step, dict(values)))

    def add_number(self, quantity: str, step: int, value: float) -> None:
        """Add one number of the whole training."""
        steps, values = self._numbers.setdefault(quantity, ([], []))
        if steps and steps[-1] == step:
            values[-1] = value
        else:
            steps.append(step)
            values.append(value)

    def note_step(self, step: int, loss: float | None, groups: Sequence[Mapping[str, Any]]) -> None:
        """Add what every step has: its loss, if it was read, and the largest learning rate of the optimizer's parameter groups."""
        if loss is not None:
            self.add_number("loss", step, loss)
        if len(groups) == 1 and type(rate := groups[0].get("lr")) is float:
            self.add_number("learning_rate", step, rate)
        elif rates := [plain(group["lr"]) for group in groups if "lr" in group]:
            self.add_number("learning_rate", step, float(max(rates)))

    def row(self, step: int) -> dict[str, float]:
        """Return all that was recorded at the newest step, by the names of the run directory."""
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
