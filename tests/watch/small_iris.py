"""Trainings on Iris whose motion is known: smooth descent, the edge of stability, and growth of tiny differences."""

from collections.abc import Callable

import numpy as np
import torch
from sklearn.datasets import load_iris
from torch import Tensor, nn

from kazami.diagnosis import examine
from kazami.maps import Training
from kazami.records import Finding, Trace
from kazami.watch.growing import GrowthReader
from kazami.watch.observer import Observer

F64 = torch.float64


def flowers(*, is_standardised: bool) -> tuple[Tensor, Tensor]:
    """Return 120 flowers in a fixed order and their classes."""
    x, y = load_iris(return_X_y=True)
    x = (x - x.mean(0)) / x.std(0) if is_standardised else x
    kept = np.random.default_rng(0).permutation(150)[:120]
    return torch.tensor(x[kept], dtype=F64), torch.tensor(y[kept])


def danovski(rate: float, steps: int, seed: int = 0) -> Training:
    """Return the training of Danovski, Soriano and Lacasa 2024: 4-10-3, sigmoid, weights N(0, 1), full batch."""
    x, y = flowers(is_standardised=False)

    def model() -> nn.Sequential:
        net = nn.Sequential(nn.Linear(4, 10, dtype=F64), nn.Sigmoid(), nn.Linear(10, 3, dtype=F64))
        for layer in (net[0], net[2]):
            nn.init.normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        return net

    return Training(
        model=model,
        optimizer=lambda net: torch.optim.SGD(net.parameters(), lr=rate),
        loss=nn.functional.cross_entropy,
        batches=lambda: [(x, y)],
        steps=steps,
        seed=seed,
    )


def tanh_net(optimizer: Callable[[nn.Module], torch.optim.Optimizer], steps: int, *, clip: float | None = None) -> Training:
    """Return full-batch descent of 4-16-16-3, tanh, Glorot, half the squared distance."""
    x, y = flowers(is_standardised=True)
    target = nn.functional.one_hot(y, 3).to(F64)

    def model() -> nn.Sequential:
        layers = [nn.Linear(4, 16, dtype=F64), nn.Tanh(), nn.Linear(16, 16, dtype=F64), nn.Tanh(), nn.Linear(16, 3, dtype=F64)]
        for layer in layers[::2]:
            nn.init.xavier_uniform_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        return nn.Sequential(*layers)

    loss = lambda output, wanted: 0.5 * ((output - wanted) ** 2).sum(1).mean()  # noqa: E731
    return Training(model=model, optimizer=optimizer, loss=loss, batches=lambda: [(x, target)], steps=steps, clip_grad_norm=clip)


def watched(training: Training, *, is_full: bool) -> tuple[Trace, Observer]:
    """Run a training watched; with ``is_full`` the growth is followed at every step (sharpness at its usual cadence)."""
    observer = Observer()
    observer.growth = GrowthReader(is_full=is_full)
    observer.attach()
    try:
        training.run()
    finally:
        observer.detach()
    assert "kazami" not in observer.blind, observer.blind
    return observer.traces()[0], observer


def named(trace: Trace) -> dict[str, Finding]:
    """Return the findings by name."""
    return {finding.name: finding for finding in examine(trace)}
