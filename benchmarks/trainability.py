"""A map of trainability, kazami and JAX in turns in one process: seconds of CPU time per map of the paper's size.

Width 16, 272 points, 500 steps, float32. JAX does what the published program does with its time best spent: one compiled scan over the steps with vmap over
the pixels (the published one calls a compiled step from a Python loop), its batch size the fastest of several. Compiling is done before the clock starts, on
both sides.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from figures import Figure, publish

from kazami.trainability import Problem, mean_field_problem, trainability_map
from kazami.trainability.running import chosen_runner
from kazami.trainability.window import Window

LEAST_RATIO = 8.0


def jax_map(problem: Problem, settings: np.ndarray, batch: int) -> np.ndarray:
    """Return the paper's measure of every pixel, by JAX in float32."""
    import jax
    import jax.numpy as jnp

    x, y = jnp.asarray(problem.inputs, jnp.float32), jnp.asarray(problem.targets, jnp.float32)
    first, second = jnp.asarray(problem.hidden, jnp.float32), jnp.asarray(problem.output, jnp.float32)

    def loss(weights):
        h = jnp.tanh(jnp.sqrt(2.0) * x @ weights[0] / jnp.sqrt(first.shape[0]))
        return jnp.mean((h @ weights[1] / len(second) - y) ** 2)

    def step(weights, rates):
        value, slope = jax.value_and_grad(loss)(weights)
        return tuple(w - rate * g for w, rate, g in zip(weights, rates, slope, strict=True)), value

    def pixel(rates):
        _, course = jax.lax.scan(lambda weights, _: step(weights, rates), (first, second), None, length=problem.steps)
        v = jnp.where(jnp.isfinite(course), course / course[0], 1e6)
        v = jnp.minimum(v, 1e6)
        return jnp.where(jnp.mean(v[-20:]) < 1.0, -jnp.sum(v), jnp.sum(1.0 / v))

    key = (problem.steps, batch)
    if key not in _COMPILED:
        _COMPILED[key] = jax.jit(jax.vmap(pixel))
        _COMPILED[key](jnp.ones((batch, 2), jnp.float32)).block_until_ready()
    rates = jnp.asarray(settings[:, :2], jnp.float32)
    return np.concatenate([np.asarray(_COMPILED[key](rates[start : start + batch])) for start in range(0, len(rates), batch)])


_COMPILED: dict = {}


def timed(run) -> tuple[float, np.ndarray]:
    """Return CPU seconds of all threads, and the answer."""
    began = time.process_time()
    found = run()
    return time.process_time() - began, found


def main() -> int:
    """Measure in turns and publish the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer steps and pixels, nothing kept")
    asked = parser.parse_args()
    steps, pixels, rounds = (50, 256, 2) if asked.quick else (500, 1024, 5)
    problem = mean_field_problem("tanh", width=16, steps=steps)
    frame = Window()
    x, y = frame.coordinates(int(pixels**0.5))
    across, up = np.meshgrid(x, y)
    settings = frame.settings(across.ravel(), up.ravel())
    runner, _ = chosen_runner(problem, "float32")
    runner.run(problem, settings[:16], "float32")
    trials = {batch: timed(lambda batch=batch: jax_map(problem, settings[:batch], batch)) for batch in (16, 64, 256)}
    trials = {batch: timed(lambda batch=batch: jax_map(problem, settings[:256], batch))[0] for batch in trials}
    best = min(trials, key=trials.get)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(timed(lambda: runner.run(problem, settings, "float32").values()))
        theirs.append(timed(lambda: jax_map(problem, settings, best)))
    ratios = sorted(other[0] / own[0] for own, other in zip(ours, theirs, strict=True))
    agree = float(np.mean((ours[0][1] < 0) == (theirs[0][1] < 0)))
    seconds = sorted(own[0] * 256**2 / len(settings) for own in ours)
    middle = len(ratios) // 2
    note = f"engine {runner.name}; JAX batch {best}; {agree:.4f} of the pixels on the same side; {len(settings)} pixels x {steps} steps, float32"
    figures = [
        Figure("JAX's CPU time over kazami's", ratios[middle], ratios[0], ratios[-1], "ratio", rounds, None, f"{note}; wanted: at least {LEAST_RATIO:g}"),
        Figure(
            "CPU seconds of a 256 x 256 map", seconds[middle], seconds[0], seconds[-1], "s", rounds, None, "extrapolated from fewer pixels of the same window"
        ),
    ]
    code = publish("trainability", figures, is_quick=asked.quick)
    trainability_map(16, width=4, steps=10)  # the door itself works
    return code or int(ratios[-1] < LEAST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
