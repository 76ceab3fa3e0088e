"""A stretch of float32 within half precision."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from ..maps import Training
from ..maps.training import untouched_randomness
from ._fresh import fresh, goes
from ._modes import with_mode
from ._surgery import with_model

DEVICES = ("cpu", "cuda")
MATRIX = (torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.mm, torch.bmm, torch.einsum, torch.baddbmm, torch.addmm, F.linear)
# By the name of the operation as a finding tells it, which is autograd's, the functions that people call.
FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "pow": (Tensor.square, torch.square, Tensor.pow, torch.pow, Tensor.__pow__),
    "exp": (Tensor.exp, torch.exp),
    "mul": (Tensor.mul, torch.mul, Tensor.__mul__, Tensor.__rmul__),
    "sum": (Tensor.sum, torch.sum),
    "mean": (Tensor.mean, torch.mean),
    "prod": (Tensor.prod, torch.prod),
    "cumsum": (Tensor.cumsum, torch.cumsum),
    "norm": (torch.norm, Tensor.norm, torch.linalg.vector_norm, torch.linalg.norm),
    "softmax": (torch.softmax, Tensor.softmax, F.softmax),
    "mm": MATRIX,
    "bmm": MATRIX,
    "addmm": MATRIX,
    "linear": MATRIX,
    "convolution": (F.conv1d, F.conv2d, F.conv3d, torch.conv1d, torch.conv2d, torch.conv3d),
    "mse": (F.mse_loss,),
}


class InFloat32(TorchFunctionMode):
    """Makes some calls, or all of them, in float32.

    Args:
        functions: Those calls; all where empty: conversions to half precision and autocast are then lifted too.
        seen: Called whenever something was changed.
    """

    def __init__(self, functions: tuple[Any, ...] = (), seen: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._functions, self._seen = set(functions), seen

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Make the call."""
        del types
        keywords = keywords or {}
        if self._functions and function not in self._functions:
            return function(*arguments, **keywords)
        casting = [device for device in DEVICES if torch.is_autocast_enabled(device)]
        if casting:
            self._seen()
        for device in casting:
            torch.set_autocast_enabled(device, False)
        try:
            if not self._functions and function in (Tensor.half, Tensor.bfloat16):
                self._seen()
                function = Tensor.float
            return function(*(self._full(one) for one in arguments), **{name: self._full(one) for name, one in keywords.items()})
        finally:
            for device in casting:
                torch.set_autocast_enabled(device, True)

    def _full(self, one: Any) -> Any:
        if one is torch.float16 and not self._functions:
            self._seen()
            return torch.float32
        if isinstance(one, Tensor) and one.dtype is torch.float16:
            self._seen()
            return one.float()
        return type(one)(self._full(part) for part in one) if type(one) in (list, tuple) else one


def with_float32(training: Training, operation: str) -> Training | None:
    """Return the training in which an operation runs in float32; where that does not make the first loss finite, all that ran in float16.

    ``None`` where nothing runs in float16, or it does not run in float32.

    Args:
        operation: Its name as a finding tells it; empty for all.
    """
    functions = FUNCTIONS.get(operation, ())
    for chosen in (functions, ()) if functions else ((),):
        changed = _in_float32(training, chosen)
        if changed is not None and _first_loss_is_finite(changed):
            return changed
    return None


def _in_float32(training: Training, functions: tuple[Any, ...]) -> Training | None:
    seen: list[bool] = []

    def change(model: nn.Module) -> None:
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.dtype is torch.float16:
                tensor.data = tensor.data.float()

    model = fresh(training).model
    has_half = not functions and any(tensor.dtype is torch.float16 for tensor in (*model.parameters(), *model.buffers()))
    base = with_model(training, change) if has_half else training
    runs = goes(with_mode(base, lambda: InFloat32(functions, lambda: seen.append(True))))
    return with_mode(base, lambda: InFloat32(functions)) if runs and (seen or has_half) else None


def _first_loss_is_finite(training: Training) -> bool:
    with untouched_randomness():
        state = training.start()
        loss = training.step(state.model, state.optimizer, next(iter(training.endless_batches())))
    return bool(torch.isfinite(loss).all())
