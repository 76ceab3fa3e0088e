"""Half precision in another format: bfloat16 wherever a model, a loss or a step of the user's own takes float16."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..maps import Training
from ._fresh import fresh, goes
from ._modes import with_mode
from ._surgery import with_model

DEVICES = ("cpu", "cuda")


class InBfloat16(TorchFunctionMode):
    """Takes bfloat16 for float16 in conversions, in tensors and in autocast.

    Args:
        seen: Called whenever there was float16.
    """

    def __init__(self, seen: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._seen = seen

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Make the call in the other format."""
        del types
        for device in DEVICES:
            if torch.is_autocast_enabled(device) and torch.get_autocast_dtype(device) is torch.float16:
                self._seen()
                torch.set_autocast_dtype(device, torch.bfloat16)  # leaving autocast sets back what was there before it
        if function is Tensor.half:
            self._seen()
            function = Tensor.bfloat16
        return function(*(self._other(one) for one in arguments), **{name: self._other(one) for name, one in (keywords or {}).items()})

    def _other(self, one: Any) -> Any:
        if one is torch.float16:
            self._seen()
            return torch.bfloat16
        if isinstance(one, Tensor) and one.dtype is torch.float16:
            self._seen()
            return one.bfloat16()
        return type(one)(self._other(part) for part in one) if type(one) in (list, tuple) else one


def with_bfloat16(training: Training) -> Training | None:
    """Return the training that takes bfloat16 instead of float16; ``None`` where it takes no float16, or does not run in the other format."""

    def change(model: nn.Module) -> None:
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.dtype is torch.float16:
                tensor.data = tensor.data.bfloat16()

    seen: list[bool] = []
    model = fresh(training).model
    has_half = any(tensor.dtype is torch.float16 for tensor in (*model.parameters(), *model.buffers()))
    changed = with_model(training, change) if has_half else training
    runs = goes(with_mode(changed, lambda: InBfloat16(lambda: seen.append(True))))
    return with_mode(changed, InBfloat16) if runs and (seen or has_half) else None
