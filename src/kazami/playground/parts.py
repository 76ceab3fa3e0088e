"""What a playground network is made of beside torch's own modules. Each part stands for itself, so that it can be written out into an exported script."""

import torch
from torch import Tensor, nn


class Sine(nn.Module):
    """The sine as an activation."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the sine of each entry."""
        return torch.sin(x)


class Step(nn.Module):
    """The threshold of a biological neuron: fires or not. Its slope is zero, so that nothing before it can learn."""

    def forward(self, x: Tensor) -> Tensor:
        """Return 1 where an entry is positive, else 0."""
        return (x > 0).to(x.dtype) + 0.0 * x


class ZeroPad(nn.Module):
    """A shortcut that fills the missing outputs with zeros."""

    def __init__(self, missing: int) -> None:
        super().__init__()
        self.missing = missing

    def forward(self, x: Tensor) -> Tensor:
        """Return the input with zeros behind it."""
        return nn.functional.pad(x, (0, self.missing))


class Residual(nn.Module):
    """The output of a branch plus what the shortcut makes of its input."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """Return both, added."""
        total: Tensor = self.shortcut(x) + self.branch(x)
        return total


def initialise(model: nn.Module, scheme: str, gain: float) -> None:
    """Give every linear layer its first weights; with any scheme but PyTorch's own, biases begin at zero."""
    for layer in model.modules():
        if not isinstance(layer, nn.Linear):
            continue
        if scheme == "default":
            with torch.no_grad():
                layer.weight.mul_(gain)
            continue
        if scheme == "zeros":
            nn.init.zeros_(layer.weight)
        elif scheme == "normal":
            nn.init.normal_(layer.weight, std=gain)
        elif scheme == "xavier":
            nn.init.xavier_uniform_(layer.weight, gain=gain)
        elif scheme == "orthogonal":
            nn.init.orthogonal_(layer.weight, gain=gain)
        else:
            nn.init.normal_(layer.weight, std=gain * (2.0 / layer.in_features) ** 0.5)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
