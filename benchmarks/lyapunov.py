"""The largest Lyapunov exponent of a training, of 16 replicas at once: ``python benchmarks/lyapunov.py [--quick]``.

Peer, installed first: deep-lyapunov. Replicas are perturbed copies of one model, as it makes them (1 % of each tensor's spread). It is given as many steps, a
twentieth of them between two of its recordings, and its exponent per recording is put per step. kazami's replicas each carry one exact tangent; the exponent is
their mean. ``max_lyapunov`` is one replica with its error bar. All take turns in one process with a bare run of the same loop, in float64; CPU seconds.

The truth: where it has a closed form, that; else the mean over the same replicas of their tangents by torch's double backward, with its standard error.
"""

import argparse
import logging
import math
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from deep_lyapunov import StabilityAnalyzer
from figures import Figure, median_of, median_ratio, publish
from torch import Tensor, nn

import kazami
from kazami.dynamics import max_lyapunov
from kazami.engines import Member, ensemble

GOAL_COST, GOAL_ERROR = 4.0, 0.05
REPLICAS, RECORDINGS, SCALE = 16, 20, 0.01


@dataclass(frozen=True)
class Problem:
    """A training by full-batch gradient descent, and how to find its exponent.

    Attributes:
        name: What it is.
        make: A fresh model; the same each time.
        inputs: The batch.
        target: Its targets.
        loss: Of output and target.
        rate: The learning rate.
        transient: Steps left out.
        truth: Exponent per step, and its standard error.
    """

    name: str
    make: Callable[[], nn.Module]
    inputs: Tensor
    target: Tensor
    loss: Callable[[Tensor, Tensor], Tensor]
    rate: float
    transient: int
    truth: tuple[float, float]

    def training(self, steps: int) -> kazami.Training:
        """Return it as kazami wants it."""
        return kazami.Training(
            model=self.make,
            optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=self.rate),
            loss=self.loss,
            batches=lambda: [(self.inputs, self.target)],
            steps=steps,
        )

    def descend(self, model: nn.Module, steps: int) -> None:
        """Train by the plain loop."""
        optimizer = torch.optim.SGD(model.parameters(), lr=self.rate)
        for _ in range(steps):
            optimizer.zero_grad()
            self.loss(model(self.inputs), self.target).backward()
            optimizer.step()


def quadratic() -> Problem:
    r"""Linear regression: the steps are linear, and the exponent is :math:`\ln \max_i |1 - \eta \mu_i|`."""
    draw = torch.Generator().manual_seed(0)
    inputs = torch.randn(60, 6, generator=draw, dtype=torch.float64)
    curvature = torch.linalg.eigvalsh(2.0 * inputs.T @ inputs / len(inputs))
    rate = 1.9 / float(curvature[-1])
    truth = math.log(float((1.0 - rate * curvature).abs().max()))
    target = torch.randn(60, 1, generator=draw, dtype=torch.float64)
    return Problem(
        "linear regression (closed form)", lambda: seeded(lambda: nn.Linear(6, 1, bias=False)), inputs, target, nn.functional.mse_loss, rate, 200, (truth, 0.0)
    )


class Numbers(nn.Module):
    """Parameters between 0 and 1 and nothing else."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.numbers = nn.Parameter(torch.linspace(0.1, 0.9, n))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return them."""
        return self.numbers + 0.0 * inputs


def cubic() -> Problem:
    r"""Each parameter descends :math:`\tfrac43 w^3 - \tfrac32 w^2`, which at the rate 1 is the logistic map :math:`w \mapsto 4w(1-w)`: the exponent is ln 2."""

    def loss(output: Tensor, target: Tensor) -> Tensor:
        return (4.0 / 3.0 * output**3 - 1.5 * output**2 + target).sum()

    nothing = torch.zeros(20, dtype=torch.float64)
    return Problem("cubic losses (closed form)", lambda: seeded(lambda: Numbers(20)), nothing, nothing, loss, 1.0, 200, (math.log(2.0), 0.0))


def network(steps: int, rate: float = 8.0) -> Problem:
    """A small tanh network far above its stable learning rate, on three blobs."""
    draw = torch.Generator().manual_seed(1)
    target = torch.randint(3, (150,), generator=draw)
    inputs = (torch.randn(3, 4, generator=draw)[target] + torch.randn(150, 4, generator=draw)).double()

    def body() -> nn.Module:
        return seeded(lambda: nn.Sequential(nn.Linear(4, 10), nn.Tanh(), nn.Linear(10, 3)))

    name = f"4-10-3 network, learning rate {rate:g}"
    unknown = Problem(name, body, inputs, target, nn.functional.cross_entropy, rate, 200, (math.nan, math.nan))
    each = [tangent(unknown, row, steps) for row in perturbed(unknown)]
    return replace(unknown, truth=(statistics.mean(each), statistics.stdev(each) / math.sqrt(len(each))))


def perturbed(problem: Problem) -> Tensor:
    """Return the replicas' parameters, one row each."""
    flat = nn.utils.parameters_to_vector(problem.make().parameters()).detach()
    return flat * (1.0 + SCALE * torch.randn(REPLICAS, len(flat), generator=torch.Generator().manual_seed(4), dtype=flat.dtype))


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    """Return a module in float64, the same each time."""
    torch.manual_seed(0)
    return make().double()


