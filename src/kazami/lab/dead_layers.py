r"""What a hidden layer does while the loss oscillates, and the map of three numbers that is left when it does nothing.

A hidden layer whose units give every sample the same value :math:`\bar h` makes the same logits :math:`u` for every sample. Gradient descent on the output
layer then is a map of as many numbers as there are classes, exactly:

.. math:: u' = u - \eta\,(1 + \lVert \bar h \rVert^2)\,(\operatorname{softmax}(u) - p)

with the classes' shares :math:`p`. Its fixed point is the trivial predictor; it is stable while :math:`\eta\,(1 + \lVert\bar h\rVert^2)` stays below
:math:`2 / \lambda_{\max}(\operatorname{diag} p - p p^T)`, and beyond it oscillates without knowing the inputs.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..maps import TrainingMap

Floats = NDArray[np.float64]
SAME = 1e-3  # largest standard deviation, over the samples, of a unit or a probability that does not see the inputs


@dataclass(frozen=True, slots=True)
class Inside:
    """What is inside classifiers, one entry per network.

    Attributes:
        alive: How many hidden units differ between samples.
        response: Largest standard deviation of a class's probability over the samples: 0 where the network gives everybody the same answer.
        accuracy: Share of samples that are right.
        effective_rate: η (1 + ‖h̄‖²).
        logits: Mean logits over the samples, shape ``(networks, classes)``.
    """

    alive: NDArray[np.int64]
    response: Floats
    accuracy: Floats
    effective_rate: Floats
    logits: Tensor


class Ensemble:
    """Classifiers of one make, their last layer linear, as the states of a map.

    Args:
        m: The map of one of them; its model is a sequence of layers.
        x: Inputs, shape ``(samples, features)``.
        y: Classes.
    """

    def __init__(self, m: TrainingMap, x: Tensor, y: Tensor) -> None:
        """Part the model into what comes before the last layer, and the last layer."""
        layers = list(m.model.children())
        self.map, self.x, self.y = m, x, y
        self.body, self.n_classes = nn.Sequential(*layers[:-1]), int(y.max()) + 1
        self.head = f"{len(layers) - 1}."

    def hidden_and_logits(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """Return the last hidden values and the logits of every sample, shapes ``(networks, samples, units)`` and ``(networks, samples, classes)``."""
        parts = self.map.layout.split(states[:, : self.map.n_parameters])
        named = dict(zip(self.map.layout.names, parts, strict=True))
        below = {name: part for name, part in named.items() if not name.startswith(self.head)}
        hidden = torch.func.vmap(lambda values: torch.func.functional_call(self.body, values, (self.x,)))(below)
        return hidden, hidden @ named[f"{self.head}weight"].transpose(1, 2) + named[f"{self.head}bias"][:, None]

    def losses_and_responses(self, states: Tensor) -> tuple[Floats, Floats]:
        """Return the mean cross-entropy of every network, and its response (see :class:`Inside`)."""
        _, logits = self.hidden_and_logits(states)
        logs = torch.log_softmax(logits, dim=-1)
        index = self.y.expand(len(states), -1)[..., None]
        losses: Floats = -logs.gather(2, index)[..., 0].mean(dim=1).numpy()
        return losses, logs.exp().std(dim=1).amax(dim=1).numpy()

    def look(self, states: Tensor, learning_rate: float) -> Inside:
        """Look inside the networks of ``states``, shape ``(networks, parameters)``."""
        hidden, logits = self.hidden_and_logits(states)
        mean = hidden.mean(dim=1)
        return Inside(
            alive=(hidden.std(dim=1) > SAME).sum(dim=1).numpy(),
            response=torch.softmax(logits, -1).std(dim=1).amax(dim=1).numpy(),
            accuracy=(logits.argmax(-1) == self.y).double().mean(dim=1).numpy(),
            effective_rate=(learning_rate * (1.0 + mean.square().sum(dim=1))).numpy(),
            logits=logits.mean(dim=1),
        )

    def class_shares(self) -> Tensor:
        """Return the share of each class, shape ``(classes,)``."""
        return torch.bincount(self.y, minlength=self.n_classes).double() / len(self.y)


def without_inputs(logits: Tensor, shares: Tensor, effective_rate: Tensor) -> Tensor:
    """Return the logits after one step of the map that is left when the hidden layer is dead; one row per network."""
    return logits - effective_rate[:, None] * (torch.softmax(logits, dim=-1) - shares)


def stable_rate(shares: Tensor) -> float:
    """Return the largest effective rate at which that map stays at its fixed point.

    Example:
        >>> round(stable_rate(torch.full((3,), 1 / 3, dtype=torch.float64)), 9)
        6.0
    """
    return 2.0 / float(torch.linalg.eigvalsh(torch.diag(shares) - torch.outer(shares, shares))[-1])
