"""CPU time of a watched DDP training beside the same training bare, on two ranks: ``python benchmarks/distributed.py [--quick]``.

Both ranks (gloo) take the same turns, in short blocks of steps: bare, bare once more (the control), watched at every step, watched at the default cadence.
Each arm has a model of its own. What waits for the other rank costs no CPU time, so that two ranks on two cores measure watching and not the other rank.
"""

import argparse
import json
import random
import subprocess
import sys

import torch
import torch.distributed as dist
from figures import Figure, median_ratio, publish, ratio_of_sums
from torch import nn
from torch.nn import functional as F
from trainings import TRAININGS, Training
from watching import DEFAULT_GOAL, EVERY_GOAL, FIRST, STEADY, Arm

NAMES = ("mlp-sgd", "mlp-adam")
# Steps per block, rounds of four blocks, rounds of the default cadence beyond them: the same run as in watching.py, since the first steps, at which everything
# is shown, are dear, and what they weigh depends on how many follow.
PLAN, QUICK = (16, 60, 340), (10, 30, 100)


def training(name: str) -> Training:
    """Return one of the trainings with its model in DDP, each rank on batches of its own."""
    own = TRAININGS[name]()
    ddp = nn.parallel.DistributedDataParallel(own.model)
    generator = torch.Generator().manual_seed(dist.get_rank())
    inputs, targets = torch.randn(128, 784, generator=generator), torch.randint(0, 10, (128,), generator=generator)

    def step() -> None:
        own.optimizer.zero_grad()
        F.cross_entropy(ddp(inputs), targets).backward()
        own.optimizer.step()

    return Training(ddp, own.optimizer, step)


def measure(name: str, *, is_quick: bool) -> list[Figure]:
    """Return the figures of one training on this rank."""
    block, rounds, more = QUICK if is_quick else PLAN
    arms = {"bare": Arm(training(name), -1), "control": Arm(training(name), -1), "every": Arm(training(name), 1), "default": Arm(training(name), None)}
    for arm in (arms["bare"], arms["control"]):
        arm.turn(block)
        arm.seconds.clear()
    order, draw = list(arms.values()), random.Random(0)  # the same order on both ranks: each block is a sequence of collectives
    for number in range(rounds + more):
        turns = order if number < rounds else [arm for arm in order if arm is not arms["every"]]
        draw.shuffle(turns)
        for arm in turns:
            arm.turn(block)
    for arm in arms.values():
        if arm.watch is not None:
            arm.watch.close()
            if "kazami" in arm.watch.observer.blind:
                raise RuntimeError(arm.watch.observer.blind["kazami"])
    bare, control = arms["bare"].seconds, arms["control"].seconds
    both = [(a + b) / 2 for a, b in zip(bare, control, strict=True)]
    skipped, steady = -(-FIRST // block) + 1, STEADY // block  # at the first steps everything is shown; they are part of the whole run
    note = f"2 ranks, gloo; {len(bare) * block} steps of {sum(both) / len(both) / block * 1e3:.1f} ms"
    figures = [
        ratio_of_sums(f"ddp {name} control", control, bare, note="bare beside bare: the noise"),
        median_ratio(f"ddp {name} every step", arms["every"].seconds[skipped:rounds], both[skipped:rounds], goal=EVERY_GOAL[name], note="median of the blocks"),
        ratio_of_sums(f"ddp {name} default, whole run", arms["default"].seconds, both, goal=DEFAULT_GOAL, note=note),
    ]
    if len(bare) > steady + 20:
        default = arms["default"].seconds
        figures.append(ratio_of_sums(f"ddp {name} default, after step {STEADY}", default[steady:], both[steady:], goal=DEFAULT_GOAL, note=note))
        figures.append(ratio_of_sums(f"ddp {name} control, after step {STEADY}", control[steady:], bare[steady:], note="bare beside bare: the noise"))
    return figures


def main() -> int:
    """Start the ranks; in them, measure, and publish on the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute or two, wide intervals, nothing written")
    parser.add_argument("--rank", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if not chosen.rank:
        words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", __file__, "--rank", *(["--quick"] if chosen.quick else [])]
        done = subprocess.run([sys.executable, *words], check=True, stdout=subprocess.PIPE, text=True)
        sys.stdout.write(done.stdout)
        return int(any(json.loads(line)["missed"] for line in done.stdout.splitlines() if line.startswith("{")))
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    figures = [figure for name in NAMES for figure in measure(name, is_quick=chosen.quick)]
    if dist.get_rank() == 0:
        publish("distributed", figures, is_quick=chosen.quick)
    dist.barrier()
    dist.destroy_process_group()
    return 0  # a rank that fails would have the launcher tell of it at length: the goals are judged where the ranks were started


if __name__ == "__main__":
    sys.exit(main())
