"""Sharpness followed along a training, each time from the last eigenvector: ``python benchmarks/sharpness_tracking.py [--quick] [--only small]``.

Peer, installed first: PyHessian at git head on the path.

At every step of a training the tracker is given the live loss. Counted are its Hessian products, and its error against the float64 eigenvalue at the same
weights, found cold by ARPACK from another start: neither the tracker nor the truth knows of the other. PyHessian, which starts cold at every step, is asked
at the same weights with the same tolerance. The training itself is plain PyTorch.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from figures import Figure, publish
from hessians import Case, blobs, cross_entropy, differentiable_attention, mlp, reference
from pyhessian import hessian
from torch import nn
from trainings import GPT

from kazami.curvature import SharpnessTracker

GOAL_PRODUCTS, GOAL_ERROR = 2.5, 2e-2
TOLERANCE = 2e-2


@dataclass(frozen=True)
class Plan:
    """A training, at how many steps it is looked at, and every how many of these the truth is found as well."""

    case: Callable[[], Case]
    optimizer: Callable[[nn.Module], torch.optim.Optimizer]
    steps: int
    every: int = 1


def sgd(rate: float, momentum: float = 0.0) -> Callable[[nn.Module], torch.optim.Optimizer]:
    """Return what makes the optimizer."""
    return lambda model: torch.optim.SGD(model.parameters(), lr=rate, momentum=momentum)


def classes() -> Case:
    """A tanh network on blobs."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 4))
    return Case("small tanh network, SGD", model, *blobs(200, 20, 4), cross_entropy)


def relu() -> Case:
    """A ReLU network at a rate that takes it to the edge of stability."""
    torch.manual_seed(1)
    inputs = torch.randn(120, 10)
    model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    return Case("small ReLU network, SGD with momentum", model, inputs, inputs[:, :3].prod(1, keepdim=True), nn.functional.mse_loss)


def convolution() -> Case:
    """A convolutional network with BatchNorm."""
    torch.manual_seed(2)
    inputs, target = blobs(32, 3 * 12 * 12, 5)
    body = (nn.Conv2d(3, 12, 3), nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 12, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(192, 5))
    return Case("small convolutional network, SGD", nn.Sequential(*body), inputs.view(-1, 3, 12, 12), target, cross_entropy)


def transformer() -> Case:
    """A transformer of two layers."""
    torch.manual_seed(3)
    words = torch.randint(0, 32, (8, 17))
    return Case("small transformer, SGD", GPT(width=32, depth=2, places=16, words=32), words[:, :-1], words[:, 1:], cross_entropy)


PLANS = (
    Plan(classes, sgd(0.3), 150, 3),
    Plan(relu, sgd(0.01, 0.9), 150, 3),
    Plan(convolution, sgd(0.05), 100, 4),
    Plan(transformer, sgd(0.3), 100, 4),
    Plan(lambda: mlp(0), sgd(0.1), 60, 6),
)


@dataclass(frozen=True)
class Followed:
    """What was found along one training."""

    products: np.ndarray
    errors: np.ndarray
    theirs: np.ndarray
    honest: float


def follow(plan: Plan, steps: int) -> tuple[str, Followed]:
    """Train, measure at every step, and find the truth at some."""
    case = plan.case()
    optimizer, tracker = plan.optimizer(case.model), SharpnessTracker(tolerance=TOLERANCE)
    products, errors, theirs, said = [], [], [], []
    case.model.eval()  # so that a float64 copy has the same loss, and PyHessian too; BatchNorm then keeps its first statistics
    for step in range(steps):
        optimizer.zero_grad()
        loss = case.loss_of()
        found = tracker.measure(loss, case.parameters, None)
        if found is None:
            raise RuntimeError(tracker.blind_reason)
        products.append(found.n_products - 1)  # one product is for the curvature along the gradient
        if step % plan.every == 0:
            truth = reference(case, tolerance=1e-4)
            errors.append(abs(found.value / truth - 1.0))
            said.append(found.converged)
            torch.manual_seed(step)
            twin = case.twin()
            twin.zero_grad()
            theirs.append(abs(hessian(twin, case.loss, data=(case.inputs, case.target), cuda=False).eigenvalues(tol=TOLERANCE)[0][0] / truth - 1.0))
        loss.backward()
        optimizer.step()
    within = np.array(errors)[np.array(said)] <= TOLERANCE
    return case.name, Followed(np.array(products), np.array(errors), np.array(theirs), float(within.mean()) if len(within) else float("nan"))


def measure(plan: Plan, *, is_quick: bool) -> list[Figure]:
    """Return products a step and the worst error of one training."""
    began = time.process_time()
    steps = 30 if is_quick else plan.steps
    name, found = follow(plan, steps)
    print(
        f"[{time.process_time():.0f} s] {name}: {steps} steps, {len(found.errors)} of them against the truth, {time.process_time() - began:.0f} s",
        file=sys.stderr,
        flush=True,
    )
    cold, warm = found.products[0], found.products[1:]
    spread = resampled(warm)
    note = f"the first, cold: {cold}; then median {np.median(warm):.0f}, most {warm.max()}; with one more for the curvature along the gradient"
    worst, its = float(found.errors.max()), float(found.theirs.max())
    its_own = f"PyHessian, cold, tol={TOLERANCE:g}: worst {its:.1e}, median {np.median(found.theirs):.1e}"
    beside = f"median {np.median(found.errors):.1e}; within where it says so: {found.honest:.0%}; {its_own}"
    return [
        Figure(f"{name}: products a step", float(found.products.mean()), *spread, "products", len(found.products), GOAL_PRODUCTS, note),
        Figure(f"{name}: worst error", worst, worst, worst, "relative", len(found.errors), GOAL_ERROR, beside),
    ]


def resampled(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the mean."""
    draw = np.random.default_rng(0)
    means = np.sort(draw.choice(values, (2000, len(values))).mean(1))
    return float(means[49]), float(means[1949])


def main() -> int:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the first three trainings, 30 steps each, nothing written")
    parser.add_argument("--only", help="the trainings whose name holds this; nothing written")
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures: list[Figure] = []
    with differentiable_attention():
        for plan in PLANS[:3] if options.quick else PLANS:
            if options.only is None or options.only in plan.case().name:
                figures += measure(plan, is_quick=options.quick)
    return publish("sharpness_tracking", figures, is_quick=options.quick or options.only is not None)


if __name__ == "__main__":
    sys.exit(main())
