"""Games of two players: some circle for ever or outward, some close in on their answer, and some only look like games."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import mlp

Step = Callable[[nn.Module, torch.optim.Optimizer, Any], Tensor]


class _Game(nn.Module):
    """Two players; the second one's optimizer is made with the first one's and lives here."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second
        self.optimizer: torch.optim.Optimizer | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return what the first player makes of ``x``."""
        made: Tensor = self.first(x)
        return made


def _optimizers(make: Callable[[Any, float], torch.optim.Optimizer], rates: tuple[float, float]) -> Callable[[nn.Module], torch.optim.Optimizer]:
    def both(model: nn.Module) -> torch.optim.Optimizer:
        assert isinstance(model, _Game)
        model.optimizer = make(model.second.parameters(), rates[1])
        return make(model.first.parameters(), rates[0])

    return both


def _plain(parameters: Any, rate: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=rate)


def _heavy(parameters: Any, rate: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=rate, momentum=0.5)


def _nimble(parameters: Any, rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=rate, betas=(0.5, 0.9))


# ---------------------------------------------------------------- a tug of war


class _Bid(nn.Module):
    """A player whose move is a few numbers."""

    def __init__(self, n: int = 4) -> None:
        super().__init__()
        self.move = nn.Parameter(torch.randn(n, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the move."""
        del x
        return self.move


def _tug(damping: float, optimizer: Callable[[Any, float], torch.optim.Optimizer] = _plain, rate: float = 0.1) -> Training:
    """One pulls at f = xᵀAy + damping (x² - y²)/2 downward, the other upward; the answer is 0."""
    pull = torch.diag(torch.tensor([1.0, 1.1, 0.9, 1.0]))

    def value(model: _Game) -> Tensor:
        x, y = model.first(torch.empty(0)), model.second(torch.empty(0))
        found: Tensor = (x.T @ pull @ y + damping * (x.square().sum() - y.square().sum()) / 2).sum()
        return found

    def step(model: nn.Module, opt: torch.optim.Optimizer, batch: Any) -> Tensor:
        del batch
        assert isinstance(model, _Game)
        assert model.optimizer is not None
        opt.zero_grad()
        loss = value(model)
        loss.backward()
        opt.step()
        model.optimizer.zero_grad()
        (-value(model)).backward()
        model.optimizer.step()
        return loss

    return Training(
        model=lambda: _Game(_Bid(), _Bid()),
        optimizer=_optimizers(optimizer, (rate, rate)),
        loss=F.mse_loss,
        batches=lambda: [(torch.zeros(1), None)],
        steps=400,
        train_step=step,
        evaluate=lambda model: -float(sum(p.detach().square().sum() for p in model.parameters())),
    )


# ---------------------------------------------------------------- a forger and a judge


def _forging(penalty: float, spread: float) -> Step:
    """Return one move of the judge and one of the forger; the penalty keeps the judge's slope on the truth small."""

    def step(model: nn.Module, opt: torch.optim.Optimizer, batch: Any) -> Tensor:
        assert isinstance(model, _Game)
        assert model.optimizer is not None
        noise, real = batch[0].split(batch[0].shape[0] // 2)
        real = (spread * real + 3.0).requires_grad_(True)
        model.optimizer.zero_grad()
        said, forged = model.second(real), model.second(model.first(noise).detach())
        loss = F.softplus(-said).mean() + F.softplus(forged).mean()
        if penalty:
            (slope,) = torch.autograd.grad(said.sum(), real, create_graph=True)
            loss = loss + penalty * slope.square().sum(1).mean()
        loss.backward()
        model.optimizer.step()
        opt.zero_grad()
        fooled = F.softplus(-model.second(model.first(noise))).mean()
        fooled.backward()
        opt.step()
        return fooled

    return step


def _forge(
    penalty: float,
    optimizer: Callable[[Any, float], torch.optim.Optimizer],
    rates: tuple[float, float],
    players: tuple[Callable[[], nn.Module], Callable[[], nn.Module]],
    *,
    spread: float = 0.5,
    steps: int = 500,
) -> Training:
    """A forger learns to draw from a normal distribution around 3, a judge to tell."""

    def batches() -> Any:
        generator = torch.Generator().manual_seed(14)
        return ((torch.randn(256, 1, generator=generator), None) for _ in range(100))

    def evaluate(model: nn.Module) -> float:
        generator = torch.Generator().manual_seed(15)
        drawn = model(torch.randn(2000, 1, generator=generator)).detach()
        return -float((drawn.mean(0) - 3.0).abs().max() + (drawn.std(0) - spread).abs().max())

    return Training(
        model=lambda: _Game(players[0](), players[1]()),
        optimizer=_optimizers(optimizer, rates),
        loss=F.mse_loss,
        batches=batches,
        steps=steps,
        train_step=_forging(penalty, spread),
        evaluate=evaluate,
    )


class _Shift(nn.Module):
    """A forger that only knows where to put its noise."""

    def __init__(self, spread: float) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(1, 1))
        self.spread = spread

    def forward(self, x: Tensor) -> Tensor:
        """Return noise of the right size, shifted."""
        return self.spread * x + self.place


