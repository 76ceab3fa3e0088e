"""Which activation in which layer: a sweep over per-layer mixtures, the identity among them."""

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import UsageError
from ...reports.numerals import short
from ..blocks.chosen_activation import Given, activation_module, name_of_activation
from ..blocks.perceptron import mlp
from ..blocks.seeded import seeded

Choice = Given | Mapping[str, float]
Data = tuple[Tensor, Tensor, Tensor, Tensor]


class Mixture(nn.Module):
    r"""A weighted sum of activations, :math:`\sum_i w_i \varphi_i(x)`.

    Args:
        weights: By name of the catalogue.

    Example:
        >>> Mixture({"identity": 0.5, "relu": 0.5})(torch.tensor([-2.0, 2.0]))
        tensor([-1.,  2.])
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__()
        self.weights = tuple(weights.values())
        self.parts = nn.ModuleList([activation_module(name) for name in weights])

    def forward(self, x: Tensor) -> Tensor:
        """Return the weighted sum."""
        return torch.stack([weight * part(x) for weight, part in zip(self.weights, self.parts, strict=True)]).sum(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class MixtureResult:
    """One combination.

    Attributes:
        activations: One name per hidden layer.
        accuracies: On the test set, one per seed.
        losses: Final training losses, one per seed; ``inf`` where the training diverged.
    """

    activations: tuple[str, ...]
    accuracies: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.accuracies)

    @property
    def spread(self) -> float:
        """Standard deviation over the seeds; ``nan`` with one."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else float("nan")

    @property
    def text(self) -> str:
        """The result in one line."""
        return f"{' · '.join(self.activations)}: {short(self.accuracy)} ± {short(self.spread)}"


def activation_mixtures(
    activations: Sequence[Choice] = ("identity", "relu", "tanh"),
    *,
    depth: int = 3,
    width: int = 32,
    data: Data | None = None,
    combinations: Sequence[Sequence[Choice]] | None = None,
    seeds: Sequence[int] = (0, 1, 2),
    steps: int = 200,
    learning_rate: float = 0.01,
    progress: Callable[[int, int], None] | None = None,
) -> list[MixtureResult]:
    """Train a small network with every combination of ``activations`` over its hidden layers, and return the results, best first.

    All combinations of one seed share the initial weights and the order of the batches (Adam, batches of 64), so that they differ in the activations alone.

    Args:
        activations: Names of the catalogue, modules, functions, or mixtures such as ``{"identity": 0.3, "relu": 0.7}``.
        depth: Hidden layers.
        width: Units in each.
        data: ``(train inputs, train classes, test inputs, test classes)``; the 8 × 8 digits of scikit-learn by default.
        combinations: These only, each with ``depth`` activations, instead of all.
        seeds: One training each.
        steps: Optimizer steps.
        learning_rate: Of Adam.
        progress: Called with (done, total) after each training.

    Raises:
        UsageError: A combination of another length than ``depth``, or more than 2000 trainings.

    Limits:
        A small task and one learning rate: an activation that wants another one is judged unfairly.
    """
    chosen = [tuple(c) for c in combinations] if combinations is not None else list(itertools.product(activations, repeat=depth))
    if any(len(combination) != depth for combination in chosen):
        raise UsageError(f"Every combination should have one activation for each of the {depth} hidden layers.")
    total = len(chosen) * len(seeds)
    if total > 2000 or total == 0:
        raise UsageError(f"A sweep should be of 1 to 2000 trainings, and this one is of {total}. Give fewer activations, or choose with combinations=...")
    task = digits() if data is None else data
    results = []
    for number, combination in enumerate(chosen):
        result = MixtureResult(activations=tuple(_name(choice) for choice in combination))
        for place, seed in enumerate(seeds):
            accuracy, loss = _train(combination, width, task, seed, steps, learning_rate)
            result.accuracies.append(accuracy)
            result.losses.append(loss)
            if progress is not None:
                progress(number * len(seeds) + place + 1, total)
        results.append(result)
    return sorted(results, key=lambda result: -result.accuracy)


def digits(seed: int = 0) -> Data:
    """Return the 8 × 8 digits of scikit-learn, scaled to [0, 1], two thirds of them for training.

    Args:
        seed: Of the split.
    """
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    inputs, classes = torch.as_tensor(x, dtype=torch.float32)[order] / 16.0, torch.as_tensor(y)[order].long()
    n_train = 2 * len(x) // 3
    return inputs[:n_train], classes[:n_train], inputs[n_train:], classes[n_train:]


def _train(combination: Sequence[Any], width: int, task: Data, seed: int, steps: int, learning_rate: float) -> tuple[float, float]:
    inputs, classes, test_inputs, test_classes = task
    n_classes = int(torch.cat([classes, test_classes]).max()) + 1
    layers = [Mixture(choice) if isinstance(choice, Mapping) else choice for choice in combination]
    model = mlp([inputs.shape[1], *[width] * len(layers), n_classes], activation=layers, seed=seed).to(inputs.dtype)
    optimizer = torch.optim.Adam(model.parameters(), learning_rate)
    generator = torch.Generator().manual_seed(seed)
    loss = torch.tensor(float("inf"))
    with seeded(seed):  # an activation may draw random numbers
        for _ in range(steps):
            batch = torch.randint(len(inputs), (min(64, len(inputs)),), generator=generator)
            optimizer.zero_grad()
            loss = F.cross_entropy(model(inputs[batch]), classes[batch])
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        accuracy = float((model.eval()(test_inputs).argmax(1) == test_classes).float().mean())
    final = float(loss.detach())
    return accuracy, final if final == final else float("inf")


def _name(choice: Choice) -> str:
    if isinstance(choice, Mapping):
        return " + ".join(f"{short(weight)} {name}" for name, weight in choice.items())
    return name_of_activation(choice)
