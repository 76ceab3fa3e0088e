"""Healthy: losses other than the two of every tutorial. Counts, quantiles, survival, order, rank, margins, mixtures; many have high floors."""

import math
from functools import cache, partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from .._base import Patient
from ..blocks import mlp
from ._recipes import adam, adamw, by, healthy, sgd, step_on
from ._sets import Split, accuracy, answer, digits, explained, full_batch, minibatches, r_squared, sign_accuracy, split, standardised, table, wave


def _linear_inputs(n: int, features: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return inputs and a smooth score of unit size."""
    source = torch.Generator().manual_seed(seed)
    x = torch.randn(n, features, generator=source)
    score = torch.tanh(x[:, 0] + x[:, 1]) + 0.7 * x[:, 2] - 0.5 * x[:, 3] * x[:, 1]
    return x, (score - score.mean()) / score.std()


def _rank_match(truth: Tensor, found: Tensor) -> float:
    """Return the correlation of the two orders."""
    a, b = (v.flatten().argsort().argsort().double() for v in (truth, found))
    return float(torch.corrcoef(torch.stack([a, b]))[0, 1])


def _poisson() -> Training:
    """Counts with a log link: the loss may be negative and never comes near zero."""
    x, score = _linear_inputs(1600, 6, 151)
    rate = torch.exp(1.0 + 0.7 * score)
    data = split(x, torch.stack([torch.poisson(rate, generator=torch.Generator().manual_seed(1)), rate], 1))
    return Training(
        model=lambda: mlp((6, 32, 1), nn.Tanh),
        optimizer=adam(5e-3),
        loss=lambda z, y: F.poisson_nll_loss(z.squeeze(1), y[:, 0]),
        batches=minibatches(data.x, data.y, 48),
        steps=400,
        evaluate=lambda m: explained(data.test_y[:, 1].log(), answer(m, data.test_x)),
    )


def _quantiles() -> Training:
    """Three quantiles at once under the pinball loss, noise that grows with the input."""
    source = torch.Generator().manual_seed(152)
    x = 4 * torch.rand(1600, 1, generator=source) - 2
    y = torch.sin(2 * x) + (0.2 + 0.2 * x.abs()) * torch.randn(1600, 1, generator=source)
    data, levels = split(x, y), torch.tensor([0.1, 0.5, 0.9])

    def pinball(q: Tensor, y: Tensor) -> Tensor:
        gap = y - q
        return torch.maximum(levels * gap, (levels - 1) * gap).mean()

    def judge(model: nn.Module) -> float:
        below = (data.test_y < answer(model, data.test_x)).float().mean(0)
        return 1 - float((below - levels).abs().max())

    return Training(
        model=lambda: mlp((1, 48, 48, 3), nn.SiLU),
        optimizer=adam(4e-3),
        loss=pinball,
        batches=minibatches(data.x, data.y, 64),
        steps=400,
        evaluate=judge,
    )


def _outliers_under_huber() -> Training:
    """One target in twenty is a wild outlier: single losses are huge, Huber's loss keeps the steps small."""
    data = wave(800)
    source = torch.Generator().manual_seed(153)
    wild = (torch.rand(data.y.shape, generator=source) < 0.05).float() * 100 * torch.randn(data.y.shape, generator=source)
    return Training(
        model=lambda: mlp((1, 64, 64, 1), nn.Tanh),
        optimizer=adam(5e-3),
        loss=partial(F.huber_loss, delta=0.3),
        batches=minibatches(data.x, data.y + wild, 40),
        steps=500,
        evaluate=r_squared(data),
    )


def _hinge() -> Training:
    """A margin loss: most rows soon have no gradient at all."""
    data = digits()
    return Training(
        model=lambda: mlp((64, 64, 10), nn.ReLU),
        optimizer=sgd(0.1, 0.9),
        loss=nn.MultiMarginLoss(),
        batches=minibatches(data.x, data.y, 40),
        steps=300,
        evaluate=accuracy(data),
    )


def _survival() -> Training:
    """Cox's partial likelihood over the whole cohort, a third of it censored."""
    x, score = _linear_inputs(600, 6, 155)
    source = torch.Generator().manual_seed(155)
    time = torch.empty(600).exponential_(generator=source) / torch.exp(1.5 * score)
    seen = (torch.rand(600, generator=source) < 0.67).float()
    data = split(x, torch.stack([time, seen, score], 1))

    def cox(risk: Tensor, y: Tensor) -> Tensor:
        order = y[:, 0].argsort(descending=True)
        r, event = risk.squeeze(1)[order], y[order, 1]
        return -((r - torch.logcumsumexp(r, 0)) * event).sum() / event.sum()

    return Training(
        model=lambda: mlp((6, 24, 1), nn.Tanh),
        optimizer=adamw(1e-2, weight_decay=0.1),
        loss=cox,
        batches=full_batch(data.x, data.y),
        steps=150,
        evaluate=lambda m: _rank_match(data.test_y[:, 2], answer(m, data.test_x)),
    )


class _Ordered(nn.Module):
    """A score and four ordered cuts."""

    def __init__(self) -> None:
        super().__init__()
        self.score, self.cuts = mlp((6, 32, 1), nn.ReLU), nn.Parameter(torch.linspace(-1.5, 1.5, 4))

    def forward(self, x: Tensor) -> Any:
        return self.score(x) - self.cuts


def _ordinal() -> Training:
    x, score = _linear_inputs(1200, 6, 156)
    y = torch.bucketize(score, torch.tensor([-1.2, -0.4, 0.4, 1.2]))
    data = split(x, (y[:, None] > torch.arange(4)).float())
    return Training(
        model=_Ordered,
        optimizer=by(torch.optim.NAdam, lr=5e-3),
        loss=F.binary_cross_entropy_with_logits,
        batches=minibatches(data.x, data.y, 50),
        steps=400,
        evaluate=sign_accuracy(data),
    )


def _lists_to_rank() -> Training:
    """Eight documents a query, logistic loss over the pairs: it starts at ln 2 and falls slowly under label noise."""
    x, score = _linear_inputs(3200, 6, 157)
    noisy = score + 0.5 * torch.randn(3200, generator=torch.Generator().manual_seed(4))
    data = split(x.view(400, 8, 6), torch.stack([noisy, score], 1).view(400, 8, 2))

    def pairs(s: Tensor, y: Tensor) -> Tensor:
        gap, better = s - s.transpose(1, 2), (y[..., :1] > y[..., 0].unsqueeze(1)).float()
        return (F.softplus(-gap) * better).sum() / better.sum()

    return Training(
        model=lambda: mlp((6, 32, 1), nn.ELU),
        optimizer=adam(5e-3),
        loss=pairs,
        batches=minibatches(data.x, data.y, 20),
        steps=300,
        evaluate=lambda m: _rank_match(data.test_y[..., 1], answer(m, data.test_x)),
    )


@cache
def _two_branches() -> Split:
    """Return points whose target is either of two branches."""
    source = torch.Generator().manual_seed(158)
    x = 2 * torch.rand(1200, 1, generator=source) - 1
    side = torch.where(torch.rand(1200, 1, generator=source) < 0.5, 1.0, -1.0)
    return split(x, side * (1 + 0.5 * x) + 0.1 * torch.randn(1200, 1, generator=source))


def _mixture_density() -> Training:
    """A mixture of three normal densities; its likelihood crosses zero, and its steps are clipped most of the time."""
    data = _two_branches()

    def likelihood(out: Tensor, y: Tensor) -> Tensor:
        weight, mean, log_std = out.chunk(3, 1)
        each = torch.log_softmax(weight, 1) - log_std - 0.5 * ((y - mean) / log_std.exp()).square() - 0.5 * math.log(2 * math.pi)
        return -torch.logsumexp(each, 1).mean()

    return Training(
        model=lambda: mlp((1, 48, 9), nn.Tanh),
        optimizer=adam(5e-3),
        loss=likelihood,
        batches=minibatches(data.x, data.y, 50),
        steps=500,
        clip_grad_norm=0.5,
        evaluate=lambda m: -float(likelihood(answer(m, data.test_x), data.test_y)),
    )


def _triplets() -> Training:
    """Triplets with a margin: the loss falls to small values and jumps with the share of hard triplets."""
    data = digits()

    def loss(model: nn.Module, batch: Any) -> Tensor:
        code, y = F.normalize(model(batch[0]), dim=1), batch[1]
        gap = 2 - 2 * code @ code.T
        same = (y[:, None] == y[None, :]).float()
        return F.relu((gap * same).max(1).values - (gap + 4 * same).min(1).values + 0.3).mean()

    def judge(model: nn.Module) -> float:
        code, test = (F.normalize(answer(model, x), dim=1) for x in (data.x, data.test_x))
        return float((data.y[(test @ code.T).argmax(1)] == data.test_y).float().mean())

    return Training(
        model=lambda: mlp((64, 64, 16), nn.ReLU),
        optimizer=adam(2e-3),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 60),
        steps=250,
        train_step=step_on(loss),
        evaluate=judge,
    )


