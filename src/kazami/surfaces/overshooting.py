r"""One step too far: the loss along the gradient, where the step came from, where it should have gone, and where it went."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import nn

from ..errors import UsageError
from ..records import Sentence
from ..reports.numerals import short
from .directions import curvature_along
from .evaluation import Evaluator, gradient_at
from .weights import as_batches, flat_weights

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 81
SEEN = 1.35  # how far behind the step the picture goes, in steps
DOUBLINGS = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Overshoot:
    r"""A gradient step :math:`\theta - \eta g` seen on the line it moves along.

    Attributes:
        learning_rate: η.
        loss_before: Where it was.
        loss_after: Where it went; not finite where it overflowed.
        loss_best: The lowest loss found on the line ahead.
        best: The learning rate that would have reached it; infinite where the loss falls as far as was looked.
        curvature: :math:`\kappa = g^\top H g / g^\top g`, the second derivative of the loss along the step.
        gradient_norm: :math:`\lVert g\rVert`.
        rates: Learning rates at which the line was evaluated.
        losses: Losses there.
    """

    learning_rate: float
    loss_before: float
    loss_after: float
    loss_best: float
    best: float
    curvature: float
    gradient_norm: float
    rates: np.ndarray
    losses: np.ndarray

    @property
    def loop_gain(self) -> float:
        r"""By how much the error is fed back, :math:`\eta\kappa - 1`, since each step multiplies it by :math:`1-\eta\kappa`.

        Above 1 each overshoot is larger than the one before (runaway), between 0 and 1 it overshoots and comes back, below 0 it does not overshoot.
        """
        return self.learning_rate * self.curvature - 1.0

    @property
    def is_runaway(self) -> bool:
        """Whether the loop gain is above one: the step ends higher than it began, as far as curvature alone decides."""
        return self.loop_gain > 1.0

    @property
    def finding(self) -> Sentence:
        """What happened, one sentence."""
        gain, rate, best = short(self.loop_gain), short(self.learning_rate), short(self.best)
        went = f"{short(self.loss_before)} → {short(self.loss_after)}"
        if self.is_runaway:
            return Sentence(
                f"Runaway: loop gain {gain} > 1. The step of η = {rate} jumped over the minimum (at η = {best}): loss {went}",
                f"暴走: ループゲイン {gain} > 1。η = {rate} の一歩は最小点（η = {best}）を飛び越えた（損失 {went}）",
            )
        if not self.loss_after <= self.loss_before:
            return Sentence(
                f"The step of η = {rate} ended higher, {went}, although the loop gain at its start is {gain}: the curvature grows on the way",
                f"出発点のループゲインは {gain} だが、η = {rate} の一歩で損失は上がった（{went}）。途中で曲率が増している",
            )
        if self.learning_rate > self.best:
            return Sentence(
                f"The step of η = {rate} went past the minimum of its line (η = {best}) and still came out lower: {went}, loop gain {gain}",
                f"η = {rate} の一歩は直線上の最小点（η = {best}）を越えたが、損失は下がった（{went}、ループゲイン {gain}）",
            )
        return Sentence(
            f"No overshoot: the step of η = {rate} stops before the minimum of its line (η = {best}): loss {went}, loop gain {gain}",
            f"行き過ぎなし: η = {rate} の一歩は直線上の最小点（η = {best}）の手前で止まる（損失 {went}、ループゲイン {gain}）",
        )

    def figure(self, *, language: str = "en") -> "Figure":
        """Draw the line with the three places and the parabola that the step believes in."""
        from .overshoot_figure import draw_overshoot

        return draw_overshoot(self, language)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; what is not finite is ``None``."""
        names = ("learning_rate", "loss_before", "loss_after", "loss_best", "best", "curvature", "gradient_norm", "loop_gain")
        plain = {name: _finite(getattr(self, name)) for name in names}
        lists = {"rates": self.rates.tolist(), "losses": [_finite(value) for value in self.losses.tolist()]}
        return {**plain, "runaway": self.is_runaway, **lists, "finding": {"en": self.finding.en, "ja": self.finding.ja}}


