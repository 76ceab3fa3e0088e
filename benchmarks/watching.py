"""CPU time and memory of a watched training beside the same training bare: ``python benchmarks/watching.py [--quick] [--only mlp-sgd]``.

Bare, bare once more (the control), watched at every step and watched at the default cadence take turns in short blocks of steps in one process,
each on a model of its own. While a watched training waits for its next turn, its observer is detached and its clock is held, so that the default
cadence is decided as in a training that runs alone.
"""

import argparse
import gc
import json
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from figures import Figure, median_of, median_ratio, publish, ratio_of_sums
from trainings import TRAININGS, Training

import kazami
from kazami.watch import Watch

EVERY_GOAL = {"mlp-sgd": 1.05, "mlp-adam": 1.05, "resnet": 1.02, "gpt": 1.02}
DEFAULT_GOAL = 1.01
STEADY = 1000
FIRST = 64
# Steps per block, rounds of four blocks, rounds of the default cadence beyond them.
PLAN = {"mlp-sgd": (16, 60, 340), "mlp-adam": (16, 60, 340), "resnet": (8, 30, 20), "gpt": (8, 30, 20)}
QUICK = {"mlp-sgd": (10, 30, 100), "mlp-adam": (10, 30, 100), "resnet": (2, 50, 0), "gpt": (2, 50, 0)}


@dataclass
class Arm:
    """One training that takes turns with the others; ``every`` is -1 for a bare one, ``None`` for the default cadence."""

    training: Training
    every: int | None
    seconds: list[float] = field(default_factory=list)
    steps: int = 0
    watch: Watch | None = None
    left_at: float = 0.0

    def turn(self, n_steps: int) -> None:
        """Run some steps and keep their CPU seconds."""
        self._resume()
        began = time.process_time()
        for _ in range(n_steps):
            self.training.step()
        self.seconds.append(time.process_time() - began)
        self.steps += n_steps
        if self.watch is not None:
            self.watch.observer.detach()
            self.left_at = time.perf_counter()

    def _resume(self) -> None:
        if self.every == -1:
            return
        if self.watch is None:
            self.watch = kazami.watch(self.training.model, self.training.optimizer, every=self.every)
            return
        self.watch.observer.began += time.perf_counter() - self.left_at
        self.watch.observer.attach()


def measure(name: str, *, is_quick: bool) -> list[Figure]:
    """Return the figures of one training."""
    block, rounds, more = (QUICK if is_quick else PLAN)[name]
    build = TRAININGS[name]
    arms = {"bare": Arm(build(), -1), "control": Arm(build(), -1), "every": Arm(build(), 1), "default": Arm(build(), None)}
    for arm in (arms["bare"], arms["control"]):  # both are warm before anything is measured; the watched ones pay for their first steps
        arm.turn(block)
        arm.seconds.clear()
    order, draw = list(arms.values()), random.Random(0)
    for _ in range(rounds):
        draw.shuffle(order)
        for arm in order:
            arm.turn(block)
        gc.collect()
    three = [arms["bare"], arms["control"], arms["default"]]
    for _ in range(more):
        draw.shuffle(three)
        for arm in three:
            arm.turn(block)
    found = _figures(name, arms, rounds, block)
    for arm in arms.values():
        if arm.watch is not None:
            arm.watch.close()
            if "kazami" in arm.watch.observer.blind:
                raise RuntimeError(arm.watch.observer.blind["kazami"])
    return found


def _figures(name: str, arms: dict[str, Arm], rounds: int, block: int) -> list[Figure]:
    bare, control = arms["bare"].seconds, arms["control"].seconds
    both = [(a + b) / 2 for a, b in zip(bare, control, strict=True)]
    skipped = -(-FIRST // block) + 1  # at the first steps everything is shown; they are part of the mean
    watch = arms["default"].watch
    sampling = watch.observer.sampling if watch is not None else None
    note = f"{len(bare) * block} steps of {sum(both) / len(both) / block * 1e3:.1f} ms; stride at the end {sampling.stride if sampling else '?'}"
    figures = [
        ratio_of_sums(f"{name} control", control, bare, note="bare beside bare: the noise"),
        median_ratio(f"{name} every step", arms["every"].seconds[skipped:], both[skipped:rounds], goal=EVERY_GOAL[name], note="median of the blocks' ratios"),
        ratio_of_sums(f"{name} every step, mean", arms["every"].seconds, both[:rounds], note="ratio of the sums, first steps and curvature included"),
        ratio_of_sums(f"{name} default, whole run", arms["default"].seconds, both, goal=DEFAULT_GOAL, note=note),
    ]
    steady = STEADY // block
    if len(bare) > steady + 20:
        figures.append(ratio_of_sums(f"{name} default, after step {STEADY}", arms["default"].seconds[steady:], both[steady:], goal=DEFAULT_GOAL, note=note))
        figures.append(ratio_of_sums(f"{name} control, after step {STEADY}", control[steady:], bare[steady:], note="bare beside bare: the noise"))
    return figures


def peak_memory(name: str, *, is_watched: bool, steps: int) -> float:
    """Return the largest resident size, in MiB, of a process of its own that trains."""
    words = [sys.executable, __file__, "--child", name, "--steps", str(steps), *(["--watched"] if is_watched else [])]
    return float(json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout))


def memory_figures(name: str, *, is_quick: bool) -> list[Figure]:
    """Return what watching every step adds to the largest resident size, for a short and a ten times longer training."""
    figures = []
    for steps in (30,) if is_quick else (30, 300):
        bare = [peak_memory(name, is_watched=False, steps=steps) for _ in range(3)]
        watched = [peak_memory(name, is_watched=True, steps=steps) for _ in range(3)]
        base = min(bare)
        extra = [value - base for value in watched]
        note = f"bare {base:.0f} MiB, kazami imported in both"
        figures.append(median_of(f"{name} extra peak memory, {steps} steps", extra, "MiB", goal=0.01 * base + 32, note=note))
    return figures


def child(name: str, steps: int, is_watched: bool) -> None:
    """Train in this process and print its largest resident size in MiB."""
    torch.set_num_threads(1)
    training = TRAININGS[name]()
    watch = kazami.watch(training.model, training.optimizer, every=1) if is_watched else None
    for _ in range(steps):
        training.step()
    status = Path("/proc/self/status").read_text(encoding="ascii")  # ru_maxrss would begin at what the parent had
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    if watch is not None:
        watch.close()
    print(json.dumps(peak))


def main() -> int:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute instead of half an hour, wide intervals, nothing written")
    parser.add_argument("--only", choices=TRAININGS, help="one of the trainings; nothing written")
    parser.add_argument("--child", choices=TRAININGS, help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=30, help=argparse.SUPPRESS)
    parser.add_argument("--watched", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        child(chosen.child, chosen.steps, chosen.watched)
        return 0
    torch.set_num_threads(1)
    figures: list[Figure] = []
    for name in [chosen.only] if chosen.only else list(TRAININGS):
        figures += measure(name, is_quick=chosen.quick) + memory_figures(name, is_quick=chosen.quick)
    return publish("watching", figures, is_quick=chosen.quick or chosen.only is not None)


if __name__ == "__main__":
    sys.exit(main())
