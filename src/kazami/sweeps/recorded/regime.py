"""What kind of motion a training shows."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...dynamics.hovering import Hovering
from ...dynamics.inside import Inside
from ...dynamics.orbit import DIRECTIONS, Orbit, shadow_of
from ...dynamics.regimes import LEAST_STEPS, LOOKS, PAIRS, regime_of_orbit, steps_to_look_at
from ...dynamics.source import must_be_deterministic
from ...records.regime import LETTERS
from ._base import AbstractRecord, Course, Floats


class Regime(AbstractRecord):
    """The regime, its letter on maps and its confidence, as :func:`kazami.regime` names them: from the same orbit, the same tangent and the same looks inside.

    The orbits of all members are followed together; what is dear is to name them afterwards, some tenths of a second each.
    """

    name: ClassVar = "regime"
    units: ClassVar = MappingProxyType({"regime": "", "regime_letter": "", "regime_confidence": ""})
    texts: ClassVar = ("regime", "regime_letter")
    sentence: ClassVar = "Regime of the whole training, its letter, and how sure that is (0 to 1)."
    needs_tangents: ClassVar = True
    needs_map: ClassVar = True
    needs_states: ClassVar = True
    looks_everywhere: ClassVar = True
    seconds: ClassVar = 0.4

    @classmethod
    def bytes_per_member(cls, steps: int, kept: int, dimension: int) -> int:
        """Return the size of the shadows and of the states that are looked at."""
        del kept
        return 8 * (steps * (min(DIRECTIONS, dimension) + 3) + 2 * (LOOKS + PAIRS) * dimension)

    def begin(self, course: Course) -> None:
        """Make room, and refuse what is no map."""
        m = course.map_of(0)
        must_be_deterministic(m)
        count, self._shadow = len(course.members), shadow_of(m, 0)
        width = self._shadow(course.first[:1].to(m.dtype)).shape[-1]
        self._shadows = np.full((course.steps + 1, count, width), np.nan)
        self._sizes = np.full((course.steps + 1, count), np.nan)
        self._losses = np.full((course.steps + 1, count), np.nan)
        self._local = np.full((course.steps, count), np.nan)
        self._looks, self._pairs = steps_to_look_at(course.steps)
        self._states: dict[int, Tensor] = {}

    def look(self, course: Course, step: int, states: Tensor) -> None:
        """Keep the shadow, and the whole state where it will be looked at."""
        m = course.map_of(0)
        self._shadows[step] = self._shadow(states.to(m.dtype)).reshape(len(states), -1)
        self._sizes[step] = states.abs().amax(dim=1).double().cpu().numpy()
        if {step, step - 1} & (self._looks | self._pairs):
            self._states[step] = states.clone()

    def passed(self, course: Course, begin: int, losses: Floats, local: Floats | None) -> None:
        """Keep losses and local exponents."""
        del course
        self._losses[begin : begin + len(losses)] = losses
        if local is not None:
            self._local[begin : begin + len(local)] = local

    def columns(self, course: Course) -> Mapping[str, NDArray[Any]]:
        """Name the regimes."""
        self.look(course, course.steps, course.last)
        self._losses[course.steps] = course.ensemble.step().double().cpu().numpy()  # the loss where they ended
        found = [self._named(course, index) for index in range(len(course.members))]
        labels = np.array([label for label, _ in found], dtype=object)
        letters = np.array([LETTERS[label] for label, _ in found], dtype=object)
        return {"regime": labels, "regime_letter": letters, "regime_confidence": np.array([sure for _, sure in found])}

    def _named(self, course: Course, index: int) -> tuple[str, float]:
        if course.steps < LEAST_STEPS:
            return "unsure", 0.0
        m = course.map_of(index)
        finite = np.isfinite(self._sizes[:, index])
        taken = course.steps if finite.all() else int(np.argmin(finite)) - 1
        inside, hovering = Inside(m), None if m.is_replayed else Hovering(m)
        m.reinit(course.first[index].to(m.dtype))
        for step in sorted((self._looks | self._pairs) & set(range(taken))):
            before, after = (self._states[at][index].to(m.dtype) for at in (step, step + 1))
            if step in self._looks:
                inside.look(step, before, after)
            if hovering is not None and step in self._pairs:
                hovering.look(step, before, after)
        found = regime_of_orbit(m, self._orbit(course, index, taken, m.is_replayed), inside, hovering)
        return found.label, found.confidence

    def _orbit(self, course: Course, index: int, taken: int, is_replayed: bool) -> Orbit:
        """Return the orbit of one member as :func:`kazami.regime` would have walked it."""
        part = slice(0, taken + 1)
        local = self._local[:taken, index]
        counted = len(local) if not np.isnan(local).any() else int(np.argmax(np.isnan(local)))
        losses = None if is_replayed else self._losses[part, index]
        end = course.last[index] if taken == course.steps else course.first[index]  # an orbit that stopped is divergent, wherever it ended
        stopped_at = None if taken == course.steps else taken
        return Orbit(self._shadows[part, index], losses, local[:counted], self._sizes[part, index], taken, stopped_at, end.to(torch.float64), 0)
