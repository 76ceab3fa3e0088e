"""The two trainings that engines are measured on: Iris in a small network, and digits in a convolutional one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from ..kernels.ceilings import Counts
from ..maps import Training
from ..records import Sentence

SAMPLES = 64  # digits in a batch


@dataclass(frozen=True, slots=True, eq=False)
class BenchTraining:
    """A training, and what one step of it cannot do without.

    Attributes:
        name: For tables and documents.
        title: For people.
        training: Full batch, plain gradient descent, so that every engine computes the same.
        rates: Smallest and largest learning rate of an ensemble: those train, so that no member ends early.
        functions: Evaluations of elementary functions in a step, by name.
    """

    name: str
    title: Sentence
    training: Training
    rates: tuple[float, float]
    functions: Mapping[str, int]

    def counts(self, itemsize: int, n_tangents: int = 0) -> Counts:
        """Return what one step cannot do without; products are counted at the layers while the model runs once.

        With w products forward, f of them in the first layer, the step has 3 w - f, and each deviation vector 6 w - 4 f more.
        """
        model = self.training.start().model
        inputs = next(iter(self.training.batches()))[0]
        products = _products(model, inputs.to(next(model.parameters()).dtype))
        w, f = sum(products), products[0]
        size = sum(parameter.numel() for parameter in model.parameters())
        return Counts(3 * w - f + n_tangents * (6 * w - 4 * f), self.functions, 2 * itemsize * size * (1 + n_tangents))


def bench_trainings() -> tuple[BenchTraining, ...]:
    """Return the trainings, the small network first."""
    return iris_training(), convolutional_training()


@cache
def iris_training() -> BenchTraining:
    """Return the training of PERFORMANCE's ensembles: all 150 flowers, standardised, 4-10-3, tanh, cross-entropy."""
    from sklearn.datasets import load_iris

    bunch: Any = load_iris()
    x = torch.tensor(bunch.data, dtype=torch.float64)
    x, y = (x - x.mean(0)) / x.std(0), torch.tensor(bunch.target)
    training = Training(
        model=lambda: nn.Sequential(nn.Linear(4, 10), nn.Tanh(), nn.Linear(10, 3)),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), 0.1),
        loss=nn.functional.cross_entropy,
        batches=lambda: [(x.float(), y)],
        steps=1000,
    )
    title = Sentence("Iris, 4-10-3, tanh, 150 samples, SGD", "Iris、4-10-3、tanh、150 サンプル、SGD")
    return BenchTraining("iris", title, training, (0.01, 0.3), {"tanh": 150 * 10, "exp": 150 * 3, "log": 150})


@cache
def convolutional_training() -> BenchTraining:
    """Return a training with a convolution and batch normalisation: digits, 8 by 8 pixels, no module of the kernels' family."""
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    x = torch.tensor(bunch.data[:SAMPLES] / 16.0, dtype=torch.float32).reshape(SAMPLES, 1, 8, 8)
    y = torch.tensor(bunch.target[:SAMPLES])

    def model() -> nn.Module:
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 10))

    training = Training(
        model=model,
        optimizer=lambda module: torch.optim.SGD(module.parameters(), 0.1),
        loss=nn.functional.cross_entropy,
        batches=lambda: [(x, y)],
        steps=1000,
    )
    title = Sentence("digits, convolution + BatchNorm, 64 samples, SGD", "digits、畳み込み + BatchNorm、64 サンプル、SGD")
    return BenchTraining("convolution", title, training, (0.01, 0.1), {"exp": SAMPLES * 10, "log": SAMPLES})


def _products(model: nn.Module, inputs: Tensor) -> list[int]:
    """Return the multiplications of each linear and convolutional layer, in the order in which they run."""
    found: list[int] = []

    def count(layer: nn.Module, given: Any, output: Tensor) -> None:
        del given
        weight = layer.weight
        if isinstance(weight, Tensor):
            found.append(output.numel() * math.prod(weight.shape[1:]))

    hooks = [layer.register_forward_hook(count) for layer in model.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))]
    with torch.no_grad():
        model(inputs)
    for hook in hooks:
        hook.remove()
    return found
