"""Trainings that no cure was written for: whatever they are, a cure is carried out on them or left."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kazami.maps import Training
from tests.cures.trainings import own_step, rows

X, Y = rows()[0]
TOKENS = torch.arange(24).reshape(4, 6) % 7


class TwoInputs(nn.Module):
    """Takes a pair and returns a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(4, 1)

    def forward(self, pair: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Return the output under a name."""
        return {"out": self.c(torch.relu(self.a(pair[0])) * torch.sigmoid(self.b(pair[1]))), "aux": pair[0]}


class Tied(nn.Module):
    """Reads tokens, and uses one matrix twice."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.out = nn.Embedding(7, 5), nn.Linear(5, 7)
        self.out.weight = self.embedding.weight

    def forward(self, tokens: Tensor) -> Tensor:
        """Return logits."""
        return self.out(torch.tanh(self.embedding(tokens))).transpose(1, 2)


class Scalar(nn.Module):
    """Has one number for a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        """Multiply."""
        return self.w * x.sum(1, keepdim=True)


class Failing(nn.Linear):
    """Never works."""

    def forward(self, x: Tensor) -> Tensor:
        """Fail."""
        raise KeyError("no")


class OwnOptimizer(torch.optim.Optimizer):
    """Has no learning rate."""

    def __init__(self, parameters: Any) -> None:
        super().__init__(parameters, {})

    def step(self, closure: Any = None) -> None:
        """Go a little downhill."""
        del closure
        for group in self.param_groups:
            for p in group["params"]:
                p.data.add_(p.grad, alpha=-0.01)


class NoOptimizer:
    """Only looks like one."""

    def __init__(self, parameters: Any) -> None:
        self.parameters = list(parameters)
        self.param_groups = [{"params": self.parameters}]

    def zero_grad(self) -> None:
        """Clear."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Go a little downhill."""
        for p in self.parameters:
            p.data.add_(p.grad, alpha=-0.01)


def encoder() -> nn.Module:
    """Return an attention layer between two others."""
    return nn.Sequential(nn.Linear(3, 8), nn.Unflatten(1, (1, 8)), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), nn.Flatten(), nn.Linear(8, 1))


def _sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.01)


def _training(model: Any, optimizer: Any = _sgd, loss: Any = F.mse_loss, batch: Any = (X, Y), **more: Any) -> Training:
    return Training(model=model, optimizer=optimizer, loss=loss, batches=lambda: [batch], steps=2, **more)


STRANGERS = {
    "a pair in and a dict out": _training(TwoInputs, loss=lambda output, target: F.mse_loss(output["out"], target), batch=((X, X), Y)),
    "tied weights": _training(Tied, loss=F.cross_entropy, batch=(TOKENS, TOKENS)),
    "one number": _training(Scalar),
    "a model that fails": _training(lambda: Failing(3, 1)),
    "an optimizer without a rate": _training(lambda: nn.Linear(3, 1), lambda model: OwnOptimizer(model.parameters())),
    "an optimizer that is none of torch's": _training(lambda: nn.Linear(3, 1), lambda model: NoOptimizer(model.parameters())),
    "an optimizer with a closure": _training(lambda: nn.Linear(3, 1), lambda model: torch.optim.LBFGS(model.parameters())),
    "no target": _training(lambda: nn.Linear(3, 1), loss=lambda output, target: output.square().mean(), batch=(X, None)),
    "attention": _training(encoder, evaluate=lambda model: float(model.eval()(X).detach().sum())),
    "attention in a step of its own": _training(encoder, train_step=own_step),
}
