"""Progress: how far a training has come, against the trivial predictor, its own past and the noise of its batches; the gate for all rules."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..records.trace import Floats, Progress, Trace
from ..signals import neighbour_noise, rolling_median

# Limits of the gate. Derivation: an untrained network explains nothing; 5 % of the remaining loss in half of the seen steps is the least that still ends
# a training within some tens of its own length. Calibrated on the calibration patients (docs/concepts), scored on others.
STUCK_EXPLAINED = 0.15
STUCK_PACE = 0.10
PLATEAU_EXPLAINED = 0.6
PLATEAU_PACE = 0.03
DIVERGED = 1.3
NEAR_TRIVIAL = 1.2
FAR_ABOVE = -1.0
FAR_ABOVE_PACE = 0.5
HOPELESS = -10.0
SLOW_EXPLAINED = 0.5
SLOW_PACE = 0.12
MOST_WINDOWS = 4096
TELLING = 0.95  # of the best constant's cost: targets whose own entropy is more tell less about the inputs than its estimate is off


def assess(trace: Trace) -> Progress:
    """Return the progress of a trace; a trace without losses counts as not poor (nothing is known against it)."""
    losses = trace["loss"].values
    finite = losses[np.isfinite(losses)]
    if finite.size == 0:
        is_bad = losses.size > 0
        return Progress(math.nan, math.nan, math.nan, trace.trivial_loss, math.nan, math.nan, math.nan, 0.0, False, is_bad, 0.0, is_bad)
    width = max(1, min(50, finite.size // 5))
    noise = neighbour_noise(finite)
    start = start_of(finite, noise)
    now = float(np.median(finite[-width:]))
    best = min(lowest_level(finite, width), now)
    is_signed = bool((finite < 0).any())  # of rewards or likelihoods: no distance from targets, and guessing has no value
    trivial = trace.trivial_loss if trace.trivial_loss is not None and trace.trivial_loss > 0 and not is_signed else None
    reference = trivial if trivial is not None else abs(start)
    is_mute = is_signed and noise > reference  # its level lies within the noise of a batch and tells nothing
    least = least_of(trace, finite)
    explained = 1 - (now - least) / (reference - least) if reference > least else 0.0
    ceiling = trivial if trivial is not None and now <= NEAR_TRIVIAL * trivial else math.inf
    explained = min(explained, explained_by_the_data(trace))
    pace, is_falling = pace_of(finite - least, noise, start - least, ceiling - least)
    is_bad = not bool(np.isfinite(losses[-min(5, losses.size) :]).all())
    is_game = "adversarial" in trace.facts  # of players who pull against one another, a loss that rises or stands still is the normal course
    is_moving = is_game or "moving_targets" in trace.facts  # targets that a network makes itself grow with what it learns, and the loss with them
    is_diverging = is_bad or (not is_moving and not is_mute and has_risen(start, now, best, reference, noise * 1.25 / math.sqrt(width)))
    is_nought = not bool(np.any(finite))  # two terms that cancel: it says nothing
    is_poor = is_diverging or (not is_game and not is_nought and not is_mute and is_stuck(explained, pace, finite.size))
    return Progress(
        first=start,
        now=now,
        best=best,
        trivial=trivial,
        reference=reference,
        explained=math.nan if is_game or is_mute else explained,
        fall=1 - now / start if start else 0.0,
        pace=pace,
        is_falling=is_falling,
        is_diverging=is_diverging,
        noise=noise / reference if reference > 0 else 0.0,
        is_poor=is_poor,
    )


def start_of(losses: Floats, noise: float) -> float:
    """Return the level at which a loss began: the median of its first values, but no more than the first of them can be by the noise of batches.

    A loss that leaps with its first steps began below the leap, and coming back from there is no gain.
    """
    first = float(losses[0])
    highest = first + 2 * noise
    if bool((losses > 0).all()):  # over a storm, noise is of the loss's own size: most of it is not that of the first steps
        highest = min(highest, first * math.exp(min(2 * neighbour_noise(np.log(losses)), 700.0)))
    return min(float(np.median(losses[: max(1, min(5, losses.size // 10))])), highest)


def explained_by_the_data(trace: Trace) -> float:
    """Return what the one error that is learned from targets explains where the loss holds other terms beside it, infinity where that cannot be told.

    A penalty that falls must not hide an error that stands still. The error must be most of what the data terms cost at the start: a side task is none.
    """
    terms = [term for term in trace.facts.get("loss_terms", {}).get("terms", []) if not term.get("is_penalty")]
    known = [term for term in terms if math.isfinite(term["trivial"]) and term["trivial"] > 0 and math.isfinite(term["now"])]
    others = sum(abs(term["weight"] * term["first"]) for term in terms if term not in known and math.isfinite(term["first"]))
    if len(known) != 1 or not abs(known[0]["weight"] * known[0]["first"]) > others:
        return math.inf
    return 1 - share_left(known[0])


def share_left(term: Mapping[str, Any]) -> float:
    """Return the share that is left of what a term of the loss can lose: 1 where the best constant stands, 0 at the targets' own entropy."""
    least = min(float(term.get("least", 0.0)), TELLING * float(term["trivial"]))
    return (float(term["now"]) - least) / (float(term["trivial"]) - least)


