"""Validation passes as the script itself makes them: the losses it computes without gradients between two training steps, one curve for each place in its code.

Nothing is run for it but, once a pass, the loss of at most 1024 samples one by one, for the standard errors of its mean and of its change.
"""

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from .evaluation_hooks import REDUCTION_AT

if TYPE_CHECKING:
    from .player import Player

MOST_SITES = 4
MOST_ROWS = 1024
MOST_FRAMES = 64
LOSS, ERROR, RISE_ERROR = "validation_loss", "validation_error", "validation_rise_error"


@dataclass(slots=True)
class Site:
    """One place in the script's code that evaluates.

    Attributes:
        number: Its place among the sites, the first is 0.
        kind: Of the loss.
        reduction: Of the loss, as torch numbers it.
        total: Sum of the losses of all samples of the pass in progress, on its device.
        samples: How many those are.
        few: The losses of the first samples of the pass, one by one; ``None`` until they are looked at, or where they cannot be.
        best: The same of the pass with the lowest mean so far, and that mean.
        passes: Number of passes that ended.
    """

    number: int
    kind: str
    reduction: int
    total: Tensor | None = None
    samples: int = 0
    few: Tensor | None = None
    best: tuple[float, Tensor | None] = (math.inf, None)
    passes: int = 0

    def series(self, name: str) -> str:
        """Return the name of the site's series: the first one's has no number."""
        return name if self.number == 0 else f"{name}_{self.number + 1}"


@dataclass(slots=True)
class Validation:
    """The evaluations of one training.

    Attributes:
        sites: The places seen, by the lines of code that led there.
        is_eval_mode: Whether the model was in evaluation mode at the newest pass; ``None`` where no module is known.
    """

    sites: dict[int, Site] = field(default_factory=dict)
    is_eval_mode: bool | None = None

    def add(self, kind: str, function: Callable[..., Tensor], arguments: tuple[Any, ...], result: Tensor) -> bool:
        """Take one loss into the pass in progress; return whether it opened a pass."""
        output, target = arguments[:2]
        place = REDUCTION_AT[kind]
        if len(arguments) <= place or target.numel() == 0 or output.is_complex():
            return False
        key = _lines_above()
        site = self.sites.get(key)
        if site is None:
            if len(self.sites) >= MOST_SITES:
                return False
            site = self.sites[key] = Site(len(self.sites), kind, int(arguments[place]))
        is_new = site.samples == 0
        n = int(target.numel()) if kind not in ("cross_entropy", "nll") or not target.is_floating_point() else int(target.shape[0])
        mean = result.detach().float()
        total = mean.sum() if site.reduction == 0 else mean * n if site.reduction == 1 else mean
        site.total = total if site.total is None else site.total + total.to(site.total.device)
        site.samples += n
        if is_new and output.dim() > 0:
            site.few = _one_by_one(function, arguments, place)
        return is_new

    def note_mode(self, modules: Iterable[nn.Module], player: "Player") -> None:
        """Look whether the model is in evaluation mode."""
        own = [module for module in modules if any(id(parameter) in player.parameters for parameter in module.parameters())]
        self.is_eval_mode = not any(module.training for module in own) if own else None

    def close(self, player: "Player", step: int) -> None:
        """End the pass in progress, if there is one, and note its mean losses at ``step``, the step whose weights come next."""
        for site in self.sites.values():
            if site.samples == 0 or site.total is None:
                continue
            mean = float(site.total) / site.samples
            player.add_number(site.series(LOSS), step, mean)
            player.add_number(site.series(ERROR), step, _error(site.few, None, site.samples))
            player.add_number(site.series(RISE_ERROR), step, _error(site.few, site.best[1], site.samples))
            if mean < site.best[0]:
                site.best = mean, site.few
            site.passes += 1
            site.total, site.samples, site.few = None, 0, None
            player.facts["validation"] = self.fact(player)

    def fact(self, player: "Player") -> dict[str, Any]:
        """Return what the evaluations are, as plain data."""
        sites = [
            {"series": site.series(LOSS), "error": site.series(ERROR), "rise_error": site.series(RISE_ERROR), "kind": site.kind, "passes": site.passes}
            for site in self.sites.values()
        ]
        return {"sites": sites, "is_eval_mode": self.is_eval_mode, "scale": median(player.scales) if player.scales else 1.0}


def _lines_above() -> int:
    """Return a number for the lines of code that led here: the batches of one pass share them, two calls of one function from two lines do not."""
    frame = sys._getframe(2)
    lines: list[tuple[str, int]] = []
    while frame is not None and len(lines) < MOST_FRAMES:
        lines.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back  # type: ignore[assignment]
    return hash(tuple(lines))


def _one_by_one(function: Callable[..., Tensor], arguments: tuple[Any, ...], place: int) -> Tensor | None:
    """Return the losses of the first samples."""
    few = [item[:MOST_ROWS] if index < 2 else item for index, item in enumerate(arguments)]
    few[place] = 0
    try:
        return function(*few).float().reshape(-1)
    except (RuntimeError, ValueError, IndexError):  # a weight for each sample, or shapes that broadcast
        return None


def _error(few: Tensor | None, before: Tensor | None, samples: int) -> float:
    """Return the standard error of a mean over ``samples``, or of its change since another pass over the same ones; NaN where the samples were not seen.

    A pass in another order gives the larger error of two independent means, which is right for it too.
    """
    if few is None or few.numel() < 2 or (before is not None and before.shape != few.shape):
        return math.nan
    return float((few if before is None else few - before).std()) / math.sqrt(samples)
