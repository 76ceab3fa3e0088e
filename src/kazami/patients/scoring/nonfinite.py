"""Ill: NaN and infinity, each from one operation or one datum, the way public threads report them."""

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ._sets import Split, accuracy, answer, digits, explained, friedman, images, minibatches, r_squared, sign_accuracy, standardised, table, wave


class _Twins(nn.Module):
    """A siamese embedding: two inputs, one shared encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 12))

    def forward(self, pair: tuple[Tensor, Tensor]) -> Any:
        return self.encoder(pair[0]), self.encoder(pair[1])


def _contrastive(codes: tuple[Tensor, Tensor], same: Tensor, *, eps: float) -> Tensor:
    distance = torch.sqrt(((codes[0] - codes[1]) ** 2).sum(1) + eps)
    return (same * distance**2 + (1 - same) * F.relu(2.0 - distance) ** 2).mean()


def _pairs(split_x: Tensor, split_y: Tensor) -> Iterator[Batch]:
    source = torch.Generator().manual_seed(3)
    for _ in range(300):
        left = torch.randint(len(split_x), (64,), generator=source)
        right = torch.randint(len(split_x), (64,), generator=source)
        right[:24] = torch.stack([torch.nonzero(split_y == split_y[i])[int(i) % 50, 0] for i in left[:24]])
        right[60] = left[60]  # some pairs are an image and itself
        yield (split_x[left], split_x[right]), (split_y[left] == split_y[right]).float()


def _nearest_mean(data: Split) -> Callable[[nn.Module], float]:
    def judge(model: nn.Module) -> float:
        code = answer(model, (data.x, data.x))
        means = torch.stack([code[data.y == c].mean(0) for c in range(10)])
        found = torch.cdist(answer(model, (data.test_x, data.test_x)), means).argmin(1)
        return float((found == data.test_y).float().mean())

    return judge


def _siamese(*, eps: float) -> Training:
    data = digits()
    return Training(
        model=_Twins,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-3),
        loss=partial(_contrastive, eps=eps),
        batches=lambda: _pairs(data.x, data.y),
        steps=200,
        evaluate=_nearest_mean(data),
    )


def _own_bce(p: Tensor, y: Tensor, *, low: float) -> Tensor:
    p = p.squeeze(1).clamp(low, 1 - low)
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


def _tumours(*, low: float) -> Training:
    data = standardised(table("breast_cancer"))
    data = data._replace(y=data.y.float(), test_y=data.test_y.float())
    return Training(
        model=lambda: nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1), nn.Sigmoid()),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=partial(_own_bce, low=low),
        batches=minibatches(data.x, data.y, 32),
        steps=400,
        evaluate=sign_accuracy(data, threshold=0.5),
    )


def _own_kl(logits: Tensor, target: Tensor, *, eps: float) -> Tensor:
    target = target + eps
    return (target * torch.log(target / torch.softmax(logits, dim=1))).sum(dim=1).mean()


def _soft_labels(*, eps: float) -> Training:
    data = digits()
    soft = F.one_hot(data.y, 10).float()
    return Training(
        model=lambda: nn.Sequential(nn.Linear(64, 40), nn.Tanh(), nn.Linear(40, 10)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.2),
        loss=partial(_own_kl, eps=eps),
        batches=minibatches(data.x, soft, 40),
        steps=300,
        evaluate=accuracy(data),
    )


class _OwnSoftmax(nn.Module):
    """A classifier on raw grey values with a log-softmax from the textbook's formula."""

    def __init__(self, *, shift: bool) -> None:
        super().__init__()
        self.fc1 = nn.Linear(64, 64)
        self.fc2 = nn.Linear(64, 10)
        self.shift = shift

    def forward(self, x: Tensor) -> Tensor:
        z: Tensor = self.fc2(F.relu(self.fc1(x)))
        top = z.max(dim=1, keepdim=True).values if self.shift else torch.zeros(len(z), 1)
        return z - top - torch.log(torch.exp(z - top).sum(dim=1, keepdim=True))


def _textbook_softmax(*, shift: bool) -> Training:
    data = table("digits")
    data = data._replace(x=data.x * 64, test_x=data.test_x * 64)  # grey values of ten bits
    return Training(
        model=partial(_OwnSoftmax, shift=shift),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-3),
        loss=lambda log_p, y: -log_p[torch.arange(len(y)), y].mean(),
        batches=minibatches(data.x, data.y, 64),
        steps=300,
        evaluate=accuracy(data),
    )


class _OwnNorm(nn.Module):
    """A hand-written normalisation over each image's own channels; the last block has only one number per channel and image."""

    def __init__(self, *, unbiased: bool) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 16, 3, stride=2, padding=1)
        self.c2 = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.c3 = nn.Conv2d(32, 48, 2)
        self.fc = nn.Linear(48, 10)
        self.correction = int(unbiased)

    def normed(self, x: Tensor) -> Tensor:
        centred = x - x.mean(dim=(2, 3), keepdim=True)
        variance = (centred**2).sum(dim=(2, 3), keepdim=True) / (x.shape[2] * x.shape[3] - self.correction)
        return x / (torch.sqrt(variance + 1e-2) + 1.0)

    def forward(self, x: Tensor) -> Any:
        x = F.relu(self.normed(self.c1(x)))
        x = F.relu(self.normed(self.c2(x)))
        return self.fc(F.relu(self.normed(self.c3(x))).flatten(1))


