"""Ill: the loss has an easy way out and the network takes it: one constant, one point, one class; or one term of a sum drowns all others."""

from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ..blocks import mlp
from ._recipes import adam, adamw, sgd, step_on
from ._sets import accuracy, answer, digits, explained, full_batch, images, minibatches, split, standardised, table


def residual_of_oscillator(model: nn.Module, t: Tensor, *, speed: float = 1.0) -> Tensor:
    """Return the mean squared residual of u'' + speed² u = 0 at the times ``t``."""
    t = t.clone().requires_grad_()
    u = model(t)
    du = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
    ddu = torch.autograd.grad(du.sum(), t, create_graph=True)[0]
    result: Tensor = (ddu / speed**2 + u).square().mean()
    return result


def _oscillator(*, weight: float, speed: float = 2.0, rate: float = 5e-3) -> Training:
    """A swing u'' + 4u = 0 with u(0) = 1 and u'(0) = 0 as a network; ``weight`` belongs to the start."""
    t = torch.linspace(0, 1.6, 64).unsqueeze(1)
    start = torch.zeros(1, 1)

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        at = start.clone().requires_grad_()
        u = model(at)
        du = torch.autograd.grad(u.sum(), at, create_graph=True)[0]
        result: Tensor = residual_of_oscillator(model, batch[0], speed=speed) + weight * ((u - 1.0).square().mean() + du.square().mean())
        return result

    return Training(
        model=lambda: mlp((1, 32, 32, 1), nn.Tanh),
        optimizer=adam(rate),
        loss=F.mse_loss,
        batches=full_batch(t, None),
        steps=600,
        train_step=step_on(loss),
        evaluate=lambda m: explained(torch.cos(speed * t), answer(m, t)),
    )


def nearest_mean(model: nn.Module) -> float:
    """Return the accuracy of the nearest class mean among codes of the digits."""
    data = digits()
    code, test = answer(model, data.x), answer(model, data.test_x)
    means = torch.stack([code[data.y == c].mean(0) for c in range(10)])
    return float((torch.cdist(test, means).argmin(1) == data.test_y).float().mean())


