"""The loss on the straight line between two models, and the barrier on it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from ..errors import UsageError
from ..records import Sentence
from ..reports.numerals import short
from .evaluation import BatchNormMode, DropoutMode, Evaluator
from .landscape import how_evaluated
from .weights import as_batches, flat_weights

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CONNECTED = 0.02  # a barrier below this share of the mean loss at the two ends counts as none: the 2 % of Frankle et al. 2020, there of the error


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    r"""The losses :math:`L((1-\alpha)\theta_1 + \alpha\theta_2)`.

    Attributes:
        alphas: Positions; 0 is the first model, 1 the second.
        values: Losses there.
        ends: Losses of the two models.
        distance: Euclidean distance between the two.
        said: How it was computed, sentences for the user.
    """

    alphas: np.ndarray
    values: np.ndarray
    ends: tuple[float, float]
    distance: float
    said: tuple[Sentence, ...] = ()

    @property
    def barrier(self) -> float:
        r"""The barrier :math:`\max_{0\le\alpha\le1} L(\alpha) - [(1-\alpha)L(0) + \alpha L(1)]`, at least 0; infinite where the loss is not finite between."""
        between = (self.alphas >= 0.0) & (self.alphas <= 1.0)
        above = self.values[between] - ((1 - self.alphas[between]) * self.ends[0] + self.alphas[between] * self.ends[1])
        if not np.isfinite(self.ends).all():
            return math.nan
        return math.inf if not np.isfinite(above).all() else max(0.0, float(above.max()))

    @property
    def at(self) -> float:
        """Where the barrier is highest, from 0 to 1."""
        between = np.flatnonzero((self.alphas >= 0.0) & (self.alphas <= 1.0))
        above = self.values[between] - ((1 - self.alphas[between]) * self.ends[0] + self.alphas[between] * self.ends[1])
        return float(self.alphas[between[int(np.argmax(np.where(np.isnan(above), math.inf, above)))]])

    @property
    def is_connected(self) -> bool:
        """Whether the barrier is below 2 % of the mean loss at the ends (linear mode connectivity)."""
        return self.barrier <= CONNECTED * abs(sum(self.ends) / 2)

    @property
    def finding(self) -> Sentence:
        """What is to be seen, one sentence."""
        if math.isnan(self.barrier):
            return Sentence("The loss of an end is not finite, so there is no barrier to speak of.", "端点の損失が有限でないため、障壁は定義できません。")
        ends, barrier = f"{short(self.ends[0])} → {short(self.ends[1])}", short(self.barrier)
        if self.is_connected:
            return Sentence(f"No barrier between the two ({ends}): they lie in one valley", f"両者の間に障壁はなく（{ends}）、同じ谷にある")
        return Sentence(
            f"A barrier of {barrier} at α = {self.at:.2f} stands between the two ({ends})", f"両者の間（{ends}）、α = {self.at:.2f} に高さ {barrier} の障壁"
        )

    def figure(self, *, language: str = "en") -> "Figure":
        """Draw it with the straight line between the two losses and the barrier."""
        from ..reports.figures import ACCENT, INK, MUTED, PATH, drawing, new_figure

        figure, axes = new_figure(width=6.4, height=3.8)
        with drawing():
            figure.suptitle(self.finding.in_language(language), fontsize=11, x=0.02, ha="left", color=INK)
            axes.plot(self.alphas, self.values, color=ACCENT, marker="o", markersize=3)
            axes.plot([0, 1], self.ends, color=MUTED, linestyle="--", linewidth=1.2)
            if 0.0 < self.barrier < math.inf:
                base = (1 - self.at) * self.ends[0] + self.at * self.ends[1]
                axes.plot([self.at, self.at], [base, base + self.barrier], color=PATH, linewidth=2)
                label = Sentence(f"barrier {short(self.barrier)}", f"障壁 {short(self.barrier)}").in_language(language)
                axes.annotate(label, (self.at, base + self.barrier / 2), xytext=(6, 0), textcoords="offset points", color=PATH)
            axes.set_xlabel(Sentence(f"α (0: model 1, 1: model 2; distance {short(self.distance)})", "α（0: モデル 1、1: モデル 2）").in_language(language))
            axes.set_ylabel(Sentence("loss", "損失").in_language(language))
        return figure

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data; what is not finite is ``None``."""
        plain = [value if math.isfinite(value) else None for value in self.values.tolist()]
        barrier = self.barrier if math.isfinite(self.barrier) else None
        rest = {"distance": self.distance, "connected": self.is_connected, "finding": {"en": self.finding.en, "ja": self.finding.ja}}
        return {"alphas": self.alphas.tolist(), "values": plain, "ends": list(self.ends), "barrier": barrier, **rest}


