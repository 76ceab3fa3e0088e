"""Games that do not look like games: one optimizer for both sides, a sign turned somewhere between backward and step, or both sides moving at once."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import mlp
from .more_tasks import adam, classify, sgd

NOTHING: list[Any] = [(torch.zeros(1), None)]


class _Turned(torch.autograd.Function):
    """The identity, with the gradient turned round."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        """Return the input."""
        del context
        return x.view_as(x)

    @staticmethod
    def backward(context: Any, *gradients: Any) -> Any:
        """Return minus the gradient."""
        del context
        return -gradients[0]


def _turned(x: Tensor) -> Tensor:
    result: Tensor = _Turned.apply(x)  # type: ignore[no-untyped-call]
    return result


class _Duel(nn.Module):
    """Two moves of a few numbers each, pulling at xᵀAy with friction (x² - y²)/2; the answer is 0."""

    def __init__(self, n: int, friction: float) -> None:
        super().__init__()
        self.x, self.y = nn.Parameter(torch.randn(n)), nn.Parameter(torch.randn(n))
        self.friction = friction
        self.register_buffer("pull", torch.linspace(0.9, 1.1, n))

    def value(self, x: Tensor, y: Tensor) -> Tensor:
        """Return what one side wants small and the other large."""
        return (x * self.get_buffer("pull") * y).sum() + self.friction * (x.square().sum() - y.square().sum()) / 2

    def forward(self, _: Tensor) -> Tensor:
        """Return the value, of which ``y`` gets minus the gradient."""
        return self.value(self.x, _turned(self.y))


def _at_rest(model: nn.Module) -> float:
    return -float(sum(p.detach().square().sum() for p in model.parameters()))


def _duel(friction: float, optimizer: Any, *, n: int = 4, steps: int = 300, step: Any = None) -> Training:
    return Training(
        model=lambda: _Duel(n, friction),
        optimizer=optimizer,
        loss=lambda value, _: value,
        batches=lambda: NOTHING,
        steps=steps,
        train_step=step,
        evaluate=_at_rest,
    )


def _both_at_once(model: Any, optimizer: torch.optim.Optimizer, batch: Any) -> Tensor:
    """One backward; the climber's optimizer, kept at the model, gets its gradients with the other sign."""
    del batch
    if not hasattr(model, "climber"):
        model.climber = torch.optim.SGD([model.y], lr=0.1)
        optimizer.param_groups[0]["params"] = [model.x]
    optimizer.zero_grad()
    model.climber.zero_grad()
    loss: Tensor = model.value(model.x, model.y)
    loss.backward()
    model.y.grad.neg_()
    optimizer.step()
    model.climber.step()
    return loss.detach()


def _two_signs(model: Any, optimizer: torch.optim.Optimizer, batch: Any) -> Tensor:
    """One loss of two terms, each blind for one side: it is nought at every step."""
    del batch
    optimizer.zero_grad()
    loss: Tensor = model.value(model.x, model.y.detach()) - model.value(model.x.detach(), model.y)
    loss.backward()
    optimizer.step()
    return loss.detach()


def _by_hand(model: Any, optimizer: torch.optim.Optimizer, batch: Any) -> Tensor:
    """The gradients come from ``autograd.grad`` and are put in place by hand."""
    del batch
    loss: Tensor = model.value(model.x, model.y)
    model.x.grad, model.y.grad = torch.autograd.grad(loss, (model.x, model.y))
    model.y.grad.neg_()
    optimizer.step()
    return loss.detach()


# ---------------------------------------------------------------- a constraint and its price


