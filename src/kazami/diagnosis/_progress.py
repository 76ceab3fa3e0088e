"""Progress: how far a training has come, against the trivial predictor, its own past and the noise of its batches; the gate for all rules."""

import math

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


def assess(trace: Trace) -> Progress:
    """Return the progress of a trace; a trace without losses counts as not poor (nothing is known against it)."""
    losses = trace["loss"].values
    finite = losses[np.isfinite(losses)]
    if finite.size == 0:
        is_bad = losses.size > 0
        return Progress(math.nan, math.nan, math.nan, trace.trivial_loss, math.nan, math.nan, math.nan, 0.0, False, is_bad, 0.0, is_bad)
    width = max(1, min(50, finite.size // 5))
    smooth = rolling_median(finite, width)
    start = float(np.median(finite[: max(1, min(5, finite.size // 10))]))
    now, best = float(smooth[-1]), float(smooth.min())
    trivial = trace.trivial_loss if trace.trivial_loss is not None and trace.trivial_loss > 0 else None
    reference = trivial if trivial is not None else abs(start)
    noise = neighbour_noise(finite)
    explained = 1 - now / reference if reference > 0 else 0.0
    ceiling = trivial if trivial is not None and now <= NEAR_TRIVIAL * trivial else math.inf
    explained = min(explained, explained_by_the_data(trace))
    pace, is_falling = pace_of(finite, noise, start, ceiling)
    is_bad = not bool(np.isfinite(losses[-min(5, losses.size) :]).all())
    is_game = "adversarial" in trace.facts  # of players who pull against one another, a loss that rises or stands still is the normal course
    is_moving = is_game or "moving_targets" in trace.facts  # targets that a network makes itself grow with what it learns, and the loss with them
    is_diverging = is_bad or (not is_moving and has_risen(start, now, best, reference, noise))
    is_nought = not bool(np.any(finite))  # two terms that cancel: it says nothing
    is_poor = is_diverging or (not is_game and not is_nought and is_stuck(explained, pace, finite.size))
    return Progress(
        first=start,
        now=now,
        best=best,
        trivial=trivial,
        reference=reference,
        explained=math.nan if is_game else explained,
        fall=1 - now / start if start else 0.0,
        pace=pace,
        is_falling=is_falling,
        is_diverging=is_diverging,
        noise=noise / reference if reference > 0 else 0.0,
        is_poor=is_poor,
    )


def explained_by_the_data(trace: Trace) -> float:
    """Return what the one error that is learned from targets explains where the loss holds other terms beside it, infinity where that cannot be told.

    A penalty that falls must not hide an error that stands still. The error must be most of what the data terms cost at the start: a side task is none.
    """
    terms = [term for term in trace.facts.get("loss_terms", {}).get("terms", []) if not term.get("is_penalty")]
    known = [term for term in terms if math.isfinite(term["trivial"]) and term["trivial"] > 0 and math.isfinite(term["now"])]
    others = sum(abs(term["weight"] * term["first"]) for term in terms if term not in known and math.isfinite(term["first"]))
    if len(known) != 1 or not abs(known[0]["weight"] * known[0]["first"]) > others:
        return math.inf
    return 1 - float(known[0]["now"]) / float(known[0]["trivial"])


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
    best = min(float(rolling_median(losses[:half], third).min()), float(losses[0]) + 2 * noise)
    level, newest = min(float(np.median(before)), best, ceiling), float(np.median(after))
    spread = max(noise, float(np.std(losses[half:])) / 4)
    error = spread * math.sqrt(2.0 / third) * 1.25
    return ((level - newest) / abs(level) if level else 0.0), level - newest > 2 * error


def has_risen(start: float, now: float, best: float, reference: float, noise: float) -> bool:
    """Return whether the loss stands well above where it began, or where guessing stands after it had been below."""
    above_start = now > DIVERGED * start + 4 * noise and now > 1.1 * reference
    lost_again = best < 0.7 * reference and now > max(reference, 2 * best) + 4 * noise
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
