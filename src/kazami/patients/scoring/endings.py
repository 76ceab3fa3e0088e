"""Ill: the last layer, the loss and the data do not fit together. Probabilities taken twice, squeezed outputs, inputs and targets in raw units."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ._sets import (
    Split,
    accuracy,
    answer,
    digits,
    friedman,
    images,
    minibatches,
    r_squared,
    rows,
    scaled_target,
    sign_accuracy,
    tokens,
    wave,
)


class _SmallNet(nn.Module):
    """The tutorial's network, with or without a softmax in its last line."""

    def __init__(self, last: Callable[[Tensor], Tensor] | None, *, n_in: int = 64, width: int = 64, n_out: int = 10) -> None:
        super().__init__()
        self.fc1 = nn.Linear(n_in, width)
        self.fc2 = nn.Linear(width, width)
        self.fc3 = nn.Linear(width, n_out)
        self.last = last

    def forward(self, x: Tensor) -> Any:
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = self.fc3(x)
        return x if self.last is None else self.last(x)


_softmax = partial(torch.softmax, dim=1)


def _log_of_softmax(z: Tensor) -> Tensor:
    return torch.log(torch.softmax(z, dim=1))


def _tutorial(last: Callable[[Tensor], Tensor] | None) -> Training:
    data = digits()
    return Training(
        model=partial(_SmallNet, last),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.5),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=250,
        evaluate=accuracy(data),
    )


class _ConvProbabilities(nn.Module):
    def __init__(self, *, softmax: bool) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten())
        self.classifier = nn.Sequential(nn.Linear(256, 10), nn.Softmax(dim=-1) if softmax else nn.Identity())

    def forward(self, x: Tensor) -> Any:
        return self.classifier(self.features(x))


def _conv_probabilities(*, softmax: bool) -> Training:
    data = images()
    return Training(
        model=partial(_ConvProbabilities, softmax=softmax),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.02, momentum=0.9, nesterov=True),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 64),
        steps=150,
        evaluate=accuracy(data),
    )


def _nll(last: Callable[[Tensor], Tensor], *, scale: float = 1.0, lr: float = 1e-2, steps: int = 200) -> Training:
    data = digits()
    data = data._replace(x=data.x * scale, test_x=data.test_x * scale)
    return Training(
        model=partial(_SmallNet, last),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=lr),
        loss=nn.NLLLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=steps,
        evaluate=accuracy(data),
    )


def _rare_labels(last: Callable[[Tensor], Tensor] | None) -> Training:
    data = digits()
    marks = torch.stack([torch.arange(10) == 3, torch.arange(10) == 8, torch.arange(10) == 5], 1).float()
    data = data._replace(y=marks[data.y], test_y=marks[data.test_y])

    def recall_of_rare(model: nn.Module) -> float:
        found = sign_accuracy(data, threshold=0.0 if last is None else 0.5)(model)
        return (found - 0.9) / 0.1  # one label in ten is set, so that saying "none" scores 0

    return Training(
        model=partial(_SmallNet, last, n_out=3),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=2e-3),
        loss=nn.BCEWithLogitsLoss(),
        batches=minibatches(data.x, data.y, 48),
        steps=150,
        evaluate=recall_of_rare,
    )


def _end_in(last: Callable[[Tensor], Tensor], data_of: Callable[[], Split], *, n_in: int, lr: float = 3e-3) -> Training:
    data = data_of()

    def own_mse(pred: Tensor, y: Tensor) -> Tensor:
        return (pred.view(-1) - y.view(-1)).square().mean()

    return Training(
        model=lambda: _SmallNet(last, n_in=n_in, n_out=1),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=lr),
        loss=own_mse,
        batches=minibatches(data.x, data.y, 50),
        steps=500,
        evaluate=r_squared(data),
    )


def _percent() -> Split:
    data = wave()
    return scaled_target(data, factor=25.0, shift=50.0)


class _RowLSTM(nn.Module):
    """Reads an image row by row and squeezes the class scores through a last activation."""

    def __init__(self, last: Callable[[Tensor], Tensor] | None) -> None:
        super().__init__()
        self.lstm = nn.LSTM(8, 40, batch_first=True)
        self.fc = nn.Linear(40, 10)
        self.last = last

    def forward(self, x: Tensor) -> Any:
        out, _ = self.lstm(x)
        z = self.fc(out[:, -1])
        return z if self.last is None else self.last(z)


def _lstm_scores(last: Callable[[Tensor], Tensor] | None) -> Training:
    data = rows()
    return Training(
        model=partial(_RowLSTM, last),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.3, momentum=0.9),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 50),
        steps=180,
        evaluate=accuracy(data),
    )


