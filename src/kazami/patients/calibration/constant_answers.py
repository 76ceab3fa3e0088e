"""One answer for everybody: losses that a constant satisfies, and trainings that only look as if they had one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import mlp
from ..data import Data, predictions
from .more_tasks import adam, classify, regress, sgd

# ---------------------------------------------------------------- two views of one sample


def _agree(pair: tuple[Tensor, Tensor], target: Any) -> Tensor:
    """The mean squared distance of the two embeddings, and nothing else."""
    del target
    return F.mse_loss(*pair)


def _agree_and_differ(pair: tuple[Tensor, Tensor], target: Any) -> Tensor:
    """The same, while every coordinate keeps its deviation and no two say the same."""
    loss = _agree(pair, target)
    for z in pair:
        deviation = (z.var(0) + 1e-4).sqrt()
        covariance = torch.cov(z.T)
        loss = loss + F.relu(1 - deviation).mean() + 0.04 * (covariance - torch.diag(covariance.diag())).square().sum() / z.shape[1]
    return loss


def _cosine_to_each_other(pair: tuple[Tensor, Tensor], target: Any) -> Tensor:
    """Minus the cosine of the two embeddings."""
    del target
    first, second = (F.normalize(z, dim=1) for z in pair)
    return -(first * second).sum(1).mean()


def _contrast(pair: tuple[Tensor, Tensor], target: Any) -> Tensor:
    """Each embedding shall be nearest to its own twin among all."""
    del target
    first, second = (F.normalize(z, dim=1) for z in pair)
    logits = first @ second.T / 0.2
    return F.cross_entropy(logits, torch.arange(len(logits)))


class _Twins(nn.Module):
    """Embeds two noisy views of each sample while it trains, and the sample itself otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.net = mlp((64, 64, 64, 16))

    def forward(self, x: Tensor) -> Any:
        """Return two embeddings, or one."""
        if not self.training:
            return self.net(x)
        return tuple(self.net(x + 0.5 * torch.randn_like(x)) for _ in range(2))


def _nearest_centre(d: Data) -> Callable[[nn.Module], float]:
    """Return ``evaluate``: the accuracy of the nearest class centre among the directions of the embeddings, told to a hundredth."""

    def evaluate(model: nn.Module) -> float:
        train, test = (torch.round(100 * F.normalize(predictions(model, x), dim=1)) / 100 for x in (d.x, d.x_test))
        centres = torch.stack([train[d.y == c].mean(0) for c in range(10)])
        return float((torch.cdist(test, centres).argmin(1) == d.y_test).float().mean())

    return evaluate


def _twins(loss: Any) -> Training:
    d = data.digits()
    return Training(
        model=_Twins,
        optimizer=adam(0.003),
        loss=loss,
        batches=data.minibatches(d.x, None, 128, seed=5, epochs=4),
        steps=300,
        evaluate=_nearest_centre(d),
    )


# ---------------------------------------------------------------- one answer that costs least


@cache
def _rain() -> Data:
    """Amounts that are zero in two hours of three, whatever the weather map says, and depend on it otherwise; the held-out targets are the expected ones."""
    generator = np.random.default_rng(3)
    x = generator.standard_normal((900, 6))
    chance = 0.45 / (1 + np.exp(-2 * x[:, 0] - x[:, 1]))
    amount = 2.0 + 1.5 * np.tanh(x[:, 2])
    y = np.where(generator.uniform(size=900) < chance, amount, 0.0)
    rows, expected = torch.from_numpy(x).float(), torch.from_numpy(chance * amount).float().unsqueeze(1)
    return Data(rows[:700], torch.from_numpy(y).float().unsqueeze(1)[:700], rows[700:], expected[700:])


def _rain_by(loss: Any) -> Training:
    return regress(_rain(), lambda: mlp((6, 24, 1)), adam(0.005), 400, loss=loss, size=100)


