"""Seconds to check a gradient with one wrong entry, by kazami and by torch.autograd.gradcheck: ``python benchmarks/numeric_vs_backprop.py [--quick]``.

torch's thorough mode differentiates by every entry; its fast mode takes one random projection and does not say where; kazami bisects and names the entry.
"""

import argparse
import sys
import time
from functools import partial
from typing import Any

import torch
from figures import Figure, median_of, publish
from torch import Tensor, nn

import kazami


class OneWrongEntry(torch.autograd.Function):
    """x @ w whose gradient by w is wrong in one entry."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, place: tuple[int, int]) -> Tensor:
        """Return the product."""
        ctx.save_for_backward(x, w)
        ctx.place = place
        return x @ w

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        """Return gradients, one entry of them wrong."""
        x, w = ctx.saved_tensors
        by_w = (x.T @ grad).clone()
        by_w[ctx.place] *= 1.5
        return grad @ w.T, by_w, None


class Layer(nn.Module):
    """tanh(x w) with the wrong gradient."""

    def __init__(self, width: int, place: tuple[int, int]) -> None:
        super().__init__()
        self.weight, self.place = nn.Parameter(torch.randn(width, width, dtype=torch.float64) / width**0.5), place

    def forward(self, x: Tensor) -> Tensor:
        """Return the output."""
        return torch.tanh(OneWrongEntry.apply(x, self.weight, self.place))


def by_torch(model: Layer, x: Tensor, *, fast: bool) -> tuple[float, bool]:
    """Return seconds, and whether the error was found."""
    began = time.perf_counter()
    found = not torch.autograd.gradcheck(
        lambda w: torch.tanh(OneWrongEntry.apply(x, w, model.place)).pow(2).mean(), (model.weight,), raise_exception=False, fast_mode=fast
    )
    return time.perf_counter() - began, found


def by_kazami(model: Layer, x: Tensor) -> tuple[float, bool]:
    """Return seconds, and whether the entry was named."""
    began = time.perf_counter()
    found = kazami.gradcheck(model, lambda output, target: output.pow(2).mean(), (x, None))
    return time.perf_counter() - began, found.index == model.place


def main() -> int:
    """Time all of them on a few widths and publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one repeat, nothing written")
    is_quick = parser.parse_args().quick
    torch.manual_seed(0)
    kazami.gradcheck(nn.Linear(2, 1), nn.functional.mse_loss, (torch.randn(2, 2), torch.randn(2, 1)))  # imports are not timed
    figures: list[Figure] = []
    for width in (10, 100) if is_quick else (10, 32, 100):
        model, x = Layer(width, (width // 3, width // 2)), torch.randn(8, width, dtype=torch.float64)
        ways = {
            "kazami": partial(by_kazami, model, x),
            "torch, thorough": partial(by_torch, model, x, fast=False),
            "torch, fast": partial(by_torch, model, x, fast=True),
        }
        rows: dict[str, list[tuple[float, bool]]] = {name: [] for name in ways}
        for _ in range(1 if is_quick else 5):
            for name, way in ways.items():  # in turns, so that a busy machine slows all of them
                rows[name].append(way())
        for name, row in rows.items():
            told = "names the entry" if name == "kazami" else "says that something is wrong"
            figures.append(
                median_of(
                    f"{width * width} weights, {name}", [seconds for seconds, _ in row], "s", note=f"{told}: {sum(found for _, found in row)} of {len(row)}"
                )
            )
    return publish("numeric_vs_backprop", figures, is_quick=is_quick)


if __name__ == "__main__":
    sys.exit(main())