def tangent(problem: Problem, state: Tensor, steps: int) -> float:
    """Return the exponent of one replica by products with the Hessian."""
    model = problem.make()
    nn.utils.vector_to_parameters(state.clone(), model.parameters())
    problem.descend(model, problem.transient)
    parameters = list(model.parameters())
    vector = [torch.randn(part.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64) for part in parameters]
    logs = np.empty(steps - problem.transient)
    for step in range(len(logs)):
        gradients = torch.autograd.grad(problem.loss(model(problem.inputs), problem.target), parameters, create_graph=True)
        across = torch.autograd.grad(gradients, parameters, vector)
        moved = [part - problem.rate * along for part, along in zip(vector, across, strict=True)]
        length = math.sqrt(sum(float(part.square().sum()) for part in moved))
        logs[step] = math.log(length)
        vector = [part / length for part in moved]
        with torch.no_grad():
            for part, gradient in zip(parameters, gradients, strict=True):
                part.sub_(gradient, alpha=problem.rate)
    return float(logs[len(logs) // 20 :].mean())  # the first twentieth turns the vector


def bare(problem: Problem, steps: int) -> float:
    """Train once."""
    problem.descend(problem.make(), steps)
    return math.nan


def replicas(problem: Problem, steps: int) -> float:
    """Return the mean exponent of 16 perturbed replicas in one ensemble."""
    together, replicas.said = ensemble(  # type: ignore[attr-defined]
        problem.training(steps), [Member()] * REPLICAS, dtype=torch.float64, steps=steps, n_tangents=1
    )
    together.set_states(perturbed(problem))
    states, draw = together.states, torch.Generator().manual_seed(3)
    together.advance(problem.transient)
    vectors = torch.randn(*states.shape, 1, generator=draw, dtype=states.dtype)
    grown = together.advance_with_tangents(vectors / vectors.norm(dim=1, keepdim=True), steps - problem.transient)
    together.close()
    turned = len(grown.logs) // 20
    return float(grown.logs[turned:].mean())


def alone(problem: Problem, steps: int) -> float:
    """Return kazami's exponent of the one training."""
    return float(max_lyapunov(problem.training(steps), steps=steps - problem.transient, transient=problem.transient).value)


def deep_lyapunov(problem: Problem, steps: int) -> float:
    """Return that of deep-lyapunov, per step."""
    apart = steps // RECORDINGS
    analyzer = StabilityAnalyzer(problem.make(), perturbation_scale=SCALE, n_trajectories=REPLICAS, device="cpu", verbose=False)

    def train(model: nn.Module, loader: object, epochs: int) -> dict[str, list[float]]:
        problem.descend(model, apart * epochs)
        return {"loss": [0.0]}

    return float(analyzer.analyze(train_fn=train, train_loader=None, n_epochs=RECORDINGS).lyapunov) / apart


WAYS: dict[str, Callable[[Problem, int], float]] = {
    "one run": bare,
    "kazami, 16 replicas with tangents": replicas,
    "kazami.max_lyapunov": alone,
    "deep-lyapunov, 16 replicas": deep_lyapunov,
}


def measure(problem: Problem, steps: int, rounds: int) -> list[Figure]:
    """Return costs over one run, and errors over the truth."""
    truth, error = problem.truth
    print(
        f"[{time.process_time():.0f} s] {problem.name}: truth {truth:.5f} ± {error:.5f} per step; {rounds} rounds of {steps} steps", file=sys.stderr, flush=True
    )
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    values: dict[str, list[float]] = {name: [] for name in WAYS}
    order, draw = list(WAYS), random.Random(0)
    for number in range(rounds + 1):
        draw.shuffle(order)
        for name in order:
            began = time.process_time()
            value = WAYS[name](problem, steps)
            if number:
                seconds[name].append(time.process_time() - began)
                values[name].append(value)
    figures = []
    for name in WAYS:
        if name == "one run":
            continue
        is_goal = name == "kazami, 16 replicas with tangents"
        note = f"{statistics.median(seconds[name]):.2f} s, one run {statistics.median(seconds['one run']):.2f} s, {steps} steps"
        if is_goal:
            note += f"; {replicas.said}"  # type: ignore[attr-defined]
        figures.append(median_ratio(f"{problem.name}: {name} / one run", seconds[name], seconds["one run"], goal=GOAL_COST if is_goal else None, note=note))
        off = [abs(value / truth - 1.0) for value in values[name]]
        said = f"{statistics.median(values[name]):.5f} per step, truth {truth:.5f} ± {error:.5f}"
        is_known = error <= GOAL_ERROR / 3 * abs(truth)  # else the truth itself is too loose to be missed
        figures.append(median_of(f"{problem.name}: error of {name}", off, "relative", goal=GOAL_ERROR if is_goal and is_known else None, note=said))
    return figures


def main() -> int:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs, two rounds, nothing written")
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("deep_lyapunov").setLevel(logging.ERROR)
    figures: list[Figure] = []
    steps = 600 if options.quick else 2000
    for problem in (quadratic(), cubic(), network(steps)):
        figures += measure(problem, steps, 1 if options.quick else 3)
    return publish("lyapunov", figures, is_quick=options.quick)


if __name__ == "__main__":
    sys.exit(main())
