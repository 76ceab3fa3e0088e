"""Too few samples for too many weights, with a validation pass that shows it, and trainings whose validation only looks like that."""

from functools import partial
from typing import Any

from torch import nn
from torch.nn import functional as F

from ...maps import Training
from .. import data
from .._base import Patient
from ..blocks import SmallCnn, TinyTransformer, mlp
from .more_tasks import adam, adamw, classify, regress, sgd
from .validating import Validates, certainty, few, mislabelled


def _misread_digits(n: int) -> Training:
    """Three labels in ten are wrong; of a hundred digits a wide network learns each, of a thousand what they share."""
    d = mislabelled(few(data.digits(), n), 0.3, 10)
    step = Validates(F.cross_entropy, d, 5)
    return classify(d, lambda: mlp((64, 128, 128, 10)), adam(0.003), 300, train_step=step, evaluate=certainty(d, 10))


def _wide_on_diabetes(decay: float) -> Training:
    d = data.diabetes()
    return regress(d, lambda: mlp((10, 128, 128, 1)), adamw(0.003, weight_decay=decay), 400, train_step=Validates(F.mse_loss, d, 5))


def _noisy_surface(noise: float) -> Training:
    d = data.friedman(noise=noise)
    return regress(d, lambda: mlp((10, 128, 128, 1)), adam(0.003), 300, size=30, train_step=Validates(F.mse_loss, d, 4))


def _misread_images(n: int) -> Training:
    d = mislabelled(few(data.digit_images(), n), 0.3, 10)
    step = Validates(F.cross_entropy, d, 5)
    return classify(d, lambda: SmallCnn(16), adam(0.005), 300, train_step=step, evaluate=certainty(d, 10))


def _line_on_diabetes() -> Training:
    """A small gap that stays: the noise of the targets."""
    d = data.diabetes()
    return regress(d, lambda: nn.Linear(10, 1), adam(0.03), 400, train_step=Validates(F.mse_loss, d, 5))


def _wine_by_heart() -> Training:
    """The training loss goes to zero, the validation loss stays low where it is."""
    d = data.wine()
    return classify(d, lambda: mlp((13, 64, 3)), adam(0.01), 200, train_step=Validates(F.cross_entropy, d, 3))


def _up_and_down() -> Training:
    """The validation loss of mislabelled digits rises for a while, and falls below its first valley later."""
    return _misread_digits(1300)


def _tokens() -> Training:
    d = data.commonest_token()
    step = Validates(F.cross_entropy, d, 4)
    return classify(d, lambda: TinyTransformer(3, 9, 3), adam(0.003), 120, train_step=step, evaluate=certainty(d, 3))


def _few_irises() -> Training:
    """Validated on forty flowers at every second step: a jagged curve."""
    d = data.iris()
    return classify(d, lambda: mlp((4, 16, 3)), sgd(0.3, momentum=0.9), 200, size=8, train_step=Validates(F.cross_entropy, d, 2))


def _healthy(name: str, family: str, make: Any, good: float, task: Any = "classification") -> Patient:
    return Patient(name=name, label=None, family=family, task=task, training=make, good=good, near_boundary=True)


PATIENTS = (
    Patient(
        name="hundred_misread_digits_by_heart",
        label="overfitting",
        family="mlp",
        task="classification",
        training=partial(_misread_digits, 100),
        healed=partial(_misread_digits, 1300),
        good=0.7,
    ),
    Patient(
        name="wide_network_on_diabetes",
        label="overfitting",
        family="mlp",
        task="regression",
        training=partial(_wide_on_diabetes, 0.0),
        healed=partial(_wide_on_diabetes, 3.0),
        good=0.4,
    ),
    Patient(
        name="surface_whose_noise_is_learned",
        label="overfitting",
        family="mlp",
        task="regression",
        training=partial(_noisy_surface, 1.0),
        healed=partial(_noisy_surface, 0.1),
        good=0.6,
    ),
    Patient(
        name="misread_images_by_heart",
        label="overfitting",
        family="cnn",
        task="classification",
        training=partial(_misread_images, 100),
        healed=partial(_misread_images, 1300),
        good=0.7,
    ),
    _healthy("line_on_diabetes_validated", "linear", _line_on_diabetes, 0.4, "regression"),
    _healthy("wine_learned_to_the_last_drop", "mlp", _wine_by_heart, 0.9),
    _healthy("validation_up_and_down", "mlp", _up_and_down, 0.7),
    _healthy("tokens_validated", "transformer", _tokens, 0.8),
    _healthy("few_irises_validated_often", "mlp", _few_irises, 0.8),
)
