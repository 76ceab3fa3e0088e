"""Ill: the last step before the loss is written wrong: the logarithm of a softmax that underflows, one likely tag where several may come."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ..blocks import initialise, mlp
from ._recipes import adam, adamw, ill
from ._sets import Split, accuracy, answer, digits, minibatches, split, table, tokens

Log = Callable[[Tensor], Tensor]


def _stable(z: Tensor) -> Tensor:
    return torch.log_softmax(z, -1)


def _naive(z: Tensor) -> Tensor:
    return torch.log(torch.softmax(z, -1))


def _sharp_scores(log: Log) -> Training:
    """Cosine scores divided by a temperature of 1/500: the softmax of the far classes is zero, and its log is not finite."""
    data = digits()

    class Cosine(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.classes = nn.Linear(64, 32), nn.Parameter(torch.randn(10, 32))

        def forward(self, x: Tensor) -> Any:
            return log(F.normalize(self.body(x), dim=1) @ F.normalize(self.classes, dim=1).T * 500)

    return Training(
        model=Cosine,
        optimizer=adam(3e-3),
        loss=F.nll_loss,
        batches=minibatches(data.x, data.y, 40),
        steps=250,
        evaluate=accuracy(data),
    )


def _counted_words(log: Log) -> Training:
    """Logits that are sums over long rows of counts reach hundreds."""
    data = table("digits")
    return Training(
        model=lambda: initialise(mlp((64, 64, 10), nn.ReLU), partial(nn.init.normal_, std=0.5)),
        optimizer=adam(2e-3),
        loss=lambda z, y: F.nll_loss(log(z), y),
        batches=minibatches(data.x, data.y, 50),
        steps=300,
        evaluate=accuracy(data),
    )


def _next_token(log: Log) -> Training:
    """A reader with tied weights: logits are products with large word vectors."""
    data = tokens()

    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(12, 32)
            self.mix = nn.Linear(32, 32)
            nn.init.normal_(self.words.weight, std=12.0)

        def forward(self, x: Tensor) -> Any:
            return log(torch.tanh(self.mix(self.words(x)) / 12).mean(1) @ self.words.weight.T)[:, 1:4]

    return Training(
        model=Tied,
        optimizer=adamw(5e-3),
        loss=F.nll_loss,
        batches=minibatches(data.x, data.y, 40),
        steps=250,
        evaluate=accuracy(data),
    )


@cache
def _multi_labels() -> Split:
    source = torch.Generator().manual_seed(147)
    x = torch.randn(800, 12, generator=source)
    return split(x, (torch.tanh(x @ torch.randn(12, 24, generator=source)) @ torch.randn(24, 5, generator=source) > 0).float())


def _tags(*, softmax: bool) -> Training:
    """Five tags that may come together, behind a softmax that lets only one be likely."""
    data = _multi_labels()

    def judge(model: nn.Module) -> float:
        found = answer(model, data.test_x) > 0.5
        return float((found == (data.test_y > 0.5)).float().mean())

    return Training(
        model=lambda: mlp((12, 64, 5), nn.ReLU, output=nn.Softmax(1) if softmax else nn.Sigmoid()),
        optimizer=adam(5e-3),
        loss=F.binary_cross_entropy,
        batches=minibatches(data.x, data.y, 50),
        steps=400,
        evaluate=judge,
    )


_C = "classification"
PATIENTS = (
    ill("cosine_scores_log_of_softmax", "log_of_softmax", "mlp", _C, partial(_sharp_scores, _naive), partial(_sharp_scores, _stable), 0.85, "nan_inf"),
    ill(
        "counts_log_of_softmax",
        "log_of_softmax",
        "mlp",
        _C,
        partial(_counted_words, _naive),
        partial(_counted_words, _stable),
        0.8,
        "nan_inf",
        "input_scaling",
        "bad_init_scale",
    ),
    ill(
        "tied_words_log_of_softmax",
        "log_of_softmax",
        "embedding",
        _C,
        partial(_next_token, _naive),
        partial(_next_token, _stable),
        0.8,
        "nan_inf",
        "bad_init_scale",
    ),
    ill("tags_behind_a_softmax", "output_activation", "mlp", _C, partial(_tags, softmax=True), partial(_tags, softmax=False), 0.82),
)
