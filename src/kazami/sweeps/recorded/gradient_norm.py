"""How large the gradient is."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ._base import AbstractRecord, Course


class GradientNorm(AbstractRecord):
    r"""The Euclidean norm of the loss's gradient on the step's batch, :math:`\lVert \nabla L_t(\theta_t) \rVert`, before clipping and weight decay."""

    name: ClassVar = "gradient_norm"
    units: ClassVar = MappingProxyType({"gradient_norm": "loss/weight"})
    sentence: ClassVar = "Euclidean norm of the gradient on the step's batch, before clipping and weight decay."
    is_series: ClassVar = True
    needs_states: ClassVar = True
    needs_map: ClassVar = True

    def begin(self, course: Course) -> None:
        """Make room."""
        self._rows = np.full((len(course.kept), len(course.members)), np.nan)
        self._place = {step: row for row, step in enumerate(course.kept)}

    def look(self, course: Course, step: int, states: Tensor) -> None:
        """Take the gradient at the states of the members that are still finite; of a step of the user's own there is none."""
        if step not in self._place or course.map is None or course.map.is_replayed:
            return
        finite = torch.isfinite(states).all(dim=1).nonzero()[:, 0]
        if len(finite):
            found = _gradients(course, states[finite].to(course.map.dtype), step)
            self._rows[self._place[step], finite.numpy()] = found.double().norm(dim=1).cpu().numpy()

    def columns(self, course: Course) -> Mapping[str, NDArray[Any]]:
        """Return the norms."""
        del course
        return {"gradient_norm": self._rows}


def _gradients(course: Course, states: Tensor, step: int) -> Tensor:
    m = course.map_of(0)
    if len(states) > 1 and m.can_stack(states, step):
        return m.gradients(states, step)[0]
    rows = []
    for state in states:
        m.layout.load_parameters(state)
        rows.append(m.field.gradient(m.layout, step).flat)
    return torch.stack(rows).detach()
