"""Clip each tensor's gradient by its own past."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, before_trouble, both

if TYPE_CHECKING:
    from ..maps import Training

RATIO = 1.05
MEMORY = 0.98
START = 100
PERCENTILE = 90


class Adagc(AbstractCure):
    r"""Clips the gradient of each tensor at 1.05 times the exponential average of its own clipped norms.

    For the first steps, at most a hundred, the total norm is clipped at its 90th percentile in this run (the authors: at 1).

    Limits:
        The averages can grow by a thousandth a step only: a training whose gradients must grow is slowed, unless the optimizer rescales them, as Adam does.
    """

    name: ClassVar = "adagc"
    treats: ClassVar = ("loss_spike",)
    order: ClassVar = 3
    changes: ClassVar = both(
        "Clips each tensor's gradient by its own past norms (AdaGC).", "各テンソルの勾配を、自身の過去のノルムに基づいて打ち切ります（AdaGC）。"
    )
    side_effects: ClassVar = both("One number more per tensor to keep in a checkpoint.", "チェックポイントに保存する数値がテンソルごとに一つ増えます。")
    reference: ClassVar = "Wang et al. 2025, AdaGC: adaptive gradient clipping, arXiv 2502.11034, algorithm 1 (ratio 1.05, beta 0.98, 100 steps of warm-up)"

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the lines, whose start is clipped at the run's own percentile; ``None`` where no norms were seen."""
        norms = before_trouble(finding, trace, "total_gradient_norm")
        norms = norms[norms > 0]
        if norms.size == 0:
            return None
        limit, steps = float(f"{np.percentile(norms, PERCENTILE):.2g}"), min(START, max(trace.step // 10, 1))
        lines = [
            "means, n = {}, 0  # before the loop",
            f'total, n = float(torch.nn.utils.clip_grad_norm_(model.parameters(), {limit:g} if n < {steps} else float("inf"))), n + 1',
            "for p in (p for p in model.parameters() if p.grad is not None):",
            "    norm, mean = float(p.grad.norm()), means.get(p, 0.0)",
            f"    kept = min(norm, {RATIO:g} * mean) if n > {steps} and mean > 0 else norm",
            "    p.grad.mul_(kept / norm if norm > 0 else 1.0)",
            f"    means[p] = kept if mean == 0 else min(mean, kept) if n <= {steps} else {MEMORY:g} * mean + {1 - MEMORY:.2g} * kept",
        ]
        return self.prescription(
            parameters={"ratio": RATIO, "memory": MEMORY, "start_steps": steps, "start_norm": limit},
            code="\n".join(lines),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training whose optimizer clips each tensor; ``None`` for an optimizer that takes a closure."""
        from ._guards import ClipsTensors, with_guard

        given = float(parameters["ratio"]), float(parameters["memory"]), int(parameters["start_steps"]), float(parameters["start_norm"])
        return with_guard(training, lambda: ClipsTensors(*given))
