"""Bifurcation diagrams: where an orbit lives in the long run, over one parameter of a map or of a training."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import CannotWrite, UsageError
from ..files import whole_file
from ..maps import AbstractMap, Training, TrainingMap
from ..records.regime import LETTERS
from .bifurcation_points import CHAOS, LOST, UNDECIDED, BifurcationPoint, bifurcation_points
from .long_runs import LongRun, long_run
from .motions import motion_of
from .observables import Observable, Observe
from .source import as_map, must_be_count

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Progress = Callable[[int], None]

PARTS, LEAST = 8, 64  # the columns are run in so many interleaved parts: what Ctrl-C leaves is a thinner diagram, not half of one
NEAR = 16  # columns laid around each change by `located`


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a diagram was made from, so that a part of it can be made again."""

    source: AbstractMap | Training
    transient: int
    keep: int
    observe: Observe | None


@dataclass(frozen=True, slots=True, eq=False)
class Bifurcation:
    """What an observable does in the long run, over a parameter.

    Attributes:
        parameter: Its name.
        values: The parameter's values, shape ``(values,)``, ascending.
        observed: The observable in the last ``keep`` steps, shape ``(values, keep)``; NaN where the orbit left the range of numbers.
        observable: What was observed, for the axis.
        how: How it was run, one sentence.
        local: Logarithm of what nearby orbits' distance grew by in each of these steps, of the shape of ``observed``.
        motions: The period at each value; 0 where the exponent is surely positive and nothing returns, -1 where the orbit is lost, -2 where nothing is sure.
        exponents: The largest Lyapunov exponent per step at each value; over whole periods where the orbit is periodic, NaN where it is lost.
        window: Between which values of the observable the diagram is drawn, if not all.
        is_complete: Whether no value is missing; Ctrl-C leaves some out.
    """

    parameter: str
    values: Floats
    observed: Floats
    observable: str
    how: str
    local: Floats
    motions: Integers
    exponents: Floats
    window: tuple[float, float] | None = None
    is_complete: bool = True
    asked: _Asked | None = field(default=None, repr=False)

    @property
    def n_points(self) -> int:
        """How many points the diagram has."""
        return int(np.isfinite(self.observed).sum())

    def periods(self) -> Integers:
        """Return after how many steps the observable returns at each value; 0 where it does not within a third of the kept steps, -1 where it diverged."""
        return np.where(self.motions == UNDECIDED, CHAOS, self.motions)

    def letters(self) -> str:
        """Return the regime at each value by its letter: C convergent, P periodic, X chaos, V divergent, ? unsure."""
        names = {CHAOS: "chaos", LOST: "divergent", UNDECIDED: "unsure", 1: "convergent"}
        return "".join(LETTERS[names.get(int(motion), "periodic")] for motion in self.motions)

    def points(self) -> tuple[BifurcationPoint, ...]:
        """Return where the motion changes, each with its interval."""
        return bifurcation_points(self.values, self.motions, self.exponents)

    @property
    def is_logarithmic(self) -> bool:
        """Whether the observable is shown by its logarithm: none of it is negative, and it spans more than a hundredfold."""
        finite = self.observed[np.isfinite(self.observed)]
        if not finite.size or finite.min() < 0.0 or (self.window is not None and self.window[0] <= 0.0):
            return False
        return bool(finite.max() > 100.0 * finite.min())

    def shown(self, values: Floats) -> Floats:
        """Return values of the observable as the diagram shows them: themselves, or their decimal logarithms, where a zero counts as rounding."""
        if not self.is_logarithmic:
            return values
        least = float(np.finfo(float).eps) * float(np.nanmax(self.observed))
        return np.log10(np.maximum(values, least))

    def density(self, rows: int = 400, columns: int | None = None) -> tuple[Floats, tuple[float, float]]:
        """Return how many points fall into each cell, shape ``(rows, columns)``, lowest first, and between which values the rows lie.

        The rows are those of :meth:`shown`: logarithms where the observable is positive and spans more than a hundredfold.

        Args:
            rows: How many rows.
            columns: How many columns; one for each value by default.
        """
        shown = self.shown(self.observed)
        finite = shown[np.isfinite(shown)]
        low, high = self.shown(np.array(self.window)) if self.window else (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        high = high if high > low else low + max(abs(low), 1.0) * 1e-9
        count = columns or len(self.values)
        place = np.minimum(np.arange(len(self.values)) * count // max(len(self.values), 1), count - 1)
        with np.errstate(invalid="ignore"):
            level = np.floor((shown - low) / (high - low) * rows)
        level = np.where(level == rows, rows - 1, level)
        inside = np.isfinite(level) & (level >= 0) & (level < rows)
        found = np.zeros((rows, count))
        np.add.at(found, (level[inside].astype(int), np.broadcast_to(place[:, None], level.shape)[inside]), 1.0)
        return found, (float(low), float(high))

    def refine(
        self, x0: float, x1: float, y0: float | None = None, y1: float | None = None, *, members: int | None = None, progress: Progress | None = None
    ) -> "Bifurcation":
        """Return the diagram of a part of this one, computed anew with as many values: what dragging a window over a picture asks for.

        Args:
            x0: Smallest value of the parameter.
            x1: Largest.
            y0: Smallest value of the observable that is drawn; everything is by default.
            y1: Largest.
            members: How many values; as many as here by default.
            progress: As for :func:`bifurcation_diagram`.

        Raises:
            UsageError: The window is empty, or the diagram was read from a file and cannot be run again.
        """
        asked = self._asked()
        if not x0 < x1 or (y0 is not None and y1 is not None and not y0 < y1):
            raise UsageError(f"A window should go from a number to a larger one, but goes from {x0:g} to {x1:g} and from {y0} to {y1}.")
        values = spaced(x0, x1, members or len(self.values))
        found = bifurcation_diagram(asked.source, self.parameter, values, transient=asked.transient, keep=asked.keep, observe=asked.observe, progress=progress)
        return found if y0 is None or y1 is None else replace(found, window=(y0, y1))

    def located(self, rounds: int = 1, *, most: int = 32, progress: Progress | None = None) -> "Bifurcation":
        """Return this diagram with further values between those around each change, so that its intervals are up to sixteen times narrower in each round.

        Orbits settle ever more slowly near a change: each round doubles the transient.

        Args:
            rounds: How many rounds.
            most: Only so many changes, the first ones.
            progress: As for :func:`bifurcation_diagram`.
        """
        found, asked = self, self._asked()
        for number in range(rounds):
            inner = [np.linspace(point.low, point.high, NEAR + 1)[1:-1] for point in found.points()[:most]]
            if not inner:
                break
            transient = asked.transient * 2 ** (number + 1)
            values = np.setdiff1d(np.concatenate(inner), found.values)
            more = bifurcation_diagram(asked.source, self.parameter, values, transient=transient, keep=asked.keep, observe=asked.observe, progress=progress)
            found = _merged(found, more)
        return found

    def figure(self, *, language: str = "en") -> "Figure":
        """Draw the diagram as density, and the exponent under it; a value at which the orbit diverged has no points."""
        from .bifurcation_figure import bifurcation_figure

        return bifurcation_figure(self, language)

    def save(self, path: str) -> str:
        """Write everything into an ``.npz`` file.

        Raises:
            UsageError: The name does not end in ``.npz``.
            CannotWrite: The place cannot be written.
        """
        if not path.endswith(".npz"):
            raise UsageError(f"A diagram's data should go into a file that ends in .npz, and is called {path!r}.")
        held: dict[str, Any] = {name: np.array(getattr(self, name)) for name in ("parameter", "observable", "how", "values", "observed", "local", "motions")}
        try:
            with whole_file(path) as half:
                np.savez_compressed(half, **held)
        except OSError as error:
            raise CannotWrite(f"The diagram {path} cannot be written ({error.strerror or error}).") from None
        return path

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; the points themselves go into :meth:`save`."""
        exponents = [float(value) if math.isfinite(value) else None for value in self.exponents]
        words = {name: getattr(self, name) for name in ("parameter", "observable", "how", "n_points", "is_complete")}
        changes = [point.to_dict() for point in self.points()]
        return {**words, "values": self.values.tolist(), "motions": self.motions.tolist(), "letters": self.letters(), "exponents": exponents, "points": changes}

    def _asked(self) -> _Asked:
        if self.asked is None:
            raise UsageError("A diagram that was put together from arrays cannot be run again. Make it with bifurcation_diagram.")
        return self.asked


def spaced(low: float, high: float, count: int) -> Floats:
    """Return ``count`` values from ``low`` to ``high``: by equal factors where they span more than 30, else by equal steps."""
    return np.geomspace(low, high, count) if low > 0.0 and high / low > 30.0 else np.linspace(low, high, count)


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
        parameter: Its name; of a training a setting of the optimizer, such as ``"learning_rate"`` or ``"momentum"``.
        values: Which values.
        transient: Steps before the ones kept.
        keep: Steps kept.
        observe: ``"loss"`` (of a training the default), ``"norm"`` of the parameters, ``"sharpness"``, the number of a coordinate (0 by default for other
            maps), a parameter's name with an index (``"0.weight[3]"``), or a function of the state.
        progress: Called with the number of values done. Ctrl-C keeps these, spread over the whole range.

    Raises:
        UnknownName: The map has no such parameter.
        UsageError: The loss is asked of a map that has none.

    Limits:
        One start for each value: of several attractors one is seen. Just beyond a doubling the transient must be long. Trainings run in float64; their
        exponents are those of twins at a relative distance of 1e-7, so that a contraction stronger than e to the 18th in one step is seen as that.

    Example:
        >>> from kazami.maps import CubicDescent
        >>> found = bifurcation_diagram(CubicDescent(), "a", [0.7, 1.1, 1.25, 2.2], transient=2000)
        >>> found.periods().tolist(), found.letters()
        ([1, 2, 4, -1], 'CPPV')
    """
    must_be_count("keep", keep, 2)
    must_be_count("transient", transient, 0)
    m = as_map(x)
    wanted = np.unique(np.asarray(values, dtype=np.float64).reshape(-1))
    if not len(wanted) or not np.isfinite(wanted).all():
        raise UsageError("A diagram should have finite values of its parameter, but has none, or some that are not.")
    what: Observe = observe if observe is not None else "loss" if isinstance(m, TrainingMap) else 0
    seen = Observable(m, what)
    done, runs = _in_parts(m, parameter, wanted, transient, keep, seen, progress)
    order = np.argsort(done)
    observed, local = (np.concatenate(parts)[order] for parts in ([run.observed for run in runs], [run.local for run in runs]))
    motions, exponents = _motions(observed, local)
    is_complete, asked = len(done) == len(wanted), _Asked(x, transient, keep, observe)
    return Bifurcation(parameter, wanted[np.sort(done)], observed, seen.name, runs[0].how, local, motions, exponents, None, is_complete, asked)


def _in_parts(
    m: AbstractMap, parameter: str, values: Floats, transient: int, keep: int, seen: Observable, progress: Progress | None
) -> tuple[Integers, list[LongRun]]:
    """Run the values in interleaved parts, and return which are done; Ctrl-C ends it."""
    count = min(PARTS, max(len(values) // LEAST, 1))
    places: list[Integers] = []
    runs: list[LongRun] = []
    taken = [0]

    def tick(steps: int) -> None:
        taken[0] += steps
        if progress is not None:
            progress(min(taken[0] // (transient + keep), len(values)))

    try:
        for part in range(count):
            here = np.arange(part, len(values), count)
            runs.append(long_run(m, parameter, values[here], transient, keep, seen, tick))
            places.append(here)
    except KeyboardInterrupt:
        if not runs:
            raise
    return np.concatenate(places), runs


def _motions(observed: Floats, local: Floats) -> tuple[Integers, Floats]:
    found = [motion_of(row, growth) for row, growth in zip(observed, local, strict=True)]
    return np.array([motion for motion, _ in found], dtype=np.int64), np.array([rate for _, rate in found])


def _merged(first: Bifurcation, second: Bifurcation) -> Bifurcation:
    values = np.concatenate([first.values, second.values])
    order = np.argsort(values, kind="stable")
    names = ("observed", "local", "motions", "exponents")
    joined: dict[str, Any] = {name: np.concatenate([getattr(first, name), getattr(second, name)])[order] for name in names}
    return replace(first, values=values[order], is_complete=first.is_complete and second.is_complete, **joined)
