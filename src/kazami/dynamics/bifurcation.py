"""Bifurcation diagrams: where an orbit lives in the long run, over one parameter of a map or of a training."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from ..engines import Member, ensemble
from ..errors import UsageError
from ..maps import AbstractMap, Training, TrainingMap
from ..maps.toys._base import AbstractToyMap
from .cycles import cycle
from .growth import Progress
from .source import as_map, must_be_count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Observe = Literal["loss"] | int | Callable[[Tensor], float]


@dataclass(frozen=True, slots=True, eq=False)
class Bifurcation:
    """What an observable does in the long run, over a parameter.

    Attributes:
        parameter: Its name.
        values: The parameter's values, shape ``(values,)``.
        observed: The observable in the last ``keep`` steps, shape ``(values, keep)``; NaN where the orbit left the range of numbers.
        observable: What was observed, for the axis.
        how: How it was run, one sentence.
    """

    parameter: str
    values: Floats
    observed: Floats
    observable: str
    how: str

    def periods(self) -> NDArray[np.int64]:
        """Return after how many steps the observable returns at each value; 0 where it does not within a third of the kept steps, -1 where it diverged."""
        found = []
        for row in self.observed:
            came_to = cycle(row[:, None]) if np.isfinite(row).all() else None
            found.append(-1 if not np.isfinite(row).all() else came_to.period if came_to is not None else 0)
        return np.array(found)

    def figure(self, *, language: str = "en") -> "Figure":
        """Draw the diagram; a value at which the orbit diverged has no points."""
        from ..reports.figures import ACCENT, drawing, new_figure

        figure, axes = new_figure(width=7.2, height=4.2)
        with drawing():
            across = np.repeat(self.values, self.observed.shape[1])
            axes.plot(across, self.observed.reshape(-1), linestyle="none", marker=",", color=ACCENT, rasterized=True)
            axes.set_title(self._title(language))
            axes.set_xlabel(self.parameter.replace("_", " "))
            axes.set_ylabel(self.observable + (" (last steps)" if language == "en" else "（最後のステップ）"))
            if self.values[-1] / max(self.values[0], 1e-300) > 30.0 and self.values[0] > 0.0:
                axes.set_xscale("log")
        return figure

    def _title(self, language: str) -> str:
        periods = self.periods()
        rests, doubles = self.values[periods == 1], self.values[periods > 1]
        name = self.parameter.replace("_", " ")
        if not len(doubles):
            many = "nowhere" if language == "en" else "見られない"
            return f"A cycle is seen {many}" if language == "en" else f"周期は{many}"
        upto = f"{rests[rests < doubles[0]][-1]:.4g}" if len(rests[rests < doubles[0]]) else "–"
        if language == "en":
            return f"At rest up to {name} {upto}, a cycle from {doubles[0]:.4g} on, longest period found {periods.max()}"
        return f"{name} {upto} までは静止、{doubles[0]:.4g} から周期的、見つかった最長周期 {periods.max()}"


def bifurcation_diagram(
    x: AbstractMap | Training,
    parameter: str,
    values: ArrayLike,
    *,
    transient: int = 500,
    keep: int = 200,
    observe: Observe | None = None,
    progress: Progress | None = None,
) -> Bifurcation:
    """Return where orbits live in the long run for each value of a parameter; each begins where the map is, and the map stays as it was.

    Args:
        x: A map, or a `Training`.
        parameter: Its name; of a training a setting of the optimizer, such as ``"learning_rate"``.
        values: Which values.
        transient: Steps before the ones kept.
        keep: Steps kept.
        observe: ``"loss"`` (of a training the default), the number of a coordinate (0 by default for other maps), or a function of the state.
        progress: Called with the number of values (of a stacked training: steps) done.

    Raises:
        UnknownName: The map has no such parameter.
        UsageError: The loss is asked of a map that has none.

    Limits:
        One start for each value: of several attractors one is seen. Just beyond a doubling the transient must be long.

    Example:
        >>> from kazami.maps import CubicDescent
        >>> found = bifurcation_diagram(CubicDescent(), "a", [0.7, 1.1, 1.25, 2.2], transient=2000)
        >>> found.periods().tolist()
        [1, 2, 4, -1]
    """
    must_be_count("keep", keep, 2)
    must_be_count("transient", transient, 0)
    m = as_map(x)
    wanted = np.asarray(values, dtype=np.float64).reshape(-1)
    what: Observe = observe if observe is not None else "loss" if isinstance(m, TrainingMap) else 0
    if what == "loss" and not isinstance(m, TrainingMap):
        raise UsageError("A map that is no training has no loss. Observe a coordinate by its number, or a function of the state.")
    if isinstance(m, TrainingMap) and m.time == 0 and bool((m.current_state() == type(m)(m.training, dtype=m.dtype).current_state()).all()):
        rows, how = _trained(m, parameter, wanted, transient, keep, what, progress)
    else:
        rows, how = _walked(m, parameter, wanted, transient, keep, what, progress), "one value after another."
    return Bifurcation(parameter, wanted, rows, what if isinstance(what, str) else f"coordinate {what}" if isinstance(what, int) else "observable", how)


def _trained(m: TrainingMap, parameter: str, values: Floats, transient: int, keep: int, what: Observe, progress: Progress | None) -> tuple[Floats, str]:
    """Return the rows of a training from its first step, all values at once where an engine can."""
    together, how = ensemble(m.training, [Member(settings={**_changed(m), parameter: float(value)}) for value in values])
    rows = np.full((len(values), keep), np.nan)
    for number in range(transient + keep):
        before = together.states if what != "loss" and number >= transient else None
        losses = together.step()
        if number >= transient:
            seen = losses if before is None else torch.tensor([_seen(m, state, what, number) for state in before], dtype=torch.float64)
            rows[:, number - transient] = seen.detach().cpu().double().numpy()
        if progress is not None:
            progress(number + 1)
    rows[~np.isfinite(together.states.double().numpy()).all(axis=1)] = np.nan
    return rows, how


def _changed(m: TrainingMap) -> dict[str, float]:
    """Return the settings of the map that its user has changed since it was made."""
    fresh, now = type(m)(m.training, dtype=m.dtype).current_parameters(), m.current_parameters()
    return {name: value for name, value in now.items() if fresh.get(name) != value}


def _walked(m: AbstractMap, parameter: str, values: Floats, transient: int, keep: int, what: Observe, progress: Progress | None) -> Floats:
    old, start = m.current_parameters().get(parameter), m.current_state()
    rows = np.full((len(values), keep), np.nan)
    try:
        for index, value in enumerate(values):
            m.set_parameter(parameter, float(value))
            rows[index] = _kept(m, start, transient, keep, what)
            if progress is not None:
                progress(index + 1)
    finally:
        if old is not None:
            m.set_parameter(parameter, old)
    return rows


def _kept(m: AbstractMap, start: Tensor, transient: int, keep: int, what: Observe) -> Floats:
    row = np.full(keep, np.nan)
    if isinstance(m, AbstractToyMap):
        orbit = m.orbit(start, transient + keep - 1)[transient:]
        return np.array([_seen(m, torch.from_numpy(state), what, 0) for state in orbit]) if np.isfinite(orbit).all() else row
    state = start
    for number in range(transient + keep):
        if not bool(torch.isfinite(state).all()):
            return np.full(keep, np.nan)
        if number >= transient:
            row[number - transient] = _seen(m, state, what, m.time + number)
        state = m.advance(state, m.time + number)
    return row


def _seen(m: AbstractMap, state: Tensor, what: Observe, time: int) -> float:
    if isinstance(what, int):
        return float(state[what])
    if isinstance(what, str):
        return m.loss(state, time) if isinstance(m, TrainingMap) else float("nan")
    return float(what(state))