def _std_of_one(*, unbiased: bool) -> Training:
    data = images()
    return Training(
        model=partial(_OwnNorm, unbiased=unbiased),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 32),
        steps=200,
        evaluate=accuracy(data),
    )


class _Gaussian(nn.Module):
    """Predicts a mean and a variance for every point."""

    def __init__(self, positive: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh())
        self.mean, self.var = nn.Linear(40, 1), nn.Linear(40, 1)
        self.positive = positive

    def forward(self, x: Tensor) -> Any:
        h = self.trunk(x)
        return self.mean(h), self.positive(self.var(h))


def _uncertain_wave(positive: Callable[[Tensor], Tensor]) -> Training:
    data = wave()
    return Training(
        model=partial(_Gaussian, positive),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=lambda out, y: (0.5 * torch.log(out[1]) + 0.5 * (y - out[0]) ** 2 / out[1]).mean(),
        batches=minibatches(data.x, data.y, 64),
        steps=500,
        evaluate=r_squared(data),
    )


class _RootFeature(nn.Module):
    """Takes the root of positive features only, chosen by torch.where: the branch not taken still has a gradient."""

    def __init__(self, *, safe: bool) -> None:
        super().__init__()
        self.scale = nn.Linear(10, 40)
        self.body = nn.Sequential(nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
        self.safe = safe

    def forward(self, x: Tensor) -> Any:
        z = self.scale(x)
        inside = torch.where(z > 0, z, torch.ones_like(z)) if self.safe else z
        return self.body(torch.where(z > 0, torch.sqrt(inside + 1e-3), torch.zeros_like(z))).view(-1)


def _where_trap(*, safe: bool) -> Training:
    data = friedman()
    return Training(
        model=partial(_RootFeature, safe=safe),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=5e-3),
        loss=lambda pred, y: (pred - y).pow(2).mean(),
        batches=minibatches(data.x, data.y, 60),
        steps=400,
        evaluate=r_squared(data),
    )


class _VAE(nn.Module):
    """A variational autoencoder; `bound` keeps the log-variance within reason."""

    def __init__(self, *, bound: float) -> None:
        super().__init__()
        self.enc = nn.Linear(64, 48)
        self.mu, self.logvar = nn.Linear(48, 8), nn.Linear(48, 8)
        self.dec = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 64))
        self.bound = bound

    def forward(self, x: Tensor) -> Any:
        h = F.relu(self.enc(x))
        mu, logvar = self.mu(h), self.logvar(h).clamp(-self.bound, self.bound)
        z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu) if self.training else mu
        return self.dec(z), mu, logvar


def _elbo(out: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
    recon, mu, logvar = out
    kl = -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1).mean()
    return ((recon - x) ** 2).sum(1).mean() + 0.01 * kl


def _wild_vae(*, bound: float) -> Training:
    data = table("digits")
    x = (data.x - 5) * 120.0  # a contrast stretch that went too far
    test_x = (data.test_x - 5) * 120.0

    def judge(model: nn.Module) -> float:
        return explained(test_x, answer(model, test_x))

    return Training(
        model=partial(_VAE, bound=bound),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=2e-3),
        loss=_elbo,
        batches=minibatches(x, x, 64),
        steps=400,
        evaluate=judge,
    )


_NAN: dict[str, Any] = {"label": "nan_inf"}
PATIENTS = (
    Patient(
        name="siamese_distance_sqrt_zero",
        family="mlp",
        task="classification",
        training=partial(_siamese, eps=0.0),
        healed=partial(_siamese, eps=1e-6),
        good=0.8,
        **_NAN,
    ),
    Patient(
        name="own_bce_log_zero", family="mlp", task="classification", training=partial(_tumours, low=0.0), healed=partial(_tumours, low=1e-6), good=0.9, **_NAN
    ),
    Patient(
        name="own_kl_of_one_hot",
        family="mlp",
        task="classification",
        training=partial(_soft_labels, eps=0.0),
        healed=partial(_soft_labels, eps=1e-8),
        good=0.85,
        **_NAN,
    ),
    Patient(
        name="textbook_softmax_overflow",
        family="mlp",
        task="classification",
        training=partial(_textbook_softmax, shift=False),
        healed=partial(_textbook_softmax, shift=True),
        good=0.8,
        also_true=frozenset({"input_scaling"}),
        **_NAN,
    ),
    Patient(
        name="std_of_one_number",
        family="cnn",
        task="classification",
        training=partial(_std_of_one, unbiased=True),
        healed=partial(_std_of_one, unbiased=False),
        good=0.8,
        **_NAN,
    ),
    Patient(
        name="variance_without_softplus",
        family="mlp",
        task="regression",
        training=partial(_uncertain_wave, lambda v: v),
        healed=partial(_uncertain_wave, F.softplus),
        good=0.8,
        **_NAN,
    ),
    Patient(
        name="gradient_of_the_branch_not_taken",
        family="mlp",
        task="regression",
        training=partial(_where_trap, safe=False),
        healed=partial(_where_trap, safe=True),
        good=0.6,
        **_NAN,
    ),
    Patient(
        name="vae_log_variance_explodes",
        family="autoencoder",
        task="regression",
        training=partial(_wild_vae, bound=math.inf),
        healed=partial(_wild_vae, bound=6.0),
        good=0.5,
        also_true=frozenset({"exploding_gradient", "input_scaling", "target_scaling"}),
        **_NAN,
    ),
)
