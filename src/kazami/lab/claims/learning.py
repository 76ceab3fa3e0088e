"""Claims about learning: explosions and clipping, steps that overshoot, low and high learning rates, and what a gradient costs."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from ...dynamics import max_lyapunov
from ...maps import CubicDescent
from ...nets import mlp
from ...patients.data import digits
from ..danovski import low, middle
from ..networks import stormy_classifier
from ..overshoot import first_step
from ..small_trainings import Factors
from ..training_loops import classifier_training, descent, losses_until_overflow, scores
from ._base import Check, Claim, Sentence, case

DANOVSKI = Factors("10", "sigmoid", "normal:1", "cross_entropy")
RATE, STEPS = 0.1, 300
GROWTH = "exponent of nearby trainings, 1/step"


def _network(excess: float) -> nn.Sequential:
    return stormy_classifier(10, width=64, n_in=64, n_classes=10, excess=excess, seed=0)


def _clipping() -> Sequence[Check]:
    found = []
    for excess, en, ja in (
        (3.0, "exploding: three times He's variance", "爆発: He の 3 倍の分散"),
        (0.2, "vanishing: a fifth of He's variance", "消失: He の 1/5 の分散"),
    ):
        model = _network(excess)
        losses = losses_until_overflow(classifier_training(model, digits(), descent(RATE), steps=STEPS, seed=1, clip_grad_norm=1.0))
        accuracy = scores(model, digits()).train_accuracy if math.isfinite(losses[-1]) else 0.0
        found.append(case((en, ja), accuracy, 0.5, "at_least", f"training accuracy after {STEPS} clipped steps"))
    return found


def _overwrites() -> Sequence[Check]:
    found = []
    for excess, en, ja in ((3.0, "weights of three times He's variance", "He の 3 倍の分散の重み"), (1.0, "He initialisation", "He 初期化")):
        x, y = digits().x[:128], digits().y[:128]
        step = first_step(_network(excess), x, y, RATE)
        found.append(case((en, ja), step.overwritten, 1.0, "at_least", "length of the first update over that of the weights it changes"))
    return found


def _ends_in_nan() -> Sequence[Check]:
    found = []
    for rate, en, ja in ((RATE, "learning rate 0.1", "学習率 0.1"), (1e-9, "learning rate 1e-9", "学習率 1e-9")):
        losses = losses_until_overflow(classifier_training(_network(3.0), digits(), descent(rate), steps=STEPS, seed=1))
        found.append(case((en, ja), float(not math.isfinite(losses[-1])), 1.0, "at_least", "whether the loss stops being finite"))
    return found


def _drifts() -> Sequence[Check]:
    found: Any = low(DANOVSKI, seed=0, epsilons=(1e-8,), replicas=4, steps=600)
    growth = float(found["distances"][0, -1] / found["distances"][0, 0])
    condition = "Iris, η = 0.01, 600 steps", "Iris、η = 0.01、600 ステップ"
    return [case(condition, growth, 1.0, "at_least", "last distance of nearby trainings over the first")]


def _chaos() -> Sequence[Check]:
    rows = []
    for a in (0.9, 1.1, 1.9):
        value = float(max_lyapunov(CubicDescent(a=a), steps=20_000, transient=1000))
        rows.append(case((f"one weight, a = ηy = {a:g}", f"重み 1 つ、a = ηy = {a:g}"), value, 0.01, "at_least", GROWTH))
    iris: Any = middle(DANOVSKI, 1e-8, seed=0, initialisations=8)
    return [*rows, case(("Iris, η = 1, the first 200 steps", "Iris、η = 1、最初の 200 ステップ"), iris["value"], 0.05, "at_least", GROWTH)]


def _passes() -> Sequence[Check]:
    found = []
    for sizes in ("3-4-2", "5-10-10-3"):
        model, calls = mlp(sizes, seed=0).double(), [0]
        n_weights = sum(parameter.numel() for parameter in model.parameters())
        x = torch.ones(1, int(sizes.split("-")[0]), dtype=torch.float64)
        model.register_forward_hook(lambda *_, calls=calls: calls.__setitem__(0, calls[0] + 1))
        _forward_differences(model, x)
        what = "forward passes of a one-sided difference minus (weights + 1)"
        found.append(case((f"{n_weights} weights", f"重み {n_weights} 個"), calls[0] - (n_weights + 1), 0.0, "within", what))
    return found


def _forward_differences(model: nn.Module, x: torch.Tensor) -> list[float]:
    with torch.no_grad():
        base = float(model(x).square().sum())
        found = []
        for parameter in model.parameters():
            flat = parameter.view(-1)
            for place in range(flat.numel()):
                kept = float(flat[place])
                flat[place] = kept + 1e-6
                found.append((float(model(x).square().sum()) - base) / 1e-6)
                flat[place] = kept
    return found


CLAIMS = (
    Claim(
        "clipping-cures",
        "M0.6",
        Sentence("Gradient clipping makes a badly initialised network learn.", "勾配クリッピングは初期化の悪いネットワークを学習させる。"),
        _clipping,
    ),
    Claim(
        "explosion-overwrites",
        "M0.12",
        Sentence("An exploding gradient overwrites the weights in one update.", "勾配爆発は一度の更新で重みを上書きする。"),
        _overwrites,
    ),
    Claim("explosion-ends-in-nan", "M0.5", Sentence("An exploding gradient ends in NaN.", "勾配爆発は NaN に至る。"), _ends_in_nan),
    Claim(
        "low-rate-drifts", "M4.2", Sentence("At a low learning rate nearby trainings drift apart.", "学習率が低いと、近い軌道はゆっくり離れていく。"), _drifts
    ),
    Claim("high-rate-chaos", "M4.5", Sentence("A high learning rate makes training chaotic.", "学習率が高いと学習はカオスになる。"), _chaos),
    Claim(
        "numerical-derivative-passes",
        "M3.3",
        Sentence("A numerical derivative needs one forward pass per weight and one more.", "数値微分には重み 1 つごとに 1 回と、さらに 1 回の順伝播が要る。"),
        _passes,
    ),
)
