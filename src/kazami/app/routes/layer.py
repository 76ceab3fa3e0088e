"""All that was recorded of one layer."""

from typing import ClassVar

import numpy as np

from ...records.trace import Series
from ...reports.columns import extremes, rounded, starts
from ...storage import StoredRun
from ..refusals import NotHere
from ..wire import LayerDistribution, LayerHistory, LayerSeries
from ._base import AbstractRoute, Asked

COLUMNS = 400
QUANTITIES = ("layer_wind", "gradient_norm", "weight_norm", "update_ratio", "dead_share", "saturated_share")
DISTRIBUTED = ("activation", "gradient", "weight")


class LayerRoute(AbstractRoute):
    """``GET /api/runs/{run}/layers/{layer}``: a `LayerHistory`."""

    path: ClassVar[str] = "/api/runs/{run}/layers/{layer}"

    def answer(self, asked: Asked) -> LayerHistory:
        """Read the layer's columns."""
        stored = self.house.folder.open(asked.path["run"])
        layers = stored.info.trace.get("layers")
        names = [str(layer.get("name", "")) for layer in layers] if isinstance(layers, list) else []
        text = asked.path["layer"]
        if not (text.isascii() and text.isdigit() and len(text) < 9) or int(text) >= len(names):
            raise NotHere(f"The run has {len(names)} layers, and none of this number.", f"この実行には {len(names)} 層あり、その番号の層はありません。")
        layer = int(text)
        found = stored.series(only=QUANTITIES)
        series = [one for name in QUANTITIES if name in found and (one := _thin(name, found[name], layer)) is not None]
        return LayerHistory(layer, names[layer], series, _distributions(stored, layer))


def _distributions(stored: StoredRun, layer: int) -> list[LayerDistribution]:
    found = stored.distributions(layer)
    return [
        LayerDistribution(name, one.is_logarithmic, one.steps, rounded(one.low, 4), rounded(one.high, 4), rounded(one.shares, 3), one.zeros, one.lost)
        for name in DISTRIBUTED
        if (one := found.get(name)) is not None
    ]


def _thin(name: str, series: Series, layer: int) -> LayerSeries | None:
    if series.values.ndim != 2 or layer >= series.values.shape[1]:
        return None
    kept = ~np.isnan(series.values[:, layer])
    steps, values = series.steps[kept], series.values[kept, layer]
    if not len(steps):
        return None
    first = starts(len(steps), COLUMNS)
    low, high = extremes(values, first)
    return LayerSeries(name, steps[first], rounded(low, 4), rounded(high, 4))
