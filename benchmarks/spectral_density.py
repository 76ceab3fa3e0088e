"""Spectral density of a Hessian by stochastic Lanczos quadrature: ``python benchmarks/spectral_density.py [--quick]``.

Peers, installed first: PyHessian at git head on the path, hessian-eigenthings. Everybody makes 60 steps from each of two probes (kazami wants two, for an error
between them), in float32, graph and set-up included, in turns in one process; CPU seconds.

Equal accuracy is measured twice. On small models, whose spectrum is known: the Wasserstein distance of each estimate from it, in parts of the spectrum's range.
On the MLP, whose spectrum is not: each one's quadrature against that of a float64 Lanczos process, made orthogonal twice a step, from the same probe.
"""

import argparse
import random
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from figures import Figure, median_of, median_ratio, publish
from hessian_eigenthings.algorithms.spectral_density import spectral_density as eigenthings_density
from hessian_eigenthings.operators.hessian import HessianOperator
from hessians import Case, cnn, differentiable_attention, mlp, products64, small, small_gpt, whole_spectrum
from pyhessian import hessian
from scipy.stats import wasserstein_distance

from kazami.curvature import TrainingCurvature
from kazami.curvature.krylov import tridiagonal

GOAL = 1 / 1.3
STEPS, PROBES = 60, 2
Quadrature = tuple[np.ndarray, np.ndarray]  # nodes and weights of all probes together


def kazami(case: Case, seed: int, dtype: torch.dtype = torch.float32) -> Quadrature:
    """Return kazami's quadrature."""
    found = TrainingCurvature(case.model, case.loss, (case.inputs, case.target), dtype=dtype, seed=seed).density(probes=PROBES, steps=STEPS)
    return np.concatenate(found.nodes), np.concatenate(found.weights) / len(found.weights)


def kazami64(case: Case, seed: int) -> Quadrature:
    """Return the same in float64, the default."""
    return kazami(case, seed, torch.float64)


def pyhessian(case: Case, seed: int) -> Quadrature:
    """Return PyHessian's."""
    torch.manual_seed(seed)
    case.model.zero_grad(set_to_none=True)
    nodes, weights = hessian(case.model, case.loss, data=(case.inputs, case.target), cuda=False).density(iter=STEPS, n_v=PROBES)
    case.model.zero_grad(set_to_none=True)
    return np.real(np.ravel(nodes)), np.real(np.ravel(weights)) / PROBES


def eigenthings(case: Case, seed: int) -> Quadrature:
    """Return that of hessian-eigenthings."""
    operator = HessianOperator(case.model, [(case.inputs, case.target)], lambda model, batch: case.loss(model(batch[0]), batch[1]))
    found = eigenthings_density(operator, num_runs=PROBES, lanczos_steps=STEPS, num_grid_points=2, seed=seed)
    return found.raw_eigenvalues.double().numpy().ravel(), found.raw_weights.double().numpy().ravel() / PROBES


WAYS: dict[str, Callable[[Case, int], Quadrature]] = {"kazami": kazami, "kazami float64": kazami64, "PyHessian": pyhessian, "hessian-eigenthings": eigenthings}


def timed(case: Case, rounds: int) -> list[Figure]:
    """Return the seconds of kazami and hessian-eigenthings over those of PyHessian."""
    say(f"{case.name}: {rounds} rounds")
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    order, draw = list(WAYS), random.Random(0)
    for number in range(rounds + 1):
        draw.shuffle(order)
        for name in order:
            began = time.process_time()
            WAYS[name](case, number)
            if number:  # the first round warms up
                seconds[name].append(time.process_time() - began)
    theirs = seconds["PyHessian"]
    figures = []
    for name, spent in seconds.items():
        if name != "PyHessian":
            note = f"{statistics.median(spent):.2f} s, PyHessian {statistics.median(theirs):.2f} s, {PROBES} probes of {STEPS} steps"
            figures.append(median_ratio(f"{case.name}: {name} / PyHessian", spent, theirs, goal=GOAL if name == "kazami" else None, note=note))
    return figures


