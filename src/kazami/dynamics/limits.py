"""Where a training's optimizer turns unstable, for each of its parameter groups, in the words of `kazami.curvature`."""

from ..curvature import Threshold, optimizer_threshold
from ..maps import TrainingMap


def stability_limits(m: TrainingMap) -> tuple[Threshold | None, ...]:
    r"""Return the stability threshold of each parameter group in the map's current step; ``None`` where theory gives none (Adadelta, ascent).

    The threshold's ``value`` is the largest stable eigenvalue of the Hessian, preconditioned for adaptive methods: :math:`2/\eta`,
    :math:`2(1+\beta)/\eta`, :math:`2(1+\beta)/(\eta(1+2\beta))`, :math:`2(1+\beta_1)/((1-\beta_1)\eta)` and their general forms.

    Args:
        m: The map; a scheduler's settings at its current step are the ones that count.

    Limits:
        Those of :func:`~kazami.curvature.thresholds.optimizer_threshold`.
    """
    m.write_settings()
    return tuple(optimizer_threshold(m.optimizer, index) for index in range(len(m.optimizer.param_groups)))
