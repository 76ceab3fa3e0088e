"""How sharp the valley is in which a training ends."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from ...curvature import TrainingCurvature, sharpness
from ...maps.training import untouched_randomness
from ._base import AbstractRecord, Course


class Sharpness(AbstractRecord):
    """The largest eigenvalue of the Hessian over all batches after the last step, as :func:`kazami.sharpness` measures it, and the optimizer's threshold.

    NaN where a member's weights are not finite.
    """

    name: ClassVar = "sharpness"
    units: ClassVar = MappingProxyType({"sharpness": "loss/weight²", "sharpness_threshold": "loss/weight²"})
    sentence: ClassVar = "Largest eigenvalue of the Hessian over all batches after the last step, and the optimizer's threshold."
    needs_map: ClassVar = True
    seconds: ClassVar = 0.05

    def columns(self, course: Course) -> Mapping[str, NDArray[Any]]:
        """Return both."""
        rows = [_measured(course, index) for index in range(len(course.members))]
        values = np.array(rows).reshape(len(rows), 2)
        return {"sharpness": values[:, 0], "sharpness_threshold": values[:, 1]}


def _measured(course: Course, index: int) -> tuple[float, float]:
    state = course.last[index]
    if not bool(torch.isfinite(state).all()):
        return np.nan, np.nan
    m = course.map_of(index)
    m.write_memory(state.to(m.dtype), course.steps)
    with untouched_randomness():
        curvature = TrainingCurvature(m.model, course.training.loss, list(course.training.batches()), optimizer=m.optimizer, seed=course.training.seed)
        found = sharpness(curvature)
    return float(found.value[0]), float(found.threshold)
