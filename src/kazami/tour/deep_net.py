"""The deep network that the tour sends into the calm and into the storm, trained on real digits and watched by kazami."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from ..maps import Training, TrainingRun
from ..patients.data import Data, accuracy, digits, minibatches
from ..records import Finding, RunInfo, Sentence, Trace, Wind
from ..reports.outcome import run_wind, verdict
from ..reports.weather import NO_GRADIENT, map_title, weather_of
from ..watch.watching import CHECKS, watch

HIDDEN = 10  # the text's own number: 0.25 to the power of 10
WIDTH = 64
BATCH = 64
STEPS = 120
EVERY = 12  # each twelfth step is recorded: enough for a verdict and a small map, and a fifth of the time of looking at all
RATE, MOMENTUM = 0.05, 0.9
STORM_GAIN = 2.0  # weights this many times those of He: the signal doubles in every layer

Initialisation = Literal["default", "xavier", "he", "too_large"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to build and train the network.

    Attributes:
        activation: ``"sigmoid"`` or ``"relu"``.
        initialisation: PyTorch's default, Xavier, He, or He times `STORM_GAIN`.
        batch_norm: Whether a batch normalisation stands before each activation.
        residual: Whether each hidden layer's input is added to its output.
        clip: Largest total gradient norm, ``None`` for no clipping.
        rate: Learning rate.
    """

    activation: Literal["sigmoid", "relu"] = "sigmoid"
    initialisation: Initialisation = "default"
    batch_norm: bool = False
    residual: bool = False
    clip: float | None = None
    rate: float = RATE

    def replaced(self, **changes: object) -> "Setting":
        """Return a copy with some settings changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


class DeepNet(nn.Module):
    """Pixels, `HIDDEN` hidden layers of one width, ten logits; each hidden layer is φ(XW+b).

    Args:
        setting: How it is built.
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.setting = setting
        for place in range(1, HIDDEN + 1):
            self.add_module(f"layer{place}", nn.Linear(WIDTH, WIDTH))  # the digits have 64 pixels too
            if setting.batch_norm:
                self.add_module(f"norm{place}", nn.BatchNorm1d(WIDTH))
        self.add_module("output", nn.Linear(WIDTH, 10))
        for module in self.children():
            if isinstance(module, nn.Linear):
                initialise(module, setting.initialisation)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits of shape ``(samples, 10)``."""
        phi = torch.sigmoid if self.setting.activation == "sigmoid" else torch.relu
        for place in range(1, HIDDEN + 1):
            z = self.get_submodule(f"layer{place}")(x)
            if self.setting.batch_norm:
                z = self.get_submodule(f"norm{place}")(z)
            x = x + phi(z) if self.setting.residual else phi(z)
        logits: Tensor = self.get_submodule("output")(x)
        return logits


def initialise(layer: nn.Linear, how: Initialisation) -> None:
    """Draw the weights of a layer anew, with zero biases; ``"default"`` leaves what PyTorch drew."""
    if how == "default":
        return
    nn.init.zeros_(layer.bias)
    if how == "xavier":
        nn.init.xavier_normal_(layer.weight)
        return
    gain = STORM_GAIN if how == "too_large" else 1.0
    nn.init.normal_(layer.weight, 0.0, gain * math.sqrt(2 / layer.in_features))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one training went, and what kazami says of it.

    Attributes:
        accuracy: Share of right answers on held-out digits, 0 to 1; 0 where the outputs are not finite.
        loss: Mean of the last five training losses; NaN where one is not finite.
        wind: kazami's word.
        verdict: kazami's sentence.
        finding: The primary finding's name; empty where nothing is wrong.
        findings: All of them.
        names: The weight layers, input first.
        gradients: Root-mean-square of ∂L/∂z in each weight layer at the first step.
        weather: Layer wind, shape ``(layers, recorded steps)``, gaps filled: +Inf where lost, -Inf where exactly zero.
        steps: The recorded steps.
        title: What the weather map shows, in a sentence.
    """

    accuracy: float
    loss: float
    wind: Wind
    verdict: Sentence
    finding: str
    findings: tuple[Finding, ...]
    names: tuple[str, ...]
    gradients: tuple[float, ...]
    weather: np.ndarray
    steps: tuple[int, ...]
    title: Sentence


@cache
def data() -> Data:
    """Return the digits, pixels from 0 to 1, with a held-out part."""
    return digits(scale="unit")


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: matrices this small are no faster on more, and the numbers are the same on every machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train(setting: Setting, *, steps: int = STEPS, every: int = EVERY, seed: int = 0) -> Outcome:
    """Train the network as ``setting`` says, watched at each ``every``-th step, and return what came of it."""
    known = data()
    training = Training(
        model=lambda: DeepNet(setting),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=setting.rate, momentum=MOMENTUM),
        loss=nn.functional.cross_entropy,
        batches=minibatches(known.x, known.y, BATCH, seed=seed, epochs=20),
        steps=steps,
        evaluate=accuracy(known.x_test, known.y_test),
        seed=seed,
        clip_grad_norm=setting.clip,
    )
    watches = []

    def attach(run: TrainingRun) -> None:
        watches.append(watch(run.model, run.optimizer, every=every))

    with one_thread(), torch.random.fork_rng(devices=[]):
        try:
            run = training.run(before=attach)
        finally:
            for seen in watches:
                seen.close()
    return _outcome(run, watches[0].trace, tuple(watches[0].findings))


def _outcome(run: TrainingRun, trace: Trace, findings: tuple[Finding, ...]) -> Outcome:
    info = RunInfo(id="", steps=trace.step)
    weights = [place for place, layer in enumerate(trace.layers) if layer.kind == "linear"]
    weather = weather_of(trace, findings)
    primary = next((finding.name for finding in findings if finding.is_primary), "")
    last = run.losses[-5:]
    return Outcome(
        accuracy=run.score or 0.0,
        loss=sum(last) / len(last),
        wind=run_wind(info, findings),
        verdict=verdict(info, findings, CHECKS),
        finding=primary,
        findings=findings,
        names=tuple(trace.layers[place].name for place in weights),
        gradients=tuple(float(trace["output_gradient_rms"].values[0, place]) for place in weights),
        weather=held(weather.wind[:, weights]).T,
        steps=tuple(int(step) for step in weather.steps),
        title=map_title(weather),
    )


def held(wind: np.ndarray) -> np.ndarray:
    """Return the wind, shape ``(steps, layers)``, with gaps filled by the value before: a layer keeps its weather until it is seen again.

    >>> held(np.array([[-1.0], [np.nan], [-20.0]])).ravel().tolist()
    [-1.0, -1.0, -inf]
    """
    filled = np.where(wind <= NO_GRADIENT, -np.inf, wind)
    for row in range(1, len(filled)):
        filled[row] = np.where(np.isnan(filled[row]), filled[row - 1], filled[row])
    return filled