class _Views(nn.Module):
    """An encoder whose codes of two views shall agree."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))

    def forward(self, x: Tensor) -> Any:
        return self.encoder(x)


def _agreeing_views(*, spread: float) -> Training:
    """Codes of two views are pulled together; the twin also asks every coordinate to vary and to differ from the others."""
    data = digits()

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        x = batch[0]
        a, b = (model(x + 0.1 * torch.randn_like(x)) for _ in range(2))
        together = F.mse_loss(a, b)
        apart = torch.stack([F.relu(1 - (z.var(0) + 1e-4).sqrt()).mean() for z in (a, b)]).sum()
        centred = a - a.mean(0)
        cross = (centred.T @ centred / len(a)).fill_diagonal_(0) if spread > 0 else torch.zeros(1)
        return 10 * together + spread * (10 * apart + cross.square().sum() / 16)

    return Training(
        model=_Views,
        optimizer=adamw(3e-3),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 64),
        steps=300,
        train_step=step_on(loss),
        evaluate=nearest_mean,
    )


def _pairs(*, different: float) -> Training:
    """Siamese pairs; only pairs of equal class, or also pairs of different classes, which must keep a margin."""
    data = digits()

    def loss(model: nn.Module, batch: Batch) -> Tensor:
        code, y = model(batch[0]), batch[1]
        gap = torch.cdist(code, code).clamp(min=1e-6)
        same = (y[:, None] == y[None, :]).float()
        pulled = (same * gap.square()).sum() / same.sum()
        pushed = ((1 - same) * F.relu(2 - gap).square()).sum() / (1 - same).sum()
        result: Tensor = pulled + different * pushed
        return result

    def together(model: nn.Module) -> float:
        code = answer(model, data.test_x)
        spread = code.var(0).mean()
        within = torch.stack([code[data.test_y == c].var(0).mean() for c in range(10)]).mean()
        return 1 - float(within / spread) if float(spread) > 1e-4 else 0.0

    return Training(
        model=lambda: mlp((64, 64, 8), nn.ReLU),
        optimizer=sgd(0.02, 0.9),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 48),
        steps=300,
        train_step=step_on(loss),
        evaluate=together,
    )


@cache
def _defects() -> Any:
    """Return images, one in forty with a defect (a short bright bar on grain)."""
    source = torch.Generator().manual_seed(124)
    n = 2000
    x = torch.randn(n, 100, generator=source)
    y = (torch.rand(n, generator=source) < 0.025).long()
    x[:, 40:50] += 0.9 * y.unsqueeze(1)
    return split(x, y)


def _rare_defects(*, weight: float) -> Training:
    data = _defects()

    def balanced(model: nn.Module) -> float:
        found = answer(model, data.test_x).argmax(1)
        return float(torch.stack([(found[data.test_y == c] == c).float().mean() for c in (0, 1)]).mean())

    return Training(
        model=lambda: nn.Linear(100, 2),
        optimizer=sgd(0.03, weight_decay=0.01),
        loss=nn.CrossEntropyLoss(weight=torch.tensor([1.0, weight])),
        batches=minibatches(data.x, data.y, 64),
        steps=400,
        evaluate=balanced,
    )


class _Vae(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = mlp((64, 64, 16), nn.ReLU)
        self.decoder = mlp((8, 64, 64), nn.ReLU)

    def forward(self, x: Tensor) -> Any:
        mean, log_var = self.encoder(x).chunk(2, 1)
        code = mean + torch.randn_like(mean) * (0.5 * log_var).exp() if self.training else mean
        return self.decoder(code), mean, log_var


def _vae(*, beta: float) -> Training:
    """Reconstruction averaged over pixels, divergence summed over codes: the code is switched off."""
    data = digits()

    def loss(out: Any, x: Tensor) -> Tensor:
        made, mean, log_var = out
        divergence = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(1).mean()
        result: Tensor = F.mse_loss(made, x) + beta * divergence
        return result

    return Training(
        model=_Vae,
        optimizer=adam(3e-3),
        loss=loss,
        batches=minibatches(data.x, data.x, 64),
        steps=400,
        evaluate=lambda m: explained(data.test_x, answer(m, data.test_x)),
    )


def _seen_and_priced(*, weight: float) -> Training:
    """One trunk, two heads: a class, and a price in yen whose squared error is a million times the cross-entropy."""
    data = standardised(table("wine"))
    price = 3000 + 800 * (data.x[:, :2].sum(1, keepdim=True))
    heads = mlp

    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.trunk = heads((13, 24, 24), nn.Tanh)
            self.kind, self.price = nn.Linear(24, 3), nn.Linear(24, 1)

        def forward(self, x: Tensor) -> Any:
            h = torch.tanh(self.trunk(x))
            return self.kind(h), self.price(h)

    return Training(
        model=Both,
        optimizer=sgd(0.02, 0.9),
        loss=lambda out, y: F.cross_entropy(out[0], y[0]) + weight * F.mse_loss(out[1], y[1]),
        batches=lambda: [((x), (y, p)) for x, y, p in zip(data.x.split(33), data.y.split(33), price.split(33), strict=True)],
        steps=300,
        evaluate=accuracy(data),
    )


def _sparse_code(*, weight: float) -> Training:
    """A sparse autoencoder: errors are averaged, activations added up over rows and units."""
    data = digits()

    class Sparse(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder, self.decoder = nn.Linear(64, 48), nn.Linear(48, 64)

        def forward(self, x: Tensor) -> Any:
            code = F.relu(self.encoder(x))
            return self.decoder(code), code

    return Training(
        model=Sparse,
        optimizer=adam(3e-3),
        loss=lambda out, x: F.mse_loss(out[0], x) + weight * out[1].abs().sum(),
        batches=minibatches(data.x, data.x, 50),
        steps=350,
        evaluate=lambda m: explained(data.test_x, answer(m, data.test_x)),
    )


def _smooth_image(*, weight: float) -> Training:
    """A denoiser whose smoothness term, meant as a small prior, weighs thousands."""
    data = images()
    source = torch.Generator().manual_seed(128)
    noisy, test = (x + 0.3 * torch.randn(x.shape, generator=source) for x in (data.x, data.test_x))

    def loss(out: Tensor, clean: Tensor) -> Tensor:
        rough = (out[..., 1:] - out[..., :-1]).square().mean() + (out[..., 1:, :] - out[..., :-1, :]).square().mean()
        return F.mse_loss(out, clean) + weight * rough

    return Training(
        model=lambda: nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 3, padding=1)),
        optimizer=adam(1e-2),
        loss=loss,
        batches=minibatches(noisy, data.x, 50),
        steps=150,
        evaluate=lambda m: explained(data.test_x, answer(m, test)),
    )


def _trivial(name: str, make: Any, ill: dict[str, Any], well: dict[str, Any], good: float, *, family: str, also: frozenset[str] = frozenset()) -> Patient:
    return Patient(
        name=name,
        label="trivial_solution",
        also_true=also,
        family=family,
        task="regression" if "swing" in name else "classification",
        training=partial(make, **ill),
        healed=partial(make, **well),
        good=good,
    )


def _drowned(name: str, make: Any, ill: float, well: float, good: float, *, family: str = "mlp", also: frozenset[str] = frozenset()) -> Patient:
    return Patient(
        name=name,
        label="loss_term_imbalance",
        also_true=also,
        family=family,
        task="classification" if family == "mlp" and "price" in name else "regression",
        training=partial(make, weight=ill) if make is not _vae else partial(make, beta=ill),
        healed=partial(make, weight=well) if make is not _vae else partial(make, beta=well),
        good=good,
    )


_CONSTANT = frozenset({"trivial_solution"})
_DROWNED = frozenset({"loss_term_imbalance"})
PATIENTS = (
    _trivial("swing_without_a_start", _oscillator, {"weight": 0.0}, {"weight": 10.0}, 0.85, family="mlp"),
    _trivial("views_only_pulled_together", _agreeing_views, {"spread": 0.0}, {"spread": 1.0}, 0.7, family="mlp"),
    _trivial("pairs_of_one_class_only", _pairs, {"different": 0.0}, {"different": 1.0}, 0.5, family="mlp"),
    _trivial("one_defect_in_forty", _rare_defects, {"weight": 1.0}, {"weight": 39.0}, 0.7, family="linear"),
    _drowned("swing_with_a_weightless_start", _oscillator, 1e-4, 10.0, 0.85, also=_CONSTANT),
    _drowned("vae_divergence_outweighs_pixels", _vae, 1.0, 0.002, 0.6, family="autoencoder", also=_CONSTANT | {"over_regularised"}),
    _drowned("price_in_yen_beside_a_class", _seen_and_priced, 1.0, 1e-7, 0.9, also=frozenset({"target_scaling", "nan_inf", "exploding_gradient", "saturated"})),
    _drowned(
        "sparsity_added_up_over_the_batch", _sparse_code, 0.01, 1e-6, 0.7, family="autoencoder", also=frozenset({"over_regularised", "dead_units"}) | _CONSTANT
    ),
    _drowned("smoothness_weighs_thousands", _smooth_image, 3000.0, 0.01, 0.6, family="cnn", also=frozenset({"over_regularised"}) | _CONSTANT),
)
