"""Healthy: ordinary trainings as people write them, over architectures, optimizers and batch sizes. Nothing here should raise an alarm."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ._sets import (
    Split,
    accuracy,
    answer,
    digits,
    explained,
    friedman,
    full_batch,
    images,
    minibatches,
    plane,
    r_squared,
    sign_accuracy,
    standardised,
    table,
    wave,
)


class _Residual(nn.Module):
    """A small residual network with batch normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 12, 3, padding=1, bias=False)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(12, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12)) for _ in range(4))
        self.fc = nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Any:
        x = self.stem(x)
        for block in self.blocks:
            x = x + F.relu(block(x))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


def _residual_images() -> Training:
    data = images()
    return Training(
        model=_Residual,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4),
        loss=nn.CrossEntropyLoss(label_smoothing=0.1),
        batches=minibatches(data.x, data.y, 48),
        steps=200,
        scheduler=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=200),
        evaluate=accuracy(data),
    )


def _loader_digits() -> Training:
    data = digits()

    def loader() -> Iterator[Batch]:
        yield from map(tuple, DataLoader(TensorDataset(data.x, data.y), batch_size=32, shuffle=True, generator=torch.Generator().manual_seed(4)))

    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Dropout(0.3), nn.Linear(100, 50), nn.ReLU(), nn.Dropout(0.3), nn.Linear(50, 10)),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-3),
        loss=nn.CrossEntropyLoss(),
        batches=loader,
        steps=400,
        evaluate=accuracy(data),
    )


def _line_by_sgd() -> Training:
    data = plane()
    return Training(
        model=lambda: nn.Linear(8, 1),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.02),
        loss=lambda p, y: ((p - y) ** 2).mean(),
        batches=minibatches(data.x, data.y, 4),
        steps=300,
        evaluate=r_squared(data),
    )


def _second_order() -> Training:
    data = wave()
    return Training(
        model=lambda: nn.Sequential(nn.Linear(1, 30), nn.Tanh(), nn.Linear(30, 30), nn.Tanh(), nn.Linear(30, 1)),
        optimizer=lambda m: torch.optim.LBFGS(m.parameters(), lr=0.5, max_iter=5, history_size=10, line_search_fn="strong_wolfe"),
        loss=nn.MSELoss(),
        batches=full_batch(data.x, data.y),
        steps=60,
        evaluate=r_squared(data),
    )


class _Autoencoder(nn.Module):
    """Tied weights: the decoder is the encoder's transpose."""

    def __init__(self) -> None:
        super().__init__()
        self.w1 = nn.Parameter(torch.empty(40, 64))
        self.w2 = nn.Parameter(torch.empty(12, 40))
        self.biases = nn.ParameterList([torch.zeros(40), torch.zeros(12), torch.zeros(40), torch.zeros(64)])
        nn.init.kaiming_uniform_(self.w1, a=1.0)
        nn.init.kaiming_uniform_(self.w2, a=1.0)

    def forward(self, x: Tensor) -> Tensor:
        h = F.linear(F.elu(F.linear(x, self.w1, self.biases[0])), self.w2, self.biases[1])
        return F.linear(F.elu(F.linear(h, self.w2.t(), self.biases[2])), self.w1.t(), self.biases[3])


def _rebuilt(data: Split) -> Callable[[nn.Module], float]:
    mean = data.x.mean(0)
    return lambda m: explained(data.test_x - mean, answer(m, data.test_x) - mean)


def _tied_autoencoder() -> Training:
    data = digits()
    return Training(
        model=_Autoencoder,
        optimizer=lambda m: torch.optim.Adamax(m.parameters(), lr=5e-3),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.x, 50),
        steps=400,
        evaluate=_rebuilt(data),
    )