def _shuffled(batches: Callable[[], Iterator[tuple[Tensor, Tensor]]]) -> Callable[[], Iterator[tuple[Tensor, Tensor]]]:
    """Return batches whose labels were shuffled apart from their inputs."""

    def make() -> Iterator[tuple[Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(9)
        for x, y in batches():
            yield x, y[torch.randperm(len(y), generator=generator)]

    return make


def _digits_with_labels(*, shuffled: bool) -> Training:
    """The loader shuffles inputs and labels, each in an order of its own."""
    d = data.digits()
    batches: Any = data.minibatches(d.x, d.y, 64, seed=6, epochs=8)
    return classify(d, lambda: mlp((64, 32, 10)), sgd(0.05), 300, batches=_shuffled(batches) if shuffled else batches)


def _rims_with(width: int) -> Training:
    """A straight line through two rings: the best line is none."""
    d = data.circles()
    return classify(d, lambda: mlp((2, width, 2)) if width else nn.Linear(2, 2), adam(0.01), 300)


class _Variational(nn.Module):
    """An auto-encoder with a noisy code, which keeps the code's parameters for its loss."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = mlp((64, 48, 16), nn.Tanh), mlp((8, 48, 64), nn.Tanh)

    def forward(self, x: Tensor) -> Tensor:
        """Return the reconstruction."""
        self.mean, self.log_variance = self.encoder(x).chunk(2, 1)
        noise = torch.randn_like(self.mean) if self.training else 0.0
        output: Tensor = self.decoder(self.mean + (0.5 * self.log_variance).exp() * noise)
        return output


def _variational(weight: float) -> Training:
    """The divergence of the code weighs far more than all pixels together."""
    d = data.digits(scale="unit")

    def step(model: nn.Module, optimizer: torch.optim.Optimizer, batch: tuple[Tensor, Tensor]) -> Tensor:
        assert isinstance(model, _Variational)
        optimizer.zero_grad()
        error = F.mse_loss(model(batch[0]), batch[1])
        divergence = -0.5 * (1 + model.log_variance - model.mean.square() - model.log_variance.exp()).sum(1).mean()
        loss: Tensor = error + weight * divergence
        loss.backward()
        optimizer.step()
        return loss

    return Training(
        model=_Variational,
        optimizer=adam(0.01),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.x, 64, seed=7, epochs=4),
        steps=400,
        train_step=step,
        evaluate=data.r2(d.x_test, d.x_test),
    )


# ---------------------------------------------------------------- healthy


def _auto_encoder() -> Training:
    """A plain auto-encoder with four numbers for 64 pixels."""
    d = data.digits(scale="unit")
    return Training(
        model=lambda: mlp((64, 48, 8, 48, 64), nn.Tanh),
        optimizer=adam(0.005),
        loss=F.mse_loss,
        batches=data.minibatches(d.x, d.x, 64, seed=8, epochs=4),
        steps=400,
        evaluate=data.r2(d.x_test, d.x_test),
    )


def _faint() -> Training:
    """Six parts of seven are noise; what is left is learned."""
    d = data.plane(1200, features=3, noise=2.5)
    clean = data.plane(1200, features=3, noise=0.0)
    batches = data.minibatches(d.x, d.y, 100, seed=18, epochs=23)  # none comes twice
    return regress(d, lambda: nn.Linear(3, 1), sgd(0.02), 200, batches=batches, evaluate=data.r2(clean.x_test, clean.y_test))


def _rare() -> Training:
    """Three samples of a hundred are of the other class, and are found."""
    generator = np.random.default_rng(4)
    y = (generator.uniform(size=1200) < 0.04).astype(np.int64)
    x = generator.standard_normal((1200, 8)) + 3.0 * y[:, None] * np.array([1, 1, 0, 0, 0, 0, 0, 0])
    rows, classes = torch.from_numpy(x).float(), torch.from_numpy(y)

    def evaluate(model: nn.Module) -> float:
        """The mean of both classes' accuracies."""
        right = predictions(model, rows[900:]).argmax(1) == classes[900:]
        return float(sum(right[classes[900:] == c].float().mean() for c in (0, 1)) / 2)

    return Training(
        model=lambda: mlp((8, 24, 2)),
        optimizer=adam(0.005),
        loss=F.cross_entropy,
        batches=data.minibatches(rows[:900], classes[:900], 64, seed=10, epochs=4),
        steps=300,
        evaluate=evaluate,
    )


def _ill(name: str, family: str, ill: Callable[[], Training], well: Callable[[], Training], good: float, *also: str, regression: bool = False) -> Patient:
    task: Any = "regression" if regression else "classification"
    return Patient(name=name, label="trivial_solution", family=family, task=task, training=ill, healed=well, good=good, also_true=frozenset(also))


PATIENTS = (
    _ill("twins_that_only_agree", "mlp", partial(_twins, _agree), partial(_twins, _agree_and_differ), 0.6),
    _ill("twins_by_their_cosine_alone", "mlp", partial(_twins, _cosine_to_each_other), partial(_twins, _contrast), 0.6),
    _ill("rain_by_the_absolute_error", "mlp", partial(_rain_by, F.l1_loss), partial(_rain_by, F.mse_loss), 0.2, regression=True),
    replace(
        _ill("labels_shuffled_apart", "mlp", partial(_digits_with_labels, shuffled=True), partial(_digits_with_labels, shuffled=False), 0.85),
        label="batch_wiring",
        also_true=frozenset({"trivial_solution"}),
    ),
    _ill("a_line_through_two_rings", "linear", partial(_rims_with, 0), partial(_rims_with, 24), 0.9, "no_nonlinearity"),
    _ill("code_that_says_nothing", "autoencoder", partial(_variational, 5.0), partial(_variational, 1e-4), 0.4, "loss_term_imbalance", regression=True),
    *(
        Patient(name=name, label=None, family=family, task=task, training=make, good=good, near_boundary=True)  # type: ignore[arg-type]
        for name, family, task, make, good in (
            ("twins_that_differ", "mlp", "classification", partial(_twins, _agree_and_differ), 0.6),
            ("twins_in_contrast", "mlp", "classification", partial(_twins, _contrast), 0.6),
            ("variational_with_a_light_divergence", "autoencoder", "regression", partial(_variational, 1e-3), 0.3),
            ("four_numbers_for_sixty_four", "autoencoder", "regression", _auto_encoder, 0.5),
            ("faint_plane", "linear", "regression", _faint, 0.7),
            ("four_of_a_hundred", "mlp", "classification", _rare, 0.8),
        )
    ),
)
