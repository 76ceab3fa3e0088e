"""Cost of following the weights: ``python benchmarks/sketch_overhead.py [--quick] [--only mlp]``.

A training watched into a run directory and the same one without its weights being followed take turns in short blocks of steps in one process, each on a
model of its own, at the default cadence. While one waits for its turn its observer is detached and its clock is held.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from figures import Figure, median_of, median_ratio, publish, ratio_of_sums
from torch import nn
from torch.nn import functional as F
from trainings import GPT, Training

import kazami
from kazami.watch import Watch

GOAL = 1.01
PLAN = {"mlp": (16, 250), "gpt": (4, 24)}  # steps per block, rounds
QUICK = {"mlp": (16, 60), "gpt": (4, 8)}


def mlp() -> Training:
    """784-128-10, batch 64, SGD."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    return _loop(model, torch.optim.SGD(model.parameters(), lr=0.01), torch.randn(64, 784), torch.randint(0, 10, (64,)))


def gpt() -> Training:
    """A transformer of 1.0 million weights, batch 16, AdamW."""
    torch.manual_seed(0)
    model = GPT(depth=5)
    tokens = torch.randint(0, 256, (16, 65))
    return _loop(model, torch.optim.AdamW(model.parameters(), lr=3e-4), tokens[:, :-1], tokens[:, 1:])


def _loop(model: nn.Module, optimizer: torch.optim.Optimizer, inputs: torch.Tensor, targets: torch.Tensor) -> Training:
    def step() -> None:
        optimizer.zero_grad()
        output = model(inputs)
        F.cross_entropy(output.reshape(-1, output.shape[-1]), targets.reshape(-1)).backward()
        optimizer.step()

    return Training(model, optimizer, step)


TRAININGS: dict[str, Callable[[], Training]] = {"mlp": mlp, "gpt": gpt}


@dataclass
class Arm:
    """One watched training; ``is_followed`` tells whether its weights are sketched."""

    training: Training
    watch: Watch
    is_followed: bool
    seconds: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)
    left_at: float = 0.0

    def turn(self, n_steps: int) -> None:
        """Run some steps and keep their CPU seconds, in all and one by one."""
        observer = self.watch.observer
        if self.left_at:
            observer.began += time.perf_counter() - self.left_at
            observer.attach()
        began = last = time.process_time()
        for _ in range(n_steps):
            self.training.step()
            now = time.process_time()
            self.single.append(now - last)
            last = now
        self.seconds.append(last - began)
        observer.detach()
        self.left_at = time.perf_counter()


def arm(build: Callable[[], Training], place: Path, *, is_followed: bool) -> Arm:
    """Return a watched training with or without a follower of its weights."""
    training = build()
    watch = kazami.watch(training.model, training.optimizer, run=str(place))
    if not is_followed:
        watch.observer.follower = None
    return Arm(training, watch, is_followed)


def measure(name: str, *, is_quick: bool) -> list[Figure]:
    """Return the figures of one training."""
    block, rounds = (QUICK if is_quick else PLAN)[name]
    with tempfile.TemporaryDirectory() as folder:
        followed = arm(TRAININGS[name], Path(folder) / "followed", is_followed=True)
        alone = arm(TRAININGS[name], Path(folder) / "alone", is_followed=False)
        order, draw = [followed, alone], random.Random(0)
        for _ in range(rounds):
            draw.shuffle(order)
            for one in order:
                one.turn(block)
        follower = followed.watch.observer.follower
        assert follower is not None
        assert "trajectory" not in followed.watch.observer.blind
        cadence, steps = follower.cadence, len(followed.single)
        idle = unsketched(followed)
        for one in order:
            one.watch.close()
        size = sum(file.stat().st_size for file in (Path(folder) / "followed" / "trajectory").iterdir())
    typical = statistics.median(alone.single)
    note = f"{idle * 1e6:.2f} µs, beside a step of {typical * 1e3:.2f} ms"
    extra = Figure(f"{name} a step that is not sketched, alone", 1 + idle / typical, 1 + idle / typical, 1 + idle / typical, "ratio", 1, GOAL, note)
    return [extra, *_figures(name, followed, alone, steps, cadence.n, cadence.spent, size)]


def unsketched(one: Arm) -> float:
    """Return the seconds that following costs at a step that is not sketched."""
    observer = one.watch.observer
    follower, (player,) = observer.follower, observer.players
    step = next(step for step in range(2**16 + 2, 2**17) if not follower.cadence.is_due(step - 1))
    began = time.process_time()
    for _ in range(20_000):
        follower.step_begins(player, step)
        follower.step_ended(step)
    return (time.process_time() - began) / 20_000


def _figures(name: str, followed: Arm, alone: Arm, steps: int, n: int, spent: float, size: int) -> list[Figure]:
    typical = statistics.median(alone.single)
    plain = sum(alone.single) / steps
    note = f"{steps} steps, {n} sketches, {typical * 1e3:.2f} ms a watched step (median)"
    return [
        median_ratio(f"{name} step, followed / not", followed.single, alone.single, goal=GOAL, note=note),
        ratio_of_sums(f"{name} whole run, followed / not", followed.seconds, alone.seconds, note="first steps included, where every step is sketched"),
        median_of(f"{name} one sketch", [spent / n * 1e3], "ms", note="processor time, the first one excluded, fingerprints of the batches included"),
        median_of(f"{name} share of the run spent on sketches", [spent / (plain * steps)], "ratio", note="0.15 s may always be spent"),
        median_of(f"{name} bytes a sketch", [size / n], "B", note=f"{size / 2**20:.2f} MiB in all"),
    ]


def main() -> int:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="half a minute, wide intervals, nothing written")
    parser.add_argument("--only", choices=TRAININGS, help="one of the trainings; nothing written")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    figures: list[Figure] = []
    for name in [chosen.only] if chosen.only else list(TRAININGS):
        figures += measure(name, is_quick=chosen.quick)
    return publish("sketch_overhead", figures, is_quick=chosen.quick or chosen.only is not None)


if __name__ == "__main__":
    sys.exit(main())
