"""Healthy, but the loss or the gradients look ill: plateaus, spikes, swings near zero, floors from noise, clipping at work, negative losses."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any
from weakref import WeakKeyDictionary

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
    explained,
    friedman,
    full_batch,
    images,
    minibatches,
    r_squared,
    recall,
    rows,
    split,
    standardised,
    table,
    wave,
)


def _mlp(act: type[nn.Module], *sizes: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), act()]
    return nn.Sequential(*layers[:-1])


def _edge_of_stability() -> Training:
    """Full-batch descent with a rate at which the loss jumps above its start, is no longer monotone, and falls all the same."""
    data = digits()
    return Training(
        model=lambda: _mlp(nn.Tanh, 64, 48, 48, 10),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=1.0),
        loss=nn.CrossEntropyLoss(),
        batches=full_batch(data.x[:600], data.y[:600]),
        steps=300,
        evaluate=accuracy(data),
    )


def _one_bad_batch() -> Training:
    """One batch of corrupt inputs in the middle: the loss jumps and comes back."""
    data = digits()

    def make() -> Iterator[Batch]:
        for i, (x, y) in enumerate(minibatches(data.x, data.y, 32)()):
            yield (x * 12 + 3, y) if i == 150 else (x, y)

    return Training(
        model=lambda: _mlp(nn.ReLU, 64, 80, 40, 10),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=1e-3),
        loss=F.cross_entropy,
        batches=make,
        steps=400,
        evaluate=accuracy(data),
    )


def _swings_near_zero() -> Training:
    """An exact fit: the loss ends a million times below its start and swings by factors of ten there."""
    source = torch.Generator().manual_seed(41)
    x = torch.randn(300, 5, generator=source)
    data = split(x, torch.tanh(x @ torch.randn(5, 1, generator=source)))
    return Training(
        model=lambda: nn.Sequential(nn.Linear(5, 1), nn.Tanh()),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=7e-2, betas=(0.9, 0.99)),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 15),
        steps=600,
        evaluate=r_squared(data),
    )


def _noisy_labels() -> Training:
    data = digits()
    source = torch.Generator().manual_seed(42)
    wrong = torch.rand(len(data.y), generator=source) < 0.35
    y = torch.where(wrong, torch.randint(10, data.y.shape, generator=source), data.y)
    return Training(
        model=lambda: _mlp(nn.ReLU, 64, 32, 10),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, y, 64),
        steps=200,
        evaluate=accuracy(data),
    )


def _rare_class() -> Training:
    """One image in ten is a nine; the judge is the balanced accuracy."""
    data = digits()
    data = data._replace(y=(data.y == 9).float(), test_y=(data.test_y == 9).float())

    def balanced(model: nn.Module) -> float:
        found = answer(model, data.test_x).squeeze(1) > 0
        truth = data.test_y > 0.5
        return float(0.5 * (found[truth].float().mean() + (~found[~truth]).float().mean()))

    return Training(
        model=lambda: _mlp(nn.ReLU, 64, 48, 1),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=2e-3),
        loss=lambda z, y: F.binary_cross_entropy_with_logits(z.squeeze(1), y, pos_weight=torch.tensor(4.0)),
        batches=minibatches(data.x, data.y, 50),
        steps=300,
        evaluate=balanced,
    )


def _slow_starter() -> Training:
    """The parity of three signs: the loss stays at ln 2 for a good while, then falls."""
    source = torch.Generator().manual_seed(43)
    x = torch.randn(800, 6, generator=source).sign() + 0.1 * torch.randn(800, 6, generator=source)
    data = split(x, (x[:, :3].sign().prod(1) > 0).long())
    return Training(
        model=lambda: _mlp(nn.Tanh, 6, 48, 2),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=600,
        evaluate=accuracy(data),
    )


class _Memory(nn.Module):
    """A recurrent network with orthogonal recurrence."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(5, 40, batch_first=True)
        nn.init.orthogonal_(self.rnn.get_parameter("weight_hh_l0"))
        self.fc = nn.Linear(40, 4)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.rnn(x)[0][:, -1])