def line(
    one: nn.Module,
    two: nn.Module,
    loss: Any,
    batches: Any,
    *,
    resolution: int = 51,
    extent: tuple[float, float] = (0.0, 1.0),
    batch_norm: BatchNormMode = "running",
    dropout: DropoutMode = "off",
    dtype: torch.dtype | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Line:
    """Compute the loss on the straight line between the weights of two models of one architecture; both stay as they were.

    Args:
        one: First model.
        two: Second model.
        loss: ``loss(output, target) -> 0-d tensor``, or ``None`` where the model returns its loss.
        batches: ``(inputs, target)`` or several.
        resolution: Number of points.
        extent: First and last α; 0 and 1, the two models, are always among what is computed.
        batch_norm: ``"running"``: stored statistics (all buffers) are interpolated like weights, as averaging two state dicts does; ``"batch"``: those of
            each batch; ``"recalibrate"``: estimated anew on the batches at each point.
        dropout: ``"off"``, or ``"frozen"``: the same masks at every point.
        dtype: Precision of the evaluation.
        progress: Called with (points done, points).

    Limits:
        With BatchNorm and ``"running"`` much of a barrier may be an artefact of statistics that fit no network between the two: compare with
        ``"recalibrate"``. Units are not permuted to match: two independent trainings usually show a barrier (Entezari et al. 2021).

    References:
        Frankle et al. 2020, "Linear mode connectivity and the lottery ticket hypothesis"; Entezari et al. 2021, "The role of permutation
        invariance in linear mode connectivity", definition 2.1; Jordan et al. 2022, "REPAIR", on BatchNorm.

    Raises:
        UsageError: The models differ in their weights, or fewer than two points were asked for.

    Example:
        >>> one, two = (nn.Linear(1, 1, bias=False).double() for _ in range(2))
        >>> _ = one.weight.data.fill_(-1.0), two.weight.data.fill_(1.0)
        >>> batch = (torch.ones(1, 1).double(), torch.ones(1, 1).double())
        >>> found = line(one, two, lambda y, t: ((y**2 - t) ** 2).mean(), batch, resolution=5)  # a double well
        >>> found.barrier, found.at
        (1.0, 0.5)
    """
    start, end = flat_weights(one), flat_weights(two)
    if start.shape != end.shape or [p.shape for p in one.parameters()] != [p.shape for p in two.parameters()]:
        raise UsageError(f"A line needs two models of one architecture; these have {len(start)} and {len(end)} weights, or the same in other shapes.")
    if resolution < 2 or not extent[0] < extent[1]:
        raise UsageError(f"A line needs two points or more and a first α below the last, and got {resolution} and {extent}.")
    asked = np.union1d(np.linspace(extent[0], extent[1], resolution), [0.0, 1.0])
    evaluator = Evaluator(one, loss, as_batches(batches), start, end - start, torch.zeros_like(start), batch_norm=batch_norm, dropout=dropout, dtype=dtype)
    evaluator.buffers = _buffers(one, two)
    values = np.full(len(asked), math.nan)
    for begin, losses in evaluator.losses(np.stack([asked, np.zeros_like(asked)], 1)):
        values[begin : begin + len(losses)] = losses
        if progress is not None:
            progress(begin + len(losses), len(asked))
    ends = tuple(float(values[np.flatnonzero(asked == alpha)[0]]) for alpha in (0.0, 1.0))
    said = how_evaluated(evaluator)
    if batch_norm == "running" and any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in one.modules()):
        said += (
            Sentence(
                "Stored BatchNorm statistics were interpolated, not recalibrated: part of a barrier may come from them.",
                "BatchNorm の統計量は補間したもので、再推定していません。障壁の一部はそのためかもしれません。",
            ),
        )
    distance = float((end.double() - start.double()).norm())
    return Line(alphas=asked, values=values, ends=(ends[0], ends[1]), distance=distance, said=said)


def barrier(one: nn.Module, two: nn.Module, loss: Any, batches: Any, *, resolution: int = 51, batch_norm: BatchNormMode = "running") -> float:
    """Return the height of the barrier between two models; see :func:`line` and :attr:`Line.barrier`."""
    return line(one, two, loss, batches, resolution=resolution, batch_norm=batch_norm).barrier


def _buffers(one: nn.Module, two: nn.Module) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]] | None:
    """Return the buffers of both, ``None`` where they agree."""
    first, second = ({name: buffer.detach().clone() for name, buffer in model.named_buffers()} for model in (one, two))
    if first.keys() != second.keys() or any(first[name].shape != second[name].shape for name in first):
        raise UsageError("The two models have different buffers, so there is no line between them.")
    return None if all(torch.equal(first[name], second[name]) for name in first) else (first, second)
