r"""The smallest network that a large learning rate catapults: two linear layers, one sample, target zero.

With :math:`f = u \cdot v / \sqrt m`, the loss :math:`f^2 / 2` and :math:`\lambda = (\lVert u \rVert^2 + \lVert v \rVert^2) / m`, one step of gradient
descent is a map of two numbers, exactly:

.. math:: f' = f\,(1 - \eta\lambda + \eta^2 f^2 / m), \qquad \lambda' = \lambda + \frac{\eta f^2}{m}\,(\eta\lambda - 4)

References:
    Lewkowycz, Bahri, Dyer, Sohl-Dickstein and Gur-Ari 2020 (arXiv 2003.02218).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ..maps import Training, TrainingMap


class TwoLinearLayers(nn.Module):
    r"""The network :math:`f(x) = u \cdot v\, x / \sqrt m` with normal weights.

    Args:
        width: m.
    """

    def __init__(self, width: int) -> None:
        """Draw the weights from torch's global generator."""
        super().__init__()
        self.u = nn.Parameter(torch.randn(width, dtype=torch.float64))
        self.v = nn.Parameter(torch.randn(width, dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        """Return one output per sample."""
        output: Tensor = (self.u @ self.v) * x / math.sqrt(len(self.u))
        return output


@dataclass(frozen=True, slots=True)
class Catapult:
    r"""One training.

    Attributes:
        losses: Before every step and after the last; it ends early where a loss exceeds ``1e12``.
        curvatures: :math:`\eta\lambda` at the same places.
        outputs: f there.
    """

    losses: np.ndarray
    curvatures: np.ndarray
    outputs: np.ndarray

    @property
    def diverged(self) -> bool:
        """Whether the loss left all bounds."""
        return bool(self.losses[-1] > 1e6 * self.losses[0])

    @property
    def peak(self) -> float:
        """Largest loss over the first."""
        return float(self.losses.max() / self.losses[0])


def trained(eta_lambda: float, *, width: int, steps: int, seed: int) -> Catapult:
    r"""Train the network by kazami's own map of gradient descent.

    Args:
        eta_lambda: :math:`\eta\lambda_0`; the learning rate follows from the weights drawn.
        width: m.
        steps: Largest number of steps.
        seed: Of the weights.
    """
    m = TrainingMap(_training(width, seed, 0.0))
    rate = eta_lambda * width / float(m.current_state().square().sum())
    m = TrainingMap(_training(width, seed, rate))
    found = []
    for _ in range(steps + 1):
        state = m.current_state()
        u, v = state[:width], state[width:]
        output = float(u @ v) / math.sqrt(width)
        found.append((0.5 * output**2, rate * float(state.square().sum()) / width, output))
        if not 0.5 * output**2 < 1e12:
            break
        m.step()
    losses, curvatures, outputs = np.array(found).T
    return Catapult(losses, curvatures, outputs)


def two_numbers(output: float, eta_lambda: float, rate_over_width: float, steps: int) -> np.ndarray:
    r"""Return the outputs that the exact map of two numbers gives, shape ``(steps + 1,)``.

    Args:
        output: :math:`f_0`.
        eta_lambda: :math:`\eta\lambda_0`.
        rate_over_width: :math:`\eta / m`, times :math:`\eta` the only other constant: in units in which the rate is one, :math:`\eta^2/m`.
        steps: How far.
    """
    found = [output]
    for _ in range(steps):
        grown = rate_over_width * found[-1] ** 2
        found.append(found[-1] * (1.0 - eta_lambda + grown))
        eta_lambda += grown * (eta_lambda - 4.0)
    return np.array(found)


def _training(width: int, seed: int, rate: float) -> Training:
    return Training(
        model=lambda: TwoLinearLayers(width),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), rate),
        loss=lambda output, target: 0.5 * (output - target).square().sum(),
        batches=lambda: [(torch.ones(1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64))],
        steps=1,
        seed=seed,
    )