def _focal() -> Training:
    """Focal loss on one class in twenty: the loss is a hundredth from the start, and so are the gradients."""
    data = digits()
    rare = (data.y != 3) | (torch.arange(len(data.y)) % 2 == 0)
    data = Split(data.x[rare], (data.y[rare] == 3).float(), data.test_x, (data.test_y == 3).float())

    def focal(z: Tensor, y: Tensor) -> Tensor:
        each = F.binary_cross_entropy_with_logits(z.squeeze(1), y, reduction="none")
        return ((1 - torch.exp(-each)) ** 2 * each).mean()

    def balanced(model: nn.Module) -> float:
        right = (answer(model, data.test_x).squeeze(1) > 0) == (data.test_y > 0.5)
        return float(torch.stack([right[data.test_y == c].float().mean() for c in (0, 1)]).mean())

    return Training(
        model=lambda: mlp((64, 48, 1), nn.ReLU),
        optimizer=adam(6e-3),
        loss=focal,
        batches=minibatches(data.x, data.y, 50),
        steps=400,
        evaluate=balanced,
    )


def _sum_of_squares() -> Training:
    """A loss summed over the rows, in the thousands, with a rate chosen for it."""
    data = standardised(table("diabetes"))
    y, test_y = (v.unsqueeze(1) / 77 - 2 for v in (data.y, data.test_y))
    return Training(
        model=lambda: nn.Linear(10, 1),
        optimizer=sgd(1e-4, 0.9),
        loss=nn.MSELoss(reduction="sum"),
        batches=full_batch(data.x, y),
        steps=300,
        evaluate=lambda m: explained(test_y, answer(m, data.test_x)),
    )


