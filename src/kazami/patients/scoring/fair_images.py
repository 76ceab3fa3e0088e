"""Healthy: images and tables of pixels by other means than a plain stack of convolutions; also sound and noise removed."""

import math
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from .._base import Patient
from ..blocks import Residual, mlp
from ._recipes import adam, adamw, by, healthy, sgd, step_on
from ._sets import Split, accuracy, answer, digits, explained, images, minibatches, split


@cache
def _discs() -> Split:
    """Return noisy 12×12 images with a bright disc, and its mask."""
    source = torch.Generator().manual_seed(211)
    n, grid = 360, torch.arange(12.0)
    centre, radius = 3 + 6 * torch.rand(n, 2, 1, 1, generator=source), 1.5 + 1.5 * torch.rand(n, 1, 1, generator=source)
    mask = ((grid[:, None] - centre[:, 0]) ** 2 + (grid[None, :] - centre[:, 1]) ** 2 < radius**2).float().unsqueeze(1)
    return split(mask + 0.5 * torch.randn(mask.shape, generator=source), mask)


class _Ladder(nn.Module):
    """Down, up, and a bridge across."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.deep = nn.Conv2d(1, 8, 3, padding=1), nn.Conv2d(8, 16, 3, padding=1)
        self.up, self.out = nn.ConvTranspose2d(16, 8, 2, stride=2), nn.Conv2d(16, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Any:
        a = F.relu(self.down(x))
        b = F.relu(self.deep(F.max_pool2d(a, 2)))
        return self.out(torch.cat([a, F.relu(self.up(b))], 1))


def _segmentation() -> Training:
    """Nine pixels in ten are background; Dice and cross-entropy together."""
    data = _discs()

    def loss(z: Tensor, y: Tensor) -> Tensor:
        p = torch.sigmoid(z)
        dice = 1 - 2 * ((p * y).sum() + 1) / (p.sum() + y.sum() + 1)
        return dice + F.binary_cross_entropy_with_logits(z, y)

    def overlap(model: nn.Module) -> float:
        found, truth = answer(model, data.test_x) > 0, data.test_y > 0.5
        return float((found & truth).sum() / (found | truth).sum())

    return Training(
        model=_Ladder,
        optimizer=adam(5e-3),
        loss=loss,
        batches=minibatches(data.x, data.y, 18),
        steps=150,
        evaluate=overlap,
    )


class _Mixer(nn.Module):
    """Patches of 2×2, mixed over places and over channels."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 24, 2, stride=2)
        self.places = nn.ModuleList(mlp((16, 32, 16), nn.GELU) for _ in range(2))
        self.channels = nn.ModuleList(mlp((24, 48, 24), nn.GELU) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(24) for _ in range(5))
        self.head = nn.Linear(24, 10)

    def forward(self, x: Tensor) -> Any:
        h = self.patches(x).flatten(2).transpose(1, 2)
        for i in range(2):
            h = h + self.places[i](self.norms[2 * i](h).transpose(1, 2)).transpose(1, 2)
            h = h + self.channels[i](self.norms[2 * i + 1](h))
        return self.head(self.norms[4](h).mean(1))


def _mixer() -> Training:
    data = images()
    return Training(
        model=_Mixer,
        optimizer=adamw(4e-3, weight_decay=0.05),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 45),
        steps=250,
        evaluate=accuracy(data),
    )