def overshoot(model: nn.Module, loss: Any, batch: Any, learning_rate: float) -> Overshoot:
    r"""Take one step of gradient descent on paper: where it was, where it should have gone, where it goes.

    Args:
        model: The model; it stays as it was. Dropout is off, BatchNorm uses its stored statistics.
        loss: ``loss(output, target) -> 0-d tensor``.
        batch: ``(inputs, target)``, or several.
        learning_rate: η.

    Limits:
        Plain gradient descent; momentum and Adam step in another direction. The lowest point is searched up to 20 doublings of η and between
        the evaluated points around the lowest of them: a finer second valley may be missed.

    Raises:
        UsageError: The learning rate is not positive, or the gradient is zero or not finite.

    Example:
        >>> model = nn.Linear(1, 1, bias=False).double()
        >>> _ = model.weight.data.fill_(1.0)
        >>> batch = (torch.ones(1, 1).double(), torch.zeros(1, 1).double())
        >>> step = overshoot(model, lambda y, t: ((y - t) ** 2).mean() / 2, batch, 2.5)  # L = w²/2, curvature 1
        >>> step.loop_gain, step.is_runaway, round(step.best, 6), step.loss_after
        (1.5, True, 1.0, 1.125)
    """
    if not 0.0 < learning_rate < math.inf:
        raise UsageError(f"A learning rate should be a positive number, and is {learning_rate}.")
    batches, flat = as_batches(batch), flat_weights(model)
    before, gradient = gradient_at(model, loss, batches, flat)
    length = float(gradient.double().norm())
    if not 0.0 < length < math.inf:
        raise UsageError(f"A step needs a gradient, and its length here is {length}: the weights are at a level point, or not finite.")
    curvature = curvature_along(model, loss, batches, gradient)
    task = Evaluator(model, loss, batches, flat, -gradient, torch.zeros_like(flat))

    def losses_at(rates: np.ndarray) -> np.ndarray:
        return np.concatenate([values for _, values in task.losses(np.stack([rates, np.zeros_like(rates)], 1))])

    rates = np.union1d(np.linspace(0.0, SEEN * learning_rate, POINTS), [learning_rate])
    values = losses_at(rates)
    best, lowest = _lowest(rates, values, losses_at)
    after = float(values[np.flatnonzero(rates == learning_rate)[0]])
    return Overshoot(
        learning_rate=learning_rate,
        loss_before=before,
        loss_after=after,
        loss_best=lowest,
        best=best,
        curvature=curvature,
        gradient_norm=length,
        rates=rates,
        losses=values,
    )


def _lowest(rates: np.ndarray, values: np.ndarray, losses_at: Any) -> tuple[float, float]:
    """Return the learning rate with the lowest loss on the line, and that loss."""
    for _ in range(DOUBLINGS):
        if int(np.nanargmin(np.where(np.isfinite(values), values, np.inf))) < len(rates) - 1:
            break
        more = np.linspace(rates[-1], 2.0 * rates[-1], POINTS)[1:]
        rates, values = np.append(rates, more), np.append(values, losses_at(more))
    finite = np.where(np.isfinite(values), values, np.inf)
    index = int(np.argmin(finite))
    if index == len(rates) - 1:
        return math.inf, float(finite[index])
    if index == 0:  # the minimum lies before the first point: look closer
        low, high = 0.0, float(rates[1])
    else:
        low, high = float(rates[index - 1]), float(rates[index + 1])
    found = minimize_scalar(
        lambda rate: float(losses_at(np.array([rate]))[0]), bounds=(low, high), method="bounded", options={"xatol": 1e-7 * high, "maxiter": 40}
    )
    return (float(found.x), float(found.fun)) if float(found.fun) <= finite[index] else (float(rates[index]), float(finite[index]))


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
