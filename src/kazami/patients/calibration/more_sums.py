"""Sums of losses again: shares of a few hundredths, equations with second derivatives, penalties that eat everything; and sums that are unlike and work."""

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
from ..data import predictions
from .more_tasks import Optimizer, adam, classify, regress, sgd


def _derivative(u: Tensor, t: Tensor) -> Tensor:
    (slope,) = torch.autograd.grad(u.sum(), t, create_graph=True)
    return slope


def _explained(t: Tensor, exact: Tensor) -> Callable[[nn.Module], float]:
    def evaluate(model: nn.Module) -> float:
        return 1 - float((predictions(model, t) - exact).square().sum() / (exact - exact.mean()).square().sum())

    return evaluate


def _beam(weight: float, optimizer: Optimizer, *, waves: float = 3.0, steps: int = 600) -> Training:
    """u'' = -w² sin(w t) on [0, 1] with its two ends given: the equation is in units of w² and outgrows the ends."""
    t = torch.linspace(0.0, 1.0, 48)[:, None]
    w = waves * torch.pi
    exact = torch.sin(w * t) + t
    ends, values = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [float(exact[-1])]])

    def step(model: nn.Module, opt: torch.optim.Optimizer, batch: Any) -> Tensor:
        del batch
        opt.zero_grad()
        at = t.clone().requires_grad_(True)
        curve = _derivative(_derivative(model(at), at), at)
        loss: Tensor = (curve + w**2 * torch.sin(w * at)).square().mean() + weight * F.mse_loss(model(ends), values)
        loss.backward()
        opt.step()
        return loss

    return Training(
        model=lambda: mlp((1, 32, 32, 1), nn.Tanh), optimizer=optimizer, loss=F.mse_loss, batches=lambda: [(t, exact)], steps=steps, train_step=step,
        evaluate=_explained(t, exact),
    )  # fmt: skip


def _flow(weight: float, optimizer: Optimizer) -> Training:
    """A wave u_t = -u_x whose first picture is given: being flat satisfies the equation."""
    x, t = (a.reshape(-1, 1) for a in torch.meshgrid(torch.linspace(-1, 1, 16), torch.linspace(0, 0.5, 8), indexing="ij"))
    places, first = torch.cat([x, t], 1), torch.cat([torch.linspace(-1, 1, 32)[:, None], torch.zeros(32, 1)], 1)
    exact, start = torch.sin(torch.pi * (x - t)), torch.sin(torch.pi * first[:, :1])

    def step(model: nn.Module, opt: torch.optim.Optimizer, batch: Any) -> Tensor:
        del batch
        opt.zero_grad()
        at = places.clone().requires_grad_(True)
        slopes = _derivative(model(at), at)
        loss: Tensor = (slopes[:, 1:] + slopes[:, :1]).square().mean() + weight * (model(first) - start).square().mean()
        loss.backward()
        opt.step()
        return loss

    return Training(
        model=lambda: mlp((2, 32, 32, 1), nn.Tanh), optimizer=optimizer, loss=F.mse_loss, batches=lambda: [(places, exact)], steps=500, train_step=step,
        evaluate=_explained(places, exact),
    )  # fmt: skip


def _sparse(weight: float) -> Training:
    """An absolute penalty on all weights, added by hand."""
    d = data.friedman()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp((10, 48, 48, 1))

        def forward(self, x: Tensor) -> Any:
            y = self.net(x)
            return (y, sum((p.abs().sum() for p in self.net.parameters()), torch.zeros(()))) if self.training else y

    return regress(d, Net, adam(0.005), 300, loss=lambda out, y: F.mse_loss(out[0], y) + weight * out[1])


