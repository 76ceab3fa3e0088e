"""How fast tiny differences grow in somebody's own training: the tangent exponent, the twins' exponent, and what both mean, in one answer."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dynamics import GrowthPhase, finite_perturbation_exponent, growth_phase, lyapunov_spectrum, max_lyapunov
from ..maps import Training, TrainingMap
from ..records import Sentence
from ..records.estimate import Estimate, Outcome, Remark
from ..reports.numerals import short
from .line_figure import Panel, panel_figure
from .unfrozen import unfrozen

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TWIN_STEPS, LEAST_TWIN_STEPS = 200, 60
LARGEST_TWINS = 200_000  # parameters; beyond it twins cost more than the tangent
SMOOTH = 40  # windows along a plot


@dataclass(frozen=True, slots=True)
class DifferenceGrowth:
    """What was measured.

    Attributes:
        estimate: The largest exponent, or the spectrum.
        phase: Whether growth lasts.
        twins: The finite-perturbation exponent from one initialisation, ``None`` where it would be too dear or the run too short.
        sentence: What it means.
        is_complete: Whether nothing was interrupted.
    """

    estimate: Estimate
    phase: GrowthPhase
    twins: Estimate | None
    sentence: Sentence
    is_complete: bool = True

    @property
    def largest(self) -> tuple[float, float]:
        """The largest exponent and its standard error."""
        return float(np.ravel(self.estimate.value)[0]), float(np.ravel(self.estimate.uncertainty)[0])

    @property
    def remarks(self) -> tuple[tuple[Remark, ...], tuple[Remark, ...]]:
        """Conditions and warnings."""
        extra = () if self.twins is None else self.twins.warnings
        return self.estimate.conditions, (*self.estimate.warnings, *extra)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, the form of ``--json``."""
        horizon = self.estimate.horizon
        twins = None if self.twins is None else {key: value for key, value in self.twins.to_dict().items() if key not in ("local", "details")}
        return {
            **self.estimate.to_dict(),
            "horizon": horizon if math.isfinite(horizon) else None,
            "phase": self.phase.to_dict(),
            "twins": twins,
            "complete": self.is_complete,
            "sentence": {"en": self.sentence.en, "ja": self.sentence.ja},
        }

    def figure(self, language: str = "en") -> "Figure":
        """Draw the local exponents and the estimate as it settled."""
        local = self.estimate.local if self.estimate.local.ndim == 1 else self.estimate.local[:, 0]
        width = max(1, len(local) // SMOOTH)
        usable = len(local) - len(local) % width
        smooth = local[:usable].reshape(-1, width).mean(axis=1)
        places = self.estimate.transient + width * (np.arange(len(smooth)) + 0.5)
        settled = np.cumsum(local) / np.arange(1, len(local) + 1)
        after = self.estimate.transient + np.arange(len(local))
        step, unit = Sentence("step", "ステップ"), Sentence("exponent, 1/step", "指数、1/ステップ")
        value, error = (short(number) for number in self.largest)
        titles = Sentence(_kind(self.phase)[0], _kind(self.phase)[1]), Sentence(f"λ = {value} ± {error} per step", f"λ = {value} ± {error} / ステップ")
        zero = (np.array([after[0], after[-1]]), np.zeros(2)) if len(after) else (np.zeros(1), np.zeros(1))
        panels = [
            Panel({f"λ(t), mean of {width} steps": (places, smooth), "0": zero}, titles[0], (step, unit)),
            Panel({"mean up to here": (after, settled), "0": zero}, titles[1], (step, unit)),
        ]
        return panel_figure(panels, language=language)


def difference_growth(
    training: Training, *, steps: int, transient: int = 0, k: int = 1, twins: bool = True, seed: int = 0, progress: Callable[[int], None] | None = None
) -> DifferenceGrowth:
    """Measure how fast tiny differences grow along a training.

    Args:
        training: Any training.
        steps: Steps that count.
        transient: Steps before them.
        k: How many exponents.
        twins: Whether to measure the finite-perturbation exponent too, where that is affordable.
        seed: Of tangent vectors and perturbations.
        progress: Called with the number of steps taken.

    Ctrl-C, once a step counts, ends it: the estimate of the steps taken is kept, without twins.
    """
    m = TrainingMap(unfrozen(training))
    if k > 1:
        found = lyapunov_spectrum(m, k, steps=steps, transient=transient, seed=seed, progress=progress, keeps_partial=True)
    else:
        found = max_lyapunov(m, steps, transient=transient, seed=seed, progress=progress, keeps_partial=True)
    phase = growth_phase(found)
    span = min(TWIN_STEPS, transient + steps)
    beside, is_complete = None, found.outcome is not Outcome.INTERRUPTED
    if twins and is_complete and span >= LEAST_TWIN_STEPS and m.n_parameters <= LARGEST_TWINS:
        try:
            beside = finite_perturbation_exponent(m, initialisations=1, steps=span, widths=range(30, min(101, span), 5), seed=seed)
        except KeyboardInterrupt:
            is_complete = False
    return DifferenceGrowth(found, phase, beside, _sentence(found, phase), is_complete)


def _kind(phase: GrowthPhase) -> tuple[str, str]:
    words = {
        "sustained": ("Nearby trainings go on parting", "近い軌道は離れ続ける"),
        "transient": (f"Nearby trainings part until step {phase.until}, then no more", f"近い軌道が離れるのはステップ {phase.until} まで"),
        "none": ("Nearby trainings do not part", "近い軌道は離れない"),
    }
    return words.get(phase.kind, ("Whether nearby trainings part is not decided", "近い軌道が離れるかは決まらない"))


def _sentence(found: Estimate, phase: GrowthPhase) -> Sentence:
    value, error = float(np.ravel(found.value)[0]), float(np.ravel(found.uncertainty)[0])
    en, ja = _kind(phase)
    if not math.isfinite(value):
        return Sentence(f"No exponent could be measured. {found.outcome.value}", "指数は測定できませんでした。状態が有限ではありません。")
    number = f"λ = {short(value)} ± {short(error)}"
    if phase.kind == "sustained" and value > 2 * error:
        horizon = short(found.horizon)
        return Sentence(
            f"{en}: {number} per step, so a tiny difference grows e-fold every {horizon} steps.",
            f"{ja}（{number}／ステップ）。微小な差は {horizon} ステップごとに e 倍になります。",
        )
    return Sentence(f"{en}: {number} per step over these steps.", f"{ja}（このステップ数で {number}／ステップ）。")
