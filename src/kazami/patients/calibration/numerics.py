"""Formulas that are right on paper and not finite in float32."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import blocks, data
from .._base import Patient


def _log_of_pixels(offset: float = 0.0) -> Training:
    """Inputs on a log scale, though most pixels are 0."""
    d = data.digits(scale="unit")

    class LogNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = blocks.mlp([64, 40, 10])

        def forward(self, x: Tensor) -> Tensor:
            z: Tensor = self.net(torch.log(x + offset))
            return z

    return Training(
        model=LogNet,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=41),
        steps=150,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _distance_to_examples(epsilon: float = 0.0) -> Training:
    """Prototypes that start as training samples: when such a sample comes by, its distance is 0 and the root's derivative infinite."""
    d = data.wine()

    class Prototypes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            first = [int((d.y == c).nonzero()[0]) for c in range(3)]
            self.prototypes = nn.Parameter(d.x[first].clone())
            self.log_sharpness = nn.Parameter(torch.tensor(-1.0))

        def forward(self, x: Tensor) -> Tensor:
            squared = (x[:, None, :] - self.prototypes).pow(2).sum(-1)
            return -torch.sqrt(squared + epsilon) * self.log_sharpness.exp()

    return Training(
        model=Prototypes,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.2),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 16, seed=42),
        steps=150,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _empty_mask(floor: float = 0.0) -> Training:
    """The mean over the tokens that are not padding, where some sequences are all padding."""
    d = data.commonest_token(length=5)

    class BagOfTokens(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(3, 16)
            self.net = blocks.mlp([17, 32, 3])

        def forward(self, tokens: Tensor) -> Tensor:
            mask = (tokens != 0).float().unsqueeze(-1)
            count = mask.sum(1)
            mean = (self.embedding(tokens) * mask).sum(1) / count.clamp(min=floor)
            z: Tensor = self.net(torch.cat([mean, count / 5], 1))
            return z

    return Training(
        model=BagOfTokens,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=0.01),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 40, seed=43),
        steps=300,
        evaluate=data.accuracy(d.x, d.y),
    )


def _constant_pixels(epsilon: float = 0.0) -> Training:
    """Standardised by the batch's own deviation, which is 0 in the corners."""
    d = data.digit_images(scale="unit")

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cnn = blocks.SmallCnn(6)

        def forward(self, x: Tensor) -> Tensor:
            z: Tensor = self.cnn((x - x.mean(0)) / (x.std(0) + epsilon))
            return z

    return Training(
        model=Net,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=44),
        steps=150,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _softmax_by_hand(*, stable: bool = False) -> Training:
    """exp(z) / sum(exp(z)) written out, on cosine similarities over a low temperature: the exponential overflows."""
    d = data.digits()

    class Cosine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = blocks.mlp([64, 48, 24], nn.Tanh)
            self.directions = nn.Parameter(torch.randn(10, 24))

        def forward(self, x: Tensor) -> Tensor:
            return F.normalize(self.embed(x), dim=1) @ F.normalize(self.directions, dim=1).T / 0.005

    def by_hand(z: Tensor, y: Tensor) -> Tensor:
        e = torch.exp(z)
        p = e / e.sum(1, keepdim=True)
        return -torch.log(p[torch.arange(len(y)), y] + 1e-8).mean()

    return Training(
        model=Cosine,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=F.cross_entropy if stable else by_hand,
        batches=data.minibatches(d.x, d.y, 64, seed=45),
        steps=250,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _missing_value(fill: float | None = None) -> Training:
    """One missing value in one of 427 rows."""
    d = data.breast_cancer()
    x = d.x.clone()
    x[200, 7] = float("nan") if fill is None else fill
    return Training(
        model=lambda: blocks.mlp([30, 24, 2]),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(x, d.y, 32, seed=46),
        steps=150,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _log_of_softmax(*, in_one: bool = False) -> Training:
    """log(softmax(z)) on pixels 0..16, as scikit-learn gives them: the softmax underflows to 0."""
    d = data.digits(scale="unit").with_inputs(lambda x: 16.0 * x)

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.hidden = nn.Linear(64, 64)
            self.out = nn.Linear(64, 10)

        def forward(self, x: Tensor) -> Tensor:
            z = 30.0 * self.out(F.relu(self.hidden(x)))
            return F.log_softmax(z, dim=1) if in_one else torch.log(F.softmax(z, dim=1))

    return Training(
        model=Net,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=F.nll_loss,
        batches=data.minibatches(d.x, d.y, 64, seed=47),
        steps=200,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


PATIENTS = (
    Patient(
        name="log_of_empty_pixels",
        label="nan_inf",
        family="mlp",
        task="classification",
        training=_log_of_pixels,
        healed=partial(_log_of_pixels, 1.0),
        good=0.9,
    ),
    Patient(
        name="root_of_no_distance",
        label="nan_inf",
        family="prototypes",
        task="classification",
        training=_distance_to_examples,
        healed=partial(_distance_to_examples, 1e-6),
        good=0.9,
    ),
    Patient(
        name="mean_over_an_empty_mask",
        label="nan_inf",
        family="embedding",
        task="classification",
        training=_empty_mask,
        healed=partial(_empty_mask, 1.0),
        good=0.85,
    ),
    Patient(
        name="constant_pixels_standardised",
        label="nan_inf",
        family="cnn",
        task="classification",
        training=_constant_pixels,
        healed=partial(_constant_pixels, 0.05),
        good=0.85,
    ),
    Patient(
        name="softmax_by_hand_overflows",
        label="nan_inf",
        family="mlp",
        task="classification",
        training=_softmax_by_hand,
        healed=partial(_softmax_by_hand, stable=True),
        good=0.85,
    ),
    Patient(
        name="one_missing_value",
        label="nan_inf",
        family="mlp",
        task="classification",
        training=_missing_value,
        healed=partial(_missing_value, 0.0),
        good=0.93,
    ),
    Patient(
        name="log_of_an_underflowed_softmax",
        label="log_of_softmax",
        family="mlp",
        task="classification",
        training=_log_of_softmax,
        healed=partial(_log_of_softmax, in_one=True),
        good=0.85,
        also_true=frozenset({"nan_inf"}),
    ),
)
