"""Fitting a typed-in formula by backpropagation: how the error falls with the width of the network and with the number of steps."""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..records import Sentence
from ..reports.numerals import short
from .copies import undisturbed
from .formula import Formula, parse_formula

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_TRAIN, N_TEST = 256, 400
LEARNING_RATE = 0.01
MARKS = 24  # how often the error is looked at on the way

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One network fitted to the formula.

    Attributes:
        width: Units in each of the two hidden layers.
        seed: Of its initial weights.
        n_weights: Trainable weights.
        steps: Steps at which the error was looked at.
        rms: Root mean square error on held-out points at these steps, in the unit of the formula.
        largest: Largest error on held-out points after the last step, same unit.
        train_rms: Root mean square error on the training points after the last step.
        seconds: s.
        curve: What the network says on the held-out points at the end.
    """

    width: int
    seed: int
    n_weights: int
    steps: tuple[int, ...]
    rms: tuple[float, ...]
    largest: float
    train_rms: float
    seconds: float
    curve: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaFit:
    """How near networks of several widths come to a formula.

    Attributes:
        formula: What was fitted.
        interval: Where, for each variable.
        spread: Standard deviation of the formula's values: the error of the best constant.
        fits: One per width and seed.
        points: The held-out points, shape ``(points, variables)``.
        truth: The formula there.
        is_whole: Whether all fits were made before an interrupt.
    """

    formula: Formula
    interval: tuple[float, float]
    spread: float
    fits: tuple[Fit, ...]
    points: "np.ndarray[Any, np.dtype[np.float64]]"
    truth: "np.ndarray[Any, np.dtype[np.float64]]"
    is_whole: bool = True

    def by_width(self) -> dict[int, tuple[float, float]]:
        """Return for each width the medians over seeds of the last RMS error and of the largest error."""
        widths = sorted({fit.width for fit in self.fits})
        groups = {width: [fit for fit in self.fits if fit.width == width] for width in widths}
        return {width: (statistics.median(f.rms[-1] for f in group), statistics.median(f.largest for f in group)) for width, group in groups.items()}

    @property
    def best(self) -> Fit:
        """The fit with the smallest last RMS error."""
        return min(self.fits, key=lambda fit: fit.rms[-1] if math.isfinite(fit.rms[-1]) else math.inf)

    @property
    def sentence(self) -> Sentence:
        """The result in one sentence."""
        best = self.best
        share = short(best.rms[-1] / self.spread) if self.spread > 0 else "–"
        return Sentence(
            f"With {best.width} units per layer and {best.steps[-1]} steps of backprop the network is within {short(best.rms[-1])} (RMS) and "
            f"{short(best.largest)} (largest) of {self.formula.text} on held-out points: {share} of the error of the best constant.",
            f"各層 {best.width} ユニット、{best.steps[-1]} ステップの誤差逆伝播で、学習に使わない点での {self.formula.text} との差は "
            f"RMS {short(best.rms[-1])}、最大 {short(best.largest)} です（最良の定数の誤差の {share} 倍）。",
        )

    def rows(self, language: str = "en") -> tuple[list[str], list[list[str]]]:
        """Return header and cells of a table: width against steps, medians over seeds."""
        japanese = language == "ja"
        shown = _spaced(self.fits[0].steps)
        header = [
            "幅" if japanese else "width",
            *(f"{step} {'ステップ' if japanese else 'steps'}" for step in shown),
            "最大誤差" if japanese else "largest error",
        ]
        cells = []
        for width, (_, largest) in self.by_width().items():
            group = [fit for fit in self.fits if fit.width == width]
            errors = [statistics.median(fit.rms[fit.steps.index(step)] for fit in group) for step in shown]
            cells.append([str(width), *map(short, errors), short(largest)])
        return header, cells

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data."""
        from dataclasses import asdict

        fits = [{key: list(value) if isinstance(value, tuple) else value for key, value in asdict(fit).items() if key != "curve"} for fit in self.fits]
        return {
            "formula": self.formula.text,
            "variables": list(self.formula.variables),
            "interval": list(self.interval),
            "spread": self.spread,
            "by_width": {str(width): {"rms": rms, "largest": largest} for width, (rms, largest) in self.by_width().items()},
            "fits": fits,
            "is_whole": self.is_whole,
            "sentence": {"en": self.sentence.en, "ja": self.sentence.ja},
        }

    def figure(self, language: str = "en") -> "Figure":
        """Return the error against steps for each width, and, for one variable, the formula with the best network on it."""
        from ..reports.figures import ACCENT, DASHES, MUTED, SERIES, drawing, new_figure

        japanese = language == "ja"
        is_curve = len(self.formula.variables) == 1
        with drawing():
            figure, axes = new_figure(1, 1 + is_curve, width=9.0 if is_curve else 6.4, height=3.6, squeeze=False)
            panel = axes[0, 0]
            for place, width in enumerate(self.by_width()):
                group = [fit for fit in self.fits if fit.width == width]
                middle = np.median([fit.rms for fit in group], axis=0)
                label = f"幅 {width}" if japanese else f"width {width}"
                panel.plot(group[0].steps, middle, color=SERIES[place % len(SERIES)], linestyle=DASHES[place % len(DASHES)], label=label)
            panel.axhline(self.spread, color=MUTED, linewidth=1, linestyle=":")
            panel.set(xscale="log", yscale="log")
            panel.set(xlabel="ステップ" if japanese else "steps", ylabel="RMS 誤差（未学習点）" if japanese else "RMS error, held-out points")
            panel.legend(fontsize=9)
            if is_curve:
                axes[0, 1].plot(self.points[:, 0], self.truth, color=MUTED, linewidth=4, alpha=0.5, label=self.formula.text)
                axes[0, 1].plot(self.points[:, 0], self.best.curve, color=ACCENT, linewidth=1.4, label=f"{'幅' if japanese else 'width'} {self.best.width}")
                axes[0, 1].set(xlabel="x")
                axes[0, 1].legend(fontsize=9)
            low, high = min(rms for rms, _ in self.by_width().values()), max(rms for rms, _ in self.by_width().values())
            title = (
                f"誤差は幅とともに {short(high)} から {short(low)} へ" if japanese else f"Error between {short(high)} and {short(low)}, depending on the width"
            )
            figure.suptitle(f"{self.formula.text}: {title}", x=0.01, ha="left", fontsize=11)
        return figure