def distances(seeds: int, kinds: int) -> list[Figure]:
    """Return how far each is from spectra that are known, in parts of their range, beside PyHessian."""
    found: dict[str, list[float]] = {name: [] for name in WAYS}
    sizes = []
    for case in [case for case in small(1, (30,)) if sum(part.numel() for part in case.parameters) > PROBES * STEPS][:kinds]:
        exact = whole_spectrum(case)
        say(f"{case.name}: {len(exact)} eigenvalues")
        sizes.append(len(exact))
        for name, way in WAYS.items():
            for seed in range(seeds):
                nodes, weights = way(case, seed)
                off = wasserstein_distance(nodes, exact, np.clip(weights, 0.0, None))
                found[name].append(off / float(exact[-1] - exact[0]))
    figures = []
    for name, off in found.items():
        models = f"{len(sizes)} models of {min(sizes)} to {max(sizes)} weights"
        note = f"{statistics.mean(off):.2e}, PyHessian {statistics.mean(found['PyHessian']):.2e} of the range; {models}"
        if name != "PyHessian":
            figures.append(median_ratio(f"distance from the exact spectrum: {name} / PyHessian", off, found["PyHessian"], note=note))
    return figures


def rounding(case: Case) -> list[Figure]:
    """Return how far the quadrature of kazami's and of PyHessian's recurrence is from that of an exact process, from the same probe."""
    say(f"{case.name}: against a float64 process, orthogonal to rounding")
    product, size = products64(case)
    probe = torch.randint(2, (size,), generator=torch.Generator().manual_seed(5)).float() * 2.0 - 1.0
    exact = quadrature(*orthogonal(product, probe.double().numpy()))
    curvature = TrainingCurvature(case.model, case.loss, (case.inputs, case.target), dtype=torch.float32)
    with torch.no_grad():
        ours = quadrature(*tridiagonal(curvature.products(), probe.clone(), STEPS))
    scale = float(exact[0][-1] - exact[0][0])
    figures = []
    for name, (nodes, weights) in {"kazami": ours, "PyHessian": from_the_same(case, probe)}.items():
        off = wasserstein_distance(nodes, exact[0], np.clip(weights, 0.0, None), exact[1]) / scale
        ends = [abs(nodes.max() / exact[0][-1] - 1.0), abs(nodes.min() / exact[0][0] - 1.0)]
        note = f"parts of the range; the largest node is off by {ends[0]:.1e} of itself, the smallest by {ends[1]:.1e}"
        figures.append(median_of(f"{case.name}: {name} in float32 from the exact process", [off], "ratio", note=note))
    return figures


def from_the_same(case: Case, probe: torch.Tensor) -> Quadrature:
    """Return PyHessian's quadrature from this probe, put in where it draws its own."""
    module = sys.modules[hessian.__module__]
    parts = probe.split([part.numel() for part in case.parameters])
    given = iter(((part + 1.0) / 2.0).view(like.shape) for part, like in zip(parts, case.parameters, strict=True))  # zeros and ones, as it draws them

    class Given:
        def __getattr__(self, name: str) -> object:
            return (lambda like, **_: next(given).clone()) if name == "randint_like" else getattr(torch, name)

    module.torch = Given()  # type: ignore[attr-defined]
    try:
        case.model.zero_grad(set_to_none=True)
        nodes, weights = hessian(case.model, case.loss, data=(case.inputs, case.target), cuda=False).density(iter=STEPS, n_v=1)
    finally:
        module.torch = torch  # type: ignore[attr-defined]
        case.model.zero_grad(set_to_none=True)
    return np.real(np.ravel(nodes)), np.real(np.ravel(weights))


def orthogonal(product: Callable[[np.ndarray], np.ndarray], probe: np.ndarray) -> tuple[list[float], list[float]]:
    """Return the coefficients of Lanczos in float64, each vector made orthogonal to all others twice."""
    basis = np.empty((STEPS, len(probe)))
    row, diagonal, beside = probe / np.linalg.norm(probe), [], []
    for step in range(STEPS):
        basis[step] = row
        across = product(row)
        diagonal.append(float(across @ row))
        for _ in range(2):
            across = across - (basis[: step + 1] @ across) @ basis[: step + 1]
        beside.append(float(np.linalg.norm(across)))
        row = across / beside[-1]
    return diagonal, beside[:-1]


def quadrature(diagonal: list[float], beside: list[float]) -> Quadrature:
    """Return nodes and weights."""
    values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
    return values, vectors[0] ** 2


def say(text: str) -> None:
    """Tell what is going on."""
    print(f"[{time.process_time():.0f} s] {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the MLP only, fewer rounds, nothing written")
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures: list[Figure] = []
    with differentiable_attention():
        figures += distances(2 if options.quick else 10, 2 if options.quick else 6)
        figures += rounding(mlp(50))
        figures += timed(mlp(50), 2 if options.quick else 7)
        if not options.quick:
            figures += timed(cnn(20), 2) + timed(small_gpt(20), 2)
    return publish("spectral_density", figures, is_quick=options.quick)


if __name__ == "__main__":
    sys.exit(main())
