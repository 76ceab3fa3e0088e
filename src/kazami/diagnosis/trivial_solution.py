"""A network that gives every input the same answer."""

import math
from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding
from ..records.trace import Progress, Trace
from ._answers import FEW, LEAST_STEPS, ONE_ANSWER, agreement, always_one, inputs_alike, one_class, output_of, silent_code
from ._base import AbstractRule, both, early, number, short
from ._curves import of_run
from ._meanings import meaning_of
from ._progress import SLOW_PACE, is_slow

SHRUNK = 0.05  # of its own largest, where no target is seen


class TrivialSolution(AbstractRule):
    """Fires when little is gained and the outputs hardly differ between samples though the inputs do.

    The standard deviation of the outputs over the samples of a batch (of the probabilities, for classes) must be below a tenth of that of the targets:
    everybody gets the mean, the class shares, the median. Where no target is seen, below a twentieth of what it was. It says what a network does and not
    why, so it ranks behind every rule that knows a cause, and is a remark beside them. The value at which the loss stands is told with its meaning.

    Where every sample reaches the first layer as the same numbers although the targets differ, that is the cause, and told at once; so is a softmax over
    a single number before the loss.

    A loss that only asks two outputs of one network to agree has that solution as its optimum, so there the loss says nothing: it fires when directions of
    the outputs that were spread have collapsed to one.

    References:
        Chen and He 2021, "Exploring simple Siamese representation learning" (arXiv 2011.10566), section 4.1, for the spread of scaled outputs.
    """

    id: ClassVar = "KZ317"
    name: ClassVar = "trivial_solution"
    title: ClassVar = both("answers that differ between inputs", "入力ごとに異なる出力")
    family: ClassVar = "symptom"
    rank: ClassVar = 85
    wind: ClassVar = -1.5
    curves: ClassVar = {
        "loss": of_run("loss"),
        "classes that are ever answered": of_run("answered_classes"),
        "spread of the outputs' directions": of_run("embedding_spread"),
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if the outputs do not depend on the inputs."""
        certain = always_one(trace) or agreement(trace) or inputs_alike(trace) or silent_code(trace)
        if certain is not None:
            return self.finding(**certain)
        progress = trace.progress
        if progress is None or progress.is_diverging or not _stands_still(trace, progress):
            return None
        likely = one_class(trace)
        if likely is not None:
            return self.finding(**likely)
        value, limit, against, ja = _constancy(trace)
        if not value < limit or not _inputs_differ(trace):
            return None
        meaning = meaning_of(progress.now, trace)
        en_meaning = f" The loss of {meaning.en}." if meaning is not None else ""
        ja_meaning = f"損失 {meaning.ja}。" if meaning is not None else ""
        return self.finding(
            confidence=0.6 + 0.15 * (1 - value / limit) + (0.1 if meaning is not None else 0.0),
            severity="warning" if trace.step >= LEAST_STEPS else "info",
            place=output_of(trace),
            evidence=[
                Evidence(
                    f"variation of the outputs over samples, against {against}",
                    value,
                    limit,
                    "",
                    "docs/findings",
                    name_ja=f"出力のサンプル間のばらつき（{ja}比）",
                ),
                Evidence("loss", progress.now, None, "", "" if meaning is None else meaning.en, name_ja="損失"),
            ],
            sentence=both(
                f"The network gives nearly the same answer to every input: the outputs vary by {short(value)} of {against}.{en_meaning}",
                f"どの入力にもほぼ同じ答えを出しています（出力のばらつきは{ja}の {short(value)} 倍）。{ja_meaning}",
            ),
        )


def _stands_still(trace: Trace, progress: Progress) -> bool:
    """Return whether little is gained; what outputs that hardly vary can explain is known without the loss, which may hold other terms beside."""
    return progress.pace < SLOW_PACE if trace.has("output_variation") and "adversarial" not in trace.facts else is_slow(progress)


def _constancy(trace: Trace) -> tuple[float, float, str, str]:
    """Return how much the outputs vary, the limit, and against what, in both languages."""
    if trace.has("output_variation"):
        return number(trace, "output_variation", FEW), ONE_ANSWER, "the targets' variation", "目標値のばらつき"
    spread = trace["head_spread"].values
    spread = spread[np.isfinite(spread)]
    largest = float(spread.max()) if spread.size >= 2 * FEW else math.nan
    now = float(np.median(spread[-FEW:])) / largest if largest > 0 else math.nan
    return now, SHRUNK, "what they once did", "これまでの最大"


def _inputs_differ(trace: Trace) -> bool:
    """Return whether samples differ where the first layer, or a later one, reads them; ``True`` where it cannot be told."""
    spread = early(trace, "input_spread")
    seen = spread[np.isfinite(spread)]
    return seen.size == 0 or float(seen.max()) > 0