def least_of(trace: Trace, losses: Floats) -> float:
    """Return the least that the loss can come to: the entropy of targets that are shares themselves (grey pixels, a teacher's answers), 0 for all others."""
    if trace.trivial_loss is None or not trace.trivial_loss > 0:
        return 0.0
    return float(min(trace.facts.get("least_loss", 0.0), TELLING * trace.trivial_loss, max(float(losses.min()), 0.0)))


def pace_of(losses: Floats, noise: float, start: float, ceiling: float = math.inf) -> tuple[float, bool]:
    """Return the share of the loss that the second half of the steps removed, and whether that fall is beyond the noise of the batches.

    Levels are medians of the last third of each half, the first of them no worse than the best such median before: coming back from a rise is no gain. Nor
    is coming down to ``ceiling``, the trivial predictor's loss, for a loss that stands near it. The fall is held against twice the standard error of their
    difference.
    """
    if losses.size < 4:
        fall = start - float(losses[-1])
        return (fall / abs(start) if start else 0.0), fall > 0
    half = losses.size // 2
    third = max(half // 3, 1)
    before, after = losses[max(half - third, 0) : half], losses[-third:]
    best = min(lowest_level(losses[:half], third), float(losses[0]) + 2 * noise)
    level, newest = min(float(np.median(before)), best, ceiling), float(np.median(after))
    spread = max(noise, float(np.std(losses[half:])) / 4)
    error = spread * math.sqrt(2.0 / third) * 1.25
    return ((level - newest) / abs(level) if level else 0.0), level - newest > 2 * error


def lowest_level(losses: Floats, width: int) -> float:
    """Return the lowest median of ``width`` neighbouring losses; wide windows, and those of long series, are not taken at each step."""
    return float(rolling_median(losses, width, max(width // 32, losses.size // MOST_WINDOWS, 1)).min())


def has_risen(start: float, now: float, best: float, reference: float, error: float) -> bool:
    """Return whether the loss stands well above where it began, or where guessing stands after it had been below, each by four standard errors of a level."""
    above_start = now > DIVERGED * start + 4 * error and now > 1.1 * reference
    lost_again = best < 0.7 * reference and now > max(reference, 2 * best) + 4 * error
    return above_start or lost_again


def is_stuck(explained: float, pace: float, n_steps: int) -> bool:
    """Return whether little is explained and little is gained."""
    if n_steps < 5:
        return False
    if explained < HOPELESS and n_steps >= 30:
        return True
    if explained < FAR_ABOVE and pace < FAR_ABOVE_PACE:
        return True
    return (explained < STUCK_EXPLAINED and pace < STUCK_PACE) or (explained < PLATEAU_EXPLAINED and pace < PLATEAU_PACE)


def is_slow(progress: Progress | None) -> bool:
    """Return whether less than half is explained and little is being gained: not poor enough for every rule, but enough for one with strong evidence."""
    return falls_short(progress, SLOW_EXPLAINED, SLOW_PACE)


def falls_short(progress: Progress | None, explained: float, pace: float) -> bool:
    """Return whether progress is poor, or less than ``explained`` is explained and the second half of the steps removed less than ``pace`` of the loss.

    The stronger a rule's evidence, the less must be wrong with the progress before it speaks.
    """
    return progress is not None and (progress.is_poor or (progress.explained < explained and progress.pace < pace))
