"""Parameters that stand still although backward runs: gradients cleared before the step, of exactly zero, or without an effect."""

import numpy as np

from ..records.trace import Trace
from ._base import recent

LEAST_STEPS = 10
LEAST_PULL = 0.01
ROUNDED_AWAY = float(np.finfo(np.float32).eps)  # of a weight: what is smaller may leave it as it is


def flat_share(trace: Trace) -> float:
    """Return the share of the parameters that no way without a piecewise constant operation joins to the loss, 0 where a gradient was seen all the same."""
    norms = trace["total_gradient_norm"].values
    share = float(trace.facts.get("without_slope", {}).get("share", 0.0))
    return 0.0 if share == 1.0 and bool(np.any(norms[np.isfinite(norms)] > 0)) else share


def wiped_steps(trace: Trace) -> int:
    """Return at how many steps nothing was left of the gradients that the backward before had made, 0 where at any step something was."""
    counts = trace.facts.get("wiped_gradients", {"wiped": 0, "of": 0})
    return int(counts["wiped"]) if counts["wiped"] == counts["of"] else 0


def unmoved(trace: Trace) -> list[str]:
    """Return the layers whose weights no recorded step has changed, though they got gradients and other layers moved by more than rounding takes away.

    Weights kept in half precision are left out: what their wide spacing rounds away is measured by `fp16_underflow`.
    """
    halves = set(trace.facts.get("half_precision", {}).get("weights", ()))
    updates, gradients = trace["update_ratio"], trace["gradient_norm"]
    if len(updates) < LEAST_STEPS or len(gradients) == 0:
        return []
    seen = np.isfinite(updates.values)
    moved = np.any(seen & (updates.values > 0), axis=0)
    if moved.any() and float(np.median(np.nanmax(updates.values[:, moved], axis=0))) <= ROUNDED_AWAY:
        return []  # the others hardly move either: the steps are too small, and here they round to none
    pull = recent(trace, "gradient_norm")
    pulled = pull > LEAST_PULL * float(np.nanmax(np.append(pull, 0.0)))  # a fading gradient may be too small to change a weight: that is another finding
    watched = seen.sum(0) >= LEAST_STEPS
    return (
        [layer.name for index, layer in enumerate(trace.layers) if watched[index] and pulled[index] and not moved[index] and layer.name not in halves]
        if moved.any()
        else []
    )
