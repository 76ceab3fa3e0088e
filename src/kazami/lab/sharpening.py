"""Sharpness along a full-batch training, against the limit that its optimizer puts on it."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ..curvature import HessianProducts, optimizer_threshold, preconditioner, top_eigenvalue
from ..maps import Training

Floats = NDArray[np.float64]
TOLERANCE, PRODUCTS = 2e-3, 60


@dataclass(frozen=True, slots=True)
class Sharpening:
    """What was seen.

    Attributes:
        losses: Before every step, shape ``(steps,)``.
        steps: Where the sharpness was measured, the first of two consecutive steps each.
        ratios: Sharpness over the optimizer's threshold, the mean over the two steps.
    """

    losses: Floats
    steps: Floats
    ratios: Floats

    @property
    def late(self) -> float:
        """Mean ratio over the second half of the training."""
        return float(self.ratios[self.steps >= len(self.losses) / 2].mean())


def sharpening(training: Training, *, steps: int, probes: int) -> Sharpening:
    r"""Train and measure the top eigenvalue of the Hessian, preconditioned where the optimizer is adaptive, at ``probes`` places.

    At the edge of stability the iterates hop between two sides of a valley, and one parity reads too much or too little: each measurement is the mean over
    two consecutive steps.

    Args:
        training: A full-batch training without a scheduler.
        steps: How many.
        probes: Number of places, evenly spaced.
    """
    run = training.start()
    inputs, target = next(iter(training.batches()))
    parameters = list(run.model.parameters())
    generator = torch.Generator().manual_seed(0)
    places = np.unique(np.linspace(2, steps - 2, probes).astype(int))
    wanted = set(places) | set(places + 1)
    losses, found = np.empty(steps), {}
    for step in range(steps):
        run.optimizer.zero_grad()
        loss = training.loss(run.model(inputs), target)
        losses[step] = loss.item()
        if step in wanted:
            divisor = preconditioner(run.optimizer, parameters)
            products = HessianProducts(loss, parameters, preconditioner=divisor)
            top = top_eigenvalue(products, generator=generator, tolerance=TOLERANCE, max_products=PRODUCTS)
            threshold = optimizer_threshold(run.optimizer)
            found[step] = threshold.stability_ratio(top.value) if threshold is not None else float("nan")
        loss.backward()
        run.optimizer.step()
    return Sharpening(losses, places.astype(float), np.array([0.5 * (found[place] + found[place + 1]) for place in places]))
