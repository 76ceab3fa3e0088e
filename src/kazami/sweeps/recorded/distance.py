"""How far the weights have come."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ._base import AbstractRecord, Course


class Distance(AbstractRecord):
    r"""The Euclidean distance of all trained parameters from where they began, :math:`\lVert \theta_t - \theta_0 \rVert`, before the step."""

    name: ClassVar = "distance"
    units: ClassVar = MappingProxyType({"distance": "weight"})
    sentence: ClassVar = "Euclidean distance of the parameters from their start, before the step."
    is_series: ClassVar = True
    needs_states: ClassVar = True

    def begin(self, course: Course) -> None:
        """Make room."""
        self._rows = np.full((len(course.kept), len(course.members)), np.nan)
        self._place = {step: row for row, step in enumerate(course.kept)}

    def look(self, course: Course, step: int, states: Tensor) -> None:
        """Measure."""
        if step in self._place:
            moved = (states - course.first)[:, : course.n_parameters]
            self._rows[self._place[step]] = moved.double().norm(dim=1).cpu().numpy()

    def columns(self, course: Course) -> Mapping[str, NDArray[Any]]:
        """Return the distances."""
        del course
        return {"distance": self._rows}
