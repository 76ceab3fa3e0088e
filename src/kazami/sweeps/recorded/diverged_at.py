"""The step in which a training left the range of numbers."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ._base import AbstractRecord, Course


class DivergedAt(AbstractRecord):
    """The first step whose loss is not finite; nothing where all are."""

    name: ClassVar = "diverged_at"
    units: ClassVar = MappingProxyType({"diverged_at": "step"})
    sentence: ClassVar = "First step whose loss is not finite; empty where all are."

    def columns(self, course: Course) -> Mapping[str, NDArray[Any]]:
        """Return the steps; NaN where a member never diverged."""
        return {"diverged_at": np.where(course.taken < course.steps, course.taken, np.nan)}
