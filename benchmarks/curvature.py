"""The largest eigenvalue of a Hessian to a true relative error: ``python benchmarks/curvature.py [--quick] [--only MLP]``.

Peers, installed first: PyHessian at git head on the path, hessian-eigenthings, curvlinops-for-pytorch (with --no-deps and what it imports).

The truth is a float64 eigenvalue that uses nothing of kazami's. kazami is asked for a tolerance and knows nothing else. PyHessian, whose own tolerance is the
change between two iterations, is given the loosest tolerance (searched here, by its own iterates, with the truth at hand) whose result lies within the error
wanted from every start; so are the Lanczos steps of hessian-eigenthings. All take turns in one process, in float32, graph and set-up included; CPU seconds.
"""

import argparse
import math
import random
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from figures import Figure, median_ratio, publish
from hessian_eigenthings.algorithms.lanczos import lanczos
from hessian_eigenthings.operators.hessian import HessianOperator
from hessians import Case, cnn, differentiable_attention, mlp, reference, small, small_gpt, whole_spectrum
from pyhessian import hessian
from scipy.sparse.linalg import eigsh

from kazami.curvature import HessianProducts, TrainingCurvature, top_eigenvalue

TARGETS = (1e-2, 1e-3)
CHANGES = [10.0 ** (-exponent / 4) for exponent in range(4, 29)]  # PyHessian's tolerance: from 1e-1 down to 1e-7
LONGEST = 100  # iterations, PyHessian's default; kazami may make as many products
LARGE: dict[str, Callable[[], Case]] = {
    "MLP, step 0": lambda: mlp(0),
    "MLP, step 50": lambda: mlp(50),
    "CNN, step 20": lambda: cnn(20),
    "GPT, step 20": lambda: small_gpt(20),
}


@dataclass
class Arm:
    """One way to the eigenvalue, with what it spent and found."""

    name: str
    solve: Callable[[int], float]
    seconds: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def turn(self, seed: int) -> None:
        """Solve once more."""
        began = time.process_time()
        value = self.solve(seed)
        self.seconds.append(time.process_time() - began)
        self.values.append(value)

    def errors(self, truth: float) -> list[float]:
        """Return the true relative errors."""
        return [abs(value / truth - 1.0) for value in self.values]


def live(case: Case, tolerance: float) -> Callable[[int], float]:
    """Return kazami on a loss graph that is alive, as in a watched training."""

    def solve(seed: int) -> float:
        products = HessianProducts(case.loss_of(), case.parameters)
        with torch.no_grad():
            return top_eigenvalue(products, generator=torch.Generator().manual_seed(seed), tolerance=tolerance, max_products=LONGEST).value

    return solve


def whole(case: Case, tolerance: float, dtype: torch.dtype) -> Callable[[int], float]:
    """Return kazami's `TrainingCurvature`, which copies the model, freezes what is random, and in float64 tests second derivatives before believing them."""

    def solve(seed: int) -> float:
        curvature = TrainingCurvature(case.model, case.loss, (case.inputs, case.target), dtype=dtype, seed=seed)
        return float(curvature.eigenvalues(tolerance=tolerance, max_products=LONGEST).values)

    return solve


def pyhessian(case: Case, change: float, iterations: int) -> Callable[[int], float]:
    """Return PyHessian with a tolerance of its own kind; the copy of the model is not counted."""
    model = case.twin()

    def solve(seed: int) -> float:
        torch.manual_seed(seed)
        model.zero_grad(set_to_none=True)
        return float(hessian(model, case.loss, data=(case.inputs, case.target), cuda=False).eigenvalues(maxIter=iterations, tol=change)[0][0])

    return solve


def eigenthings(case: Case, steps: int) -> Callable[[int], float]:
    """Return hessian-eigenthings' Lanczos with a number of steps that the caller must know."""

    def solve(seed: int) -> float:
        operator = HessianOperator(case.model, [(case.inputs, case.target)], lambda model, batch: case.loss(model(batch[0]), batch[1]))
        return float(lanczos(operator, k=1, max_iter=steps, which="LA", seed=seed).eigenvalues[0])

    return solve