def _clipping_bites() -> Training:
    data = recall(30)
    return Training(
        model=_Memory,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 45),
        steps=300,
        clip_grad_norm=0.25,
        evaluate=accuracy(data),
    )


def _patient_adam() -> Training:
    data = digits()
    return Training(
        model=lambda: _mlp(nn.ReLU, 64, 256, 10),
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=2e-4),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 64),
        steps=500,
        evaluate=accuracy(data),
    )


def _scaler_skips() -> Training:
    """Loss scaling that starts far too high: the first steps overflow and are skipped, as they should be."""
    data = images()

    scalers: WeakKeyDictionary[torch.optim.Optimizer, torch.amp.GradScaler] = WeakKeyDictionary()

    def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        scaler = scalers.setdefault(optimizer, torch.amp.GradScaler("cpu", init_scale=2.0**24))
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.float16):
            loss: Tensor = F.cross_entropy(model(batch[0]).float(), batch[1])
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        return loss

    return Training(
        model=lambda: nn.Sequential(nn.Conv2d(1, 16, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 50),
        steps=200,
        train_step=one_step,
        evaluate=accuracy(data),
    )


class _MeanAndSpread(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk = _mlp(nn.Tanh, 1, 50, 50)
        self.mean, self.log_var = nn.Linear(50, 1), nn.Linear(50, 1)

    def forward(self, x: Tensor) -> Any:
        h = torch.tanh(self.trunk(x))
        return self.mean(h), self.log_var(h)


def _negative_loss() -> Training:
    """A Gaussian likelihood: the loss crosses zero and goes on falling."""
    data = wave()
    return Training(
        model=_MeanAndSpread,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=4e-3),
        loss=lambda out, y: F.gaussian_nll_loss(out[0], y, out[1].exp()),
        batches=minibatches(data.x, data.y, 48),
        steps=500,
        evaluate=r_squared(data),
    )


def _restarts() -> Training:
    """Cosine annealing with warm restarts: the rate falls to nothing three times."""
    data = friedman()
    return Training(
        model=lambda: nn.Sequential(*_mlp(nn.ReLU, 10, 64, 64, 1), nn.Flatten(0)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.05, momentum=0.9),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=400,
        scheduler=lambda o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, T_0=80, T_mult=1, eta_min=1e-6),
        evaluate=r_squared(data),
    )


class _Field(nn.Module):
    """The solution of u'' = -u with u(0) = 0 and u(π/2) = 1, as a network."""

    def __init__(self) -> None:
        super().__init__()
        self.body = _mlp(nn.Tanh, 1, 24, 24, 1)

    def forward(self, x: Tensor) -> Any:
        return self.body(x)


