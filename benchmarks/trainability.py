"""A map of trainability, kazami beside JAX: ``python benchmarks/trainability.py [--quick]``.

256 x 256 pixels, 500 steps, width 16, 272 points, float32, on two cores. kazami makes the whole map, pixels that are over retired. Of 32 rows and columns,
evenly spread, both make the same pixels in turns in one process. JAX does what the published program does with its time best spent: one compiled scan over
the steps with vmap over a batch of pixels (the published one calls a compiled step from a Python loop), with the quickest of several batch sizes, each with
XLA's own threads and with a thread of its own for each core. Compiling is done before the clock starts, on both sides. JAX is left out if it is not installed.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from figures import Figure, median_ratio, publish

from kazami.kernels import Descent, Layer, Network, why_not
from kazami.kernels.ceilings import ceilings, counts_of
from kazami.trainability import Problem, Window, mean_field_problem, trainability_map
from kazami.trainability.running import chosen_runner

WANTED = 8.0  # times JAX
SECONDS = 60.0  # of wall time on two idle cores, wanted
SIDE = 32  # rows and columns of the map that both make, evenly spread
CORES = 2
SAME_SIDE = 0.99  # of the pixels: those next to the fractal edge differ between any two roundings


class JaxMap:
    """The paper's measure of pixels, by JAX in float32."""

    def __init__(self, problem: Problem) -> None:
        """Write the training of one pixel."""
        import jax
        import jax.numpy as jnp

        x, y = jnp.asarray(problem.inputs, jnp.float32), jnp.asarray(problem.targets, jnp.float32)
        begin = jnp.asarray(problem.hidden, jnp.float32), jnp.asarray(problem.output, jnp.float32)
        n_inputs, n_units = problem.hidden.shape

        def loss(weights):
            h = jnp.tanh(jnp.sqrt(2.0) * (x @ weights[0]) / jnp.sqrt(n_inputs))
            return jnp.mean((h @ weights[1] / n_units - y) ** 2)

        def pixel(rates):
            def step(weights, _):
                value, slope = jax.value_and_grad(loss)(weights)
                return tuple(w - rate * g for w, rate, g in zip(weights, rates, slope, strict=True)), value

            _, course = jax.lax.scan(step, begin, None, length=problem.steps)
            v = course / course[0]
            v = jnp.where(v <= 1e6, v, 1e6)  # NaN too
            return jnp.where(jnp.mean(v[-20:]) < 1.0, -jnp.sum(v), jnp.sum(1.0 / v))

        self._run, self._asarray = jax.jit(jax.vmap(pixel)), jnp.asarray

    def values(self, settings: np.ndarray, batch: int, workers: int) -> np.ndarray:
        """Return the measures, ``batch`` pixels at a time, in ``workers`` threads."""
        rates = settings[:, :2].astype(np.float32)
        groups = [rates[start : start + batch] for start in range(0, len(rates), batch)]
        with ThreadPoolExecutor(workers) as pool:
            return np.concatenate(list(pool.map(lambda group: np.asarray(self._run(self._asarray(group))), groups)))


@dataclass
class Side:
    """One of both, with what it spent.

    Attributes:
        run: Makes the pixels.
        cpu, wall: Seconds of each round.
        found: The last measures.
    """

    run: Callable[[], np.ndarray]
    cpu: list[float]
    wall: list[float]
    found: np.ndarray | None = None

    def turn(self) -> None:
        """Make the pixels once more."""
        cpu, wall = time.process_time(), time.perf_counter()
        self.found = self.run()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)


def main() -> int:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="64 x 64 pixels, 200 steps, nothing kept")
    asked = parser.parse_args()
    size, steps, rounds = (64, 200, 2) if asked.quick else (256, 500, 5)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    figures = whole_map(size, steps)
    if find_spec("jax"):
        figures += beside_jax(size, steps, rounds)
    else:
        print("JAX is not installed: its figures are left out.", file=sys.stderr)
    return publish("trainability", figures, is_quick=asked.quick)