def curvlinops(case: Case, tolerance: float) -> Callable[[int], float]:
    """Return curvlinops' operator in scipy's eigsh."""
    from curvlinops import HessianLinearOperator

    def solve(seed: int) -> float:
        operator = HessianLinearOperator(case.model, case.loss, case.parameters, [(case.inputs, case.target)], check_deterministic=False)
        start = np.random.default_rng(seed).normal(size=operator.shape[0]).astype(np.float32)
        return float(eigsh(operator.to_scipy(), k=1, which="LA", tol=tolerance, v0=start, return_eigenvectors=False)[0])

    return solve


def iterates(case: Case, seed: int, iterations: int) -> list[float]:
    """Return the values of PyHessian's power iteration one after another, by letting it run out of 1, 2, … iterations in one go."""
    module = sys.modules[hessian.__module__]
    found: list[float] = []
    original = module.group_product

    def recording(xs: Any, ys: Any) -> torch.Tensor:
        value = original(xs, ys)
        found.append(float(value))
        return value

    module.group_product = recording  # type: ignore[attr-defined]
    try:
        pyhessian(case, -1.0, iterations)(seed)
    finally:
        module.group_product = original  # type: ignore[attr-defined]
    return found


def loosest_change(truth: float, target: float, runs: list[list[float]]) -> tuple[float, bool]:
    """Return PyHessian's loosest tolerance that ends within ``target`` of the truth from every start, and whether there is one in so many iterations."""

    def ends_at(values: list[float], change: float) -> float:
        for before, after in pairwise(values):
            if abs(before - after) / (abs(before) + 1e-6) < change:
                return before  # it returns the value before the last
        return values[-2]

    for change in CHANGES:
        if all(abs(ends_at(values, change) / truth - 1.0) <= target for values in runs):
            return change, True
    return CHANGES[-1], False


def fewest_steps(case: Case, truth: float, target: float, seeds: int, most: int) -> int:
    """Return how many steps hessian-eigenthings' Lanczos needs from every start, searched by halving."""
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if all(abs(eigenthings(case, middle)(seed) / truth - 1.0) <= target for seed in range(seeds)):
            high = middle
        else:
            low = middle + 1
    return low