class _Pair(nn.Module):
    """A trunk with a code, a reconstruction and a class."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder, self.classes = mlp((64, 48, 16)), mlp((16, 48, 64)), nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Any:
        """Return picture, logits and code while training, logits otherwise."""
        code = self.encoder(x)
        return (self.decoder(F.relu(code)), self.classes(F.relu(code)), code) if self.training else self.classes(F.relu(code))


def _pictured(pixels: float, quiet: float, optimizer: Optimizer) -> Training:
    """Classes beside a reconstruction in 0..255 and a wish for a quiet code."""
    d = data.digits()
    raw = {"x": data.digits(scale="unit").x}

    def loss(out: Any, target: Any) -> Tensor:
        picture, classes = target
        value: Tensor = pixels * F.mse_loss(out[0], picture) + F.cross_entropy(out[1], classes) + quiet * out[2].square().mean()
        return value

    indices = data.minibatches(torch.arange(len(d.x)), None, 64, seed=3, epochs=4)
    return Training(
        model=_Pair, optimizer=optimizer, loss=loss, batches=lambda: ((d.x[i], (raw["x"][i], d.y[i])) for i, _ in indices()), steps=300,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )  # fmt: skip


def _smoothed(weight: float) -> Training:
    """A slope penalty that keeps the fit flat."""
    d = data.sines(periods=2.0)

    def step(model: nn.Module, opt: torch.optim.Optimizer, batch: Any) -> Tensor:
        opt.zero_grad()
        x = batch[0].clone().requires_grad_(True)
        y = model(x)
        loss: Tensor = F.mse_loss(y, batch[1]) + weight * _derivative(y, x).square().mean()
        loss.backward()
        opt.step()
        return loss

    return regress(d, lambda: mlp((1, 32, 32, 1), nn.Tanh), adam(0.01), 400, train_step=step)


def _distilled() -> Training:
    """Soft labels beside hard ones, a temperature squared in front."""
    d = data.digits()
    teacher = torch.randn(64, 10, generator=torch.Generator().manual_seed(61)) * 0.05
    soft = F.softmax(F.one_hot(d.y, 10) * 3.0 + d.x @ teacher, 1)
    indices = data.minibatches(torch.arange(len(d.x)), None, 64, seed=3, epochs=4)

    def loss(z: Tensor, target: Any) -> Tensor:
        return F.cross_entropy(z, target[1]) + 4.0 * F.kl_div(F.log_softmax(z / 2, 1), target[0], reduction="batchmean")

    batches: Any = lambda: ((d.x[i], (soft[i], d.y[i])) for i, _ in indices())  # noqa: E731
    return classify(d, lambda: mlp((64, 48, 10)), adam(0.003), 250, loss=loss, batches=batches)


def _ill(name: str, family: str, make: Any, ill: Any, well: Any, good: float, task: Any, *also: str) -> Patient:
    return Patient(
        name=name, label="loss_term_imbalance", family=family, task=task, training=partial(make, *ill), healed=partial(make, *well), good=good,
        also_true=frozenset({"lr_too_low", "trivial_solution", *also}),
    )  # fmt: skip


def _healthy(name: str, make: Callable[[], Training], good: float, task: Any = "regression") -> Patient:
    return Patient(name=name, label=None, family="mlp", task=task, training=make, good=good, near_boundary=True)


TUNED = (
    _ill("beam_whose_ends_are_lost", "mlp", _beam, (0.1, adam(0.003)), (300.0, adam(0.003)), 0.8, "regression", "slow_convergence"),
    Patient(
        name="sparse_until_nothing_is_left",
        label="over_regularised",
        family="mlp",
        task="regression",
        training=partial(_sparse, 0.05),
        healed=partial(_sparse, 1e-5),
        good=0.7,
        also_true=frozenset({"over_decay", "trivial_solution", "loss_term_imbalance"}),
    ),
    _ill("classes_beside_loud_pixels", "mlp", _pictured, (3e4, 0.0, sgd(3e-6, momentum=0.9)), (1.0, 0.0, sgd(0.05, momentum=0.9)), 0.85, "classification"),
    _healthy("beam_with_firm_ends", partial(_beam, 300.0, adam(0.003)), 0.8),
    _healthy("distilled_and_told", _distilled, 0.93, "classification"),
    _healthy("classes_beside_pixels", partial(_pictured, 1.0, 1e-3, adam(0.003)), 0.9, "classification"),
)
HELD = (
    _ill("wave_without_its_first_picture", "mlp", _flow, (0.01, adam(0.005)), (10.0, adam(0.005)), 0.8, "regression"),
    _ill("smoothed_to_a_line", "mlp", _smoothed, (1.0,), (1e-4,), 0.8, "regression"),
    _ill("code_kept_too_quiet", "mlp", _pictured, (1.0, 3e3, adam(0.003)), (1.0, 1e-3, adam(0.003)), 0.9, "classification"),
    _healthy("lightly_smoothed", partial(_smoothed, 3e-4), 0.8),
    _healthy("lightly_sparse", partial(_sparse, 1e-4), 0.6),
    _healthy("wave_with_its_first_picture", partial(_flow, 10.0, adam(0.005)), 0.8),
)
PATIENTS = TUNED + HELD
