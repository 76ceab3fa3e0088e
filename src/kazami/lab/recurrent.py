"""A recurrent network small enough to read: one weight matrix, used again at every time step."""

import torch
from torch import Tensor, nn


class ReusedWeights(nn.Module):
    r"""Reads a sequence with :math:`h_t = \mathrm{ReLU}(W h_{t-1} + U x_t + b)` and classifies it by the last state.

    W is ``gain`` times an orthogonal matrix, so that a gradient goes back through each time step by a factor of about ``gain`` times the square root of the
    share of active units, the same weights every time.

    Args:
        n_in: Features per time step.
        width: Size of the state.
        n_classes: Number of outputs.
        gain: Singular values of W at the start.
        seed: Seeds the weights.
    """

    def __init__(self, n_in: int, width: int, n_classes: int, *, gain: float, seed: int) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.again = nn.Linear(width, width)
            self.read = nn.Linear(n_in, width, bias=False)
            self.output = nn.Linear(width, n_classes)
            nn.init.orthogonal_(self.again.weight, gain=gain)
            nn.init.zeros_(self.again.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits ``(samples, n_classes)`` for sequences ``(samples, time, n_in)``."""
        state = torch.zeros(len(x), self.again.out_features, dtype=x.dtype)
        for time in range(x.shape[1]):
            state = torch.relu(self.again(state) + self.read(x[:, time]))
        logits: Tensor = self.output(state)
        return logits
