"""Parameters that do not move, gradients that are not cleared, units that are all alike, layers between which nothing bends."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SequenceReader, TinyTransformer, initialise, mlp
from .more_tasks import Optimizer, adam, adamw, classify, regress, sgd


def _biases_only(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam([parameter for parameter in model.parameters() if parameter.dim() == 1], lr=0.01)


def _spirals(optimizer: Optimizer) -> Training:
    return classify(data.spirals(), lambda: mlp((2, 24, 24, 2), nn.Tanh), optimizer, 500, size=64)


def _frozen_layers(model: nn.Sequential, n_frozen: int) -> nn.Sequential:
    """Return ``model`` with its first ``n_frozen`` modules frozen."""
    for module in list(model)[:n_frozen]:
        module.requires_grad_(False)
    return model


def _digits_narrow(n_frozen: int) -> Training:
    return classify(data.digits(), lambda: _frozen_layers(mlp((64, 12, 12, 12, 10)), n_frozen), sgd(0.05, momentum=0.9), 300)


class _Detached(nn.Module):
    """A GRU and a head; the state may be detached on its way from one to the other."""

    def __init__(self, *, detach: bool) -> None:
        super().__init__()
        self.gru = nn.GRU(4, 24, batch_first=True)
        self.head = nn.Linear(24, 4)
        self.detach = detach

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape ``(n, 4)``."""
        last = self.gru(x)[0][:, -1]
        logits: Tensor = self.head(last.detach() if self.detach else last)
        return logits


def _detached(detach: bool) -> Training:
    return classify(data.first_symbol(length=10), lambda: _Detached(detach=detach), adam(0.005), 400)


def _head_only(model: nn.Module) -> torch.optim.Optimizer:
    assert isinstance(model.head, nn.Module)
    return torch.optim.AdamW(model.head.parameters(), lr=0.003)


def _backwards(optimizer: Optimizer) -> Training:
    return classify(data.reversed_tokens(), lambda: TinyTransformer(8, 6, 8, per_token=True), optimizer, 250)


def _two_rates(trunk_rate: float, model: nn.Module) -> torch.optim.Optimizer:
    assert isinstance(model, nn.Sequential)
    groups: list[dict[str, Any]] = [{"params": model[:-1].parameters(), "lr": trunk_rate}, {"params": model[-1].parameters()}]
    return torch.optim.RMSprop(groups, lr=0.01)


def _curve(trunk_rate: float) -> Training:
    return regress(data.sines(periods=2.0), lambda: mlp((1, 16, 16, 1), nn.Tanh), partial(_two_rates, trunk_rate), 500)


class _Experts(nn.Module):
    """Four small networks whose answers a gate mixes, kept in a tuple (not registered) or in a `ModuleList`."""

    def __init__(self, keep: Callable[[list[nn.Module]], object]) -> None:
        super().__init__()
        self.gate = nn.Linear(2, 4)
        self.experts = keep([mlp((2, 16, 2), nn.Tanh) for _ in range(4)])

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape ``(n, 2)``."""
        answers = torch.stack([expert(x) for expert in self.experts], 2)  # type: ignore[attr-defined]
        return (answers * torch.softmax(self.gate(x), 1)[:, None]).sum(2)


def _experts(keep: Callable[[list[nn.Module]], object]) -> Training:
    return classify(data.circles(), lambda: _Experts(keep), adam(0.01), 400)


def _digits_sum(zero_grad: bool) -> Training:
    return classify(data.digits(), lambda: mlp((64, 48, 48, 10), nn.Tanh), sgd(0.2), 300, zero_grad=zero_grad)


def _waves_sum(zero_grad: bool) -> Training:
    return regress(data.waves(), lambda: SequenceReader(1, 24, 1), sgd(0.01), 300, zero_grad=zero_grad)


def _surface_sum(zero_grad: bool) -> Training:
    return regress(data.friedman(), lambda: mlp((10, 32, 32, 1)), sgd(0.005, momentum=0.9), 400, zero_grad=zero_grad)


def _alike(how: Callable[[Tensor], object]) -> Training:
    return classify(data.digits(), lambda: initialise(mlp((64, 48, 48, 10), nn.Tanh), how), adam(0.003), 300)


def _bend(activation: type[nn.Module]) -> Training:
    return classify(data.circles(), lambda: mlp((2, 48, 48, 48, 2), activation), adamw(0.005), 300)


NEVER_MOVES = frozenset({"frozen_parameters"})
BUILDS_UP = frozenset({"lr_too_high", "oscillating_loss", "exploding_gradient", "saturated", "dead_units"})

PATIENTS = (
    Patient(
        name="spirals_with_biases_only",
        label="frozen_parameters",
        family="mlp",
        task="classification",
        good=0.9,
        training=partial(_spirals, _biases_only),
        healed=partial(_spirals, adam(0.01)),
    ),
    Patient(
        name="three_of_four_narrow_layers_frozen",
        label="frozen_parameters",
        family="mlp",
        task="classification",
        good=0.85,
        training=partial(_digits_narrow, 5),
        healed=partial(_digits_narrow, 0),
    ),
    Patient(
        name="gru_state_detached_before_its_head",
        label="frozen_parameters",
        family="gru",
        task="classification",
        good=0.9,
        training=partial(_detached, True),
        healed=partial(_detached, False),
    ),
    Patient(
        name="backwards_with_the_head_only",
        label="frozen_parameters",
        family="transformer",
        task="classification",
        good=0.8,
        training=partial(_backwards, _head_only),
        healed=partial(_backwards, adamw(0.003)),
    ),
    Patient(
        name="trunk_at_rate_zero",
        label="frozen_parameters",
        family="mlp",
        task="regression",
        good=0.8,
        also_true=frozenset({"lr_too_low"}),
        training=partial(_curve, 0.0),
        healed=partial(_curve, 0.01),
    ),
    Patient(
        name="experts_in_a_tuple",
        label="unregistered_parameters",
        family="mlp",
        task="classification",
        good=0.95,
        also_true=NEVER_MOVES,
        training=partial(_experts, tuple),
        healed=partial(_experts, nn.ModuleList),
    ),
    Patient(
        name="digits_tanh_never_cleared",
        label="no_zero_grad",
        family="mlp",
        task="classification",
        good=0.85,
        also_true=BUILDS_UP,
        training=partial(_digits_sum, False),
        healed=partial(_digits_sum, True),
    ),
    Patient(
        name="waves_rnn_never_cleared",
        label="no_zero_grad",
        family="rnn",
        task="regression",
        good=0.8,
        also_true=BUILDS_UP,
        training=partial(_waves_sum, False),
        healed=partial(_waves_sum, True),
    ),
    Patient(
        name="surface_never_cleared_with_momentum",
        label="no_zero_grad",
        family="mlp",
        task="regression",
        good=0.8,
        also_true=BUILDS_UP,
        training=partial(_surface_sum, False),
        healed=partial(_surface_sum, True),
    ),
    Patient(
        name="tanh_units_all_alike",
        label="symmetric_units",
        family="mlp",
        task="classification",
        good=0.85,
        also_true=frozenset({"bad_init_scale"}),
        training=partial(_alike, partial(nn.init.constant_, val=0.05)),
        healed=partial(_alike, nn.init.xavier_normal_),
    ),
    Patient(
        name="rims_without_a_bend",
        label="no_nonlinearity",
        family="mlp",
        task="classification",
        good=0.9,
        training=partial(_bend, nn.Identity),
        healed=partial(_bend, nn.ReLU),
    ),
)
