"""Half precision: gradients and updates that are lost in it, numbers that it cannot hold, and scalers at their normal work."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SmallCnn, mlp
from .more_tasks import adam, classify, regress, sgd


class _Cast(nn.Module):
    """A network whose forward pass runs in autocast, with a loss scale that its loop divides out again.

    Args:
        net: The network.
        precision: Type of autocast.
        scaler: Gradient scaler of the loop, ``None`` for none.
    """

    def __init__(self, net: nn.Module, precision: torch.dtype = torch.float16, scaler: torch.amp.GradScaler | None = None) -> None:
        super().__init__()
        self.net = net
        self.precision = precision
        self.scaler = scaler

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=self.precision, enabled=self.precision is not torch.float32):
            output: Tensor = self.net(x)
        return output.float()


def _step(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[nn.Module, torch.optim.Optimizer, tuple[Any, Any]], Tensor]:
    """Return the usual step of mixed precision, with the scaler that the network carries, if any."""

    def step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: tuple[Any, Any]) -> Tensor:
        assert isinstance(model, _Cast)
        x, y = batch
        optimizer.zero_grad()
        value = loss(model(x), y)
        if model.scaler is None:
            value.backward()
            optimizer.step()
        else:
            model.scaler.scale(value).backward()
            model.scaler.step(optimizer)
            model.scaler.update()
        return value

    return step


def _scaler(enabled: bool = True, **settings: Any) -> torch.amp.GradScaler | None:
    return torch.amp.GradScaler("cpu", **settings) if enabled else None


def _small_loss(scaled: bool) -> Training:
    """A squared error in square metres of targets in kilometres: gradients of 1e-9 under autocast."""
    d = data.friedman()

    def loss(output: Tensor, target: Tensor) -> Tensor:
        return 1e-7 * F.mse_loss(output, target)

    model = partial(lambda: _Cast(mlp((10, 48, 48, 1)), scaler=_scaler(scaled)))
    return regress(d, model, adam(0.003, eps=1e-16), 300, loss=loss, train_step=_step(loss))


def _fading_image_gradients(scaled: bool) -> Training:
    """A cross-entropy divided by the number of pixels and steps of the whole training, as somebody thought fit."""

    def loss(output: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(output, target) / 1e7

    return classify(
        data.digit_images(),
        lambda: _Cast(SmallCnn(), scaler=_scaler(scaled)),
        adam(0.003, eps=1e-16),
        200,
        loss=loss,
        train_step=_step(loss),
    )


def _stored(net: Callable[[], nn.Module], precision: torch.dtype) -> Callable[[], nn.Module]:
    """Return the factory of a network whose weights are stored in a format, with inputs and outputs in float32."""

    def make() -> nn.Module:
        return _Stored(net().to(precision), precision)

    return make


class _Stored(nn.Module):
    """A network stored in some precision."""

    def __init__(self, net: nn.Module, precision: torch.dtype) -> None:
        super().__init__()
        self.net = net
        self.precision = precision

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.net(x.to(self.precision))
        return output.float()


class _UnitWeights(nn.Module):
    """Two layers whose weights have unit deviation and are divided by the root of the fan-in where they are used."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Parameter(torch.randn(128, 64))
        self.out = nn.Parameter(torch.randn(10, 128))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape ``(n, 10)``."""
        logits: Tensor = F.relu(x @ self.hidden.T / 8.0) @ self.out.T / 128**0.5
        return logits


def _lost_updates(precision: torch.dtype) -> Training:
    """Weights of size one stored in half precision: most updates are smaller than the spacing of their numbers."""
    return classify(data.digits(), _stored(_UnitWeights, precision), sgd(0.5), 500, size=None)


def _adam_without_epsilon(precision: torch.dtype) -> Training:
    """model.half() and Adam with its usual ε of 1e-8, which is zero in float16."""
    return classify(data.digits(), _stored(lambda: mlp((64, 64, 10)), precision), adam(0.002), 200)


class _Distances(nn.Module):
    """Squared distances to prototypes of unscaled pixels, in half precision: beyond 65504."""

    def __init__(self, precision: torch.dtype) -> None:
        super().__init__()
        self.prototypes = nn.Parameter(40.0 * torch.randn(32, 64))
        self.norm = nn.BatchNorm1d(32)
        self.head = nn.Linear(32, 10)
        self.precision = precision

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape ``(n, 10)``."""
        squared = (x[:, None] - self.prototypes).to(self.precision).square().sum(2).float()
        logits: Tensor = self.head(self.norm(squared))
        return logits


def _distances(precision: torch.dtype) -> Training:
    d = data.digits(scale="unit").with_inputs(lambda x: 255.0 * x)
    return classify(d, lambda: _Distances(precision), adam(0.01), 200)