def measure(name: str, *, rounds: int, starts: int, iterations: int) -> list[Figure]:
    """Return the ratios of one model."""
    case = LARGE[name]()
    truth = reference(case)
    say(f"{name}: {sum(part.numel() for part in case.parameters)} parameters, largest eigenvalue {truth:.6g} (float64)")
    runs = [iterates(case, seed, iterations) for seed in range(starts)]
    searched = {target: loosest_change(truth, target, runs) for target in TARGETS}
    theirs = {change: Arm("PyHessian", pyhessian(case, change, iterations)) for change, _ in searched.values()}  # one arm where both want the same
    steps = {target: fewest_steps(case, truth, target, starts, 48) for target in TARGETS}
    say(f"{name}: PyHessian's tolerances {[f'{change:.0e}' for change in theirs]}, steps of hessian-eigenthings {list(steps.values())}; {rounds} rounds")
    arms = {
        target: [
            Arm("kazami, live", live(case, target)),
            Arm("kazami", whole(case, target, torch.float32)),
            Arm("kazami float64", whole(case, target, torch.float64)),
            Arm("hessian-eigenthings", eigenthings(case, steps[target])),
        ]
        for target in TARGETS
    }
    take_turns([*theirs.values(), *(arm for some in arms.values() for arm in some)], rounds)
    figures: list[Figure] = []
    for target, (change, is_reached) in searched.items():
        said = (
            f"PyHessian's tol={change:.1e}"
            if is_reached
            else f"PyHessian is outside after {iterations} iterations from some start, so its time is a lower bound"
        )
        figures += compared(name, target, truth, arms[target], theirs[change], f"{said}; {steps[target]} steps of hessian-eigenthings")
        figures.append(at_its_own_tolerance(name, target, truth, runs))
    figures.append(arpack(name, case, truth, max(1, rounds // 3)))
    return figures


def say(text: str) -> None:
    """Tell what is going on."""
    print(f"[{time.process_time():.0f} s] {text}", file=sys.stderr, flush=True)


def take_turns(arms: list[Arm], rounds: int) -> None:
    """Let each solve from as many starts, in shuffled turns; the first round warms up."""
    draw = random.Random(0)
    order = list(arms)
    for number in range(rounds + 1):
        draw.shuffle(order)
        for arm in order:
            arm.turn(number)
    for arm in arms:
        del arm.seconds[0], arm.values[0]


def compared(name: str, target: float, truth: float, arms: list[Arm], theirs: Arm, said: str) -> list[Figure]:
    """Return kazami's and the others' seconds over PyHessian's."""
    figures = []
    for arm in arms:
        errors, its = arm.errors(truth), theirs.errors(truth)
        spent = f"{statistics.median(arm.seconds):.3f} s to {statistics.median(errors):.1e} (worst {max(errors):.1e})"
        note = f"{spent}; PyHessian {statistics.median(theirs.seconds):.3f} s to {statistics.median(its):.1e} (worst {max(its):.1e}); {said}"
        goal = 1.0 if arm.name in ("kazami", "kazami, live") else None
        figures.append(median_ratio(f"{name}, error {target:g}: {arm.name} / PyHessian", arm.seconds, theirs.seconds, goal=goal, note=note))
    return figures


def at_its_own_tolerance(name: str, target: float, truth: float, runs: list[list[float]]) -> Figure:
    """Return the true error of PyHessian when its own tolerance is set to ``target``, over that tolerance."""
    found = []
    for values in runs:
        ends = (before for before, after in pairwise(values) if abs(before - after) / (abs(before) + 1e-6) < target)
        found.append(abs(next(ends, values[-1]) / truth - 1.0) / target)
    note = "the true error over the tolerance asked for, worst and best of the starts at the ends"
    return Figure(f"{name}: PyHessian asked for {target:g}", statistics.median(found), min(found), max(found), "ratio", len(found), None, note)


def arpack(name: str, case: Case, truth: float, rounds: int) -> Figure:
    """Return curvlinops with eigsh beside kazami at the finer target; fewer turns, it is slow."""
    target = TARGETS[-1]
    arms = [Arm("kazami, live", live(case, target)), Arm("curvlinops", curvlinops(case, target))]
    take_turns(arms, rounds)
    errors = arms[1].errors(truth)
    note = f"curvlinops {statistics.median(arms[1].seconds):.3f} s to {statistics.median(errors):.1e}"
    return median_ratio(f"{name}, error {target:g}: kazami, live / curvlinops with eigsh", arms[0].seconds, arms[1].seconds, note=note)


def coverage(seeds: int, stages: tuple[int, ...]) -> list[Figure]:
    """Return in what share of solutions the true error exceeds the tolerance asked for, on models whose whole spectrum is known."""
    say("small models against their whole spectrum")
    outside: dict[str, list[float]] = {"kazami, live": [], "kazami": [], "PyHessian": []}
    for number, case in enumerate(small(seeds, stages)):
        truth = float(whole_spectrum(case)[-1])
        for target in TARGETS:
            ways = {
                "kazami, live": live(case, target),
                "kazami": whole(case, target, torch.float32),
                "PyHessian": pyhessian(case, target, LONGEST),
            }
            for name, solve in ways.items():
                outside[name].append(abs(solve(number) / truth - 1.0) / target)
    figures = []
    for name, errors in outside.items():
        missed = sum(error > 1.0 for error in errors)
        low, high = wilson(missed, len(errors))
        note = (
            f"{missed} of {len(errors)} solutions; six kinds of models at steps {stages} of {seeds} trainings; median error / tolerance {np.median(errors):.1e}"
        )
        goal = None if name == "PyHessian" else 0.05
        figures.append(
            Figure(f"outside the tolerance asked for: {name}", missed / len(errors), low, high, "share", len(errors), goal, f"{note}, worst {max(errors):.1e}")
        )
    return figures


def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a share."""
    middle = (successes + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(successes * (n - successes) / n + z * z / 4)
    return max(0.0, middle - half), min(1.0, middle + half)


def main() -> int:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the MLP and some small models, under a minute, nothing written")
    parser.add_argument("--only", help="the models whose name holds this, without the small ones; nothing written")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names = [name for name in LARGE if options.only in name] if options.only else ["MLP, step 50"] if options.quick else list(LARGE)
    figures: list[Figure] = []
    with differentiable_attention():
        if options.only is None:
            figures += coverage(*((1, (30,)) if options.quick else (4, (0, 30, 150))))
        for name in names:
            rounds = 2 if options.quick else 7 if name.startswith("MLP") else 3
            figures += measure(name, rounds=rounds, starts=2 if options.quick else 4, iterations=40 if options.quick else LONGEST)
    return publish("curvature", figures, is_quick=options.quick or options.only is not None)


if __name__ == "__main__":
    sys.exit(main())
