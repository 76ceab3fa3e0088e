"""The weights that a session went through, thinned out as it goes on."""

import torch
from torch import Tensor, nn

MOST = 64  # moments
ROOM = 4_000_000  # numbers in all: 32 MB


class Trail:
    """Moments of a training, at equal distances in steps from the first; the distance doubles whenever the room is full.

    Args:
        model: The model at its first step.

    Example:
        >>> model = nn.Linear(1, 1)
        >>> trail = Trail(model)
        >>> for step in range(1, 201):
        ...     trail.note(model, step)
        >>> len(trail.weights()), trail.steps[:3]
        (51, [0, 4, 8])
    """

    def __init__(self, model: nn.Module) -> None:
        self._most = max(8, min(MOST, ROOM // max(1, sum(weight.numel() for weight in model.parameters()))))
        self._stride = 1
        self.steps: list[int] = []
        self._moments: list[Tensor] = []
        self.note(model, 0)

    def note(self, model: nn.Module, step: int) -> None:
        """Keep the weights after a step, if it is time."""
        if self.steps and step < self.steps[-1] + self._stride:
            return
        if len(self.steps) >= self._most:
            self.steps, self._moments, self._stride = self.steps[::2], self._moments[::2], 2 * self._stride
            if step < self.steps[-1] + self._stride:
                return
        self.steps.append(step)
        self._moments.append(torch.cat([weight.detach().reshape(-1) for weight in model.parameters()]))

    def weights(self) -> Tensor:
        """Return the moments, shape ``(moments, weights)``, all finite: what came after a blow-up is left out."""
        finite = [moment for moment in self._moments if bool(torch.isfinite(moment).all())]
        return torch.stack(finite)
