"""Losses that are sums: terms that never get their share of the gradient, and sums whose terms are unlike on purpose."""

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
from .more_tasks import Optimizer, adam, classify, regress, sgd

# ---------------------------------------------------------------- two tasks on one trunk


class _TwoHeads(nn.Module):
    """One trunk, classes and values."""

    def __init__(self, inputs: int, classes: int, values: int = 1) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(inputs, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh())
        self.classes, self.values = nn.Linear(48, classes), nn.Linear(48, values)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits and values."""
        h = self.trunk(x)
        return self.classes(h), self.values(h)


Pair = tuple[Tensor, Tensor]


def _both_tasks(of_classes: float, of_values: float) -> Callable[[Pair, Pair], Tensor]:
    """Return the weighted sum of cross-entropy and squared error."""

    def loss(output: Pair, target: Pair) -> Tensor:
        return of_classes * F.cross_entropy(output[0], target[0]) + of_values * F.mse_loss(output[1], target[1])

    return loss


def _worse_of_both(x: Tensor, classes: Tensor, values: Tensor) -> Callable[[nn.Module], float]:
    """Return ``evaluate``: accuracy or R2, whichever is worse."""

    def evaluate(model: nn.Module) -> float:
        with torch.no_grad():
            logits, said = model(x)
        r2 = 1 - float((said - values).square().sum() / (values - values.mean(0)).square().sum())
        accuracy = float((logits.argmax(1) == classes).float().mean())
        return min(accuracy, r2) if torch.isfinite(logits).all() else 0.0

    return evaluate


def _of_classes(x: Tensor, classes: Tensor) -> Callable[[nn.Module], float]:
    """Return ``evaluate``: the accuracy of the first head."""

    def evaluate(model: nn.Module) -> float:
        with torch.no_grad():
            return float((model(x)[0].argmax(1) == classes).float().mean())

    return evaluate


def _paired(x: Tensor, classes: Tensor, values: Tensor, size: int) -> Callable[[], Any]:
    indices = data.minibatches(torch.arange(len(x)), None, size, seed=3, epochs=4)
    return lambda: ((x[i], (classes[i], values[i])) for i, _ in indices())


def _digits_and_ink(weights: tuple[float, float], optimizer: Optimizer) -> Training:
    """Which digit is it, and how much ink has it?"""
    d, raw = data.digits(), data.digits(scale="unit")
    ink, ink_test = ((x.sum(1, keepdim=True) - raw.x.sum(1).mean()) / raw.x.sum(1).std() for x in (raw.x, raw.x_test))
    return Training(
        model=lambda: _TwoHeads(64, 10),
        optimizer=optimizer,
        loss=_both_tasks(*weights),
        batches=_paired(d.x, d.y, ink, 64),
        steps=400,
        evaluate=_worse_of_both(d.x_test, d.y_test, ink_test),
    )


class _Boxes(nn.Module):
    """Convolutions with a head for the class and one for the place of the ink's centre."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 12, 3, padding=1), nn.Conv2d(12, 24, 3, padding=1)
        self.classes, self.place = nn.Linear(24 * 4, 10), nn.Linear(24 * 4, 2)

    def forward(self, x: Tensor) -> Pair:
        """Return logits and a place."""
        h = F.max_pool2d(F.relu(self.conv1(x)), 2)
        h = F.max_pool2d(F.relu(self.conv2(h)), 2).flatten(1)
        return self.classes(h), self.place(h)


def _digits_and_place(of_classes: float) -> Training:
    """The class, and where the ink's centre is in pixels, which somebody wanted very exactly."""
    d = data.digit_images(scale="unit")
    axis = torch.arange(8.0)

    def centres(x: Tensor) -> Tensor:
        ink = x[:, 0] / x.sum((1, 2, 3)).clamp_min(1e-6)[:, None, None]
        return torch.stack([(ink.sum(2) * axis).sum(1) - 3.5, (ink.sum(1) * axis).sum(1) - 3.5], 1)

    return Training(
        model=_Boxes,
        optimizer=sgd(3e-6, momentum=0.9),
        loss=_both_tasks(of_classes, 1e4),
        batches=_paired(d.x, d.y, centres(d.x), 64),
        steps=400,
        evaluate=_of_classes(d.x_test, d.y_test),
    )


# ---------------------------------------------------------------- an equation and its boundary


class _Equation(nn.Module):
    """A function of one variable that knows its own derivative."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp((1, 24, 24, 1), nn.Tanh)

    def forward(self, t: Tensor) -> Tensor:
        """Return the function's value."""
        u: Tensor = self.net(t)
        return u


