"""The loss of each step's batch, before the step."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ._base import AbstractRecord, Course, Floats


class Loss(AbstractRecord):
    """The loss that the training itself computes in step number ``step``, counted from 0."""

    name: ClassVar = "loss"
    units: ClassVar = MappingProxyType({"loss": "loss"})
    sentence: ClassVar = "Loss of the step's batch, before the step."
    is_series: ClassVar = True

    def begin(self, course: Course) -> None:
        """Make room."""
        self._place = {step: row for row, step in enumerate(course.kept)}
        self._rows = np.full((len(course.kept), len(course.members)), np.nan)

    def passed(self, course: Course, begin: int, losses: Floats, local: Floats | None) -> None:
        """Keep the steps that are kept."""
        del course, local
        for offset, row in enumerate(losses):
            place = self._place.get(begin + offset)
            if place is not None:
                self._rows[place] = row

    def columns(self, course: Course) -> Mapping[str, NDArray[Any]]:
        """Return the losses."""
        del course
        return {"loss": self._rows}