def fit_formula(
    formula: str | Formula,
    *,
    widths: Sequence[int] = (2, 8, 32, 128),
    steps: int = 2000,
    seeds: Sequence[int] = (0, 1, 2),
    interval: tuple[float, float] = (-2.0, 2.0),
    progress: Progress | None = None,
) -> FormulaFit:
    """Fit networks of several widths to a formula by backprop with Adam, and measure how near they come.

    Each network has two hidden tanh layers; inputs and targets are scaled to unit size for training, and errors are told in the formula's own unit.
    Training points are drawn at random, held-out points lie on a grid (one variable) or are drawn too.

    Args:
        formula: For example ``"sin(3*x) + 0.2*x**2"``; see :func:`parse_formula`.
        widths: Units per hidden layer.
        steps: Optimizer steps; the learning rate falls to zero along a cosine.
        seeds: Of the initial weights; training points stay the same.
        interval: Where each variable lies.
        progress: Called with (steps done, steps in all).

    Raises:
        UsageError: The formula cannot be read, or has no finite value at some point of the interval.

    Limits:
        The error also depends on optimizer, schedule and number of points. That error falls with width and steps is what the theory of approximation allows,
        and not what it promises of descent. An interrupt ends the work and keeps the fits made so far.

    References:
        Cybenko 1989, "Approximation by superpositions of a sigmoidal function"; Hornik 1991.

    Example:
        >>> found = fit_formula("2*x - 1", widths=(8,), steps=300, seeds=(0,))
        >>> found.best.rms[-1] < 0.05 * found.spread
        True
    """
    parsed = formula if isinstance(formula, Formula) else parse_formula(formula)
    _refuse_nonsense(widths, steps, seeds, interval)
    train, test = _points(parsed, interval)
    truth_train, truth = parsed(train), parsed(test)
    if not np.isfinite(truth_train).all() or not np.isfinite(truth).all():
        bad = next((point for point in np.vstack([test, train]) if not np.isfinite(parsed(point[None]))[0]), test[0])
        raise UsageError(
            f"{parsed.text} has no finite value at {', '.join(f'{value:.3g}' for value in bad)}. Choose an interval where it has, such as 0.1 to 4."
        )
    jobs = [(width, seed) for width in widths for seed in seeds]
    fits: list[Fit] = []
    with undisturbed(torch.float64), suppress(KeyboardInterrupt):
        for place, (width, seed) in enumerate(jobs):
            tell = None if progress is None else (lambda done, place=place: progress(place * steps + done, len(jobs) * steps))
            fits.append(_fit(width, seed, steps, (train, truth_train), (test, truth), tell))
    if not fits:
        raise KeyboardInterrupt
    return FormulaFit(
        formula=parsed, interval=interval, spread=float(truth.std()), fits=tuple(fits), points=test, truth=truth, is_whole=len(fits) == len(jobs)
    )  # fmt: skip


