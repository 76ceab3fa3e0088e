"""Healthy trainings on sequences and tokens, some of which wait on a plateau first."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import blocks, data
from .._base import Patient


def _slow_starting_lstm() -> Training:
    """The adding problem: a hundred steps and more on a plateau, then it gets the idea."""
    d = data.adding(length=14)
    return Training(
        model=lambda: blocks.SequenceReader(2, 32, 1, cell="lstm"),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=7e-3),
        loss=nn.MSELoss(),
        batches=data.minibatches(d.x, d.y, 50, seed=141),
        steps=600,
        evaluate=data.r2(d.x, d.y),
    )


def _reversing_transformer() -> Training:
    d = data.reversed_tokens(length=5, vocabulary=6)
    return Training(
        model=lambda: blocks.TinyTransformer(6, 5, 6, width=32, per_token=True),
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=5e-3, betas=(0.9, 0.98), weight_decay=0.01),
        scheduler=lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda step: min(1.0, (step + 1) / 30)),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 50, seed=142),
        steps=300,
        clip_grad_norm=1.0,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _pairs_of_letters() -> Training:
    """An embedding and a linear layer: which letter follows which. Linear on purpose, as in word2vec."""
    d = data.next_characters(length=8)
    last, last_test = d.x[:, -1], d.x_test[:, -1]
    return Training(
        model=lambda: nn.Sequential(nn.Embedding(27, 16), nn.Linear(16, 27, bias=False)),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=0.02),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(last, d.y, 32, seed=143),
        steps=200,
        evaluate=data.accuracy(last_test, d.y_test),
    )


def _spelling_gru() -> Training:
    """The next letter of a text that is short enough to be learnt by heart."""
    d = data.next_characters(length=8)

    class Speller(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(27, 16)
            self.gru = nn.GRU(16, 48, batch_first=True)
            self.out = nn.Linear(48, 27)

        def forward(self, letters: Tensor) -> Tensor:
            _, last = self.gru(self.embedding(letters))
            z: Tensor = self.out(last[-1])
            return z

    return Training(
        model=Speller,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=0.01),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 32, seed=144),
        steps=250,
        evaluate=data.accuracy(d.x, d.y),
    )


def _rows_with_a_plain_rnn() -> Training:
    d = data.digit_rows()
    return Training(
        model=lambda: blocks.SequenceReader(8, 48, 10, cell="rnn"),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9, nesterov=True),
        loss=nn.CrossEntropyLoss(),
        batches=data.minibatches(d.x, d.y, 50, seed=145),
        steps=250,
        clip_grad_norm=1.0,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _accumulated_gradients() -> Training:
    """Four small batches to a step: the gradients of the first three are kept on purpose."""
    d = data.commonest_token()

    def step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: tuple[Any, Any]) -> Tensor:
        x, y = batch
        optimizer.zero_grad()
        total = torch.zeros(())
        for tokens, target in zip(x.chunk(4), y.chunk(4), strict=True):
            loss = F.cross_entropy(model(tokens), target) / 4
            loss.backward()
            total += loss.detach()
        optimizer.step()
        return total

    return Training(
        model=lambda: blocks.TinyTransformer(3, 9, 3, width=24, layers=1, norm_first=False),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=F.cross_entropy,
        batches=data.minibatches(d.x, d.y, 64, seed=146),
        steps=200,
        train_step=step,
        evaluate=data.accuracy(d.x_test, d.y_test),
    )


def _healthy(name: str, family: str, make: Any, good: float, *, near: bool = False, regression: bool = False) -> Patient:
    return Patient(name=name, label=None, family=family, task="regression" if regression else "classification", training=make, good=good, near_boundary=near)


PATIENTS = (
    _healthy("slow_starting_lstm", "lstm", _slow_starting_lstm, 0.9, near=True, regression=True),
    _healthy("reversing_transformer", "transformer", _reversing_transformer, 0.9),
    _healthy("pairs_of_letters", "embedding", _pairs_of_letters, 0.35, near=True),
    _healthy("spelling_gru", "gru", _spelling_gru, 0.9),
    _healthy("rows_with_a_plain_rnn", "rnn", _rows_with_a_plain_rnn, 0.9),
    _healthy("accumulated_gradients", "transformer", _accumulated_gradients, 0.85),
)
