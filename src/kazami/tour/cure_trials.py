"""Every cure of the texts applied alone, in the calm and in the storm, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..maps import Training
from ..patients.data import accuracy, minibatches
from ..records import Sentence
from .deep_net import BATCH, EVERY, MOMENTUM, RATE, STEPS, Outcome, Setting, data, one_thread, train

CALM, STORM = Setting(), Setting(activation="relu", initialisation="too_large")
ENOUGH = 0.95  # of the accuracy of a network without hidden layers: what a deep one should at least come near
CLIP = 1.0
FINE = 4  # without a cure each fourth step is recorded, for the large map
OUTBREAK = 8  # steps of the storm that are looked at one by one
FACTOR = 10.0  # of the learning rate


@dataclass(frozen=True, slots=True)
class Cure:
    """A cure, or two together.

    Attributes:
        name: Its name.
        brief: Its name in a narrow column.
        calm: The network in the calm with it; ``None`` where it changes nothing there.
        storm: The same in the storm.
        is_pair: Whether it is two cures together.
    """

    name: Sentence
    brief: Sentence
    calm: Setting | None
    storm: Setting | None
    is_pair: bool = False


def _cure(name: tuple[str, str], brief: tuple[str, str], calm: dict[str, Any] | None, storm: dict[str, Any] | None, *, is_pair: bool = False) -> Cure:
    changed = [None if changes is None else base.replaced(**changes) for base, changes in ((CALM, calm), (STORM, storm))]
    return Cure(Sentence(*name), Sentence(*brief), changed[0], changed[1], is_pair)


def _same(name: tuple[str, str], brief: tuple[str, str], **changes: Any) -> Cure:
    return _cure(name, brief, changes, changes)


NO_CURE = _same(("no cure", "治療なし"), ("none", "なし"))
CURES = (
    _cure(("ReLU instead of sigmoid", "シグモイドの代わりに ReLU"), ("ReLU", "ReLU"), {"activation": "relu"}, None),
    _same(("batch normalisation", "バッチ正規化"), ("batch norm", "バッチ正規化"), batch_norm=True),
    _same(("gradient clipping", "勾配クリッピング"), ("clipping", "クリップ"), clip=CLIP),
    _same(("Xavier initialisation", "Xavier 初期化"), ("Xavier", "Xavier"), initialisation="xavier"),
    _same(("He initialisation", "He 初期化"), ("He", "He"), initialisation="he"),
    _same(("residual connections", "残差接続"), ("residual", "残差"), residual=True),
    _cure(("another learning rate", "学習率の変更"), ("rate", "学習率"), {"rate": RATE * FACTOR}, {"rate": RATE / FACTOR}),
    _cure(("ReLU + He", "ReLU + He"), ("ReLU+He", "ReLU+He"), {"activation": "relu", "initialisation": "he"}, None, is_pair=True),
    _cure(("ReLU + residual", "ReLU + 残差"), ("ReLU+resid.", "ReLU+残差"), {"activation": "relu", "residual": True}, None, is_pair=True),
    _cure(("He + clipping", "He + クリッピング"), ("He+clip", "He+クリップ"), None, {"initialisation": "he", "clip": CLIP}, is_pair=True),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """A cure and what came of it in the calm and in the storm; ``None`` where it was not tried."""

    cure: Cure
    calm: Outcome | None
    storm: Outcome | None


@dataclass(frozen=True, slots=True)
class Trials:
    """All cures, what came without any, and what a network without hidden layers reaches.

    Attributes:
        none: Without a cure.
        all: The cures.
        shallow: Held-out accuracy of a network without hidden layers, 0 to 1.
        outbreak: The first steps of the storm, each of them recorded.
    """

    none: Trial
    all: tuple[Trial, ...]
    shallow: float
    outbreak: Outcome

    def mark(self, outcome: Outcome | None) -> str:
        """Return ``"✓"`` where nothing is wrong and enough is learnt, ``"◐"`` where the weather is fair but less is learnt, ``"✗"`` else, "
        "``"–"`` for no trial."""
        if outcome is None:
            return "–"
        if outcome.wind.value != 0:
            return "✗"
        return "✓" if outcome.accuracy >= ENOUGH * self.shallow else "◐"

    def alone(self, weather: str, *marks: str) -> list[Cure]:
        """Return the single cures whose outcome in ``"calm"`` or ``"storm"`` has one of the marks."""
        return [trial.cure for trial in self.all if not trial.cure.is_pair and self.mark(getattr(trial, weather)) in marks]


def try_all(tell: Callable[[Cure], None]) -> Trials:
    """Train all of them from the same seed on the same batches; ``tell`` hears which cure is being tried."""

    def tried(cure: Cure) -> Trial:
        tell(cure)
        every = FINE if cure is NO_CURE else EVERY
        return Trial(cure, *(None if setting is None else train(setting, steps=STEPS, every=every) for setting in (cure.calm, cure.storm)))

    return Trials(
        none=tried(NO_CURE), all=tuple(tried(cure) for cure in CURES), shallow=without_hidden_layers(), outbreak=train(STORM, steps=OUTBREAK, every=1)
    )


def without_hidden_layers() -> float:
    """Return the held-out accuracy that one linear layer reaches with the same batches, steps, rate and momentum."""
    known = data()
    training = Training(
        model=lambda: nn.Linear(known.x.shape[1], 10),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM),
        loss=nn.functional.cross_entropy,
        batches=minibatches(known.x, known.y, BATCH, epochs=20),
        steps=STEPS,
        evaluate=accuracy(known.x_test, known.y_test),
    )
    with one_thread(), torch.random.fork_rng(devices=[]):
        return training.run().score or 0.0
