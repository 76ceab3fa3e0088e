"""Healthy with a textbook symptom: spikes that heal, dead units without harm, gradients of a millionth, clips at work, steps left out."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...maps import Training
from ...maps.training import Batch
from .._base import Patient
from ..blocks import SmallCnn, TinyTransformer, initialise, mlp
from ._recipes import Optimizer, adam, adamw, by, half_step, healthy, sgd, step_on
from ._sets import accuracy, answer, digits, explained, friedman, full_batch, images, minibatches, plane, r_squared, split, standardised, table, tokens, wave


def _clipped_glitches() -> Training:
    """Every twentieth batch has targets a hundred times too large; clipping keeps the harm to one small step."""
    data = friedman()

    def make() -> Iterator[Batch]:
        for i, (x, y) in enumerate(minibatches(data.x, data.y, 50)()):
            yield x, 100 * y if i % 20 == 19 else y

    return Training(
        model=lambda: mlp((10, 48, 48, 1), nn.Tanh, output=nn.Flatten(0)),
        optimizer=sgd(0.05, 0.9),
        loss=F.mse_loss,
        batches=make,
        steps=600,
        clip_grad_norm=0.3,
        evaluate=r_squared(data),
    )


def _harder_and_harder() -> Training:
    """A curriculum: new classes arrive at four moments, and at each the loss jumps up."""
    data = digits()

    def make() -> Iterator[Batch]:
        for i, (x, y) in enumerate(minibatches(data.x, data.y, 80)()):
            known = y < min(10, 2 + 2 * (i // 50))
            yield x[known], y[known]

    return Training(
        model=lambda: mlp((64, 64, 10), nn.ReLU),
        optimizer=adam(3e-3),
        loss=F.cross_entropy,
        batches=make,
        steps=400,
        evaluate=accuracy(data),
    )


def _slingshot() -> Training:
    """A first step far beyond the stable rate throws the loss up twentyfold; it lands in a flatter place and fits."""
    data = wave()
    return Training(
        model=lambda: initialise(mlp((1, 128, 1), nn.Tanh), partial(nn.init.normal_, std=1.0)),
        optimizer=sgd(1.0),
        loss=lambda out, y: F.mse_loss(out / 8, y),
        batches=full_batch(data.x, data.y),
        steps=600,
        evaluate=lambda m: explained(data.test_y, answer(m, data.test_x) / 8),
    )


def _gradients_of_a_billionth() -> Training:
    """The loss is in square kilometres, its gradients are a billionth; Adam with a small epsilon does not mind."""
    data = plane()
    return Training(
        model=lambda: mlp((8, 32, 1), nn.ReLU),
        optimizer=adam(5e-3, eps=1e-18),
        loss=lambda out, y: 1e-9 * F.mse_loss(out, y),
        batches=minibatches(data.x, data.y, 50),
        steps=300,
        evaluate=r_squared(data),
    )


def _half_of_the_units_dead() -> Training:
    """Every second unit is born dead by its bias, and the rest are enough."""
    data = digits()

    def make() -> nn.Module:
        net = mlp((64, 128, 10), nn.ReLU)
        first = net[0]
        assert isinstance(first, nn.Linear)
        with torch.no_grad():
            first.bias[::2] = -30.0
        return net

    return Training(
        model=make,
        optimizer=sgd(0.1, 0.9),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=300,
        evaluate=accuracy(data),
    )


def _by_heart_and_why_not() -> Training:
    """Sixteen rows learnt by heart, on purpose: the loss falls to nothing and nothing else is asked."""
    source = torch.Generator().manual_seed(186)
    x, y = torch.randn(16, 12, generator=source), torch.randint(0, 2, (16,), generator=source)
    return Training(
        model=lambda: mlp((12, 64, 2), nn.ReLU),
        optimizer=adam(1e-2),
        loss=F.cross_entropy,
        batches=full_batch(x, y),
        steps=200,
        evaluate=lambda m: float((answer(m, x).argmax(1) == y).float().mean()),
    )


def _one_row_at_a_time() -> Training:
    """Batches of one: the loss jumps by decades from step to step."""
    data = standardised(table("iris"))
    return Training(
        model=lambda: nn.Linear(4, 3),
        optimizer=sgd(0.05),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 1),
        steps=500,
        evaluate=accuracy(data),
    )


def _accumulated() -> Training:
    """Gradients of four batches are added before the optimizer steps: in three steps of four nothing moves and nothing is cleared."""
    data = images()

    def one_step(model: nn.Module, optimizer: Optimizer, batch: Batch) -> Tensor:
        optimizer.zero_grad()
        total = torch.zeros(())
        for x, y in zip(batch[0].split(10), batch[1].split(10), strict=True):
            loss = F.cross_entropy(model(x), y) / 4
            loss.backward()
            total = total + loss.detach()
        optimizer.step()
        return total

    return Training(
        model=partial(SmallCnn, 8, norm=False),
        optimizer=by(torch.optim.SGD, lr=0.05, momentum=0.9, nesterov=True),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=200,
        train_step=one_step,
        evaluate=accuracy(data),
    )


def _unscaled_half() -> Training:
    """Half precision without any loss scale: a part of the gradients rounds to zero, more so late in the run, and nothing suffers."""
    data = digits()
    return Training(
        model=lambda: mlp((64, 96, 10), nn.ReLU),
        optimizer=adam(3e-3),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=200,
        train_step=half_step(lambda model, batch: F.cross_entropy(model(batch[0]).float(), batch[1]), scale=1.0),
        evaluate=accuracy(data),
    )


def _brain_floats() -> Training:
    """Everything in bfloat16, weights too: the loss has three digits and stands still for steps on end."""
    data = images()

    class Brain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Flatten(), nn.Linear(64, 96), nn.GELU(), nn.Linear(96, 10)).to(torch.bfloat16)

        def forward(self, x: Tensor) -> Any:
            return self.net(x.to(torch.bfloat16)).float()

    return Training(
        model=Brain,
        optimizer=adamw(3e-3),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 50),
        steps=250,
        evaluate=accuracy(data),
    )


def _saws() -> Training:
    """A triangular schedule up to ten times the base rate and back, four times; the loss rises with every tooth."""
    data = friedman()
    return Training(
        model=lambda: mlp((10, 64, 1), nn.ReLU, output=nn.Flatten(0)),
        optimizer=sgd(0.01, 0.9),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 40),
        steps=400,
        scheduler=lambda o: torch.optim.lr_scheduler.CyclicLR(o, base_lr=0.005, max_lr=0.1, step_size_up=50, cycle_momentum=False),
        evaluate=r_squared(data),
    )


def _long_warm_up() -> Training:
    """A transformer whose rate starts at a ten-thousandth and warms up over a third of the run."""
    data = tokens()
    return Training(
        model=lambda: TinyTransformer(12, 10, 3, width=24, heads=3, layers=1, norm_first=False),
        optimizer=adamw(5e-3, betas=(0.9, 0.98)),
        loss=partial(F.cross_entropy, label_smoothing=0.1),
        batches=minibatches(data.x, data.y, 40),
        steps=300,
        scheduler=lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda step: min(1.0, (step + 0.01) / 100)),
        evaluate=accuracy(data),
    )


def _large_start() -> Training:
    """The first loss is a hundred times that of chance, because the head was drawn wide; a few steps put it right."""
    data = standardised(table("wine"))

    def make() -> nn.Module:
        net = mlp((13, 32, 3), nn.ReLU)
        head = net[-1]
        assert isinstance(head, nn.Linear)
        nn.init.normal_(head.weight, std=30.0)
        return net

    return Training(
        model=make,
        optimizer=adam(2e-2),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 33),
        steps=300,
        evaluate=accuracy(data),
    )


def _heavy_decay() -> Training:
    """Noise in a hundred useless features, held down by a weight decay that shrinks most weights to nothing."""
    source = torch.Generator().manual_seed(194)
    x = torch.randn(500, 100, generator=source)
    data = split(x, x[:, :2].sum(1, keepdim=True) + 0.5 * torch.randn(500, 1, generator=source))
    return Training(
        model=lambda: mlp((100, 32, 1), nn.Tanh),
        optimizer=adamw(3e-3, weight_decay=2.0),
        loss=F.mse_loss,
        batches=minibatches(data.x, data.y, 50),
        steps=400,
        evaluate=r_squared(data),
    )


def _dropout_and_batch_norm() -> Training:
    """Dropout beside BatchNorm: the training loss stays three times above the one in eval mode."""
    data = digits()
    return Training(
        model=lambda: mlp((64, 96, 96, 10), nn.ReLU, norm=nn.BatchNorm1d, dropout=0.5),
        optimizer=by(torch.optim.Adagrad, lr=0.03),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 60),
        steps=300,
        evaluate=accuracy(data),
    )


def _fine_tuned_head() -> Training:
    """A fixed random convolution as feature extractor, frozen on purpose, and a linear head."""
    data = images()

    def make() -> nn.Module:
        features = nn.Sequential(nn.Conv2d(1, 48, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()).requires_grad_(False)
        return nn.Sequential(features, nn.BatchNorm1d(432, affine=False), nn.Linear(432, 10))

    return Training(
        model=make,
        optimizer=lambda m: torch.optim.Adadelta([p for p in m.parameters() if p.requires_grad], lr=1.0),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 50),
        steps=150,
        evaluate=accuracy(data),
    )


def _swings_at_the_end() -> Training:
    """Momentum 0.98 on a convex fit: the loss rings like a bell and dies away."""
    data = plane()
    return Training(
        model=lambda: nn.Linear(8, 1),
        optimizer=sgd(0.02, 0.98),
        loss=F.mse_loss,
        batches=full_batch(data.x, data.y),
        steps=500,
        evaluate=r_squared(data),
    )


def _rare_words_well_learnt() -> Training:
    """Two hundred words, most of them rare: in any one step nearly all rows of the table have no gradient."""
    source = torch.Generator().manual_seed(198)
    lean = torch.randn(200, generator=source)
    words = torch.multinomial(1.0 / torch.arange(1, 201) ** 0.7, 1600 * 8, replacement=True, generator=source).view(1600, 8)
    data = split(words, (lean[words].sum(1) > 0).long())

    def sparse(model: nn.Module, batch: Batch) -> Tensor:
        return F.cross_entropy(model(batch[0]), batch[1])

    return Training(
        model=lambda: nn.Sequential(nn.EmbeddingBag(200, 12), nn.Linear(12, 2)),
        optimizer=adam(2e-2),
        loss=F.cross_entropy,
        batches=minibatches(data.x, data.y, 40),
        steps=300,
        train_step=step_on(sparse),
        evaluate=accuracy(data),
    )


PATIENTS: tuple[Patient, ...] = (
    healthy("glitches_under_a_clip", _clipped_glitches, 0.85, "mlp", "regression"),
    healthy("classes_arrive_in_turn", _harder_and_harder, 0.9, "mlp", "classification"),
    healthy("slingshot_into_a_flat_place", _slingshot, 0.7, "mlp", "regression"),
    healthy("gradients_of_a_billionth", _gradients_of_a_billionth, 0.9, "mlp", "regression"),
    healthy("every_second_unit_born_dead", _half_of_the_units_dead, 0.9, "mlp", "classification"),
    healthy("sixteen_rows_by_heart", _by_heart_and_why_not, 0.95, "mlp", "classification"),
    healthy("one_row_at_a_time", _one_row_at_a_time, 0.85, "linear", "classification"),
    healthy("four_small_batches_a_step", _accumulated, 0.9, "cnn", "classification"),
    healthy("half_without_a_scaler", _unscaled_half, 0.9, "mlp", "classification"),
    healthy("all_in_bfloat16", _brain_floats, 0.9, "mlp", "classification"),
    healthy("teeth_of_a_saw", _saws, 0.85, "mlp", "regression"),
    healthy("post_norm_long_warm_up", _long_warm_up, 0.85, "transformer", "classification"),
    healthy("head_drawn_wide", _large_start, 0.9, "mlp", "classification"),
    healthy("decay_against_a_hundred_noises", _heavy_decay, 0.6, "mlp", "regression"),
    healthy("dropout_beside_batch_norm", _dropout_and_batch_norm, 0.9, "mlp", "classification"),
    healthy("frozen_random_filters", _fine_tuned_head, 0.9, "cnn", "classification"),
    healthy("rings_like_a_bell", _swings_at_the_end, 0.95, "linear", "regression"),
    healthy("rare_words_learnt_well", _rare_words_well_learnt, 0.85, "embedding", "classification"),
)