class _Budget(nn.Module):
    """Buys as cheaply as it can what two constraints ask for; their prices climb."""

    def __init__(self, stiffness: float) -> None:
        super().__init__()
        self.bought, self.prices = nn.Parameter(torch.zeros(4)), nn.Parameter(torch.zeros(2))
        self.stiffness = stiffness
        self.register_buffer("needs", torch.tensor([[1.0, 0.5, 0.0, 0.2], [0.0, 0.3, 1.0, 0.6]]))

    def forward(self, _: Tensor) -> Tensor:
        """Return the Lagrangian."""
        missing = self.get_buffer("needs") @ self.bought - 2.0
        lagrangian: Tensor = self.prices @ missing + self.stiffness * missing.square().sum() / 2
        return lagrangian


def _priced(stiffness: float, rate: float) -> Training:
    def optimizer(model: nn.Module) -> torch.optim.Optimizer:
        assert isinstance(model, _Budget)
        groups: list[dict[str, Any]] = [{"params": [model.bought]}, {"params": [model.prices], "maximize": True}]
        return torch.optim.SGD(groups, lr=rate)

    def evaluate(model: nn.Module) -> float:
        assert isinstance(model, _Budget)
        return -float((model.get_buffer("needs") @ model.bought.detach() - 2.0).abs().max())

    return Training(model=lambda: _Budget(stiffness), optimizer=optimizer, loss=lambda v, _: v, batches=lambda: NOTHING, steps=300, evaluate=evaluate)


# ---------------------------------------------------------------- a forger and a critic in one optimizer


class _Forgery(nn.Module):
    """A forger that shifts its noise in the plane, and a critic; the loss is the critic's preference for the truth, turned round for the forger."""

    def __init__(self, critic: nn.Module, penalty: float) -> None:
        super().__init__()
        self.place, self.critic, self.penalty = nn.Parameter(torch.zeros(2)), critic, penalty
        for weight in critic.parameters():
            nn.init.uniform_(weight, -0.1, 0.1)

    def forward(self, noise: Tensor) -> Tensor:
        """Return the loss."""
        truth, forged = 0.1 * noise[:, :2] + torch.tensor([1.5, -1.0]), 0.1 * noise[:, 2:] + _turned(self.place)
        loss: Tensor = self.critic(forged).mean() - self.critic(truth).mean()
        return loss + self.penalty * sum((p.square().sum() for p in self.critic.parameters()), torch.zeros(()))


def _noise() -> Iterator[tuple[Tensor, Any]]:
    generator = torch.Generator().manual_seed(31)
    return ((torch.randn(64, 4, generator=generator), None) for _ in range(50))


def _off_the_mark(model: nn.Module) -> float:
    place: Any = model.place
    return -float((place.detach() - torch.tensor([1.5, -1.0])).abs().max())


def _forge(penalty: float, critic: Callable[[], nn.Module], optimizer: Any, steps: int = 400) -> Training:
    return Training(
        model=lambda: _Forgery(critic(), penalty),
        optimizer=optimizer,
        loss=lambda loss, _: loss,
        batches=_noise,
        steps=steps,
        evaluate=_off_the_mark,
    )


def _line() -> nn.Module:
    return nn.Linear(2, 1)


# ---------------------------------------------------------------- healthy


class _Domains(nn.Module):
    """A classifier whose features a judge of domains must not be able to tell apart (and whose gradient is turned round)."""

    def __init__(self) -> None:
        super().__init__()
        self.features, self.classes, self.domain = mlp((6, 24, 12)), nn.Linear(12, 4), nn.Linear(12, 2)

    def forward(self, x: Tensor) -> Any:
        """Return logits of the classes, and of the two domains while training."""
        h = torch.relu(self.features(x))
        return (self.classes(h), self.domain(_turned(h))) if self.training else self.classes(h)


def _two_domains() -> Training:
    d = data.blobs()

    def loss(output: Any, target: Tensor) -> Tensor:
        domain = torch.arange(len(target)) % 2
        return F.cross_entropy(output[0], target) + 0.3 * F.cross_entropy(output[1], domain)

    return classify(d, _Domains, adam(0.005), 250, loss=loss)


