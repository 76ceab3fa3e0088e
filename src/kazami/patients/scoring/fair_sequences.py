"""Healthy: sequences, sets and graphs. Translation, tagging, forecasting, causal text, ragged rows, state spaces, message passing."""

import math
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ..blocks import mlp
from ._recipes import adam, adamw, by, healthy, sgd
from ._sets import Split, accuracy, answer, explained, full_batch, minibatches, r_squared, recall, split


@cache
def _mirror() -> Split:
    """Return token rows and the same rows backwards."""
    x = torch.randint(1, 9, (900, 4), generator=torch.Generator().manual_seed(201))
    return split(x, x.flip(1))


class _Translator(nn.Module):
    """Encoder and decoder; the decoder is told the right previous token in training and its own in eval mode."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(9, 16)
        self.encoder, self.decoder = nn.GRU(16, 64, batch_first=True), nn.GRU(16, 64, batch_first=True)
        self.out = nn.Linear(64, 9)

    def forward(self, x: Tensor) -> Any:
        _, state = self.encoder(self.words(x))
        if self.training:
            told = torch.cat([torch.zeros_like(x[:, :1]), x.flip(1)[:, :-1]], 1)
            return self.out(self.decoder(self.words(told), state)[0])
        token, logits = torch.zeros_like(x[:, :1]), []
        for _ in range(x.shape[1]):
            h, state = self.decoder(self.words(token), state)
            logits.append(self.out(h))
            token = logits[-1].argmax(-1)
        return torch.cat(logits, 1)


def _translation() -> Training:
    data = _mirror()
    return Training(
        model=_Translator,
        optimizer=adam(1e-2),
        loss=lambda z, y: F.cross_entropy(z.transpose(1, 2), y),
        batches=minibatches(data.x, data.y, 45),
        steps=300,
        clip_grad_norm=1.0,
        evaluate=accuracy(data),
    )


def _tagging() -> Training:
    """Tag every token by its two neighbours; the rows are ragged, and padding (class -100) does not count."""
    source = torch.Generator().manual_seed(202)
    x = torch.randint(1, 7, (700, 9), generator=source)
    length = torch.randint(4, 10, (700, 1), generator=source)
    inside = torch.arange(9) < length
    x = x * inside
    left, right = F.pad(x, (1, 0))[:, :-1], F.pad(x, (0, 1))[:, 1:]
    data = split(x, torch.where(inside, (left > right).long(), torch.tensor(-100)))

    class Tagger(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(7, 12, padding_idx=0)
            self.lstm, self.out = nn.LSTM(12, 24, batch_first=True, bidirectional=True), nn.Linear(48, 2)

        def forward(self, x: Tensor) -> Any:
            return self.out(self.lstm(self.words(x))[0])

    def judge(model: nn.Module) -> float:
        counted = data.test_y >= 0
        return float((answer(model, data.test_x).argmax(-1) == data.test_y)[counted].float().mean())

    return Training(
        model=Tagger,
        optimizer=by(torch.optim.RMSprop, lr=5e-3),
        loss=lambda z, y: F.cross_entropy(z.transpose(1, 2), y),
        batches=minibatches(data.x, data.y, 40),
        steps=250,
        evaluate=judge,
    )


@cache
def _seasons() -> Split:
    """Return windows of a noisy series with two seasons and what follows."""
    source = torch.Generator().manual_seed(203)
    t = torch.arange(900, dtype=torch.float32)
    series = torch.sin(2 * math.pi * t / 12) + 0.5 * torch.sin(2 * math.pi * t / 7.3) + 0.3 * torch.randn(900, generator=source)
    windows = series.unfold(0, 28, 1)
    return split(windows[:, None, :24].contiguous(), windows[:, 24:].contiguous())


def _forecast() -> Training:
    """Dilated causal convolutions over a noisy season: a fifth of the variance is noise and stays."""
    data = _seasons()

    def layer(n_in: int, step: int) -> list[nn.Module]:
        return [nn.ConstantPad1d((2 * step, 0), 0.0), nn.Conv1d(n_in, 12, 3, dilation=step), nn.ReLU()]

    return Training(
        model=lambda: nn.Sequential(*layer(1, 1), *layer(12, 2), *layer(12, 4), nn.Flatten(), nn.Linear(288, 4)),
        optimizer=adamw(2e-3, weight_decay=0.1),
        loss=F.l1_loss,
        batches=minibatches(data.x, data.y, 50),
        steps=250,
        evaluate=r_squared(data),
    )


class _Causal(nn.Module):
    """One block of masked attention with tied input and output words."""

    def __init__(self, n: int, words: int) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(words, 32), nn.Parameter(0.02 * torch.randn(n, 32))
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)
        self.mix, self.norm1, self.norm2 = mlp((32, 64, 32), nn.GELU), nn.LayerNorm(32), nn.LayerNorm(32)
        self.mask: Tensor
        self.register_buffer("mask", torch.triu(torch.ones(n, n, dtype=torch.bool), 1))

    def forward(self, x: Tensor) -> Any:
        h = self.words(x) + self.places
        z = self.norm1(h)
        h = h + self.attention(z, z, z, attn_mask=self.mask, need_weights=False)[0]
        h = h + self.mix(self.norm2(h))
        return h @ self.words.weight.T


def _causal_text() -> Training:
    """Rows where each token follows from the two before it, one in eight at random: the loss cannot fall below that chance."""
    source = torch.Generator().manual_seed(204)
    rows = [torch.randint(0, 8, (700,), generator=source) for _ in range(2)]
    for _ in range(10):
        free = torch.rand(700, generator=source) < 0.125
        rows.append(torch.where(free, torch.randint(0, 8, (700,), generator=source), (rows[-1] + rows[-2]) % 8))
    text = torch.stack(rows, 1)
    data = split(text[:, :-1].contiguous(), text[:, 1:].contiguous())

    def judge(model: nn.Module) -> float:
        return float((answer(model, data.test_x).argmax(-1) == data.test_y)[:, 1:].float().mean())

    return Training(
        model=lambda: _Causal(11, 8),
        optimizer=adamw(5e-3, betas=(0.9, 0.95)),
        loss=lambda z, y: F.cross_entropy(z.transpose(1, 2), y),
        batches=minibatches(data.x, data.y, 35),
        steps=400,
        clip_grad_norm=1.0,
        evaluate=judge,
    )


class _StateSpace(nn.Module):
    """A diagonal linear recurrence whose rates are kept below one by a sigmoid, some of them close to it."""

    def __init__(self) -> None:
        super().__init__()
        self.rate, self.inp, self.out = nn.Parameter(torch.linspace(-1.0, 6.0, 48)), nn.Linear(5, 48), mlp((48, 32, 4), nn.GELU)

    def forward(self, x: Tensor) -> Any:
        keep, h = torch.sigmoid(self.rate), torch.zeros(len(x), 48)
        for t in range(x.shape[1]):
            h = keep * h + self.inp(x[:, t])
        return self.out(h / 3)


def _state_space() -> Training:
    data = recall(24, 900)
    return Training(
        model=_StateSpace,
        optimizer=adam(5e-3),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 45),
        steps=300,
        evaluate=accuracy(data),
    )


@cache
def _neighbours() -> tuple[Tensor, Tensor, Tensor]:
    """Return a graph of 240 nodes in three groups: normalised adjacency, noisy features, groups."""
    source = torch.Generator().manual_seed(206)
    group = torch.arange(240) % 3
    chance = torch.where(group[:, None] == group[None, :], 0.08, 0.01)
    upper = torch.triu((torch.rand(240, 240, generator=source) < chance).float(), 1)
    adjacency = upper + upper.T + torch.eye(240)
    scale = adjacency.sum(1).rsqrt()
    x = F.one_hot(group, 3).float() @ torch.randn(3, 16, generator=source) * 0.5 + torch.randn(240, 16, generator=source)
    return scale[:, None] * adjacency * scale, x, group


def _message_passing() -> Training:
    """A graph network that sees all nodes and is told the group of sixty: it soon knows them by heart, and the rest follow."""
    adjacency, x, group = _neighbours()

    class Graph(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(16, 24), nn.Linear(24, 3)

        def forward(self, x: Tensor) -> Any:
            return adjacency @ self.second(F.dropout(F.relu(adjacency @ self.first(x)), 0.3, training=self.training))

    return Training(
        model=Graph,
        optimizer=adam(1e-2, weight_decay=5e-3),
        loss=lambda z, y: F.cross_entropy(z[:60], y[:60]),
        batches=full_batch(x, group),
        steps=150,
        evaluate=lambda m: float((answer(m, x).argmax(1) == group)[60:].float().mean()),
    )


def _sets() -> Training:
    """The largest number of a set by a network that adds up its members: the target is moved by one member alone."""
    source = torch.Generator().manual_seed(207)
    x = torch.rand(900, 6, 1, generator=source) * 2 - 1
    data = split(x, x.max(1).values)

    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.each, self.all = mlp((1, 48, 24), nn.ReLU), mlp((24, 48, 1), nn.ReLU)

        def forward(self, x: Tensor) -> Any:
            return self.all(self.each(x).sum(1))

    return Training(
        model=Sum,
        optimizer=by(torch.optim.RAdam, lr=5e-3),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 45),
        steps=400,
        evaluate=r_squared(data),
    )


def _half_an_echo() -> Training:
    """An echo state network: hundreds of fixed random units at the edge of chaos and a linear reader, the only part that learns."""
    data = _seasons()

    class Echo(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.drive = nn.Linear(120, 120), nn.Linear(1, 120)
            nn.init.orthogonal_(self.inner.weight, gain=0.95)
            self.requires_grad_(False)
            self.reader = nn.Linear(120, 4)

        def forward(self, x: Tensor) -> Any:
            h = torch.zeros(len(x), 120)
            for t in range(x.shape[2]):
                h = torch.tanh(self.inner(h) + self.drive(x[:, :, t]))
            return self.reader(h)

    return Training(
        model=Echo,
        optimizer=lambda m: torch.optim.Adam([p for p in m.parameters() if p.requires_grad], lr=1e-2),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 75),
        steps=250,
        evaluate=r_squared(data),
    )


def _backward_in_time() -> Training:
    """Long rows cut into pieces: the state is carried over and detached, so the gradient ends at the cut."""
    source = torch.Generator().manual_seed(209)
    x = torch.randn(24, 400, 1, generator=source)
    y = torch.zeros_like(x)
    for t in range(1, 400):
        y[:, t] = 0.7 * y[:, t - 1] + 0.5 * torch.tanh(x[:, t])

    class Carried(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.out = nn.RNN(1, 24, batch_first=True), nn.Linear(24, 1)
            self.state: Tensor
            self.register_buffer("state", torch.zeros(1, 24, 24))

        def forward(self, x: Tensor) -> Any:
            seen, state = self.rnn(x, self.state)
            if self.training:
                self.state = state.detach()
            return self.out(seen)

    batches: list[Batch] = list(zip(x.split(20, 1), y.split(20, 1), strict=True))
    return Training(
        model=Carried,
        optimizer=sgd(0.1, 0.9),
        loss=F.mse_loss,
        batches=lambda: list(batches),
        steps=300,
        evaluate=lambda m: explained(batches[0][1], answer(m, batches[0][0])),
    )


PATIENTS: tuple[Patient, ...] = (
    healthy("rows_translated_backwards", _translation, 0.85, "rnn", "classification"),
    healthy("ragged_rows_tagged", _tagging, 0.9, "lstm", "classification", near=False),
    healthy("noisy_seasons_ahead", _forecast, 0.6, "cnn", "regression"),
    healthy("causal_text_with_chance", _causal_text, 0.75, "transformer", "classification"),
    healthy("diagonal_state_space", _state_space, 0.9, "rnn", "classification", near=False),
    healthy("sixty_labels_on_a_graph", _message_passing, 0.85, "gnn", "classification"),
    healthy("largest_of_a_set", _sets, 0.8, "mlp", "regression", near=False),
    healthy("echo_of_fixed_units", _half_an_echo, 0.5, "rnn", "regression"),
    healthy("state_carried_over_the_cut", _backward_in_time, 0.8, "rnn", "regression"),
)
