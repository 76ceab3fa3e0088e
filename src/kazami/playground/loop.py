"""The training loop of the playground. Each function stands for itself, so that it can be written out into an exported script."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn


def make_optimizer(model: nn.Module, name: str, learning_rate: float) -> torch.optim.Optimizer:
    """Return an optimizer of torch by its playground name."""
    if name == "rmsprop":
        return torch.optim.RMSprop(model.parameters(), lr=learning_rate)
    if name == "adam":
        return torch.optim.Adam(model.parameters(), lr=learning_rate)
    if name == "adamw":
        return torch.optim.AdamW(model.parameters(), lr=learning_rate)
    momentum = 0.0 if name == "sgd" else 0.9
    return torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=momentum, nesterov=name == "nesterov")


def batches(n: int, size: int, seed: int) -> Iterator[Tensor]:
    """Yield the indices of one batch after another for ever, shuffled anew in each pass; all of them in order where ``size`` is 0."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        if size == 0 or size >= n:
            yield torch.arange(n)
            continue
        yield from torch.randperm(n, generator=generator).split(size)


def take_step(model: nn.Module, optimizer: torch.optim.Optimizer, inputs: Tensor, targets: Tensor, clip: float | None) -> Tensor:
    """Take one step and return the loss before it: cross-entropy for class numbers, mean squared error for numbers."""
    optimizer.zero_grad()
    output = model(inputs)
    loss = nn.functional.mse_loss(output, targets) if targets.is_floating_point() else nn.functional.cross_entropy(output, targets)
    loss.backward()
    if clip is not None:
        nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return loss.detach()
