"""Sharpness against the threshold, in pairs of steps."""

import pytest
import torch
from torch import nn

from kazami.dynamics.hovering import Hovering
from kazami.maps import Training, TrainingMap

CURVATURES = torch.tensor([1.0, 5.0], dtype=torch.float64)


class Bowl(nn.Module):
    """A quadratic with known curvatures."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([1.0, 1.0], dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x * self.w**2).sum() / 2


def ratios(optimizer) -> Hovering:
    """Return four pairs measured along a training on the quadratic."""
    training = Training(model=Bowl, optimizer=optimizer, loss=lambda output, target: output, batches=lambda: [(CURVATURES, None)], steps=20)
    m = TrainingMap(training)
    found, state = Hovering(m), m.current_state()
    for step in range(12):
        new = m.advance(state, step)
        if step % 3 == 1:
            found.look(step, state, new)
        state = new
    return found


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (lambda m: torch.optim.SGD(m.parameters(), 0.38), 5 * 0.38 / 2),
        (lambda m: torch.optim.SGD(m.parameters(), 0.3, momentum=0.9), 5 * 0.3 / (2 * 1.9)),
        (lambda m: torch.optim.SGD(m.parameters(), 0.3, momentum=0.5, nesterov=True), 5 * 0.3 * (1 + 2 * 0.5) / (2 * 1.5)),
    ],
)
def test_the_ratio_on_a_quadratic_is_exact(optimizer, expected):
    assert ratios(optimizer).ratio == pytest.approx(expected, rel=1e-6)


def test_near_is_not_crossed():
    found = ratios(lambda m: torch.optim.SGD(m.parameters(), 0.38))
    assert found.is_near
    assert not found.has_crossed
    assert not ratios(lambda m: torch.optim.SGD(m.parameters(), 0.1)).is_near