class _Squeezed(nn.Module):
    """Depthwise convolution, group norm and a channel gate that may close."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.deep, self.wide = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.Conv2d(16, 32, 1)
        self.norm, self.gate, self.head = nn.GroupNorm(4, 16), mlp((32, 8, 32), nn.ReLU, output=nn.Sigmoid()), nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Any:
        h = F.max_pool2d(F.relu(self.norm(self.deep(self.stem(x)))), 2)
        h = self.wide(h)
        h = h * self.gate(h.mean((2, 3)))[:, :, None, None]
        return self.head(F.max_pool2d(h, 2).flatten(1))


def _channel_gates() -> Training:
    data = images()
    return Training(
        model=_Squeezed,
        optimizer=by(torch.optim.SGD, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-4),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 45),
        steps=250,
        scheduler=lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=250),
        evaluate=accuracy(data),
    )


def _shifted_copies() -> Training:
    """Every batch is rolled at random and half blanked out (cutout): the training loss stays far above the one that counts."""
    data = images()

    def loss(model: nn.Module, batch: Any) -> Tensor:
        x, y = batch
        x = torch.roll(x, int(torch.randint(-1, 2, ())), dims=3)
        first = int(torch.randint(0, 5, ()))
        blank = torch.ones(8)
        blank[first : first + 3] = 0
        return F.cross_entropy(model(x * blank), y)

    return Training(
        model=lambda: nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 24, 3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(384, 10)),
        optimizer=adam(2e-3),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=300,
        train_step=step_on(loss),
        evaluate=accuracy(data),
    )


@cache
def _tones() -> Split:
    """Return one-channel sounds with hiss, and the sounds without."""
    source = torch.Generator().manual_seed(215)
    t = torch.arange(64) / 64
    pitch, phase = 3 + 5 * torch.rand(400, 2, 1, generator=source), 2 * math.pi * torch.rand(400, 2, 1, generator=source)
    clean = torch.sin(2 * math.pi * pitch * t + phase).sum(1, keepdim=True) / 2
    return split(clean + 0.5 * torch.randn(clean.shape, generator=source), clean)


def _hiss() -> Training:
    """The network predicts the hiss and takes it away; a part of it can never be known."""
    data = _tones()
    return Training(
        model=lambda: Residual(nn.Sequential(nn.Conv1d(1, 16, 9, padding=4), nn.Tanh(), nn.Conv1d(16, 1, 9, padding=4))),
        optimizer=adam(5e-3),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 30),
        steps=250,
        evaluate=lambda m: explained(data.test_y, answer(m, data.test_x)),
    )


class _Quantised(nn.Module):
    """An autoencoder whose code is the nearest of sixty-four words; unused words are left as they are."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = mlp((64, 64, 16), nn.ReLU), mlp((16, 64, 64), nn.ReLU)
        self.words = nn.Parameter(0.3 * torch.randn(64, 4))

    def forward(self, x: Tensor) -> Any:
        code = self.encoder(x).view(len(x), 4, 4)
        nearest = self.words[torch.cdist(code, self.words.expand(len(x), -1, -1)).argmin(2)]
        straight = code + (nearest - code).detach()
        return self.decoder(straight.flatten(1)), code, nearest


def _words_for_images() -> Training:
    data = digits()

    def loss(out: Any, x: Tensor) -> Tensor:
        made, code, nearest = out
        return F.mse_loss(made, x) + F.mse_loss(nearest, code.detach()) + 0.25 * F.mse_loss(code, nearest.detach())

    return Training(
        model=_Quantised,
        optimizer=adam(3e-3),
        loss=loss,
        batches=minibatches(data.x, data.x, 50),
        steps=400,
        evaluate=lambda m: explained(data.test_x, answer(m, data.test_x)),
    )


class _Experts(nn.Module):
    """Four experts and a gate that sends every row to one of them; the others get no gradient from it."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.experts = nn.Linear(64, 4), nn.ModuleList(mlp((64, 24, 10), nn.ReLU) for _ in range(4))

    def forward(self, x: Tensor) -> Any:
        share = self.gate(x).softmax(1)
        best, which = share.max(1)
        every = torch.stack([expert(x) for expert in self.experts], 1)
        return best.unsqueeze(1) * every[torch.arange(len(x)), which] * 4, share.mean(0)


def _one_expert_a_row() -> Training:
    data = digits()

    def loss(out: Any, y: Tensor) -> Tensor:
        result: Tensor = F.cross_entropy(out[0], y) + 0.1 * (4 * out[1].square().sum() - 1)
        return result

    return Training(
        model=_Experts,
        optimizer=adam(4e-3),
        loss=loss,
        batches=minibatches(data.x, data.y, 40),
        steps=400,
        evaluate=accuracy(data),
    )


def _wide_net_few_rows() -> Training:
    """Ten thousand weights for a hundred rows, and the held-out rows are right all the same."""
    data = digits()
    return Training(
        model=lambda: mlp((64, 512, 10), nn.ReLU, dropout=0.3),
        optimizer=sgd(0.1, 0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x[:200], data.y[:200], 50),
        steps=200,
        evaluate=accuracy(data),
    )


PATIENTS: tuple[Patient, ...] = (
    healthy("discs_dice_and_entropy", _segmentation, 0.7, "cnn", "classification"),
    healthy("patches_mixed", _mixer, 0.9, "mlp", "classification", near=False),
    healthy("channel_gates_and_groups", _channel_gates, 0.9, "cnn", "classification", near=False),
    healthy("rolled_and_blanked", _shifted_copies, 0.9, "cnn", "classification"),
    healthy("hiss_taken_away", _hiss, 0.7, "cnn", "regression"),
    healthy("words_for_images", _words_for_images, 0.6, "autoencoder", "regression"),
    healthy("one_expert_a_row", _one_expert_a_row, 0.9, "mlp", "classification"),
    healthy("wide_network_few_rows", _wide_net_few_rows, 0.8, "mlp", "classification"),
)