def _refuse_nonsense(widths: Sequence[int], steps: int, seeds: Sequence[int], interval: tuple[float, float]) -> None:
    if not widths or min(widths) < 1 or steps < 1 or not seeds:
        raise UsageError(f"There should be widths of 1 or more, 1 step or more and one seed or more, and there are {list(widths)}, {steps} and {list(seeds)}.")
    if not (math.isfinite(interval[0]) and math.isfinite(interval[1]) and interval[0] < interval[1]):
        raise UsageError(f"The interval should go from a smaller to a larger number, and is {interval}.")


def _points(formula: Formula, interval: tuple[float, float]) -> "tuple[Any, Any]":
    generator, n = np.random.default_rng(0), len(formula.variables)
    low, high = interval
    train = generator.uniform(low, high, (N_TRAIN * n, n))
    test = np.linspace(low, high, N_TEST)[:, None] if n == 1 else generator.uniform(low, high, (N_TEST * n, n))
    return train, test


def _fit(width: int, seed: int, steps: int, train: "tuple[Any, Any]", test: "tuple[Any, Any]", tell: Callable[[int], None] | None) -> Fit:
    began = time.perf_counter()
    torch.manual_seed(seed)
    n = train[0].shape[1]
    model = nn.Sequential(nn.Linear(n, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))
    centre, half = train[0].mean(0), max(train[0].std(), 1e-12)
    level, size = train[1].mean(), max(train[1].std(), 1e-12)
    x, y = torch.from_numpy((train[0] - centre) / half), torch.from_numpy((train[1] - level) / size)
    x_test = torch.from_numpy((test[0] - centre) / half)
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    marks = sorted({round(steps ** (mark / MARKS)) for mark in range(MARKS + 1)} | {10**power for power in range(9) if 10**power < steps})
    errors = []
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x)[:, 0], y).backward()
        optimizer.step()
        schedule.step()
        if step in marks:
            errors.append(_rms(model, x_test, test[1], level, size))
            if tell is not None:
                tell(step)
    with torch.no_grad():
        said = level + size * model(x_test)[:, 0].numpy()
    off = np.abs(said - test[1])
    return Fit(
        width=width, seed=seed, n_weights=sum(p.numel() for p in model.parameters()), steps=tuple(marks), rms=tuple(errors), largest=float(off.max()),
        train_rms=_rms(model, x, train[1], level, size), seconds=time.perf_counter() - began, curve=tuple(map(float, said)),
    )  # fmt: skip


def _rms(model: nn.Module, x: Tensor, truth: Any, level: float, size: float) -> float:
    with torch.no_grad():
        return float(np.sqrt(np.mean((level + size * model(x)[:, 0].numpy() - truth) ** 2)))


def _spaced(steps: Sequence[int]) -> list[int]:
    """Return a few of the steps: about one per power of ten, and the last."""
    chosen = [min(steps, key=lambda step: abs(step - target)) for target in (10.0**power for power in range(1, 9)) if target < steps[-1]]
    return sorted({*chosen, steps[-1]})
