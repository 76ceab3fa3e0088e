"""What evaluation computes and training does not: statistics of something else, dropout that was left on; and cases that only look like it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SmallCnn, mlp
from ..data import Data
from .more_tasks import adam, classify, regress, sgd
from .validating import Validates


def _with_momentum(model: nn.Module, momentum: float | None) -> nn.Module:
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = momentum
    return model


def _sorted(d: Data, size: int, *, shuffled: bool) -> Callable[[], Iterator[tuple[Tensor, Tensor]]]:
    """Batches of one class each, or mixed ones."""
    if shuffled:
        return data.minibatches(d.x, d.y, size, epochs=4)

    def make() -> Iterator[tuple[Tensor, Tensor]]:
        generator = torch.Generator().manual_seed(41)
        classes = int(d.y.max()) + 1
        for _ in range(40):
            for c in torch.randperm(classes, generator=generator).tolist():
                own = torch.nonzero(d.y == c)[:, 0]
                chosen = own[torch.randperm(len(own), generator=generator)[:size]]
                yield d.x[chosen], d.y[chosen]

    return make


def _one_class_a_batch(shuffled: bool) -> Training:
    d = data.blobs(spread=1.2)
    return classify(d, lambda: mlp((6, 32, 32, 4), norm=nn.BatchNorm1d), adam(0.003), 250, batches=_sorted(d, 32, shuffled=shuffled))


def _raw_wine(momentum: float) -> Training:
    """Raw features through a normalisation that hardly remembers anything of them."""
    d = data.wine(scale="raw")
    return classify(d, lambda: _with_momentum(nn.Sequential(nn.BatchNorm1d(13), mlp((13, 24, 3))), momentum), sgd(0.1, momentum=0.9), 100)


def _pictures(momentum: float) -> Training:
    d = data.digit_images(scale="unit").with_inputs(lambda x: 4.0 * x - 6.0)
    return classify(d, lambda: _with_momentum(SmallCnn(6, norm=True), momentum), adam(0.002), 200)


class _LeftOn(Validates):
    """Validates without switching to evaluation."""

    def __call__(self, model: nn.Module, optimizer: torch.optim.Optimizer, batch: Any) -> Tensor:
        """Take one step, and validate if it is time."""
        optimizer.zero_grad()
        loss = self.loss(model(batch[0]), batch[1])
        loss.backward()
        optimizer.step()
        self.n += 1
        if self.n % self.every == 0:
            with torch.no_grad():
                self.loss(model(self.data.x_test), self.data.y_test)
        return loss


def _as_it_stands(d: Data) -> Callable[[nn.Module], float]:
    """Return ``evaluate``: the accuracy with the model as it is, training mode or not, as the script does it."""

    def evaluate(model: nn.Module) -> float:
        with torch.no_grad():
            return float((model(d.x_test).argmax(1) == d.y_test).float().mean())

    return evaluate


def _dropped_while_validating(is_left_on: bool, dropout: float = 0.6) -> Training:
    """Dropout at work while the script validates and when it is used."""
    d = data.digits()
    if is_left_on:
        return classify(
            d, lambda: mlp((64, 64, 64, 10), dropout=dropout), adam(0.003), 300, train_step=_LeftOn(F.cross_entropy, d, 10), evaluate=_as_it_stands(d)
        )
    return classify(d, lambda: mlp((64, 64, 64, 10), dropout=dropout), adam(0.003), 300, train_step=Validates(F.cross_entropy, d, 10))


def _one_memory(momentum: float) -> Training:
    """Statistics of the newest four samples alone."""
    d = data.digits()
    return classify(d, lambda: _with_momentum(mlp((64, 48, 48, 48, 10), norm=nn.BatchNorm1d), momentum), adam(0.003), 500, size=4)


def _borrowed_statistics(momentum: float) -> Training:
    """Running statistics that came with weights from other units, and a momentum that keeps them."""
    d = data.friedman().with_inputs(lambda x: 30.0 * x + 200.0)

    def model() -> nn.Module:
        norm = nn.BatchNorm1d(10)
        norm.get_buffer("running_mean").add_(20.0)
        norm.get_buffer("running_var").mul_(10.0)
        return _with_momentum(nn.Sequential(norm, mlp((10, 32, 1))), momentum)

    return regress(d, model, adam(0.01), 200)


def _faster_than_its_statistics(rate: float) -> Training:
    """Weights that change faster than the running statistics can follow."""

    def model() -> nn.Module:
        return _with_momentum(mlp((64, 64, 64, 64, 10), norm=nn.BatchNorm1d), 0.01)

    return classify(data.digits(), model, adam(rate), 100)


def _cumulative() -> Training:
    """Statistics over all batches so far, of inputs that do not change."""
    return classify(data.digits(), lambda: _with_momentum(mlp((64, 48, 10), norm=nn.BatchNorm1d), None), adam(0.003), 300)


def _patient_statistics() -> Training:
    return classify(data.digits(), lambda: _with_momentum(mlp((64, 48, 48, 10), norm=nn.BatchNorm1d), 0.03), adam(0.003), 300)


def _validated_in_training() -> Training:
    """Validated without switching to evaluation, and nothing in the model cares."""
    d = data.digits()
    return classify(d, lambda: mlp((64, 64, 10), norm=nn.LayerNorm), adam(0.003), 250, train_step=_LeftOn(F.cross_entropy, d, 10), evaluate=_as_it_stands(d))


def _light_dropout() -> Training:
    d = data.digits()
    return classify(d, lambda: mlp((64, 96, 10), dropout=0.1), adam(0.003), 300, train_step=_LeftOn(F.cross_entropy, d, 10), evaluate=_as_it_stands(d))


def _eights() -> Training:
    d = data.digit_images()
    return classify(d, lambda: SmallCnn(norm=True), adam(0.003), 300, size=8)


def _ill(name: str, family: str, make: Any, ill: Any, well: Any, good: float, task: Any = "classification", *also: str) -> Patient:
    return Patient(
        name=name, label="train_eval_mismatch", family=family, task=task, training=partial(make, ill), healed=partial(make, well), good=good,
        also_true=frozenset(also),
    )  # fmt: skip


def _healthy(name: str, family: str, make: Callable[[], Training], good: float) -> Patient:
    return Patient(name=name, label=None, family=family, task="classification", training=make, good=good, near_boundary=True)


TUNED = (
    _ill("one_class_a_batch", "mlp", _one_class_a_batch, False, True, 0.85),
    _ill("raw_wine_hardly_remembered", "mlp", _raw_wine, 1e-3, 0.1, 0.9, "classification", "input_scaling"),
    _ill("dropout_left_on", "mlp", _dropped_while_validating, True, False, 0.95),
    _healthy("statistics_of_all_batches", "mlp", _cumulative, 0.93),
    _healthy("validated_in_training_mode", "mlp", _validated_in_training, 0.93),
    _healthy("normalised_in_eights", "cnn", _eights, 0.9),
)
HELD = (
    _ill("pictures_hardly_remembered", "cnn", _pictures, 2e-3, 0.1, 0.9),
    _ill("statistics_of_the_newest_four", "mlp", _one_memory, 1.0, 0.1, 0.85),
    _ill("borrowed_statistics", "mlp", _borrowed_statistics, 5e-3, 0.2, 0.6, "regression", "input_scaling"),
    _ill("faster_than_its_statistics", "mlp", _faster_than_its_statistics, 0.2, 0.001, 0.85, "classification", "lr_too_high"),
    _healthy("patient_statistics", "mlp", _patient_statistics, 0.93),
    _healthy("light_dropout_left_on", "mlp", _light_dropout, 0.9),
)
PATIENTS = TUNED + HELD
