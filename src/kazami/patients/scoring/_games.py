"""Two-player games for the scoring patients: simultaneous steps, matrix games, small GANs and their penalties."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps.training import Batch
from ._recipes import Optimizer, Step

Game = Callable[[nn.Module, Batch], Tensor]


def duel(value: Game, maximiser: str, *, penalty: Game | None = None, look_ahead: float | None = None) -> Step:
    """Return a step in which all players move at once: parameters whose name begins with ``maximiser`` climb the value, the others descend.

    Args:
        value: The game's value.
        maximiser: Prefix of the climbing player's parameter names.
        penalty: What the climbing player pays (a gradient penalty), or ``None``.
        look_ahead: Length of the step to the point where the gradient is taken (extragradient), or ``None``.
    """

    def gradients(model: nn.Module, batch: Batch) -> Tensor:
        model.zero_grad()
        result = value(model, batch)
        cost = None if penalty is None else penalty(model, batch)
        names, parameters = zip(*model.named_parameters(), strict=True)
        for name, parameter, grad in zip(names, parameters, torch.autograd.grad(result, parameters, retain_graph=cost is not None), strict=True):
            parameter.grad = -grad if name.startswith(maximiser) else grad
        if cost is not None:
            climbing = [p for name, p in model.named_parameters() if name.startswith(maximiser)]
            for parameter, grad in zip(climbing, torch.autograd.grad(cost, climbing, allow_unused=True), strict=True):
                if grad is not None and parameter.grad is not None:
                    parameter.grad += grad
        return result

    def one_step(model: nn.Module, optimizer: Optimizer, batch: Batch) -> Tensor:
        result = gradients(model, batch)
        if look_ahead is not None:
            here = [p.detach().clone() for p in model.parameters()]
            with torch.no_grad():
                for p in model.parameters():
                    p.add_(0 if p.grad is None else p.grad, alpha=-look_ahead)
            gradients(model, batch)
            with torch.no_grad():
                for p, old in zip(model.parameters(), here, strict=True):
                    p.copy_(old)
        optimizer.step()
        return result

    return one_step


class Mixed(nn.Module):
    """Two players with mixed strategies in a matrix game; the output is the value."""

    def __init__(self) -> None:
        super().__init__()
        self.row, self.column = nn.Parameter(0.8 * torch.randn(3)), nn.Parameter(0.8 * torch.randn(3))

    def forward(self, payoff: Tensor) -> Any:
        """Return the value of the game for the row player's opponent."""
        return self.row.softmax(0) @ payoff @ self.column.softmax(0)


PAYOFF = torch.tensor([[0.0, 1.0, -1.0], [-1.0, 0.0, 1.0], [1.0, -1.0, 0.0]])


class Critic(nn.Module):
    """A generator that shifts and stretches noise, and a critic."""

    def __init__(self, make_critic: Callable[[], nn.Module], make_generator: Callable[[], nn.Module]) -> None:
        super().__init__()
        self.generator, self.critic = make_generator(), make_critic()

    def forward(self, noise: Tensor) -> Any:
        """Return what the generator makes of ``noise``."""
        return self.generator(noise)


def gan_value(model: nn.Module, batch: Batch) -> Tensor:
    """Return the value of the saturating GAN game: the critic wants it high, the generator low."""
    assert isinstance(model, Critic)
    noise, real = batch
    return F.logsigmoid(model.critic(real)).mean() + F.logsigmoid(-model.critic(model.generator(noise))).mean()


def wasserstein_value(model: nn.Module, batch: Batch) -> Tensor:
    """Return the critic's mean on real samples less its mean on generated ones."""
    assert isinstance(model, Critic)
    noise, real = batch
    value: Tensor = model.critic(real).mean() - model.critic(model.generator(noise)).mean()
    return value


def gradient_penalty(weight: float) -> Game:
    """Return ``weight`` times the mean squared gradient of the critic at the real samples (R1)."""

    def penalty(model: nn.Module, batch: Batch) -> Tensor:
        assert isinstance(model, Critic)
        real = batch[1].clone().requires_grad_()
        grad = torch.autograd.grad(model.critic(real).sum(), real, create_graph=True)[0]
        result: Tensor = weight * grad.square().sum(1).mean()
        return result

    return penalty


def samples(mean: tuple[float, float] = (2.0, -1.0), *, n: int = 64, seed: int = 101) -> Callable[[], list[Batch]]:
    """Return batches of noise and of real points around ``mean``."""
    source = torch.Generator().manual_seed(seed)
    shift = torch.tensor(mean)
    made = [(torch.randn(n, 2, generator=source), shift + 0.5 * torch.randn(n, 2, generator=source)) for _ in range(50)]
    return lambda: list(made)


def closeness(truth: Tensor) -> Callable[[nn.Module], float]:
    """Return a judge: 1 - distance of the generated mean from the true one; never below -1."""

    def judge(model: nn.Module) -> float:
        with torch.no_grad():
            mean = model(torch.randn(2000, 2, generator=torch.Generator().manual_seed(3))).mean(0)
        gap = float((mean - truth).norm())
        return max(-1.0, 1 - gap) if math.isfinite(gap) else -1.0

    return judge


class Shift(nn.Module):
    """A generator with one parameter per coordinate."""

    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(0.1 * torch.randn(2))

    def forward(self, noise: Tensor) -> Any:
        """Return the shifted noise."""
        return 0.5 * noise + self.by
