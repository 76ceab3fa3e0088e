"""Answers that cost nothing to give: one for everybody, one code for everything; and rare or faint truths that are learned all the same."""

from collections.abc import Callable
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

# ---------------------------------------------------------------- embeddings


class _Views(nn.Module):
    """Embeds two or three noisy views while it trains, the sample itself otherwise."""

    def __init__(self, body: Callable[[], nn.Module], noise: float) -> None:
        super().__init__()
        self.body, self.noise = body(), noise

    def forward(self, x: Tensor) -> Any:
        """Return three embeddings: two views of each sample, and of another one; or one."""
        if not self.training:
            return self.body(x)
        views = [x + self.noise * torch.randn_like(x) for _ in range(2)]
        return self.body(views[0]), self.body(views[1]), self.body(views[0].roll(1, 0))


def _only_attract(views: Any, target: Any) -> Tensor:
    """Distances of twins, and strangers forgotten."""
    del target
    distance: Tensor = (views[0] - views[1]).square().sum(1).mean()
    return distance


def _attract_and_part(views: Any, target: Any) -> Tensor:
    """Twins shall be near, strangers at a distance of one at least."""
    parted = F.relu(2.0 - (views[0] - views[2]).square().sum(1).add(1e-9).sqrt()).square().mean()
    return _only_attract(views, target) + parted


def _squared_triplet(views: Any, target: Any) -> Tensor:
    del target
    near, far = (views[0] - views[1]).square().sum(1), (views[0] - views[2]).square().sum(1)
    return F.relu(near - far + 1.0).mean()


def _same_cosine(views: Any, target: Any) -> Tensor:
    """One minus the cosine of twins."""
    del target
    return (1 - F.cosine_similarity(views[0], views[1], dim=1)).mean()


def _told_apart(d: Data) -> Callable[[nn.Module], float]:
    """Return ``evaluate``: the accuracy of the nearest class centre, embeddings told to a hundredth."""

    def evaluate(model: nn.Module) -> float:
        train, test = (torch.round(100 * predictions(model, x)) / 100 for x in (d.x, d.x_test))
        centres = torch.stack([train[d.y == c].mean(0) for c in range(10)])
        return float((torch.cdist(test, centres).argmin(1) == d.y_test).float().mean())

    return evaluate


def _embedded(loss: Any, body: Callable[[], nn.Module], optimizer: Any, d: Data, steps: int = 300) -> Training:
    return Training(
        model=lambda: _Views(body, 0.5), optimizer=optimizer, loss=loss, batches=data.minibatches(d.x, None, 128, seed=5, epochs=4), steps=steps,
        evaluate=_told_apart(d),
    )  # fmt: skip


def _tall() -> nn.Module:
    return mlp((64, 64, 8))


class _Eye(nn.Module):
    """A small convolutional embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(256, 16))

    def forward(self, x: Tensor) -> Tensor:
        """Return embeddings."""
        z: Tensor = self.net(x)
        return z


# ---------------------------------------------------------------- one answer


@cache
def _rare(share: float) -> Data:
    """A rare class whose sign is weak, and a held-out half with as many of both."""
    generator = np.random.default_rng(51)
    y = (generator.uniform(size=2000) < share).astype(np.int64)
    y_test = np.arange(400) % 2
    x, x_test = (generator.standard_normal((len(c), 6)) + c[:, None] * np.array([1.2, 1.0, 0, 0, 0, 0]) for c in (y, y_test))
    return Data(*(torch.from_numpy(a) for a in (x.astype(np.float32), y, x_test.astype(np.float32), y_test)))


def _rare_class(is_weighted: bool) -> Training:
    """Three of a hundred, and a loss that does not mind losing them."""
    weight = torch.tensor([1.0, 32.0]) if is_weighted else None
    return classify(_rare(0.03), lambda: mlp((6, 24, 2)), adam(0.003), 400, size=64, loss=partial(F.cross_entropy, weight=weight))


def _unread(is_read: bool) -> Training:
    """A mask that was meant to hide padding hides everything."""
    d = data.friedman()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = mlp((10, 32, 32, 1))

        def forward(self, x: Tensor) -> Tensor:
            kept = (x.abs() < 100.0) if is_read else (x.abs() > 100.0)
            y: Tensor = self.net(x * kept)
            return y

    return regress(d, Net, adam(0.005), 300)


def _shuffled_values(is_shuffled: bool) -> Training:
    """Targets in the order of another file."""
    d = data.friedman()
    order = torch.randperm(len(d.y), generator=torch.Generator().manual_seed(52))
    # never the same sample twice in one order, so that there is nothing to learn by heart
    y = d.y[order] if is_shuffled else d.y

    def make() -> Any:
        generator = torch.Generator().manual_seed(53)
        for _ in range(300):
            chosen = torch.randint(len(y), (50,), generator=generator)
            moved = chosen[torch.randperm(50, generator=generator)] if is_shuffled else chosen
            yield d.x[chosen], y[moved]

    return regress(d, lambda: mlp((10, 32, 1), nn.Tanh), sgd(0.05, momentum=0.9), 300, batches=make)


class _Coder(nn.Module):
    """A variational auto-encoder of images."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(128, 12))
        self.decoder = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, x: Tensor) -> Any:
        """Return picture, mean and log variance, or the picture alone in evaluation."""
        mean, log_variance = self.encoder(x).chunk(2, 1)
        if not self.training:
            return self.decoder(mean)
        return self.decoder(mean + (log_variance / 2).exp() * torch.randn_like(mean)), mean, log_variance


