"""The regime of a training or of any map: what kind of motion it is, and what inside the network takes part in it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from ..errors import UsageError
from ..maps import AbstractMap, Training, TrainingMap
from ..records import Evidence, Regime
from ..signals import laminar_phases
from ..signals import regime as series_regime
from ..signals.settling import runs_away
from .cycles import Cycle, cycle, multiplier
from .growth import Progress
from .hovering import HIGHEST, Hovering
from .inside import Inside
from .inside_words import dead_inside, with_movement
from .orbit import Orbit, walked
from .phases import SURELY, WORTH_NAMING, GrowthPhase, growth_phase
from .regime_words import made
from .source import as_map, must_be_deterministic
from .uncertainty import standard_error
from .votes import IRREGULAR, Votes, votes

Floats = NDArray[np.float64]

LEAST_STEPS = 100
STEPS = 3000  # of a map that does not say how long it is meant to run
LOOKS = 32  # looks inside a training, spread over its steps
PAIRS = 10  # pairs of consecutive states at which the sharpness is measured, in the second half
HEAD = 20  # a chaotic transient is worth its name from a twentieth of the orbit on, and from 100 steps
QUIET = 0.3  # growth in laminar phases over the growth in all: in a band of chaos that only looks laminar it is 1
DEAD = 0.8  # share of looks: saturated units creep on and now and then wake one another for a few steps
RISING = 0.05  # share of rising steps from which a loss does not simply fall
WHOLE = -math.log(np.finfo(float).eps)  # e-foldings from a rounding error to the size of the state: what grows so within bounds makes the future unknowable


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was measured on one orbit.

    Attributes:
        m: The map.
        orbit: Its orbit.
        rhythm: Steps after which the map is the same again; ``None`` if never.
        growth: When tiny differences grew.
        late: Mean exponent over the last two thirds, per step, and its standard error.
        cycle: The return it came to, if any.
        inside: Looks inside, of a training.
        hovering: Sharpness against the threshold, of a training.
    """

    m: AbstractMap
    orbit: Orbit
    rhythm: int | None
    growth: GrowthPhase
    late: tuple[float, float]
    cycle: Cycle | None
    inside: Inside | None
    hovering: Hovering | None

    @property
    def course(self) -> Floats | None:
        """The losses as one number for each pass over the batches: from batch to batch a loss goes up and down without anything being wrong."""
        every = self.rhythm or 1
        whole = 0 if self.orbit.losses is None else len(self.orbit.losses) // every
        return None if self.orbit.losses is None else np.asarray(self.orbit.losses[: whole * every].reshape(whole, every).mean(axis=1))

    @property
    def late_folds(self) -> float:
        """By how many e-foldings tiny differences grew in the last third."""
        return self.growth.late_rate * len(self.orbit.local) / 3

    @property
    def grows(self) -> bool:
        """Whether tiny differences surely go on growing."""
        rate, error = self.late
        folds = rate * (2 * len(self.orbit.local) // 3)
        return self.growth.kind == "sustained" or (folds > WORTH_NAMING and rate > 2.0 * error and self.growth.late_rate > 0.0)


def regime(x: AbstractMap | Training | ArrayLike, steps: int | None = None, *, seed: int = 0, progress: Progress | None = None) -> Regime:
    r"""Return the regime of a training, of any other map, or of a series, with its evidence.

    Of a map the orbit from its current state is followed with one tangent vector. In this order: it leaves the range of numbers or runs away (divergent);
    nothing moves, or a hidden layer passes nothing on and only what lies behind it moves (dead); it returns to itself, exactly or nearer and nearer, after
    :math:`p` steps (convergent for :math:`p = 1`, else periodic; transient chaos where differences grew on an irregular orbit before); differences go on
    growing on a bounded irregular orbit (chaos, or intermittent where they do not grow within long laminar phases); the sharpness stays at the optimizer's
    threshold (edge of stability); neither growth nor return, and predictable forever (quasi-periodic); else unsure.

    Args:
        x: A map, a `Training`, or a series of one number a step (which :func:`kazami.signals.regime` looks at).
        steps: How many steps to follow; the training's own number, or 3000. Not for series.
        seed: Of the random directions.
        progress: Called with the number of steps taken.

    Returns:
        A `Regime`. ``parameters`` has the label's own numbers (``period``, ``multiplier``, ``exponent``, ``laminar_share`` …); of a training also what moves
        and what does not.

    Raises:
        UsageError: The map is not deterministic; ``steps`` beside a series.

    Limits:
        A finite orbit: what would happen later is not seen. Batches and randomness are frozen, so that noise never counts as chaos; the label is that of this
        frozen order. A cycle longer than a ninth of the steps is not found. One tangent step costs about three plain ones.

    References:
        Benettin et al. 1980; Pomeau and Manneville 1980; Grebogi, Ott and Yorke 1983 (transient chaos); Cohen et al. 2021.

    Example:
        >>> from kazami.maps import CubicDescent
        >>> [regime(CubicDescent(a=a), 2000).letter for a in (0.7, 1.1, 2.0)]
        ['C', 'P', 'X']
        >>> regime(CubicDescent(a=1.25), 2000).parameters["period"]
        4
    """
    if not isinstance(x, (AbstractMap, Training)):
        if steps is not None:
            raise UsageError(f"A series has its own number of steps, and regime was asked for {steps}. Cut the series instead, or hand over a map.")
        return series_regime(x)
    m = as_map(x)
    count = steps if steps is not None else m.training.steps if isinstance(m, TrainingMap) else STEPS
    if count < LEAST_STEPS:
        return made("unsure", {"needs": LEAST_STEPS, "has": count}, (), 0.0)
    must_be_deterministic(m)
    inside = Inside(m) if isinstance(m, TrainingMap) else None
    hovering = Hovering(m) if isinstance(m, TrainingMap) and not m.is_replayed else None
    return regime_of_orbit(m, _followed(m, count, seed, progress, inside, hovering), inside, hovering)


def steps_to_look_at(count: int) -> tuple[set[int], set[int]]:
    """Return the steps at which to look inside a training of ``count`` steps, and those at which to measure its sharpness."""
    return {int(step) for step in np.linspace(0, count - 1, LOOKS)}, {int(step) for step in np.linspace(count // 2, count - 1, PAIRS)}


def regime_of_orbit(m: AbstractMap, orbit: Orbit, inside: Inside | None, hovering: Hovering | None) -> Regime:
    """Return the regime of an orbit of ``m`` that was followed already, by :func:`regime` or, for many members at once, by an engine."""
    seen = _seen(m, orbit, inside, hovering)
    return _looked_into(seen, _named(seen))


def _followed(m: AbstractMap, count: int, seed: int, progress: Progress | None, inside: Inside | None, hovering: Hovering | None) -> Orbit:
    looks, pairs = steps_to_look_at(count)

    def visit(step: int, before: Any, after: Any) -> None:
        if inside is not None and step in looks:
            inside.look(step, before, after)
        if hovering is not None and step in pairs:
            hovering.look(step, before, after)

    return walked(m, count, looks=sorted(looks | pairs), visit=visit, seed=seed, progress=progress)


def _seen(m: AbstractMap, orbit: Orbit, inside: Inside | None, hovering: Hovering | None) -> Seen:
    rhythm = m.rhythm if isinstance(m, TrainingMap) else 1
    late = orbit.local[len(orbit.local) // 3 :]
    is_finite = len(late) > 0 and bool(np.isfinite(late).all())
    rate = float(late.mean()) if len(late) else math.nan
    found = cycle(orbit.shadows, unit=rhythm or 1) if orbit.stopped_at is None else None
    if rhythm is None and found is not None and found.period > 1:
        found = None  # nothing repeats where the batches do not
    return Seen(m, orbit, rhythm, growth_phase(orbit.local), (rate, standard_error(late) if is_finite else 0.0), found, inside, hovering)


def _named(seen: Seen) -> Regime:
    """Return the regime by the orbit alone."""
    orbit = seen.orbit
    if orbit.stopped_at is not None:
        evidence = Evidence("first step that is not finite", float(orbit.stopped_at), None, "steps", name_ja="有限でない最初のステップ")
        return made("divergent", {"step": orbit.stopped_at}, (evidence,), 1.0)
    if runs_away(orbit.sizes) and not _falls(orbit.losses):
        evidence = Evidence("size of the state at the end over the start", float(orbit.sizes[-1] / max(orbit.sizes[0], 1e-300)), name_ja="状態の大きさの比")
        return made("divergent", {}, (evidence,), 0.95)
    if isinstance(seen.m, TrainingMap) and not np.ptp(orbit.shadows, axis=0).any():
        return made("dead", {"moves": [], "nothing_moves": True}, (), 1.0)
    if seen.cycle is not None:
        return _settled(seen, seen.cycle)
    return _unsettled(seen)


def _exponent(seen: Seen) -> Evidence:
    return Evidence("largest exponent over the last two thirds", seen.late[0], 0.0, "1/step", "docs/lyapunov.md", "最後の三分の二の最大指数")


def _settled(seen: Seen, came_to: Cycle) -> Regime:
    """Return convergent, periodic, or transient chaos before either."""
    period = came_to.period // (seen.rhythm or 1)
    evidence = (Evidence("distance after a period over the state's size", came_to.mismatch, None, "", "docs/regimes.md", "一周期後の距離の比"), _exponent(seen))
    parameters: dict[str, Any] = {"exponent": seen.late[0], "has_arrived": came_to.is_exact}
    if period > 1:
        parameters = {"period": period * (seen.rhythm or 1), **parameters}
        factor = multiplier(seen.m, seen.orbit.end, seen.m.time + seen.orbit.taken, came_to.period)
        parameters |= {"multiplier": factor} if math.isfinite(factor) else {}
    if (seen.rhythm or 1) > 1:
        parameters["batches"] = seen.rhythm
    found = made("periodic" if period > 1 else "convergent", parameters, evidence, 0.99 if came_to.is_exact else 0.9)
    return _after_head(seen, found)


def _after_head(seen: Seen, found: Regime) -> Regime:
    """Return transient chaos if the orbit was chaotic for long before it came to the regime ``found``, else ``found``."""
    head = _chaotic_head(seen)
    if not head:
        return found
    rate = float(seen.orbit.local[:head].mean())
    said = Evidence("exponent before it settled", rate, 0.0, "1/step", "docs/lyapunov.md", "落ち着く前の指数")
    return made("transient_chaos", {"steps": head, "rate": rate, "then": found.label, **found.parameters}, (said, *found.evidence), min(0.9, found.confidence))


def _chaotic_head(seen: Seen) -> int:
    """Return for how many steps an orbit that settled was chaotic before; 0 where it was not."""
    head, growth = seen.growth.until, seen.growth
    if growth.kind == "none" or growth.folds < WORTH_NAMING or head < max(LEAST_STEPS, seen.orbit.taken // HEAD):
        return 0
    early = seen.orbit.local[:head]
    if not (np.isfinite(early).all() and early.mean() > SURELY * standard_error(early)):
        return 0
    every, course = seen.rhythm or 1, seen.course
    heard = votes(seen.orbit.shadows[:head:every], None if seen.orbit.losses is None else seen.orbit.losses[:head:every])
    falls = course is not None and _share_of_rises(course[: head // every + 1]) < RISING
    return head if heard.share(*IRREGULAR) >= 0.5 and not falls else 0


def _unsettled(seen: Seen) -> Regime:
    """Return the regime of an orbit that neither left nor returned."""
    heard = _heard(seen)
    irregular = heard.share(*IRREGULAR)
    falls = _is_simply_falling(seen.course)
    is_edge = seen.hovering is not None and seen.hovering.is_near and (seen.hovering.has_crossed or not falls)
    is_lasting = seen.grows and not falls and not (is_edge and seen.late_folds < WORTH_NAMING)
    if is_lasting and (irregular >= 0.5 or seen.late_folds > WHOLE):  # narrow bands of chaos look like a cycle, and are not
        return _chaotic(seen, heard)
    if is_edge:
        return _after_head(seen, _at_the_edge(seen))
    if heard.share("intermittent") >= 0.5 and seen.late[0] > 0.0 and seen.growth.folds > WORTH_NAMING and _laminar(seen) is not None:
        return _chaotic(seen, heard)
    if falls or heard.share("convergent") > 0.5:
        return _after_head(seen, made("convergent", {"exponent": seen.late[0], "still_moving": True}, (_exponent(seen),), 0.7))
    if seen.rhythm is None and not seen.grows:
        return _driven(seen)
    if heard.share("quasi_periodic", "periodic") > 0.5 and not seen.grows:
        return _after_head(seen, _turning(seen, heard))
    if not seen.grows and _goes_down(seen.course):
        return made("convergent", {"exponent": seen.late[0], "still_moving": True, "restless": True}, (_exponent(seen),), 0.6)
    evidence = (_exponent(seen), Evidence("share of series that look irregular", irregular, 0.5, "", "docs/regimes.md", "不規則な系列の割合"))
    return made("unsure", {"exponent": seen.late[0]}, evidence, 0.3)


def _heard(seen: Seen) -> Votes:
    every = seen.rhythm or 1
    rows = seen.orbit.shadows[len(seen.orbit.shadows) // 3 :][::every]
    losses = None if seen.orbit.losses is None else seen.orbit.losses[len(seen.orbit.losses) // 3 :][::every]
    return votes(rows, losses)


def _chaotic(seen: Seen, heard: Votes) -> Regime:
    """Return intermittent where tiny differences do not grow within long laminar phases, else chaos."""
    rate, error = seen.late
    parameters: dict[str, Any] = {"exponent": rate, "uncertainty": error, "horizon": 1.0 / rate}
    if (seen.rhythm or 1) > 1 or seen.rhythm is None:
        parameters["frozen_batches"] = True
    evidence = (_exponent(seen), Evidence("share of series that look irregular", heard.share(*IRREGULAR), 0.5, "", "docs/regimes.md", "不規則な系列の割合"))
    laminar = _laminar(seen)
    if laminar is not None and heard.share("intermittent") >= 0.5:
        quiet = Evidence("growth within laminar phases over all growth", laminar.pop("quiet"), QUIET, "", "docs/regimes.md", "層流相での成長の比")
        return made("intermittent", {**laminar, **parameters}, (quiet, *evidence), 0.85)
    return made("chaos", parameters, evidence, 0.95 if seen.growth.kind == "sustained" else 0.75)


def _laminar(seen: Seen) -> dict[str, Any] | None:
    """Return the numbers of the laminar phases in which tiny differences grow much less than on average, ``None`` where there are none."""
    begin = len(seen.orbit.shadows) // 3
    rows = seen.orbit.shadows[begin:]
    local = seen.orbit.local[begin:]
    if len(rows) < LEAST_STEPS:
        return None
    phases = laminar_phases(rows[:, int(np.argmax(rows.std(axis=0)))])
    if phases.lengths.size < 2 or phases.share < 0.1:
        return None
    is_laminar = np.zeros(len(local), dtype=bool)
    for start, length in zip(phases.starts, phases.lengths, strict=True):
        is_laminar[start : start + length] = True
    mean = float(local.mean())
    quiet = float(local[is_laminar].mean()) / mean if mean > 0.0 and is_laminar.any() else math.inf
    if not quiet < QUIET:
        return None
    return {
        "laminar_share": phases.share, "mean_laminar_length": phases.mean_length, "laminar_period": phases.period, "bursts": phases.n_bursts, "quiet": quiet,
    }  # fmt: skip


def _at_the_edge(seen: Seen) -> Regime:
    ratio = seen.hovering.ratio if seen.hovering is not None else math.nan
    evidence = (Evidence("sharpness over the optimizer's threshold", ratio, HIGHEST, "", "docs/regimes.md", "閾値に対する鋭さ"), _exponent(seen))
    return made("edge_of_stability", {"ratio": ratio, "exponent": seen.late[0]}, evidence, 0.9)


def _driven(seen: Seen) -> Regime:
    """Return the regime of a training whose batches never repeat and along which differences do not grow."""
    settles = seen.late[0] + 2.0 * seen.late[1] < 0.0
    return made("convergent", {"exponent": seen.late[0], "driven": True, "still_moving": True}, (_exponent(seen),), 0.8 if settles else 0.6)


def _turning(seen: Seen, heard: Votes) -> Regime:
    """Return quasi-periodic; of a flow, which is sampled and returns between two samples, what the series say."""
    evidence = (
        _exponent(seen),
        Evidence(
            "share of series that are predictable for ever", heard.share("quasi_periodic", "periodic"), 0.5, "", "docs/regimes.md", "準周期的な系列の割合"
        ),
    )
    if seen.m.time_per_step != 1.0 and heard.most == "periodic":
        return made("periodic", {"period": heard.parameter("periodic", "period"), "exponent": seen.late[0]}, evidence, 0.9)
    return made("quasi_periodic", {"exponent": seen.late[0]}, evidence, 0.85)


def _falls(losses: Floats | None) -> bool:
    return losses is not None and bool(losses[-1] < losses[0])


def _is_simply_falling(losses: Floats | None) -> bool:
    """Return whether a loss falls in all but a few of the steps of the last two thirds."""
    if losses is None or len(losses) < LEAST_STEPS:
        return False
    late = losses[len(losses) // 3 :]
    return bool(_share_of_rises(late) < RISING and late[-1] < late[0])


def _goes_down(losses: Floats | None) -> bool:
    """Return whether a loss, however restless, is lower in the last third than in the middle one: their medians, by more than chance (p = 0.01)."""
    if losses is None or len(losses) < 9:
        return False
    middle, late = np.array_split(losses, 3)[1:]
    return bool(stats.mannwhitneyu(late, middle, alternative="less").pvalue < 0.01)


def _share_of_rises(losses: Floats) -> float:
    return float(np.mean(np.diff(losses) > 0.0))


def _looked_into(seen: Seen, found: Regime) -> Regime:
    """Return the regime after a look inside the training: what moves, what does not, and whether the network still answers to its input."""
    inside = seen.inside
    if inside is None or found.label == "divergent" or found.parameters.get("nothing_moves"):
        return found
    dead = inside.is_dead()
    since = _dead_since(inside, dead)
    if since is not None:
        return dead_inside(inside, _left(seen, found, since), since)
    return with_movement(inside, found, float(dead[len(dead) // 3 :].mean()) if len(dead) else 0.0)


def _left(seen: Seen, found: Regime, since: int) -> Regime:
    """Return the regime of what is left of a dead network: that of its losses, where the state as a whole does not return because the rest of it creeps."""
    losses = seen.orbit.losses
    if seen.cycle is not None or losses is None or len(losses) - since < LEAST_STEPS:
        return found
    heard = series_regime(losses[max(since, len(losses) // 3) :])
    return found if heard.label in ("noise", "unsure", "dead", "divergent") else heard


def _dead_since(inside: Inside, dead: NDArray[np.bool_]) -> int | None:
    """Return the step from which on the looks found the network dead, but for short awakenings; ``None`` where the second half of them did not."""
    if not len(dead) or not dead[-1] or dead[len(dead) // 2 :].mean() < DEAD:
        return None
    return next(look.step for place, look in enumerate(inside.looks) if dead[place] and dead[place:].mean() >= DEAD)
