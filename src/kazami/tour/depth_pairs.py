"""The same layers with and without a way around them: plain and residual networks of one depth, on the digits and on the task of doing nothing."""

import copy
import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ..maps import Training, TrainingRun
from ..nets import Residual
from ..patients.data import minibatches
from .deep_net import BATCH, MOMENTUM, WIDTH, data, one_thread

STEPS = 120
RATE = 0.02

Task = Literal["digits", "identity"]


@dataclass(frozen=True, slots=True)
class Depth:
    """One network of one depth after training.

    Attributes:
        depth: Weight layers that stand behind one another.
        is_residual: Whether each pair of them has a way around.
        losses: Training loss per step: cross-entropy, or for the identity the unexplained share of the variance.
        train: Share of right answers on the training digits; for the identity the explained share of the variance.
        test: The same on held-out digits.
        first_gradient: Norm of the gradient in the first layer's weights at the first step.
        branch: Median over blocks of ‖f(x)‖/‖x‖ on held-out digits after training; NaN for plain networks.
    """

    depth: int
    is_residual: bool
    losses: tuple[float, ...]
    train: float
    test: float
    first_gradient: float
    branch: float

    @property
    def loss(self) -> float:
        """The mean of the last ten training losses."""
        return sum(self.losses[-10:]) / len(self.losses[-10:])


def network(depth: int, *, is_residual: bool, task: Task) -> nn.Sequential:
    """Return blocks of two linear layers with a ReLU between; with a way around each block, or a ReLU between blocks; for digits ten logits at the end.

    Args:
        depth: Linear layers in all; even.
        is_residual: ``x + f(x) / √(number of blocks)`` instead of ``relu(f(x))``.
        task: ``"digits"`` ends in ten logits, ``"identity"`` in as many outputs as inputs.
    """
    n_blocks = depth // 2 - (task == "digits")
    blocks: list[nn.Module] = []
    for place in range(n_blocks):
        branch = nn.Sequential(_linear(WIDTH), nn.ReLU(), _linear(WIDTH))
        is_end = task == "identity" and place == n_blocks - 1  # nothing may cut off what is to come out as it went in
        plain = branch if is_residual or is_end else branch.append(nn.ReLU())
        blocks.append(Residual(branch, scale="1/sqrt(L)", depth=n_blocks) if is_residual else plain)
    head = [_linear(WIDTH), nn.ReLU(), nn.Linear(WIDTH, 10)] if task == "digits" else []
    return nn.Sequential(*blocks, *head)


def _linear(n_outputs: int) -> nn.Linear:
    layer = nn.Linear(WIDTH, n_outputs)
    nn.init.normal_(layer.weight, 0.0, math.sqrt(2 / WIDTH))  # He
    nn.init.zeros_(layer.bias)
    return layer


def train_depth(depth: int, *, is_residual: bool, task: Task, steps: int = STEPS, seed: int = 0) -> Depth:
    """Train such a network and return what came of it; every pair sees the same batches and begins with the same weights."""
    known = data()
    variance = float(known.x.var())

    def unexplained(output: Tensor, target: Tensor) -> Tensor:
        return (output - target).square().mean() / variance

    is_digits = task == "digits"
    first: list[Tensor] = []

    def listen(run: TrainingRun) -> None:
        layer = next(module for module in run.model.modules() if isinstance(module, nn.Linear))
        layer.weight.register_hook(lambda gradient: first.append(gradient.norm()) if not first else None)

    training = Training(
        model=lambda: network(depth, is_residual=is_residual, task=task),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM),
        loss=nn.functional.cross_entropy if is_digits else unexplained,
        batches=minibatches(known.x, known.y if is_digits else known.x, BATCH, seed=seed, epochs=20),
        steps=steps,
        seed=seed,
    )
    with one_thread(), torch.random.fork_rng(devices=[]):
        run = training.run(before=listen)
        with torch.no_grad():
            scores = [_score(run.model(x), x, y, is_digits) for x, y in ((known.x, known.y), (known.x_test, known.y_test))]
            branch = _branch_share(run.model, known.x_test) if is_residual else math.nan
    return Depth(depth, is_residual, tuple(run.losses), scores[0], scores[1], float(first[0]), branch)


def _score(output: Tensor, x: Tensor, y: Tensor, is_digits: bool) -> float:
    if is_digits:
        return float((output.argmax(1) == y).float().mean())
    return 1 - float((output - x).square().mean() / x.var())


def _branch_share(model: nn.Module, x: Tensor) -> float:
    """Return the median over blocks of ‖f(x)‖/‖x‖, *f* with its scale: how much a block changes what passes through it."""
    shares = []
    for block in copy.deepcopy(model).children():
        if isinstance(block, Residual):
            y = block(x)
            shares.append(float((y - x).norm() / x.norm()))
            x = y
    return float(torch.tensor(shares).median())
