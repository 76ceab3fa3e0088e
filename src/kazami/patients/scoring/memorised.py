"""Ill: few rows learnt by heart. The training loss goes to nothing, the held-out loss, looked at now and then, turns and rises."""

from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from .._base import Patient
from ..blocks import SmallCnn, mlp
from ._recipes import Loss, adam, sgd, with_validation
from ._sets import Split, answer, explained, full_batch, minibatches, standardised, table


def _held_out_gain(data: Split, trivial: float) -> Any:
    """Return a judge: by how much the held-out cross-entropy stays below that of the class shares, 1 - loss / ``trivial``; never below -1."""

    def judge(model: nn.Module) -> float:
        loss = float(F.cross_entropy(answer(model, data.test_x), data.test_y))
        return max(-1.0, 1 - loss / trivial)

    return judge


@cache
def _noisy_curve() -> Split:
    source = torch.Generator().manual_seed(81)
    x = 4 * torch.rand(260, 1, generator=source) - 2
    clean = torch.sin(2 * x)
    y = clean + 0.5 * torch.randn(260, 1, generator=source)
    return Split(x[:30], y[:30], x[30:], clean[30:])


def _thirty_points(*, noise: float) -> Training:
    """A wide network through thirty noisy points; the twin sees them jittered."""
    data = _noisy_curve()
    return Training(
        model=lambda: mlp((1, 128, 128, 1), nn.Tanh),
        optimizer=adam(5e-3),
        loss=F.mse_loss,
        batches=full_batch(data.x, data.y),
        steps=600,
        train_step=with_validation(F.mse_loss, data.test_x, data.test_y, noise=noise),
        evaluate=lambda m: explained(data.test_y, answer(m, data.test_x)),
    )


@cache
def _few_patients() -> Split:
    """Return eighty tumours, every fifth label wrong, and right labels for the test."""
    data = standardised(table("breast_cancer"))
    wrong = torch.arange(80) % 5 == 0
    return data._replace(x=data.x[:80], y=torch.where(wrong, 1 - data.y[:80], data.y[:80]))


def _eighty_tumours(*, decay: float) -> Training:
    data = _few_patients()
    return Training(
        model=lambda: mlp((30, 128, 128, 2), nn.ReLU),
        optimizer=sgd(0.05, 0.9, weight_decay=decay),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 20),
        steps=300,
        train_step=with_validation(F.cross_entropy, data.test_x, data.test_y),
        evaluate=_held_out_gain(data, 0.66),
    )


def _diabetes_by_heart(*, dropout: float, rows: int = 90) -> Training:
    data = standardised(table("diabetes"))
    mean, std = data.y.mean(), data.y.std()
    y, test_y = ((data.y - mean) / std).unsqueeze(1), ((data.test_y - mean) / std).unsqueeze(1)
    return Training(
        model=lambda: mlp((10, 200, 200, 1), nn.ReLU, dropout=dropout),
        optimizer=adam(3e-3),
        loss=F.mse_loss,
        batches=minibatches(data.x[:rows], y[:rows], 30),
        steps=300,
        train_step=with_validation(F.mse_loss, data.test_x, test_y),
        evaluate=lambda m: explained(test_y, answer(m, data.test_x)),
    )


@cache
def _grainy_digits(n: int) -> Split:
    """Return ``n`` training images under heavy grain, and test images under the same grain."""
    data = table("digits")
    source = torch.Generator().manual_seed(84)

    def grainy(x: Tensor) -> Tensor:
        return ((x / 16 - 0.3) * 2 + 0.9 * torch.randn(x.shape, generator=source)).view(-1, 1, 8, 8)

    return Split(grainy(data.x)[:n], data.y[:n], grainy(data.test_x), data.test_y)


def _grain(*, noise: float) -> Training:
    """The twin draws new grain at every step (augmentation)."""
    data = _grainy_digits(300)
    loss: Loss = F.cross_entropy
    return Training(
        model=partial(SmallCnn, 16),
        optimizer=adam(4e-3),
        loss=loss,
        batches=minibatches(data.x, data.y, 50),
        steps=250,
        train_step=with_validation(loss, data.test_x, data.test_y, noise=noise),
        evaluate=_held_out_gain(data, 2.303),
    )


class _TokenVote(nn.Module):
    """An embedding of many words, their mean, and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.EmbeddingBag(400, 32)
        self.head = mlp((32, 64, 2), nn.ReLU)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.words(x))


@cache
def _reviews(n: int) -> Split:
    """Return short reviews: each of 400 words leans a little to one of two verdicts, which are then drawn."""
    source = torch.Generator().manual_seed(85)
    lean = torch.randn(400, generator=source)
    x = torch.randint(400, (n + 600, 12), generator=source)
    p = torch.sigmoid(1.2 * lean[x].sum(1))
    y = (torch.rand(n + 600, generator=source) < p).long()
    return Split(x[:n], y[:n], x[n:], y[n:])


def _reviews_by_heart(*, n: int) -> Training:
    data = _reviews(4000)
    return Training(
        model=_TokenVote,
        optimizer=adam(1e-2),
        loss=F.cross_entropy,
        batches=minibatches(data.x[:n], data.y[:n], 50),
        steps=300,
        train_step=with_validation(F.cross_entropy, data.test_x, data.test_y),
        evaluate=_held_out_gain(data, 0.693),
    )


_O: dict[str, Any] = {"label": "overfitting"}
PATIENTS = (
    Patient(
        name="wide_network_thirty_noisy_points",
        family="mlp",
        task="regression",
        training=partial(_thirty_points, noise=0.0),
        healed=partial(_thirty_points, noise=0.3),
        good=0.6,
        **_O,
    ),
    Patient(
        name="eighty_tumours_every_fifth_label_wrong",
        family="mlp",
        task="classification",
        training=partial(_eighty_tumours, decay=0.0),
        healed=partial(_eighty_tumours, decay=0.05),
        good=0.25,
        **_O,
    ),
    Patient(
        name="ninety_diabetics_by_heart",
        family="mlp",
        task="regression",
        training=partial(_diabetes_by_heart, dropout=0.0),
        healed=partial(_diabetes_by_heart, dropout=0.7),
        good=0.1,
        **_O,
    ),
    Patient(
        name="grain_learnt_by_heart",
        family="cnn",
        task="classification",
        training=partial(_grain, noise=0.0),
        healed=partial(_grain, noise=0.9),
        good=0.4,
        **_O,
    ),
    Patient(
        name="two_hundred_reviews_by_heart",
        family="embedding",
        task="classification",
        training=partial(_reviews_by_heart, n=200),
        healed=partial(_reviews_by_heart, n=4000),
        good=0.1,
        **_O,
    ),
)