class _VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Linear(64, 64)
        self.mu, self.logvar = nn.Linear(64, 10), nn.Linear(64, 10)
        self.dec1, self.dec2 = nn.Linear(10, 64), nn.Linear(64, 64)

    def forward(self, x: Tensor) -> Any:
        h = F.relu(self.enc(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu) if self.training else mu
        return torch.sigmoid(self.dec2(F.relu(self.dec1(z)))), mu, logvar


def _vae() -> Training:
    data = digits()

    def elbo(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        bce = F.binary_cross_entropy(out[0], x, reduction="sum")
        kl = -0.5 * torch.sum(1 + out[2] - out[1].pow(2) - out[2].exp())
        return (bce + 0.3 * kl) / len(x)

    return Training(
        model=_VAE,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=elbo,
        batches=minibatches(data.x, data.x, 64),
        steps=400,
        evaluate=_rebuilt(data),
    )


class _TwoHeads(nn.Module):
    """One trunk, a class and a number."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.digit, self.ink = nn.Linear(32, 10), nn.Linear(32, 1)

    def forward(self, x: Tensor) -> Any:
        h = self.trunk(x)
        return self.digit(h), self.ink(h).squeeze(1)


def _two_heads() -> Training:
    data = digits()

    def loss(out: tuple[Tensor, Tensor], y: Tensor) -> Tensor:
        return F.cross_entropy(out[0], y[:, 0].long()) + 0.5 * F.mse_loss(out[1], y[:, 1])

    both = torch.stack([data.y.float(), 10 * (data.x.mean(1) - data.x.mean())], 1)
    return Training(
        model=_TwoHeads,
        optimizer=lambda m: torch.optim.RMSprop(m.parameters(), lr=1e-3, alpha=0.95),
        loss=loss,
        batches=minibatches(data.x, both, 32),
        steps=300,
        evaluate=accuracy(data),
    )


class _Matrix(nn.Module):
    """Matrix factorisation: two embeddings and their product."""

    def __init__(self) -> None:
        super().__init__()
        self.user, self.item = nn.Embedding(40, 4), nn.Embedding(30, 4)
        nn.init.normal_(self.user.weight, std=0.3)
        nn.init.normal_(self.item.weight, std=0.3)

    def forward(self, pair: Tensor) -> Any:
        return (self.user(pair[:, 0]) * self.item(pair[:, 1])).sum(dim=1)


def _ratings() -> Training:
    source = torch.Generator().manual_seed(21)
    table_of_ratings = torch.randn(40, 2, generator=source) @ torch.randn(2, 30, generator=source)
    pairs = torch.cartesian_prod(torch.arange(40), torch.arange(30))[torch.randperm(1200, generator=source)]
    y = table_of_ratings[pairs[:, 0], pairs[:, 1]]
    data = Split(pairs[:1000], y[:1000], pairs[1000:], y[1000:])
    return Training(
        model=_Matrix,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=2e-2),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 64),
        steps=400,
        evaluate=r_squared(data),
    )


def _multi_label() -> Training:
    data = digits()
    facts = torch.stack([torch.arange(10) % 2 == 0, torch.arange(10) > 4, torch.arange(10) % 3 == 0], 1).float()
    data = data._replace(y=facts[data.y], test_y=facts[data.test_y])
    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 3)),
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=3e-3, amsgrad=True),
        loss=nn.BCEWithLogitsLoss(),
        batches=minibatches(data.x, data.y, 64),
        steps=200,
        evaluate=sign_accuracy(data),
    )


def _accumulated() -> Training:
    """Four small batches per optimizer step."""
    data = images()

    def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        optimizer.zero_grad()
        total = torch.zeros(())
        for x, y in zip(batch[0].chunk(4), batch[1].chunk(4), strict=True):
            loss: Tensor = F.cross_entropy(model(x), y) / 4
            loss.backward()
            total = total + loss.detach()
        optimizer.step()
        return total

    return Training(
        model=lambda: nn.Sequential(
            nn.Conv2d(1, 12, 3), nn.GroupNorm(3, 12), nn.ReLU(), nn.Conv2d(12, 24, 3, stride=2), nn.GroupNorm(3, 24), nn.ReLU(), nn.Flatten(), nn.Linear(96, 10)
        ),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 64),
        steps=150,
        train_step=one_step,
        evaluate=accuracy(data),
    )


def _logistic() -> Training:
    data = standardised(table("breast_cancer"))
    data = data._replace(y=data.y.float(), test_y=data.test_y.float())
    return Training(
        model=lambda: nn.Sequential(nn.Linear(30, 1), nn.Sigmoid()),
        optimizer=lambda m: torch.optim.Adagrad(m.parameters(), lr=0.1),
        loss=lambda p, y: F.binary_cross_entropy(p.squeeze(1), y),
        batches=minibatches(data.x, data.y, 32),
        steps=200,
        evaluate=sign_accuracy(data, threshold=0.5),
    )


def _diabetes() -> Training:
    data = standardised(table("diabetes"))
    mean, std = data.y.mean(), data.y.std()
    data = data._replace(y=(data.y - mean) / std, test_y=(data.test_y - mean) / std)
    return Training(
        model=lambda: nn.Sequential(nn.Linear(10, 16), nn.Softplus(), nn.Linear(16, 1), nn.Flatten(0)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-3),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=200,
        evaluate=r_squared(data),
    )


def _groups_friedman() -> Training:
    data = friedman()

    def make_optimizer(m: nn.Module) -> torch.optim.Optimizer:
        groups: list[dict[str, Any]] = []
        weights = [p for p in m.parameters() if p.ndim > 1]
        others = [p for p in m.parameters() if p.ndim <= 1]
        groups += [{"params": weights, "weight_decay": 1e-4}, {"params": others}]
        return torch.optim.NAdam(groups, lr=3e-3)

    return Training(
        model=lambda: nn.Sequential(nn.Linear(10, 48), nn.Mish(), nn.Linear(48, 48), nn.Mish(), nn.Linear(48, 1), nn.Flatten(0)),
        optimizer=make_optimizer,
        loss=nn.HuberLoss(delta=0.5),
        batches=minibatches(data.x, data.y, 25),
        steps=400,
        scheduler=lambda o: torch.optim.lr_scheduler.OneCycleLR(o, max_lr=6e-3, total_steps=401),
        evaluate=r_squared(data),
    )


_C: dict[str, Any] = {"label": None, "task": "classification"}
_R: dict[str, Any] = {"label": None, "task": "regression"}
PATIENTS = (
    Patient(name="residual_images_label_smoothing", family="cnn", training=_residual_images, good=0.9, **_C),
    Patient(name="digits_from_a_loader_with_dropout", family="mlp", training=_loader_digits, good=0.9, **_C),
    Patient(name="line_in_batches_of_four", family="linear", training=_line_by_sgd, good=0.95, **_R),
    Patient(name="wave_by_lbfgs", family="mlp", training=_second_order, good=0.97, **_R),
    Patient(name="tied_autoencoder_adamax", family="autoencoder", training=_tied_autoencoder, good=0.6, **_R),
    Patient(name="vae_on_digits", family="autoencoder", training=_vae, good=0.5, **_R),
    Patient(name="class_and_ink_two_heads", family="mlp", training=_two_heads, good=0.9, **_C),
    Patient(name="ratings_by_factorisation", family="embedding", training=_ratings, good=0.85, **_R),
    Patient(name="three_facts_of_a_digit", family="mlp", training=_multi_label, good=0.93, **_C),
    Patient(name="accumulated_group_norm", family="cnn", training=_accumulated, good=0.9, **_C),
    Patient(name="logistic_adagrad", family="linear", training=_logistic, good=0.93, **_C),
    Patient(name="diabetes_standardised", family="mlp", training=_diabetes, good=0.3, **_R),
    Patient(name="friedman_groups_one_cycle", family="mlp", training=_groups_friedman, good=0.9, **_R),
)
