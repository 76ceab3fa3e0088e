r"""Gradient descent on :math:`(w^2 - y)^2 / 4`, whose fate one number :math:`a = \eta y` decides: where its period doubles, and as a training in torch."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..maps import CubicDescent, Training, TrainingMap

CATAPULT = 2 * math.sqrt(2) - 2  # the discriminant a² + 4a - 4 of f(q) + q is zero
DOUBLINGS = (1.0, math.sqrt(5) - 1)  # 2y = 2/η; multiplier 9 - 2 (1 + a)² of the two-cycle is -1
BANDS = 3 * math.sqrt(3) / 2 - 1  # the image of the critical point is the repeller at zero
CHEBYSHEV = 2.0  # x = √2 sin θ goes to √2 sin 3θ
FEIGENBAUM = 4.669201609102990671853  # Briggs 1991


class Square(nn.Module):
    """One weight whose square is the output."""

    def __init__(self) -> None:
        """Begin at a weight of 0.7."""
        super().__init__()
        self.w = nn.Parameter(torch.tensor(0.7, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Return the weight's square for every sample."""
        output: Tensor = self.w**2 * x
        return output


def square_training(a: float, target: float = 1.0, steps: int = 100) -> Training:
    r"""Return the training with the learning rate :math:`a / y`; ``target`` is y."""
    ones = torch.ones(1, dtype=torch.float64)
    return Training(
        model=Square,
        optimizer=lambda model: torch.optim.SGD(model.parameters(), a / target),
        loss=lambda output, goal: (output - goal).square().sum() / 4,
        batches=lambda: [(ones, target * ones)],
        steps=steps,
    )


def attractor(a: float, *, keep: int = 256, transient: int = 4000, start: float = 0.7) -> NDArray[np.float64]:
    """Return the ``keep`` weights after the transient, in units of the target's root."""
    m = CubicDescent(a=a, state=(start,))
    orbit: NDArray[np.float64] = m.orbit(m.current_state(), transient + keep)
    return orbit[transient:, 0]


def training_orbit(a: float, steps: int, target: float = 1.0) -> NDArray[np.float64]:
    """Return the weights of the torch training, shape ``(steps + 1,)``, in units of the target's root."""
    m = TrainingMap(square_training(a, target))
    found = [float(m.current_state())]
    for _ in range(steps):
        m.step()
        found.append(float(m.current_state()))
    return np.array(found) / math.sqrt(target)


def doubling(period: int, below: float, above: float) -> float:
    """Return where the multiplier of the cycle of ``period`` passes -1, by bisection; the cycle itself by Newton's method from the attractor.

    Args:
        period: A power of two.
        below: A value of a at which the cycle attracts.
        above: One at which it does not any more, before the next doubling's end.
    """
    for _ in range(44):
        a = 0.5 * (below + above)
        if _multiplier(a, period) < -1.0:
            above = a
        else:
            below = a
    return 0.5 * (below + above)


def doublings(count: int) -> list[float]:
    """Return the first ``count`` doublings; each is searched where the last two and Feigenbaum's constant expect it."""
    found: list[float] = []
    for number in range(count):
        if number < 2:
            below, above = ((0.8, 1.15), (1.1, 1.27))[number]
        else:
            gap = (found[-1] - found[-2]) / FEIGENBAUM
            below, above = found[-1] + 0.5 * gap, found[-1] + 1.15 * gap
        found.append(doubling(2**number, below, above))
    return found


def accumulation(found: Sequence[float]) -> float:
    """Return where the doublings pile up: the rest of a geometric series with Feigenbaum's constant."""
    return found[-1] + (found[-1] - found[-2]) / (FEIGENBAUM - 1.0)


def _multiplier(a: float, period: int) -> float:
    x = float(attractor(a, keep=1, transient=3000, start=0.9)[0])
    for _ in range(60):
        slope, image = _cycle(a, x, period)
        if abs(image - x) < 1e-14:
            break
        x -= (image - x) / (slope - 1.0)
    return _cycle(a, x, period)[0]


def _cycle(a: float, x: float, period: int) -> tuple[float, float]:
    slope = 1.0
    for _ in range(period):
        slope *= 1.0 + a - 3.0 * a * x * x
        x = (1.0 + a) * x - a * x**3
    return slope, x