class _Slope(nn.Module):
    """A judge that only knows a slope."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.full((1, 1), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the judgement."""
        return (x - 3.0) @ self.slope


def _simple_forger(penalty: float, spread: float = 0.05) -> Training:
    """A forger of one number and a judge of one: the smallest game of this kind."""
    return _forge(penalty, _heavy, (0.3, 0.3), (lambda: _Shift(spread), _Slope), spread=spread)


def _small_networks(penalty: float) -> Training:
    return _forge(penalty, _nimble, (2e-3, 4e-3), (lambda: mlp((1, 16, 1)), lambda: mlp((1, 32, 1), nn.Tanh)), steps=600)


def _two_optimizers() -> Training:
    """An encoder and a head with an optimizer each and one loss: no game at all."""
    d = data.digits()

    def step(model: nn.Module, opt: torch.optim.Optimizer, batch: Any) -> Tensor:
        assert isinstance(model, _Game)
        assert model.optimizer is not None
        opt.zero_grad()
        model.optimizer.zero_grad()
        loss = F.cross_entropy(model.second(model.first(batch[0])), batch[1])
        loss.backward()
        opt.step()
        model.optimizer.step()
        return loss

    def evaluate(model: nn.Module) -> float:
        assert isinstance(model, _Game)
        return float((model.second(model.first(d.x_test)).argmax(1) == d.y_test).float().mean())

    return Training(
        model=lambda: _Game(mlp((64, 48, 24)), nn.Sequential(nn.ReLU(), nn.Linear(24, 10))),
        optimizer=_optimizers(_nimble, (3e-3, 3e-3)),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 32, seed=16, epochs=4),
        steps=300,
        train_step=step,
        evaluate=evaluate,
    )


def _ill(name: str, ill: Callable[[], Training], well: Callable[[], Training], good: float) -> Patient:
    return Patient(name=name, label="player_rotation", family="game", task="regression", training=ill, healed=well, good=good, also_true=frozenset())


PATIENTS = (
    _ill("tug_of_war_in_a_circle", partial(_tug, 0.0, rate=0.3), partial(_tug, 0.3, rate=0.3), -0.5),
    _ill("tug_of_war_with_momentum", partial(_tug, 0.0, _heavy), partial(_tug, 0.0, _plain), -30.0),
    _ill("forger_of_one_number", partial(_simple_forger, 0.0), partial(_simple_forger, 1.0), -0.3),
    *(
        Patient(name=name, label=None, family="game", task=task, training=make, good=good, near_boundary=True)  # type: ignore[arg-type]
        for name, task, make, good in (
            ("tug_of_war_with_friction", "regression", partial(_tug, 0.15), -0.1),
            ("forger_of_a_wide_truth", "regression", partial(_simple_forger, 0.0, 1.0), -0.5),
            ("forger_and_judge_as_networks", "regression", partial(_small_networks, 0.1), -0.6),
            ("encoder_and_head_by_themselves", "classification", _two_optimizers, 0.93),
        )
    ),
)
