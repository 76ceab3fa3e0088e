"""One pass through a batch normalisation, as the observables see it."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from kazami.watch.graph import LiveGraph
from kazami.watch.layers import Sight, read_layers
from kazami.watch.names import Names


def passes(norm: nn.Module, *batches: Tensor) -> Iterator[Sight]:
    """Yield what is seen of ``norm`` at each of its forward passes, with one memory for all."""
    memory: dict[str, object] = {}
    for x in batches:
        loss = norm(x).square().sum()
        (sight,) = read_layers(LiveGraph((loss,)), Names([norm]))
        sight.memory = memory
        yield sight
        del loss


def normal(n: int = 64, channels: int = 3, *, mean: float = 0.0, std: float = 1.0, seed: int = 0) -> Tensor:
    """Return a batch whose channels have exactly this mean and (biased) standard deviation."""
    x = torch.randn(n, channels, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return mean + std * (x - x.mean(0)) / x.std(0, unbiased=False)
