"""Targets that a network makes itself: some run away, some settle, some are another network's."""

import copy
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import mlp
from ..data import predictions
from .more_tasks import Optimizer, adam, sgd

STATES = 15
Walk = tuple[Tensor, Tensor, Tensor, Tensor]  # states, actions, rewards, next states (as numbers; -1: the walk is over)


@cache
def _walk(n: int = 600) -> Walk:
    """Steps to the left or to the right on a row of states, a reward of 1 at the right end, where the walk is over."""
    generator = np.random.default_rng(11)
    state, action = generator.integers(0, STATES, n), generator.integers(0, 2, n)
    following = np.clip(state + 2 * action - 1, 0, STATES)
    reward = (following == STATES).astype(np.float32)
    following = np.where(following == STATES, -1, following)
    return torch.from_numpy(state), torch.from_numpy(action), torch.from_numpy(reward), torch.from_numpy(following)


def _seen(states: Tensor) -> Tensor:
    """Return what the network sees of a state: where it is, and a few waves over the row."""
    at = states.float()[:, None] / (STATES - 1)
    waves = torch.arange(1, 6) * torch.pi
    return torch.cat([2 * at - 1, torch.cos(at * waves)], 1)


def _true_values(discount: float) -> Tensor:
    """Return the worth of each action in each state when the best one is taken ever after."""
    values = np.zeros((STATES, 2))
    for _ in range(500):
        best = np.append(values.max(1), 0.0)
        for action in (0, 1):
            following = np.clip(np.arange(STATES) + 2 * action - 1, 0, STATES)
            values[:, action] = (following == STATES) + discount * np.where(following == STATES, 0.0, best[following])
    return torch.from_numpy(values).float()


def _near_the_truth(truth: Tensor) -> Callable[[nn.Module], float]:
    """Return ``evaluate``: the explained share of the true values."""

    def evaluate(model: nn.Module) -> float:
        said = predictions(model, _seen(torch.arange(STATES)))
        return 1 - float((said - truth).square().sum() / (truth - truth.mean()).square().sum()) if torch.isfinite(said).all() else float("-inf")

    return evaluate


class _Values(nn.Module):
    """A network of action values and, where asked for, a slow copy of it that makes the targets."""

    def __init__(self, *, slow: bool) -> None:
        super().__init__()
        self.net = mlp((6, 48, 48, 2))
        self.copy = copy.deepcopy(self.net).requires_grad_(False) if slow else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the worth of both actions."""
        values: Tensor = self.net(x)
        return values


Backup = Callable[[Tensor, Tensor], Tensor]  # (rewards, values of the next state) -> targets


def _learn(backup: Backup, optimizer: Optimizer, truth: Tensor, *, slow: bool = False, steps: int = 500, ends: bool = True) -> Training:
    """Learn action values from their own estimates."""
    walk = _walk()

    def batches() -> Any:
        return ((tuple(part[i] for part in walk), None) for i, _ in data.minibatches(torch.arange(600), None, 64, seed=12, epochs=8)())

    def step(model: nn.Module, opt: torch.optim.Optimizer, batch: Any) -> Tensor:
        assert isinstance(model, _Values)
        state, action, reward, following = batch[0]
        with torch.no_grad():
            later = (model.copy or model)(_seen(following.clamp_min(0)))
            later = later * (following >= 0).float()[:, None] if ends else later
            target = backup(reward, later)
        opt.zero_grad()
        value = model(_seen(state)).gather(1, action[:, None]).squeeze(1)
        loss = F.mse_loss(value, target)
        loss.backward()
        opt.step()
        if model.copy is not None:
            with torch.no_grad():
                for ours, theirs in zip(model.copy.parameters(), model.net.parameters(), strict=True):
                    ours.lerp_(theirs, 0.05)
        return loss

    return Training(
        model=lambda: _Values(slow=slow), optimizer=optimizer, loss=F.mse_loss, batches=batches, steps=steps, train_step=step, evaluate=_near_the_truth(truth)
    )


def _best(discount: float) -> Backup:
    return lambda reward, later: reward + discount * later.max(1).values


def _summed(factor: float) -> Backup:
    """Both actions' worths added up instead of the better one taken."""
    return lambda reward, later: reward + factor * later.sum(1)


