"""Wrong ends of networks: an output that does not fit the loss, or the targets, or the target's shape."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import blocks, data
from .._base import Patient


def _softmax_then_cross_entropy(output: nn.Module | None) -> Training:
    d = data.digits()
    return Training(
        model=lambda: blocks.mlp([64, 48, 10], output=output),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 64, seed=31),
        steps=250,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _cnn_softmax(*, softmax: bool = True) -> Training:
    d = data.digit_images()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = blocks.SmallCnn(6)

        def forward(self, x: Tensor) -> Tensor:
            z: Tensor = self.body(x)
            return F.softmax(z, dim=1) if softmax else z

    return Training(
        model=Net,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.02, momentum=0.9),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 32, seed=32),
        steps=100,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _sigmoid_before_logits_loss(*, sigmoid: bool = True) -> Training:
    d = data.breast_cancer()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Linear(30, 16)
            self.out = nn.Linear(16, 1)

        def forward(self, x: Tensor) -> Tensor:
            z: Tensor = self.out(F.relu(self.hidden(x))).squeeze(1)
            return torch.sigmoid(z) if sigmoid else z

    criterion = nn.BCEWithLogitsLoss()
    return Training(
        model=Net,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=0.01),
        loss=lambda z, y: criterion(z, y.float()),
        batches=data.minibatches(d.x, d.y, 32, seed=33),
        steps=150,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _relu_before_cross_entropy(output: nn.Module | None) -> Training:
    d = data.digits()
    return Training(
        model=lambda: blocks.mlp([64, 32, 32, 10], output=output),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 32, seed=34),
        steps=250,
        evaluate=data.accuracy(d.x_test, d.y_test),
        seed=1,
    )


def _squashed_regression(output: nn.Module | None) -> Training:
    d = data.friedman()
    return Training(
        model=lambda: blocks.mlp([10, 32, 32, 1], output=output),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.y, 25, seed=35),
        steps=300,
        evaluate=data.r2(d.x_test, d.y_test),
    )


def _flat_targets(squeeze: Callable[[Tensor], Tensor] = lambda y: y.squeeze(1), *, features: int = 10) -> Training:
    """Outputs ``(n, 1)`` against targets ``(n,)``: the difference is an ``(n, n)`` matrix, and the best answer the mean."""
    d = data.diabetes() if features == 10 else data.sines(periods=1.0)
    return Training(
        model=lambda: blocks.mlp([features, 32, 1], nn.Tanh),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=0.01),
        loss=F.mse_loss if features == 10 else lambda output, target: torch.mean((output - target) ** 2),
        batches=data.minibatches(d.x, squeeze(d.y), 30, seed=36),
        steps=250,
        evaluate=data.r2(d.x, d.y),
    )


def _flat_sequence_targets(*, flat: bool = True) -> Training:
    d = data.bit_sums()
    return Training(
        model=lambda: blocks.SequenceReader(1, 16, 1, cell="gru"),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=0.01),
        loss=nn.SmoothL1Loss(),
        batches=data.minibatches(d.x, d.y.flatten() if flat else d.y, 50, seed=37),
        steps=200,
        evaluate=data.r2(d.x, d.y),
    )


PATIENTS = (
    Patient(
        name="softmax_then_cross_entropy",
        label="double_softmax",
        family="mlp",
        task="classification",
        training=partial(_softmax_then_cross_entropy, nn.Softmax(dim=1)),
        healed=partial(_softmax_then_cross_entropy, None),
        good=0.9,
        also_true=frozenset({"lr_too_low", "output_activation"}),
    ),
    Patient(
        name="cnn_with_softmax_in_forward",
        label="double_softmax",
        family="cnn",
        task="classification",
        training=_cnn_softmax,
        healed=partial(_cnn_softmax, softmax=False),
        good=0.85,
        also_true=frozenset({"output_activation"}),
    ),
    Patient(
        name="sigmoid_before_logits_loss",
        label="output_activation",
        family="mlp",
        task="classification",
        training=_sigmoid_before_logits_loss,
        healed=partial(_sigmoid_before_logits_loss, sigmoid=False),
        good=0.9,
    ),
    Patient(
        name="relu_before_cross_entropy",
        label="output_activation",
        family="mlp",
        task="classification",
        training=partial(_relu_before_cross_entropy, nn.ReLU()),
        healed=partial(_relu_before_cross_entropy, None),
        good=0.9,
        also_true=frozenset({"dead_units"}),
    ),
    Patient(
        name="sigmoid_for_standardised_targets",
        label="output_activation",
        family="mlp",
        task="regression",
        training=partial(_squashed_regression, nn.Sigmoid()),
        healed=partial(_squashed_regression, None),
        good=0.8,
    ),
    Patient(
        name="flat_targets_for_a_column",
        label="target_broadcast",
        family="mlp",
        task="regression",
        training=_flat_targets,
        healed=partial(_flat_targets, lambda y: y),
        good=0.4,
    ),
    Patient(
        name="flat_targets_in_a_written_out_loss",
        label="target_broadcast",
        family="mlp",
        task="regression",
        training=partial(_flat_targets, features=1),
        healed=partial(_flat_targets, lambda y: y, features=1),
        good=0.8,
    ),
    Patient(
        name="flat_targets_for_a_gru",
        label="target_broadcast",
        family="gru",
        task="regression",
        training=_flat_sequence_targets,
        healed=partial(_flat_sequence_targets, flat=False),
        good=0.8,
    ),
)
