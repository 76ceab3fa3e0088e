"""How much each residual block adds to what passes it by."""

from typing import Any

import torch
from torch import nn

from .private_copy import Mode, private_copy, undisturbed
from .residual_trace import ResidualRatio, residual_tape


def residual_ratios(model: nn.Module, example: Any, keywords: dict[str, Any] | None = None, *, mode: Mode = "eval") -> list[ResidualRatio]:
    r"""Return :math:`\lVert f(x) \rVert / \lVert x \rVert` of every residual block :math:`x + f(x)`, in the order in which a forward pass closes them.

    A block is found where an addition has one operand that the other was made of, whatever the classes are called: a wrapped module, a hand-written
    ``x + self.f(x)``, ``+=``, attention and feed-forward parts of a transformer, parallel branches, padded or scaled shortcuts. A projection
    shortcut is no identity and is not listed.

    Args:
        model: Any module, at any time of its training; it stays as it is.
        example: One batch: a tensor, or a tuple of positional arguments.
        keywords: Keyword arguments of the forward pass.
        mode: Evaluation by default.

    Limits:
        Seen are the operations that PyTorch dispatches, so not what a compiled or fused kernel adds inside itself. To measure a training step as it happens use
        :func:`~kazami.nets.inside.residual_trace.residual_tape`.

    References:
        He et al. 2016, "Identity mappings in deep residual networks", section 2; Greff, Srivastava and Schmidhuber 2017, "Highway and residual networks learn
        unrolled iterative estimation".
    """
    copied = private_copy(model, mode=mode)
    positional = example if isinstance(example, tuple) and not getattr(example, "_fields", None) else (example,)
    with undisturbed(model), torch.no_grad(), residual_tape(copied) as ratios:
        copied(*positional, **(keywords or {}))
    return ratios