def _scaler_gives_up(precision: torch.dtype) -> Training:
    """A sum of squares as an activity penalty inside autocast overflows at every step: the scaler halves its scale for ever."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.out = nn.Linear(64, 256), nn.Linear(256, 10)

        def forward(self, x: Tensor) -> Tensor:
            h = F.relu(self.hidden(x))
            power = (4e3 * h @ h.t()).mean(1, keepdim=True)  # a matrix product: in the type of autocast
            z: Tensor = self.out(h) - 1e-12 * power
            return z

    return classify(
        data.digits(),
        lambda: _Cast(Net(), precision, _scaler(precision is torch.float16)),
        adam(0.003),
        200,
        train_step=_step(F.cross_entropy),
        size=64,
    )


def _plain_mixed(precision: torch.dtype, *, enabled: bool = True, **settings: Any) -> Training:
    return classify(
        data.digits(),
        lambda: _Cast(mlp((64, 64, 64, 10)), precision, _scaler(enabled, **settings)),
        sgd(0.1, momentum=0.9),
        250,
        train_step=_step(F.cross_entropy),
        size=64,
    )


def _half_dark_in_half() -> Training:
    """Most units of the first layer are dead: exact zeros that half precision has nothing to do with."""

    def net() -> nn.Module:
        made = mlp((64, 256, 10))
        nn.init.constant_(made[0].bias, -1.2)  # type: ignore[arg-type]
        return _Cast(made, torch.float16, None)

    return classify(data.digits(), net, sgd(0.1, momentum=0.9), 300, train_step=_step(F.cross_entropy))


def _stored_in_bfloat16() -> Training:
    """Weights in bfloat16 with a rate that is large enough for its coarse spacing."""
    return classify(data.breast_cancer(), _stored(lambda: mlp((30, 32, 2)), torch.bfloat16), sgd(0.1, momentum=0.9), 200)


def _long_in_mixed() -> Training:
    """A regression in float16 autocast without a scaler whose gradients are of ordinary size."""
    return regress(data.friedman(), lambda: _Cast(mlp((10, 48, 48, 1)), torch.float16, None), adam(0.003), 400, train_step=_step(F.mse_loss))


def _ill(name: str, label: str, family: str, make: Callable[[Any], Training], ill: Any, well: Any, good: float, also: frozenset[str], task: Any) -> Patient:
    return Patient(name=name, label=label, family=family, task=task, training=partial(make, ill), healed=partial(make, well), good=good, also_true=also)


FADES = frozenset({"trivial_solution"})
ENDS = frozenset({"nan_inf"})
HALF, FULL = torch.float16, torch.float32

ILL = (
    _ill("squares_in_kilometres_in_half", "fp16_underflow", "mlp", _small_loss, False, True, 0.75, FADES, "regression"),
    _ill("pixels_divided_out_in_half", "fp16_underflow", "cnn", _fading_image_gradients, False, True, 0.85, FADES, "classification"),
    _ill("updates_below_the_spacing", "fp16_underflow", "mlp", _lost_updates, torch.bfloat16, FULL, 0.8, frozenset({"lr_too_low"}), "classification"),
    _ill("half_with_adams_epsilon", "fp16_underflow", "mlp", _adam_without_epsilon, HALF, FULL, 0.9, ENDS, "classification"),
    _ill("distances_in_half_precision", "fp16_overflow", "prototypes", _distances, HALF, FULL, 0.75, ENDS | {"input_scaling"}, "classification"),
    _ill("products_beyond_any_scale", "fp16_overflow", "mlp", _scaler_gives_up, HALF, FULL, 0.9, ENDS, "classification"),
)
PATIENTS = ILL + tuple(
    Patient(name=name, label=None, family=family, task=task, training=make, good=good, near_boundary=True)  # type: ignore[arg-type]
    for name, family, task, make, good in (
        ("mixed_with_a_scaler_far_too_high", "mlp", "classification", partial(_plain_mixed, HALF, init_scale=2.0**30), 0.93),
        ("mixed_with_a_scaler_that_tries_often", "mlp", "classification", partial(_plain_mixed, HALF, init_scale=2.0**22, growth_interval=8), 0.93),
        ("mixed_in_bfloat16", "mlp", "classification", partial(_plain_mixed, torch.bfloat16, enabled=False), 0.93),
        ("dark_units_in_half_precision", "mlp", "classification", _half_dark_in_half, 0.9),
        ("cells_stored_in_bfloat16", "mlp", "classification", _stored_in_bfloat16, 0.93),
        ("surface_in_half_without_a_scaler", "mlp", "regression", _long_in_mixed, 0.75),
    )
)
