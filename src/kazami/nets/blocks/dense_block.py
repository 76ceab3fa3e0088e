"""Layers that see everything before them: what comes out is appended to what went in."""

from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UsageError
from .shortcuts import ends, name_of


class DenseBlock(nn.Module):
    r"""Concatenation instead of a sum: :math:`x_{k+1} = [x_k, f_k(x_k)]` along the features, or along the channels of convolutions.

    With one module the block is :math:`[x, f(x)]`; with several, each gets the input and all outputs before its own (Huang et al. 2017). Features grow by what
    each adds: module *k* should take ``n_in + growth · k``.

    Args:
        modules: :math:`f_0, f_1, …`; each keeps all sizes but that of the features (channels).

    Raises:
        UsageError: No module; at the call: sizes other than that of the features differ.

    References:
        Huang, Liu, van der Maaten and Weinberger 2017, arXiv 1608.06993.

    Example:
        >>> block = DenseBlock(nn.Linear(4, 2), nn.Linear(6, 2))
        >>> x = torch.ones(5, 4)
        >>> block(x).shape, torch.equal(block(x)[:, :4], x)
        (torch.Size([5, 8]), True)
    """

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__()
        if not modules or not all(isinstance(module, nn.Module) for module in modules):
            raise UsageError(f"A DenseBlock should be given one module or more, and got {', '.join(type(module).__name__ for module in modules) or 'none'}.")
        self.layers = nn.ModuleList(modules)

    def forward(self, x: Tensor, *inputs: Any, **keywords: Any) -> Tensor:
        """Return x with all outputs appended; further arguments go to each module.

        Raises:
            UsageError: An output cannot be appended.
        """
        for module in self.layers:
            output = module(x, *inputs, **keywords)
            x = torch.cat([x, output], dim=_dimension(x, output, module))
        return x


def _dimension(x: Tensor, output: Tensor, module: nn.Module) -> int:
    found = ends(x.shape, output.shape, module)
    if found.misfit or found.is_strided:
        advice = "Concatenation needs the same size in all dimensions but that of the features (channels): use stride 1 and a padding that keeps the size"
        raise UsageError(f"DenseBlock around {name_of(module)}: {list(x.shape)} and {list(output.shape)} cannot be joined. {advice}.")
    return found.channel_dimension