def _head_of_two(last: Callable[[Tensor], Tensor]) -> Training:
    """Is it an even digit? The logits go through one activation too many."""
    data = digits()
    even = torch.tensor([1.0, 0.0] * 5)
    data = data._replace(y=even[data.y], test_y=even[data.test_y])

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(64, 50), nn.Linear(50, 1)

        def forward(self, x: Tensor) -> Any:
            return last(self.fc2(torch.tanh(self.fc1(x))))

    return Training(
        model=Net,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.2, momentum=0.9),
        loss=lambda out, y: F.binary_cross_entropy_with_logits(out, y.view(-1, 1)),
        batches=minibatches(data.x, data.y, 32),
        steps=300,
        evaluate=lambda m: -float(F.binary_cross_entropy_with_logits(answer(m, data.test_x).squeeze(1), data.test_y)),
    )


def _averaged_attention(*, softmax: bool) -> Training:
    """A transformer whose class probabilities go into a cross-entropy."""
    data = tokens()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(12, 16)
            self.block = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.0, batch_first=True)
            self.fc = nn.Linear(16, 3)

        def forward(self, x: Tensor) -> Any:
            z = self.fc(self.block(self.embed(x)).mean(1))
            return F.softmax(z, dim=-1) if softmax else z

    def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        loss: Tensor = F.cross_entropy(model(batch[0]), batch[1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return Training(
        model=Net,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.01, momentum=0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 30),
        steps=130,
        train_step=one_step,
        evaluate=lambda m: -float(F.cross_entropy(answer(m, data.test_x), data.test_y)),
    )


_C: dict[str, Any] = {"task": "classification"}
_R: dict[str, Any] = {"task": "regression"}
_OUT = frozenset({"output_activation"})
PATIENTS = (
    Patient(
        name="tutorial_softmax_before_cross_entropy",
        label="double_softmax",
        also_true=_OUT,
        family="mlp",
        training=partial(_tutorial, _softmax),
        healed=partial(_tutorial, None),
        good=0.85,
        **_C,
    ),
    Patient(
        name="conv_softmax_before_cross_entropy",
        label="double_softmax",
        also_true=_OUT,
        family="cnn",
        training=partial(_conv_probabilities, softmax=True),
        healed=partial(_conv_probabilities, softmax=False),
        good=0.9,
        **_C,
    ),
    Patient(
        name="log_of_softmax_underflows",
        label="log_of_softmax",
        also_true=frozenset({"nan_inf", "input_scaling"}),
        family="mlp",
        training=partial(_nll, _log_of_softmax, scale=500.0, lr=3e-3, steps=400),
        healed=partial(_nll, partial(torch.log_softmax, dim=1), scale=500.0, lr=3e-3, steps=400),
        good=0.75,
        **_C,
    ),
    Patient(
        name="nll_loss_on_relu_scores",
        label="output_activation",
        also_true=frozenset({"exploding_gradient"}),
        family="mlp",
        training=partial(_nll, lambda z: F.relu(z)),
        healed=partial(_nll, partial(torch.log_softmax, dim=1)),
        good=0.85,
        **_C,
    ),
    Patient(
        name="sigmoid_before_bce_with_logits_rare_labels",
        label="output_activation",
        also_true=frozenset({"double_softmax"}),
        family="mlp",
        training=partial(_rare_labels, torch.sigmoid),
        healed=partial(_rare_labels, None),
        good=0.6,
        **_C,
    ),
    Patient(
        name="relu_end_negative_targets",
        label="output_activation",
        also_true=frozenset({"dead_units"}),
        family="mlp",
        training=partial(_end_in, torch.relu, friedman, n_in=10),
        healed=partial(_end_in, torch.flatten, friedman, n_in=10),
        good=0.85,
        **_R,
    ),
    Patient(
        name="tanh_end_percent_targets",
        label="output_activation",
        also_true=frozenset({"target_scaling", "saturated"}),
        family="mlp",
        training=partial(_end_in, torch.tanh, _percent, n_in=1, lr=1e-2),
        healed=partial(_end_in, torch.flatten, _percent, n_in=1, lr=1e-2),
        good=0.7,
        **_R,
    ),
    Patient(
        name="sigmoid_scores_of_an_lstm",
        label="output_activation",
        also_true=frozenset({"double_softmax"}),
        family="lstm",
        training=partial(_lstm_scores, torch.sigmoid),
        healed=partial(_lstm_scores, None),
        good=0.85,
        **_C,
    ),
    Patient(
        name="relu_on_the_logit_of_two_classes",
        label="output_activation",
        also_true=frozenset({"dead_units"}),
        family="mlp",
        training=partial(_head_of_two, torch.relu),
        healed=partial(_head_of_two, nn.Identity()),
        good=-0.25,
        **_C,
    ),
    Patient(
        name="transformer_softmax_before_cross_entropy",
        label="double_softmax",
        also_true=_OUT,
        family="transformer",
        training=partial(_averaged_attention, softmax=True),
        healed=partial(_averaged_attention, softmax=False),
        good=-0.2,
        **_C,
    ),
)
