"""Long valleys: inputs so alike that what tells them apart is learned last, and inputs as alike where that does not matter."""

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import mlp
from ..data import Data
from .more_tasks import adam, classify, regress, sgd


def _whitened(x: Tensor) -> Tensor:
    """Return the inputs turned and scaled to an identity as their second moment."""
    centred = (x - x.mean(0)).double()
    _, sizes, axes = torch.linalg.svd(centred, full_matrices=False)
    white: Tensor = (centred @ axes.T / (sizes / len(x) ** 0.5)).float()
    return white


def _split(x: np.ndarray, y: np.ndarray, *, white: bool) -> Data:
    inputs, targets = torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y.astype(np.float32))
    inputs, n = _whitened(inputs) if white else inputs, len(x) * 3 // 4
    return Data(inputs[:n], targets[:n], inputs[n:], targets[n:])


def _twins(*, white: bool = False) -> Data:
    """Six pairs of nearly equal sensors; their small differences are what counts."""
    generator = np.random.default_rng(1)
    one = generator.standard_normal((400, 6))
    other = one + 0.01 * generator.standard_normal((400, 6))
    return _split(np.concatenate([one, other], 1), ((one - other) / 0.01).sum(1, keepdims=True) / 6**0.5, white=white)


def _powers(*, white: bool = False) -> Data:
    """The powers 1 to 9 of a number, and its cosine."""
    generator = np.random.default_rng(0)
    u = generator.uniform(-1, 1, 300)
    y = np.cos(6 * u)[:, None]
    return _split(np.stack([u**k for k in range(1, 10)], 1), (y - y.mean()) / y.std() + 0.02 * generator.standard_normal(y.shape), white=white)


def _walk() -> Data:
    """Random walks of forty steps, and their mean."""
    steps = np.random.default_rng(2).standard_normal((500, 40))
    walks = steps.cumsum(1) / 40**0.5
    return _split(walks, 2 * walks.mean(1, keepdims=True), white=False)


def _line_on_twins(white: bool) -> Training:
    return regress(_twins(white=white), lambda: nn.Linear(12, 1), sgd(0.05), 400)


def _network_on_twins(white: bool) -> Training:
    return regress(_twins(white=white), lambda: mlp((12, 32, 1)), sgd(0.05, momentum=0.9), 400)


def _line_on_powers(white: bool) -> Training:
    return regress(_powers(white=white), lambda: nn.Linear(9, 1), sgd(0.3), 400)


def _sign_of_twins(white: bool) -> Training:
    d = _twins(white=white).with_targets(lambda y: (y[:, 0] > 0).long())
    return classify(d, lambda: mlp((12, 24, 24, 2), nn.Tanh), sgd(0.2), 300)


def _mean_of_a_walk() -> Training:
    """As ill-conditioned, but what is asked for lies along the steepest direction."""
    return regress(_walk(), lambda: nn.Linear(40, 1), sgd(0.02), 300)


def _powers_by_newton() -> Training:
    """The powers again, and an optimizer that sees the curvature."""
    return regress(_powers(), lambda: nn.Linear(9, 1), lambda model: torch.optim.LBFGS(model.parameters(), lr=1.0), 60, size=None)


def _noise_over_twins() -> Training:
    """Twins whose sum counts, under noise: the loss stops falling because nothing is left."""
    d = _twins()
    generator = torch.Generator().manual_seed(3)
    noisy = Data(d.x, d.x.sum(1, keepdim=True) / 5 + torch.randn(len(d.x), 1, generator=generator), d.x_test, d.x_test.sum(1, keepdim=True) / 5)
    return regress(noisy, lambda: nn.Linear(12, 1), sgd(0.02), 400)


def _unit_digits() -> Training:
    """Pixels between 0 and 1, as alike as the corners of digits are."""
    return classify(data.digits(scale="unit"), lambda: mlp((64, 32, 10)), adam(0.01), 250)


def _healthy(name: str, family: str, make: Any, good: float, task: Any = "regression") -> Patient:
    return Patient(name=name, label=None, family=family, task=task, training=make, good=good, near_boundary=True)


PATIENTS = (
    *(
        Patient(name=name, label="slow_convergence", family=family, task=task, training=partial(make, False), healed=partial(make, True), good=good)  # type: ignore[arg-type]
        for name, family, task, make, good in (
            ("line_on_nearly_equal_sensors", "linear", "regression", _line_on_twins, 0.9),
            ("network_on_nearly_equal_sensors", "mlp", "regression", _network_on_twins, 0.9),
            ("sign_of_a_small_difference", "mlp", "classification", _sign_of_twins, 0.85),
            ("powers_of_a_number", "linear", "regression", _line_on_powers, 0.9),
        )
    ),
    _healthy("mean_of_a_random_walk", "linear", _mean_of_a_walk, 0.95),
    _healthy("powers_by_newton", "linear", _powers_by_newton, 0.9),
    _healthy("noise_over_equal_sensors", "linear", _noise_over_twins, 0.8),
    _healthy("digits_between_nought_and_one", "mlp", _unit_digits, 0.9, "classification"),
)