def _distilled() -> Training:
    """A student learns a fixed teacher's soft answers: the divergence ends near zero while the teacher is wrong now and then."""
    data = digits()
    means = torch.stack([data.x[data.y == c].mean(0) for c in range(10)])

    def teacher(x: Tensor) -> Tensor:
        return torch.softmax(-torch.cdist(x, means).square() * 2, 1)

    return Training(
        model=lambda: mlp((64, 24, 10), nn.Hardswish),
        optimizer=adamw(5e-3),
        loss=lambda z, p: F.kl_div(torch.log_softmax(z, 1), p, reduction="batchmean"),
        batches=minibatches(data.x, teacher(data.x), 50),
        steps=300,
        evaluate=accuracy(data),
    )


PATIENTS: tuple[Patient, ...] = (
    healthy("counts_with_a_log_link", _poisson, 0.65, "mlp", "regression"),
    healthy("three_quantiles", _quantiles, 0.9, "mlp", "regression"),
    healthy("wild_outliers_under_huber", _outliers_under_huber, 0.9, "mlp", "regression"),
    healthy("margins_without_gradients", _hinge, 0.9, "mlp", "classification"),
    healthy("cohort_with_censoring", _survival, 0.8, "mlp", "regression"),
    healthy("five_ordered_grades", _ordinal, 0.9, "mlp", "classification", near=False),
    healthy("eight_documents_to_rank", _lists_to_rank, 0.85, "mlp", "regression"),
    healthy("two_branches_mixture_density", _mixture_density, -0.1, "mlp", "regression"),
    healthy("hardest_triplets", _triplets, 0.9, "mlp", "classification"),
    healthy("focal_loss_on_a_rare_digit", _focal, 0.85, "mlp", "classification"),
    healthy("loss_in_the_thousands", _sum_of_squares, 0.28, "linear", "regression"),
    healthy("student_of_class_means", _distilled, 0.85, "mlp", "classification", near=False),
)