def whole_map(size: int, steps: int) -> list[Figure]:
    """Make the map and return its time, and how near the floor of one core that is."""
    trainability_map(4, steps=1, dtype="float32")  # compiles nothing that depends on the number of steps
    cpu, wall = time.process_time(), time.perf_counter()
    made = trainability_map(size, steps=steps, dtype="float32", exact=True)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    note = f"once; engine {made.facts['engine']} {made.facts['retired']} of {made.facts['trained']} pixels retired"
    print(f"whole map: {wall:.1f} s, {cpu:.1f} CPU seconds", file=sys.stderr)
    found = [
        Figure(f"wall time, {size} x {size} pixels x {steps} steps, {CORES} cores", wall, wall, wall, "s", 1, SECONDS if is_whole(size, steps) else None, note),
        Figure(f"CPU time, {size} x {size} pixels x {steps} steps", cpu, cpu, cpu, "s", 1, None, note),
    ]
    if why_not() is None:
        network = Network((Layer(16, 16, bias=False, activation="tanh"), Layer(16, 1, bias=False)))
        floor = ceilings("float32", ["tanh"]).seconds(counts_of(network, Descent(), 272, 4)) * size**2 * steps
        note = "of the multiply-adds and tanh of all steps of all pixels; above 1 where retired pixels save more than everything else costs"
        found.append(Figure("share of the floor", floor / cpu, floor / cpu, floor / cpu, "ratio", 1, None, note))
    return found


def is_whole(size: int, steps: int) -> bool:
    """Tell whether this is the map that the goals speak of."""
    return (size, steps) == (256, 500)


def beside_jax(size: int, steps: int, rounds: int) -> list[Figure]:
    """Make the same pixels by both in turns and return the ratios."""
    problem = mean_field_problem("tanh", width=16, steps=steps)
    frame = Window()
    x, y = frame.coordinates(size)
    every = size // SIDE
    across, up = np.meshgrid(x[every // 2 :: every], y[every // 2 :: every])
    settings = frame.settings(across.ravel(), up.ravel())
    runner, why = chosen_runner(problem, "float32")
    jax, batch, workers = quickest(problem, settings)
    ours = Side(lambda: runner.run(problem, settings, "float32").values(), [], [])
    theirs = Side(lambda: jax.values(settings, batch, workers), [], [])
    for side in [ours, theirs] * rounds:
        side.turn()
    same = agreement(ours.found, theirs.found)
    note = f"{why} JAX: batches of {batch}, {workers} at a time; {same:.4f} of {len(settings)} pixels x {steps} steps on the same side"
    ratio = f"; JAX takes {np.median(np.divide(theirs.wall, ours.wall)):.3g} x as long, in CPU time {np.median(np.divide(theirs.cpu, ours.cpu)):.3g} x"
    return [
        median_ratio(f"wall time, kazami / JAX, {CORES} cores", ours.wall, theirs.wall, goal=1 / WANTED if is_whole(size, steps) else None, note=note + ratio),
        median_ratio("CPU time, kazami / JAX", ours.cpu, theirs.cpu, note=note + ratio),
    ]


def quickest(problem: Problem, settings: np.ndarray) -> tuple[JaxMap, int, int]:
    """Return JAX's map with the batch size and number of threads that are best here, all compiled."""
    jax, times = JaxMap(problem), {}
    some = settings[np.random.default_rng(0).permutation(len(settings))[:128]]
    for batch in (16, 32, 64):
        jax.values(some[:batch], batch, 1)
        for workers in (1, CORES):
            began = time.perf_counter()
            jax.values(some, batch, workers)
            times[batch, workers] = time.perf_counter() - began
    batch, workers = min(times, key=times.get)
    return jax, batch, workers


def agreement(found: np.ndarray, other: np.ndarray) -> float:
    """Return the share of pixels that both have on the same side of the edge; end the benchmark if it is no agreement."""
    same = float(np.mean((found < 0) == (other < 0)))
    both = (found < 0) & (other < 0)
    apart = float(np.median(np.abs(found[both] / other[both] - 1.0)))
    if same < SAME_SIDE or not apart < 1e-3:
        raise SystemExit(f"kazami and JAX do not compute the same: {same:.4f} of the pixels are on the same side, measures differ by {apart:.1e} (median).")
    return same


if __name__ == "__main__":
    sys.exit(main())