def _in_a_fixed_order(make: Any, size: int, steps: int) -> Training:
    """Batches sorted by their target, in the same order in every epoch: weights go round with them."""
    d = data.friedman()
    order = d.y[:, 0].argsort()
    batches = [(d.x[chosen], d.y[chosen]) for chosen in order.split(size)[: len(order) // size]]
    return Training(
        model=lambda: mlp((10, 32, 1), nn.Tanh), optimizer=make, loss=F.mse_loss, batches=lambda: batches, steps=steps, evaluate=data.r2(d.x_test, d.y_test)
    )


def _underdamped() -> Training:
    """A line with so much momentum that it swings into place."""
    d = data.plane(features=6)
    return Training(
        model=lambda: nn.Linear(6, 1),
        optimizer=sgd(0.01, momentum=0.97),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y),
        steps=300,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _ill(name: str, ill: Callable[[], Training], well: Callable[[], Training], good: float) -> Patient:
    return Patient(name=name, label="player_rotation", family="game", task="regression", training=ill, healed=well, good=good)


def _healthy(name: str, make: Callable[[], Training], good: float, family: str = "game", task: Any = "regression") -> Patient:
    return Patient(name=name, label=None, family=family, task=task, training=make, good=good, near_boundary=True)


TUNED = (
    _ill("duel_by_a_turned_gradient", partial(_duel, 0.0, sgd(0.1)), partial(_duel, 0.3, sgd(0.1)), -0.1),
    _ill("prices_that_climb_in_one_optimizer", partial(_priced, 0.0, 0.15), partial(_priced, 1.0, 0.15), -0.2),
    _ill("both_sides_at_once", partial(_duel, 0.0, sgd(0.1), step=_both_at_once), partial(_duel, 0.3, sgd(0.1), step=_both_at_once), -0.1),
    _ill("forger_in_one_optimizer", partial(_forge, 0.0, _line, sgd(0.15)), partial(_forge, 1.0, _line, sgd(0.15)), -0.3),
    _healthy("duel_that_closes_in", partial(_duel, 0.2, sgd(0.1)), -0.1),
    _healthy("prices_with_a_stiff_constraint", partial(_priced, 0.6, 0.15), -0.2),
    _healthy("two_domains_made_alike", _two_domains, 0.85, "mlp", "classification"),
    _healthy("batches_in_a_fixed_order", partial(_in_a_fixed_order, sgd(0.01, momentum=0.8), 75, 360), 0.5, "mlp"),
    _healthy("line_that_swings_into_place", _underdamped, 0.9, "linear"),
)
HELD = (
    _ill("one_loss_of_two_signs", partial(_duel, 0.0, sgd(0.1), n=3, step=_two_signs), partial(_duel, 0.3, sgd(0.1), n=3, step=_two_signs), -0.1),
    _ill("gradients_of_a_duel_by_hand", partial(_duel, 0.0, sgd(0.15), n=6, step=_by_hand), partial(_duel, 0.4, sgd(0.15), n=6, step=_by_hand), -0.1),
    _ill("duel_with_adam", partial(_duel, 0.0, adam(0.05, betas=(0.5, 0.9)), n=2), partial(_duel, 1.0, adam(0.05, betas=(0.5, 0.9)), n=2), -0.1),
    _ill("forger_and_critic_with_momentum", partial(_forge, 0.0, _line, sgd(0.05, momentum=0.5)), partial(_forge, 1.0, _line, sgd(0.05, momentum=0.5)), -0.3),
    _healthy("forger_with_a_tame_critic", partial(_forge, 0.5, _line, sgd(0.15)), -0.3),
    _healthy("duel_of_two_signs_that_closes_in", partial(_duel, 0.2, sgd(0.1), n=3, step=_two_signs), -0.1),
    _healthy("sorted_batches_with_adam", partial(_in_a_fixed_order, adam(0.005), 15, 375), 0.6, "mlp"),
)
PATIENTS = TUNED + HELD