def _coded(weight: float) -> Training:
    """The divergence, weighed as in another paper whose pixels were summed."""
    d = data.digit_images(scale="unit")

    def loss(out: Any, x: Tensor) -> Tensor:
        divergence = 0.5 * (out[1].square() + out[2].exp() - 1 - out[2]).sum(1).mean()
        value: Tensor = F.mse_loss(out[0], x) + weight * divergence
        return value

    return Training(
        model=_Coder, optimizer=adam(0.003), loss=loss, batches=data.minibatches(d.x, d.x.flatten(1), 64, seed=7, epochs=4), steps=350,
        evaluate=data.r2(d.x_test, d.x_test.flatten(1)),
    )  # fmt: skip


# ---------------------------------------------------------------- healthy


def _slow_start() -> Training:
    """A deep sigmoid tower in front of two classes: guesses for a while, then learns."""
    return classify(data.circles(), lambda: mlp((2, 32, 32, 2), nn.Sigmoid), adam(0.02), 400)


def _faint_sine() -> Training:
    """Nine parts of ten are noise."""
    d, clean = data.sines(1600, periods=1.0, noise=3.0), data.sines(1600, periods=1.0)
    return regress(d, lambda: mlp((1, 24, 1), nn.Tanh), adam(0.01), 300, size=200, evaluate=data.r2(clean.x_test, clean.y_test))


def _weighted_rare() -> Training:
    return _rare_class(is_weighted=True)


def _ill(name: str, family: str, make: Any, ill: Any, well: Any, good: float, task: Any = "classification", *also: str) -> Patient:
    return Patient(
        name=name, label="trivial_solution", family=family, task=task, training=partial(make, *ill), healed=partial(make, *well), good=good,
        also_true=frozenset(also),
    )  # fmt: skip


def _healthy(name: str, family: str, make: Callable[[], Training], good: float, task: Any = "classification") -> Patient:
    return Patient(name=name, label=None, family=family, task=task, training=make, good=good, near_boundary=True)


PLAIN = (_tall, sgd(0.05, momentum=0.9), data.digits())
SEEN = (_Eye, adam(0.002), data.digit_images())
TUNED = (
    _ill("strangers_forgotten", "mlp", _embedded, (_only_attract, *PLAIN), (_attract_and_part, *PLAIN), 0.6),
    _ill("rare_and_ignored", "mlp", _rare_class, (False,), (True,), 0.7),
    _ill("hidden_by_its_mask", "mlp", _unread, (False,), (True,), 0.7, "regression"),
    _ill("code_without_a_picture", "autoencoder", _coded, (0.5,), (1e-3,), 0.3, "regression", "loss_term_imbalance"),
    _healthy("parted_twins", "mlp", partial(_embedded, _attract_and_part, *PLAIN), 0.6),
    _healthy("guesses_at_first", "mlp", _slow_start, 0.9),
)
HELD = (
    _ill("same_cosine_for_all", "cnn", _embedded, (_same_cosine, *SEEN), (_attract_and_part, *SEEN), 0.6),
    _ill("values_of_another_file", "mlp", _shuffled_values, (True,), (False,), 0.7, "regression"),
    _healthy("triplets_in_pictures", "cnn", partial(_embedded, _squared_triplet, *SEEN), 0.6),
    _healthy("faint_sine", "mlp", _faint_sine, 0.6, "regression"),
    _healthy("rare_and_weighted", "mlp", _weighted_rare, 0.7),
    _healthy("code_with_a_picture", "autoencoder", partial(_coded, 2e-3), 0.3, "regression"),
)
PATIENTS = TUNED + HELD
