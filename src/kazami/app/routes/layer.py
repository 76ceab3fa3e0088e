"""All that was recorded of one layer."""

from typing import ClassVar

import numpy as np

from ...errors import RunNotFound
from ...records.trace import Series
from ...reports.columns import extremes, rounded, starts
from ..wire import LayerHistory, LayerSeries
from ._base import AbstractRoute, Asked

COLUMNS = 400
QUANTITIES = ("layer_wind", "gradient_norm", "weight_norm", "update_ratio", "dead_share", "saturated_share")


class LayerRoute(AbstractRoute):
    """``GET /api/runs/{run}/layers/{layer}``: a `LayerHistory`."""

    path: ClassVar[str] = "/api/runs/{run}/layers/{layer}"

    def answer(self, asked: Asked) -> LayerHistory:
        """Read the layer's columns."""
        stored = self.house.folder.open(asked.path["run"])
        layers = stored.info.trace.get("layers")
        names = [str(layer.get("name", "")) for layer in layers] if isinstance(layers, list) else []
        text = asked.path["layer"]
        if not text.isdigit() or int(text) >= len(names):
            raise RunNotFound(f"The run has {len(names)} layers, and none of this number.")
        layer = int(text)
        found = stored.series(only=QUANTITIES)
        return LayerHistory(layer, names[layer], [one for name in QUANTITIES if name in found and (one := _thin(name, found[name], layer)) is not None])


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