def _physics_informed() -> Training:
    points = torch.linspace(0, torch.pi / 2, 60).unsqueeze(1)
    ends, values = torch.tensor([[0.0], [torch.pi / 2]]), torch.tensor([[0.0], [1.0]])

    def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        x = batch[0].clone().requires_grad_()
        optimizer.zero_grad()
        u = model(x)
        du = torch.autograd.grad(u.sum(), x, create_graph=True)[0]
        ddu = torch.autograd.grad(du.sum(), x, create_graph=True)[0]
        loss: Tensor = ((ddu + u) ** 2).mean() + 10 * ((model(ends) - values) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    def judge(model: nn.Module) -> float:
        return explained(torch.sin(points), answer(model, points))

    return Training(
        model=_Field,
        optimizer=lambda m: torch.optim.Adam(m.parameters(), lr=3e-3),
        loss=nn.MSELoss(),
        batches=full_batch(points, None),
        steps=500,
        train_step=one_step,
        evaluate=judge,
    )


class _Projector(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = _mlp(nn.ReLU, 64, 64, 24)

    def forward(self, x: Tensor) -> Tensor:
        return F.normalize(self.encoder(x), dim=1)


def _contrast_of_views() -> Training:
    """Two noisy views of each image must find each other in the batch; the judge is the nearest class mean."""
    data: Split = digits()

    def one_step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: Batch) -> Tensor:
        x, y = batch
        a, b = (model(x + 0.15 * torch.randn_like(x)) for _ in range(2))
        scores = a @ b.t() / 0.3
        same = (y.unsqueeze(0) == y.unsqueeze(1)).float()
        loss: Tensor = -(torch.log_softmax(scores, dim=1) * same / same.sum(1, keepdim=True)).sum(1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    def judge(model: nn.Module) -> float:
        code, test = answer(model, data.x), answer(model, data.test_x)
        means = torch.stack([code[data.y == c].mean(0) for c in range(10)])
        return float((torch.cdist(test, means).argmin(1) == data.test_y).float().mean())

    return Training(
        model=_Projector,
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=2e-3),
        loss=nn.MSELoss(),
        batches=minibatches(data.x, data.y, 64),
        steps=250,
        train_step=one_step,
        evaluate=judge,
    )


def _tiny_batches_with_momentum() -> Training:
    data = standardised(table("wine"))
    return Training(
        model=lambda: nn.Sequential(nn.Linear(13, 20), nn.PReLU(), nn.Linear(20, 3)),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), lr=0.01, momentum=0.9),
        loss=nn.CrossEntropyLoss(),
        batches=minibatches(data.x, data.y, 2),
        steps=400,
        evaluate=accuracy(data),
    )


class _Halved(nn.Module):
    """Heavy dropout on a recurrent reader."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(8, 64, batch_first=True)
        self.drop = nn.Dropout(0.6)
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.drop(self.gru(x)[1][-1]))


def _heavy_dropout() -> Training:
    data = rows()
    return Training(
        model=_Halved,
        optimizer=lambda m: torch.optim.AdamW(m.parameters(), lr=4e-3, weight_decay=0.1),
        loss=nn.CrossEntropyLoss(label_smoothing=0.05),
        batches=minibatches(data.x, data.y, 48),
        steps=250,
        evaluate=accuracy(data),
    )


_C: dict[str, Any] = {"label": None, "task": "classification", "near_boundary": True}
_R: dict[str, Any] = {"label": None, "task": "regression", "near_boundary": True}
PATIENTS = (
    Patient(name="edge_of_stability_on_digits", family="mlp", training=_edge_of_stability, good=0.9, **_C),
    Patient(name="one_bad_batch_recovers", family="mlp", training=_one_bad_batch, good=0.9, **_C),
    Patient(name="exact_fit_swings_near_zero", family="mlp", training=_swings_near_zero, good=0.99, **_R),
    Patient(name="a_third_of_the_labels_wrong", family="mlp", training=_noisy_labels, good=0.85, **_C),
    Patient(name="one_in_ten_weighted", family="mlp", training=_rare_class, good=0.85, **_C),
    Patient(name="parity_starts_slowly", family="mlp", training=_slow_starter, good=0.9, **_C),
    Patient(name="orthogonal_rnn_often_clipped", family="rnn", training=_clipping_bites, good=0.9, **_C),
    Patient(name="small_rate_that_gets_there", family="mlp", training=_patient_adam, good=0.9, **_C),
    Patient(name="scaler_skips_the_first_steps", family="cnn", training=_scaler_skips, good=0.9, **_C),
    Patient(name="likelihood_below_zero", family="mlp", training=_negative_loss, good=0.85, **_R),
    Patient(name="warm_restarts", family="mlp", training=_restarts, good=0.9, **_R),
    Patient(name="physics_informed_sine", family="mlp", training=_physics_informed, good=0.97, **_R),
    Patient(name="supervised_contrast", family="mlp", training=_contrast_of_views, good=0.85, **_C),
    Patient(name="batches_of_two", family="mlp", training=_tiny_batches_with_momentum, good=0.9, **_C),
    Patient(name="heavy_dropout_gru", family="rnn", training=_heavy_dropout, good=0.9, **_C),
)
