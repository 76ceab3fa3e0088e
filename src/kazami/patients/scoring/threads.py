"""Ill: failures re-created from the kind of question people ask in public: the loss does not move, and nothing says why."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from .._base import Patient
from ._sets import Split, accuracy, answer, digits, explained, friedman, images, minibatches, plane, r_squared, rows, scaled_target, split, tokens


class _NoGradEncoder(nn.Module):
    """An encoder that runs under no_grad because that line was left over from evaluation."""

    def __init__(self, *, learn: bool) -> None:
        super().__init__()
        self.encoder = nn.GRU(8, 4, batch_first=True)
        self.decoder = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 10))
        self.learn = learn

    def forward(self, x: Tensor) -> Any:
        with torch.set_grad_enabled(self.learn and torch.is_grad_enabled()):
            code = self.encoder(x)[1][0]
        return self.decoder(code)


def _left_over_no_grad(*, learn: bool) -> Training:
    data = rows()
    return Training(
        model=partial(_NoGradEncoder, learn=learn),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-2),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 50),
        steps=400,
        evaluate=accuracy(data),
    )


def _rewrapped_loss(*, rewrap: bool) -> Training:
    data = digits()

    def criterion(out: Tensor, y: Tensor) -> Tensor:
        loss = F.cross_entropy(out, y)
        return loss.detach().clone().requires_grad_() if rewrap else loss

    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10)),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=criterion,
        batches=minibatches(data.x, data.y, 40),
        steps=200,
        evaluate=accuracy(data),
    )


def _optimizer_of_a_copy(*, of_copy: bool) -> Training:
    data = images()
    return Training(
        model=lambda: nn.Sequential(nn.Conv2d(1, 12, 3), nn.ReLU(), nn.Flatten(), nn.Linear(432, 10)),
        optimizer=lambda m: torch.optim.SGD((copy.deepcopy(m) if of_copy else m).parameters(), lr=0.05, momentum=0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=150,
        evaluate=accuracy(data),
    )


def _summed_error(*, lr: float) -> Training:
    data = friedman()
    return Training(
        model=lambda: nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1), nn.Flatten(0)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=lr),
        loss=nn.MSELoss(reduction="sum"),
        batches=minibatches(data.x, data.y, 60),
        steps=400,
        evaluate=r_squared(data),
    )


def _warm_up(*, integer: bool) -> Training:
    """A linear warm-up written with `//`, which stays at zero, or with `/`."""
    data = tokens()

    class Bag(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bag = nn.EmbeddingBag(12, 16)
            self.fc = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 3))

        def forward(self, x: Tensor) -> Any:
            return self.fc(self.bag(x))

    def factor(step: int) -> float:
        return min(1.0, step // 1000 if integer else step / 50)

    return Training(
        model=Bag,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-2),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=250,
        scheduler=lambda o: torch.optim.lr_scheduler.LambdaLR(o, factor),
        evaluate=accuracy(data),
    )


def _scaled_inputs(*, divisor: float) -> Training:
    data = digits()
    data = data._replace(x=data.x / divisor, test_x=data.test_x / divisor)
    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=250,
        evaluate=accuracy(data),
    )


def _tiny_targets(*, factor: float) -> Training:
    data = scaled_target(plane(), factor=factor)
    return Training(
        model=lambda: nn.Sequential(nn.Linear(8, 40), nn.Tanh(), nn.Linear(40, 1)),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=lambda pred, y: ((pred - y) ** 2).mean(),
        batches=minibatches(data.x, data.y, 30),
        steps=400,
        evaluate=r_squared(data),
    )


class _Code(nn.Module):
    """A ReLU code between two layers; its bias was initialised from a paper on sparsity."""

    def __init__(self, *, bias: float) -> None:
        super().__init__()
        self.enc, self.dec = nn.Linear(64, 24), nn.Linear(24, 64)
        nn.init.constant_(self.enc.bias, bias)

    def forward(self, x: Tensor) -> Any:
        return self.dec(F.relu(self.enc(x)))


def _rebuilt(data: Split) -> Callable[[nn.Module], float]:
    mean = data.x.mean(0)
    return lambda m: explained(data.test_x - mean, answer(m, data.test_x) - mean)


def _silent_code(*, bias: float) -> Training:
    data = digits()
    return Training(
        model=partial(_Code, bias=bias),
        optimizer=lambda m: torch.optim.RMSprop(m.parameters(), lr=2e-3),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.x, 50),
        steps=300,
        evaluate=_rebuilt(data),
    )


class _Parts(nn.Module):
    """A network whose parts are looked up by name."""

    def __init__(self, keep: Callable[[dict[str, nn.Module]], Any]) -> None:
        super().__init__()
        self.parts = keep({"down": nn.Conv2d(1, 2, 4, stride=2, padding=1), "mix": nn.Conv2d(2, 2, 3, stride=2, padding=1)})
        self.fc = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Any:
        for name in ("down", "mix"):
            x = torch.tanh(self.parts[name](x))
        return self.fc(x.flatten(1))


def _parts_in_a_dict(keep: Callable[[dict[str, nn.Module]], Any]) -> Training:
    data = images()
    return Training(
        model=partial(_Parts, keep),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=2e-2),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=400,
        evaluate=accuracy(data),
    )


def _power_of_a_signal(act: Callable[[], nn.Module]) -> Training:
    """The power of a short signal is not linear in it, three convolutions without activation are."""
    source = torch.Generator().manual_seed(51)
    x = torch.randn(800, 1, 16, generator=source) * (0.3 + torch.rand(800, 1, 1, generator=source))
    y = x.square().mean(dim=(1, 2))
    data = split(x, (y - y.mean()) / y.std())
    return Training(
        model=lambda: nn.Sequential(
            nn.Conv1d(1, 16, 3), act(), nn.Conv1d(16, 16, 3), act(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, 1), nn.Flatten(0)
        ),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-2),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=300,
        evaluate=r_squared(data),
    )


def _equal_filters(*, spread: float) -> Training:
    data = images()

    def make() -> nn.Module:
        net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(32, 10))
        nn.init.normal_(net[0].weight, mean=0.1, std=spread)  # type: ignore[arg-type]
        nn.init.zeros_(net[0].bias)  # type: ignore[arg-type]
        nn.init.constant_(net[4].weight, 0.05)  # type: ignore[arg-type]
        return net

    return Training(
        model=make,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=2e-2),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 50),
        steps=400,
        evaluate=accuracy(data),
    )


class _Directions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 40), nn.Tanh(), nn.Linear(40, 3))

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(x + self.body(x), dim=1)


def _angles(*, margin: float) -> Training:
    """Rotate unit vectors; the loss is the angle, whose derivative is infinite where it is zero."""
    source = torch.Generator().manual_seed(52)
    x = F.normalize(torch.randn(400, 3, generator=source), dim=1)
    y = torch.stack([-x[:, 1], x[:, 0], x[:, 2]], 1)
    data = split(x, y)

    def angle(out: Tensor, target: Tensor) -> Tensor:
        cosine = (out * target).sum(1)
        return torch.acos(cosine.clamp(-1 + margin, 1 - margin)).mean()

    return Training(
        model=_Directions,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=angle,
        batches=minibatches(data.x, data.y, 50),
        steps=400,
        evaluate=r_squared(data),
    )


def _half_precision_log(dtype: torch.dtype) -> Training:
    """The probabilities are turned to half precision before the logarithm, where an epsilon of 1e-8 is zero."""
    data = digits()

    def criterion(logits: Tensor, y: Tensor) -> Tensor:
        p = torch.softmax(logits, dim=1).to(dtype)
        return F.nll_loss(torch.log(p + 1e-8).float(), y)

    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=criterion,
        batches=minibatches(data.x, data.y, 32),
        steps=400,
        evaluate=accuracy(data),
    )


class _Sampler(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enc, self.dec = nn.Linear(64, 16), nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 64))

    def forward(self, x: Tensor) -> Any:
        mu, log_var = self.enc(x).chunk(2, dim=1)
        z = mu + torch.exp(log_var / 2) * torch.randn_like(mu) if self.training else mu
        return self.dec(z), mu, log_var


def _collapsed(*, beta: float) -> Training:
    data = digits()

    def criterion(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        kl = 0.5 * (out[1] ** 2 + out[2].exp() - 1 - out[2]).sum(1).mean()
        return ((out[0] - x) ** 2).sum(1).mean() + beta * kl

    return Training(
        model=_Sampler,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=criterion,
        batches=minibatches(data.x, data.x, 50),
        steps=400,
        evaluate=_rebuilt(data),
    )


def _ill(name: str, label: str, family: str, make: Callable[..., Training], arguments: tuple[Any, Any], good: float, **more: Any) -> Patient:
    """Return a patient whose training and healed twin differ in the one argument of ``make``, by position or as a dictionary."""
    ill, healed = (partial(make, **a) if isinstance(a, dict) else partial(make, a) for a in arguments)
    task = more.pop("task", "classification")
    return Patient(name=name, label=label, family=family, task=task, training=ill, healed=healed, good=good, also_true=frozenset(more.pop("also", ())))


PATIENTS = (
    _ill("left_over_no_grad", "frozen_parameters", "rnn", _left_over_no_grad, ({"learn": False}, {"learn": True}), 0.65),
    _ill("loss_wrapped_in_a_new_tensor", "frozen_parameters", "mlp", _rewrapped_loss, ({"rewrap": True}, {"rewrap": False}), 0.85),
    _ill("optimizer_of_a_deep_copy", "frozen_parameters", "cnn", _optimizer_of_a_copy, ({"of_copy": True}, {"of_copy": False}), 0.9),
    _ill(
        "summed_error_diverges",
        "lr_too_high",
        "mlp",
        _summed_error,
        ({"lr": 0.02}, {"lr": 5e-4}),
        0.75,
        task="regression",
        also=("nan_inf", "exploding_gradient", "dead_units"),
    ),
    _ill("warm_up_by_integer_division", "dead_schedule", "embedding", _warm_up, ({"integer": True}, {"integer": False}), 0.9, also=("lr_too_low",)),
    _ill("divided_by_255_twice", "input_scaling", "mlp", _scaled_inputs, ({"divisor": 255.0}, {"divisor": 1.0}), 0.85),
    _ill("targets_in_millionths", "target_scaling", "mlp", _tiny_targets, ({"factor": 1e-5}, {"factor": 1.0}), 0.9, task="regression"),
    _ill("silent_relu_code", "dead_units", "autoencoder", _silent_code, ({"bias": -12.0}, {"bias": 0.0}), 0.5, task="regression"),
    _ill("parts_in_a_dict", "unregistered_parameters", "cnn", _parts_in_a_dict, (dict, nn.ModuleDict), 0.75, also=("frozen_parameters",)),
    _ill("convolutions_without_activation", "no_nonlinearity", "cnn", _power_of_a_signal, (nn.Identity, nn.ReLU), 0.8, task="regression"),
    _ill("equal_filters", "symmetric_units", "cnn", _equal_filters, ({"spread": 0.0}, {"spread": 0.3}), 0.8),
    _ill("angle_of_equal_directions", "nan_inf", "mlp", _angles, ({"margin": 0.0}, {"margin": 1e-6}), 0.8, task="regression"),
    _ill("log_in_half_precision", "nan_inf", "mlp", _half_precision_log, (torch.float16, torch.float32), 0.9, also=("log_of_softmax",)),
    _ill("posterior_collapses", "over_regularised", "autoencoder", _collapsed, ({"beta": 20.0}, {"beta": 0.1}), 0.3, task="regression"),
)
