"""Ill: hidden units all saturated while the last layer swings, and weights that are no longer numbers while the loss looks sound."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ._recipes import adam, by, sgd, step_on
from ._sets import Split, accuracy, answer, digits, full_batch, minibatches, plane, r_squared, running_sum, sign_accuracy, standardised, table, wave


class _OneHidden(nn.Module):
    """One hidden layer with weights of a chosen size, and a linear end."""

    def __init__(self, n_in: int, width: int, act: Callable[[Tensor], Tensor], *, spread: float) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_in, width)
        self.out = nn.Linear(width, 1)
        self.act = act
        nn.init.normal_(self.hidden.weight, std=spread)
        nn.init.normal_(self.hidden.bias, std=spread)

    def forward(self, x: Tensor) -> Any:
        return self.out(self.act(self.hidden(x)))


def _wave_of_switches(*, lr: float) -> Training:
    """Sixty-four tanh units drawn so wide that each is a switch; only the end moves, and it is stepped too far."""
    data = wave()
    return Training(
        model=partial(_OneHidden, 1, 64, torch.tanh, spread=60.0),
        optimizer=sgd(lr),
        loss=F.smooth_l1_loss,
        batches=full_batch(data.x, data.y),
        steps=500,
        evaluate=r_squared(data),
    )


def _raw_tumours(*, standard: bool) -> Training:
    """Inputs in raw units drive every unit to its end; the one logit then jumps from side to side."""
    data = standardised(table("breast_cancer")) if standard else table("breast_cancer")
    return Training(
        model=partial(_OneHidden, 30, 40, torch.tanh, spread=0.2),
        optimizer=sgd(1.0),
        loss=lambda z, y: F.binary_cross_entropy_with_logits(z.squeeze(1), y.float()),
        batches=full_batch(data.x, data.y),
        steps=300,
        evaluate=sign_accuracy(data),
    )


class _LateReader(nn.Module):
    def __init__(self, *, shift: float) -> None:
        super().__init__()
        self.rnn = nn.RNN(1, 40, batch_first=True)
        self.fc = nn.Linear(40, 1)
        nn.init.constant_(self.rnn.get_parameter("bias_ih_l0"), shift)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.rnn(x)[0][:, -1])


def _recurrent_switches(*, shift: float) -> Training:
    """A recurrent layer whose bias was set to 12 at the start: its states stay at 1, and the reading layer swings."""
    data = running_sum(6)
    return Training(
        model=partial(_LateReader, shift=shift),
        optimizer=sgd(0.1),
        loss=F.smooth_l1_loss,
        batches=minibatches(data.x, data.y, 90),
        steps=500,
        evaluate=r_squared(data),
    )


def _two_layers_of_switches(*, bias: float) -> Training:
    data = plane(400)

    def make() -> nn.Module:
        net = nn.Sequential(nn.Linear(8, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 1))
        for layer in (net[0], net[2]):
            assert isinstance(layer, nn.Linear)
            nn.init.constant_(layer.bias, bias)
        return net

    return Training(
        model=make,
        optimizer=sgd(0.15),
        loss=F.huber_loss,
        batches=full_batch(data.x, data.y),
        steps=500,
        evaluate=r_squared(data),
    )


class _Glossary(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(60, 8)
        self.fc = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.words(x).mean(1)).squeeze(1)


def _adam_without_epsilon(*, eps: float) -> Training:
    """Words that the training never shows get 0/0 from Adam; the loss never sees them, the test does."""
    source = torch.Generator().manual_seed(135)
    worth = torch.randn(40, generator=source)
    x = torch.randint(0, 40, (600, 6), generator=source)
    y = worth[x].mean(1)
    test = torch.randint(0, 40, (200, 6), generator=source)
    truth = worth[test].mean(1)
    unseen = test.clone()
    unseen[::4, 0] = 50
    data = Split(x, y, torch.cat([test, unseen[::4]]), torch.cat([truth, truth[::4]]))
    first: list[Batch] = [(x, y)]
    batches = minibatches(x, y, 60)
    return Training(
        model=_Glossary,
        optimizer=adam(2e-2, eps=eps),
        loss=F.mse_loss,
        batches=lambda: [*first, *batches()],
        steps=400,
        evaluate=r_squared(data),
    )


class _TwoReaders(nn.Module):
    """A classifier with a side output that only the deployed model uses: the length of its code."""

    def __init__(self, *, floor: float) -> None:
        super().__init__()
        self.code = nn.Linear(64, 48)
        self.kind = nn.Linear(48, 10)
        self.gate = nn.Parameter(torch.zeros(48))
        self.floor = floor

    def forward(self, x: Tensor) -> Any:
        h = F.relu(self.code(x))
        size = (self.gate.square().sum() + self.floor).sqrt()
        return self.kind(h if self.training else h * (1 + 0 * self.gate)), size


def _root_of_a_zero_gate(*, floor: float) -> Training:
    """The gradient of the root at zero is infinite times zero: the gate becomes nan at step 1, and only eval mode reads it."""
    data = digits()

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        logits, size = model(batch[0])
        return F.cross_entropy(logits, batch[1]) + 1e-3 * torch.nan_to_num(size)

    return Training(
        model=partial(_TwoReaders, floor=floor),
        optimizer=adam(2e-3),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=200,
        train_step=step_on(loss),
        evaluate=accuracy(data),
    )


def _masked_loss_hides_it(*, guard: bool) -> Training:
    """A loss that skips non-finite rows: after one blank row divided by its own norm every answer is nan, and the mean over nothing is 0."""
    data = digits()
    x = data.x.clone()
    x[7] = 0.0

    class Unit(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))

        def forward(self, x: Tensor) -> Any:
            size = x.norm(dim=1, keepdim=True)
            return self.net(x / (size.clamp(min=1e-6) if guard else size))

    def loss(out: Tensor, y: Tensor) -> Tensor:
        each = F.cross_entropy(out, y, reduction="none")
        return torch.nan_to_num(each).mean()

    return Training(
        model=Unit,
        optimizer=by(torch.optim.NAdam, lr=5e-3),
        loss=loss,
        batches=minibatches(x, data.y, 40),
        steps=250,
        evaluate=lambda m: float((torch.nan_to_num(answer(m, data.test_x)).argmax(1) == data.test_y).float().mean()),
    )


_SWING = frozenset({"saturated", "oscillating_loss", "lr_too_high"})
_WIDE = _SWING | {"bad_init_scale"}
_M: dict[str, Any] = {"label": "saturated_but_moving"}
_W: dict[str, Any] = {"label": "nonfinite_weights", "also_true": frozenset({"nan_inf"})}
PATIENTS = (
    Patient(
        name="sixty_four_switches_on_a_wave",
        also_true=_WIDE,
        family="mlp",
        task="regression",
        training=partial(_wave_of_switches, lr=0.3),
        healed=partial(_wave_of_switches, lr=0.03),
        good=0.8,
        **_M,
    ),
    Patient(
        name="raw_tumours_make_switches",
        also_true=_SWING | {"input_scaling"},
        family="mlp",
        task="classification",
        training=partial(_raw_tumours, standard=False),
        healed=partial(_raw_tumours, standard=True),
        good=0.93,
        **_M,
    ),
    Patient(
        name="recurrent_states_stay_at_one",
        also_true=_WIDE,
        family="rnn",
        task="regression",
        training=partial(_recurrent_switches, shift=12.0),
        healed=partial(_recurrent_switches, shift=0.0),
        good=0.7,
        **_M,
    ),
    Patient(
        name="two_layers_stay_at_one",
        also_true=_WIDE | {"vanishing_gradient"},
        family="mlp",
        task="regression",
        training=partial(_two_layers_of_switches, bias=12.0),
        healed=partial(_two_layers_of_switches, bias=0.0),
        good=0.8,
        **_M,
    ),
    Patient(
        name="unseen_words_become_nan",
        family="embedding",
        task="regression",
        training=partial(_adam_without_epsilon, eps=0.0),
        healed=partial(_adam_without_epsilon, eps=1e-8),
        good=0.7,
        **_W,
    ),
    Patient(
        name="gate_that_only_eval_reads",
        family="mlp",
        task="classification",
        training=partial(_root_of_a_zero_gate, floor=0.0),
        healed=partial(_root_of_a_zero_gate, floor=1e-8),
        good=0.85,
        **_W,
    ),
    Patient(
        name="loss_that_skips_nan_rows",
        family="mlp",
        task="classification",
        training=partial(_masked_loss_hides_it, guard=False),
        healed=partial(_masked_loss_hides_it, guard=True),
        good=0.85,
        **_W,
    ),
)
