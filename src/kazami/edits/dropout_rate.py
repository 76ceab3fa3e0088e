"""Dropout rates, in modules and calls."""

from typing import ClassVar

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._numbers import tidy
from ._places import Places
from ._source import Uncertain, argument
from ._values import number, origins

MODULES = tuple(f"torch.nn.{name}" for name in ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"))
FUNCTIONS = tuple(f"torch.nn.functional.{name}" for name in ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"))


class DropoutRate(AbstractEdit):
    """Writes the usual rate wherever a higher one is written."""

    name: ClassVar = "dropout_rate"
    writes: ClassVar = ("lower_dropout",)
    how: ClassVar = "At every `nn.Dropout(p)` and `F.dropout(x, p)` with a higher rate, or where that number comes from."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write the rate."""
        limit = float(change.parameters["p"])
        for source, call in places.program.calls_of(*MODULES, *FUNCTIONS, "torch.dropout"):
            given = argument(call, 0 if source.called(call) in MODULES else 1, "p")
            if given is None:
                continue  # torch's default is 0.5
            ends = origins(places.program, source, given.value)
            rates = [number(end.source, end.node) for end in ends]
            if not ends or any(rate is None for rate in rates):
                raise Uncertain("where a dropout rate is written")
            for end, rate in zip(ends, rates, strict=True):
                if rate is not None and rate > limit:
                    draft.replace(end.source, end.node, tidy(limit, like=end.source.code(end.node)))