def _decay(weights: tuple[float, float], optimizer: Optimizer, rate: float = 1.0) -> Training:
    """u' = -rate u on [0, 2] with u(0) = 1: the equation alone is content with u = 0."""
    t = torch.linspace(0.0, 2.0, 41)[:, None]
    exact = torch.exp(-rate * t)

    def step(model: nn.Module, opt: torch.optim.Optimizer, batch: Any) -> Tensor:
        del batch
        opt.zero_grad()
        at = t.clone().requires_grad_(True)
        u = model(at)
        (slope,) = torch.autograd.grad(u.sum(), at, create_graph=True)
        residual = (slope + rate * u).square().mean()
        start = (model(torch.zeros(1, 1)) - 1.0).square().mean()
        loss: Tensor = weights[0] * residual + weights[1] * start
        loss.backward()
        opt.step()
        return loss

    def evaluate(model: nn.Module) -> float:
        u = predictions(model, t)
        return 1 - float((u - exact).square().sum() / (exact - exact.mean()).square().sum())

    return Training(model=_Equation, optimizer=optimizer, loss=F.mse_loss, batches=lambda: [(t, exact)], steps=500, train_step=step, evaluate=evaluate)


# ---------------------------------------------------------------- healthy


def _penalised_by_hand() -> Training:
    """A penalty on the weights, written into the loss: it hardly moves them, as it should."""
    d = data.digits()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp((64, 48, 10))

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return self.net(x), sum((p.square().sum() for p in self.net.parameters()), torch.zeros(()))

    def loss(output: tuple[Tensor, Tensor], target: Tensor) -> Tensor:
        return F.cross_entropy(output[0], target) + 1e-5 * output[1]

    return classify(d, Net, sgd(0.1, momentum=0.9), 250, loss=loss, evaluate=_of_classes(d.x_test, d.y_test))


@cache
def _noise(n: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(8).standard_normal((n, 1))).float()


def _with_an_idle_side_task() -> Training:
    """Beside the classes, a thousandth of a side task that nothing can learn."""
    d = data.digits()

    return Training(
        model=lambda: _TwoHeads(64, 10),
        optimizer=adam(0.003),
        loss=_both_tasks(1.0, 1e-3),
        batches=_paired(d.x, d.y, _noise(len(d.x)), 64),
        steps=300,
        evaluate=_of_classes(d.x_test, d.y_test),
    )


def _smooth_and_sparse() -> Training:
    """A squared error, a small absolute one, and a small penalty on the hidden units."""
    d = data.friedman()

    def loss(output: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(output, target) + 0.1 * F.l1_loss(output, target) + 1e-4 * output.square().mean()

    return regress(d, lambda: mlp((10, 48, 48, 1)), adam(0.003), 400, loss=loss)


FADED = frozenset({"lr_too_low", "trivial_solution", "target_scaling"})


def _ill(name: str, family: str, ill: Callable[[], Training], well: Callable[[], Training], good: float, task: Any = "classification") -> Patient:
    return Patient(name=name, label="loss_term_imbalance", family=family, task=task, training=ill, healed=well, good=good, also_true=FADED)


HEAVY = sgd(3e-6, momentum=0.9)
PATIENTS = (
    _ill("digits_under_a_load_of_ink", "mlp", partial(_digits_and_ink, (1.0, 1e4), HEAVY), partial(_digits_and_ink, (1e4, 1e4), HEAVY), 0.85),
    _ill("digits_under_the_weight_of_a_place", "cnn", partial(_digits_and_place, 1.0), partial(_digits_and_place, 1e4), 0.8),
    _ill("decay_that_forgets_its_start", "mlp", partial(_decay, (1.0, 1e-5), adam(0.005)), partial(_decay, (1.0, 1.0), adam(0.005)), 0.9, "regression"),
    _ill("equation_in_small_units", "mlp", partial(_decay, (1e5, 1.0), adam(0.005), 2.0), partial(_decay, (1.0, 1.0), adam(0.005), 2.0), 0.9, "regression"),
    *(
        Patient(name=name, label=None, family="mlp", task=task, training=make, good=good, near_boundary=True)  # type: ignore[arg-type]
        for name, task, make, good in (
            ("digits_and_ink_in_balance", "classification", partial(_digits_and_ink, (1.0, 1.0), adam(0.003)), 0.85),
            ("digits_and_ink_thirty_to_one", "classification", partial(_digits_and_ink, (1.0, 30.0), adam(0.003)), 0.8),
            ("decay_with_both_its_terms", "regression", partial(_decay, (1.0, 1.0), adam(0.005)), 0.9),
            ("decay_with_a_firm_start", "regression", partial(_decay, (1.0, 50.0), adam(0.005)), 0.9),
            ("weights_penalised_by_hand", "classification", _penalised_by_hand, 0.93),
            ("idle_side_task", "classification", _with_an_idle_side_task, 0.93),
            ("squares_and_a_little_else", "regression", _smooth_and_sparse, 0.75),
        )
    ),
)