def _discounted(discount: float) -> Training:
    return _learn(_best(discount), adam(0.003), _true_values(0.9))


def _added_up(wrong: bool) -> Training:
    return _learn(_summed(0.9) if wrong else _best(0.9), adam(0.003), _true_values(0.9), slow=True)


class _Line(nn.Module):
    """One weight: the second state looks twice the first (Tsitsiklis and Van Roy's example), with a bias that stays."""

    def __init__(self, features: Tensor) -> None:
        super().__init__()
        self.weight = nn.Linear(features.shape[1], 1, bias=False)
        nn.init.constant_(self.weight.weight, 0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Return one value per row."""
        value: Tensor = self.weight(x)
        return value


def _twice(on_policy: bool) -> Training:
    """From the first state to the second, which looks like twice the first, for ever; nothing is paid. Off policy the second state is never trained."""
    first, second = torch.tensor([[1.0, 0.5]]), torch.tensor([[2.0, 1.0]])
    rows = torch.cat([first, second.repeat(15, 1)]) if on_policy else first.repeat(16, 1)  # whoever has come to the second state stays there
    following = second.repeat(16, 1)

    def step(model: nn.Module, opt: torch.optim.Optimizer, batch: Any) -> Tensor:
        opt.zero_grad()
        loss = F.mse_loss(model(batch[0]), 0.95 * model(batch[1]).detach())
        loss.backward()
        opt.step()
        return loss

    return Training(
        model=lambda: _Line(first),
        optimizer=sgd(0.05),
        loss=F.mse_loss,
        batches=lambda: [(rows, following)],
        steps=400,
        train_step=step,
        evaluate=lambda model: -float(model(torch.cat([first, second])).detach().abs().max()),
    )


def _mean_teacher() -> Training:
    """A student of noisy labels and of its own slow average."""
    d = data.friedman()

    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp((10, 48, 48, 1))
            self.teacher = copy.deepcopy(self.net).requires_grad_(False)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.net(x)
            return y

    def step(model: nn.Module, opt: torch.optim.Optimizer, batch: Any) -> Tensor:
        assert isinstance(model, Pair)
        x, y = batch
        target = 0.7 * y + 0.3 * model.teacher(x).detach()
        opt.zero_grad()
        loss = F.mse_loss(model(x), target)
        loss.backward()
        opt.step()
        with torch.no_grad():
            for ours, theirs in zip(model.teacher.parameters(), model.net.parameters(), strict=True):
                ours.lerp_(theirs, 0.05)
        return loss

    return Training(
        model=Pair,
        optimizer=adam(0.003),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y, 32, seed=13, epochs=4),
        steps=400,
        train_step=step,
        evaluate=data.r2(d.x_test, d.y_test),
    )


RUNS_AWAY = frozenset({"nan_inf", "exploding_gradient", "lr_too_high", "target_scaling"})


def _ill(name: str, family: str, make: Callable[[Any], Training], ill: Any, well: Any, good: float) -> Patient:
    return Patient(
        name=name,
        label="growing_targets",
        family=family,
        task="regression",
        training=partial(make, ill),
        healed=partial(make, well),
        good=good,
        also_true=RUNS_AWAY,
    )


PATIENTS = (
    _ill("a_discount_above_one", "mlp", _discounted, 1.3, 0.9, 0.5),
    _ill("worths_added_up", "mlp", _added_up, True, False, 0.5),
    _ill("twice_as_large_each_time", "linear", _twice, False, True, -0.3),
    *(
        Patient(name=name, label=None, family="mlp", task="regression", training=make, good=good, near_boundary=True)
        for name, make, good in (
            ("worths_of_a_walk", partial(_discounted, 0.9), 0.5),
            ("worths_of_a_walk_with_a_slow_copy", partial(_added_up, False), 0.5),
            ("worths_that_grow_for_long", partial(_learn, _best(0.97), adam(0.003), _true_values(0.97), slow=True), 0.3),
            ("taught_by_its_own_average", _mean_teacher, 0.75),
        )
    ),
)
