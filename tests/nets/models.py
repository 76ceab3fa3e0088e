"""Small models of many kinds, shared by the tests of this room."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Written(nn.Module):
    """A model whose forward is a function of itself and its inputs; parts are given by name."""

    def __init__(self, function: Callable[..., Any], **parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, *inputs: Any, **keywords: Any) -> Any:
        return self.function(self, *inputs, **keywords)


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    """Return standard normal numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def seeded_model(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """Return a model with weights from ``seed``, in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make().double()
