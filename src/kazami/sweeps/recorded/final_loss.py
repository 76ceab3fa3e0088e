"""The loss of the last step's batch."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ._base import AbstractRecord, Course, Floats


class FinalLoss(AbstractRecord):
    """The last loss that the training itself computes: that of its last step's batch, before that step (``training.run().losses[-1]``)."""

    name: ClassVar = "final_loss"
    units: ClassVar = MappingProxyType({"final_loss": "loss"})
    sentence: ClassVar = "Loss of the last step's batch, before that step."

    def begin(self, course: Course) -> None:
        """Know nothing yet."""
        self._last = np.full(len(course.members), np.nan)

    def passed(self, course: Course, begin: int, losses: Floats, local: Floats | None) -> None:
        """Keep the newest."""
        del course, begin, local
        self._last = np.array(losses[-1])

    def columns(self, course: Course) -> Mapping[str, NDArray[Any]]:
        """Return the last losses."""
        del course
        return {"final_loss": self._last}
