"""CPU time of a loss surface beside loss-landscapes, on the same plane and at the same values: ``python benchmarks/loss_surface.py [--quick]``.

Needs the package loss-landscapes (``pip install --no-deps loss-landscapes``). Both compute the same points of the same plane in turns, in one process with
one thread; what is timed is all of ``kazami.surfaces.surface`` (copying, tracing, checking itself) and all of ``planar_interpolation``. In every second
row loss-landscapes is one column off (it steps before it evaluates, forwards in even rows and backwards in odd ones); values are compared where it really was.
"""

import argparse
import copy
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import loss_landscapes
import numpy as np
import torch
import torch.nn.functional as F
from figures import Figure, median_ratio, publish
from loss_landscapes.metrics import Loss
from torch import Tensor, nn

from kazami.surfaces import Plane, surface

GOAL = 1 / 8


class Block(nn.Module):
    """One block of a transformer, pre-norm."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Attend, then feed forward."""
        n, length, width = x.shape
        q, k, v = self.qkv(self.first(x)).view(n, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, width))
        return x + self.feed(self.second(x))


class Transformer(nn.Module):
    """Two blocks over 16 tokens, mean, ten classes."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(20, 32), nn.Parameter(torch.randn(16, 32) * 0.02)
        self.blocks = nn.Sequential(Block(32, 4), Block(32, 4))
        self.norm, self.head = nn.LayerNorm(32), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        return self.head(self.norm(self.blocks(self.tokens(x) + self.places)).mean(1))


@dataclass(frozen=True)
class Case:
    """One model with its batch."""

    name: str
    make: Callable[[], nn.Module]
    batch: Callable[[int], Tensor]
    size: int
    resolution: int


def mlp(*sizes: int) -> nn.Module:
    """Return a ReLU network."""
    layers = [layer for i, o in pairwise(sizes) for layer in (nn.Linear(i, o), nn.ReLU())]
    return nn.Sequential(*layers[:-1])


def convolution() -> nn.Module:
    """Return a small convolutional network."""
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    return nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), *head)


def vectors(width: int) -> Callable[[int], Tensor]:
    """Return what makes a batch of vectors."""
    return lambda n: torch.randn(n, width)


CASES = (
    Case("MLP 784-128-10, batch 256, 51x51", lambda: mlp(784, 128, 10), vectors(784), 256, 51),
    Case("MLP 784-128-10, batch 1024, 51x51", lambda: mlp(784, 128, 10), vectors(784), 1024, 51),
    Case("MLP 784-128-10, batch 32, 51x51", lambda: mlp(784, 128, 10), vectors(784), 32, 51),
    Case("MLP 64-32-32-10, batch 256, 51x51", lambda: mlp(64, 32, 32, 10), vectors(64), 256, 51),
    Case("MLP 64-8x32-10, batch 32, 51x51", lambda: mlp(64, *[32] * 8, 10), vectors(64), 32, 51),
    Case("MLP 784-256-256-256-10, batch 256, 31x31", lambda: mlp(784, 256, 256, 256, 10), vectors(784), 256, 31),
    Case("convolutional, 2 layers, batch 64, 31x31", convolution, lambda n: torch.randn(n, 1, 16, 16), 64, 31),
    Case("transformer, 2 blocks, batch 64, 21x21", Transformer, lambda n: torch.randint(20, (n, 16)), 64, 21),
)


def measure(case: Case, rounds: int) -> list[Figure]:
    """Return the ratio of one model, after the values were compared."""
    torch.manual_seed(0)
    model = case.make().eval()
    inputs, target = case.batch(case.size), torch.randint(10, (case.size,))
    plane = Plane.random(model, seed=0, biases="move")
    ends = [copy.deepcopy(model) for _ in range(2)]
    for end, direction in zip(ends, (plane.second, plane.first), strict=True):
        nn.utils.vector_to_parameters(plane.centre + direction, end.parameters())
    n = case.resolution
    seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
    found: dict[str, np.ndarray] = {}
    last = (n - 1) / n

    def ours(columns: int = n, right: float = last) -> np.ndarray:
        return surface(model, F.cross_entropy, (inputs, target), plane, resolution=(n, columns), extent=(0.0, right, 0.0, last)).values

    def theirs() -> np.ndarray:
        start = copy.deepcopy(model)
        began = time.process_time()
        values = loss_landscapes.planar_interpolation(start, ends[0], ends[1], Loss(F.cross_entropy, inputs, target), n)
        theirs.seconds = time.process_time() - began  # type: ignore[attr-defined]  # without the copy, which they leave to the caller
        return values

    draw = random.Random(0)
    for number in range(rounds + 1):
        order = ["ours", "theirs"]
        draw.shuffle(order)
        for name in order:
            began = time.process_time()
            found[name] = ours() if name == "ours" else theirs()
            spent = time.process_time() - began if name == "ours" else theirs.seconds  # type: ignore[attr-defined]
            if number:  # the first round warms up
                seconds[name].append(spent)
    # One column more than theirs, so that the columns of their even and of their odd rows are all there.
    off = difference(ours(n + 1, 1.0), found["theirs"])
    engine = surface(model, F.cross_entropy, (inputs, target), plane, resolution=2).engine
    times = sum(seconds["theirs"]) / sum(seconds["ours"])
    note = f"{times:.1f} times as fast; {engine}; {np.mean(seconds['theirs']) / n**2 * 1e6:.0f} us a point there; largest relative difference {off:.1e}"
    return [median_ratio(case.name, seconds["ours"], seconds["theirs"], goal=GOAL, note=note)]


def difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest relative difference, each of their values held against the point at which they evaluated it."""
    expected = np.where(np.arange(len(theirs))[:, None] % 2 == 0, ours[:, 1:], ours[:, :-1])
    off = float(np.abs(theirs / expected - 1).max())
    if off > 1e-3:
        raise RuntimeError(f"the values differ by {off:.1e}: these are not the same points")
    return off


def main() -> int:
    """Measure all and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, nothing written")
    parser.add_argument("--only", help="the cases whose name holds this")
    options = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [case for case in CASES if options.only is None or options.only in case.name]
    figures = [figure for case in chosen for figure in measure(case, 2 if options.quick else 7)]
    return publish("loss_surface", figures, is_quick=options.quick or options.only is not None)


if __name__ == "__main__":
    sys.exit(main())
