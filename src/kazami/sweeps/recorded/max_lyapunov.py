"""How fast nearby trainings part."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...dynamics import standard_error
from ._base import AbstractRecord, Course, Floats

MOST_KEPT = 4096  # sums of neighbouring steps from which the error comes


class MaxLyapunov(AbstractRecord):
    """The largest Lyapunov exponent over all steps, as :func:`kazami.max_lyapunov` measures it, and one standard error.

    A member that leaves the range of numbers has the exponent of the steps before.
    """

    name: ClassVar = "max_lyapunov"
    units: ClassVar = MappingProxyType({"max_lyapunov": "1/step", "max_lyapunov_error": "1/step"})
    sentence: ClassVar = "Largest Lyapunov exponent over all steps, and its standard error."
    needs_tangents: ClassVar = True
    needs_map: ClassVar = True

    @classmethod
    def bytes_per_member(cls, steps: int, kept: int, dimension: int) -> int:
        """Return the size of the local exponents."""
        del kept, dimension
        return 8 * min(steps, 2 * MOST_KEPT)

    def begin(self, course: Course) -> None:
        """Make room."""
        self._width = max(1, -(-course.steps // MOST_KEPT))
        self._sums = np.zeros((-(-course.steps // self._width), len(course.members)))
        self._counts = np.zeros(self._sums.shape, dtype=np.int64)

    def passed(self, course: Course, begin: int, losses: Floats, local: Floats | None) -> None:
        """Keep the local exponents, summed over a few steps where there are very many."""
        del course, losses
        if local is None:
            return
        places = (begin + np.arange(len(local))) // self._width
        counts = ~np.isnan(local)  # minus infinity counts: a step may annihilate every direction
        np.add.at(self._sums, places, np.where(counts, local, 0.0))
        np.add.at(self._counts, places, counts.astype(np.int64))

    def columns(self, course: Course) -> Mapping[str, NDArray[Any]]:
        """Return the exponents."""
        total = self._counts.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(total > 0, self._sums.sum(axis=0) / total, np.nan)
        errors = np.full(len(values), np.nan)
        for index in range(len(values)):
            full = self._counts[:, index] == self._width
            means = self._sums[full, index] / self._width
            if len(means) > 1 and np.isfinite(means).all():
                errors[index] = standard_error(means)
        del course
        return {"max_lyapunov": values, "max_lyapunov_error": errors}
