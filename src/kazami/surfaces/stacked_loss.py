"""A user's loss on the outputs of many points: as one call where the loss is known or can be mapped, else point by point."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

StackedLoss = Callable[[Tensor, bool], Tensor]

_BY_ENTRY: dict[Any, Callable[..., Tensor]] = {
    F.mse_loss: F.mse_loss,
    F.l1_loss: F.l1_loss,
    F.smooth_l1_loss: F.smooth_l1_loss,
    F.huber_loss: F.huber_loss,
    F.binary_cross_entropy_with_logits: F.binary_cross_entropy_with_logits,
}
_PLAIN_MODULES: dict[type, Any] = {
    nn.CrossEntropyLoss: F.cross_entropy,
    nn.MSELoss: F.mse_loss,
    nn.L1Loss: F.l1_loss,
    nn.BCEWithLogitsLoss: F.binary_cross_entropy_with_logits,
}


def stacked_loss(loss: Any, target: Any) -> StackedLoss:
    """Return ``fn(outputs, is_flat) -> losses``.

    Args:
        loss: The user's ``loss(output, target) -> 0-d tensor``.
        target: The batch's target.

    Returns:
        A function of outputs, shape ``(points, features, examples)``; ``is_flat`` where the user's output has no feature dimension. It gives
        the losses, shape ``(points,)``.
    """
    known = _known(loss)

    def losses(outputs: Tensor, is_flat: bool) -> Tensor:
        if known is F.cross_entropy and not is_flat and _are_classes(target, outputs):
            entries = F.cross_entropy(outputs, target.expand(len(outputs), -1), reduction="none")
            found: Tensor = entries.mean(1)
            return found
        if known in _BY_ENTRY and isinstance(target, Tensor) and _shape(outputs, is_flat) == target.shape:
            wanted = target if is_flat else target.t()
            values = outputs.squeeze(1) if is_flat else outputs
            errors: Tensor = _BY_ENTRY[known](values, wanted.expand_as(values).to(values.dtype), reduction="none")
            return errors.flatten(1).mean(1)
        return _mapped(loss, outputs.squeeze(1) if is_flat else outputs.transpose(1, 2), target)

    return losses


def _known(loss: Any) -> Any:
    """Return the torch function that a loss is: itself, a module with default settings, or ``lambda output, target: F.mse_loss(output, target)``."""
    if loss in _BY_ENTRY or loss is F.cross_entropy:
        return loss
    if type(loss) in _PLAIN_MODULES:
        default = type(loss)()
        same = all(getattr(loss, name) == getattr(default, name) for name in (*type(loss).__constants__, "weight", "pos_weight") if hasattr(default, name))
        return _PLAIN_MODULES[type(loss)] if same else None
    if isinstance(loss, nn.Module) or not callable(loss):
        return None
    try:
        nodes = list(fx.Tracer().trace(loss).nodes)
    except Exception:  # a loss may be any code
        return None
    is_one_call = [node.op for node in nodes] == ["placeholder", "placeholder", "call_function", "output"] and nodes[3].args[0] is nodes[2]
    plain = is_one_call and nodes[2].args == (nodes[0], nodes[1]) and not set(nodes[2].kwargs) - _NO_SETTINGS
    if plain and (nodes[2].target in _BY_ENTRY or nodes[2].target is F.cross_entropy) and all(_is_default(*item) for item in nodes[2].kwargs.items()):
        return nodes[2].target
    return None


_DEFAULTS = {"reduction": "mean", "weight": None, "size_average": None, "reduce": None, "ignore_index": -100, "label_smoothing": 0.0, "beta": 1.0, "delta": 1.0}
_NO_SETTINGS = set(_DEFAULTS) | {"pos_weight"}


def _is_default(name: str, value: Any) -> bool:
    return bool(_DEFAULTS.get(name) == value)


def _are_classes(target: Any, outputs: Tensor) -> bool:
    is_index = isinstance(target, Tensor) and target.dtype == torch.int64 and target.shape == (outputs.shape[2],)
    return is_index and bool((target >= 0).all())


def _shape(outputs: Tensor, is_flat: bool) -> tuple[int, ...]:
    return (outputs.shape[2],) if is_flat else (outputs.shape[2], outputs.shape[1])


def _mapped(loss: Any, outputs: Tensor, target: Any) -> Tensor:
    """Return any other loss by mapping it over the points, or, where it cannot be mapped, one call per point."""
    try:
        values = torch.func.vmap(loss, in_dims=(0, None))(outputs, target)
    except Exception:  # control flow on values, .item(), unsupported operations
        values = torch.stack([loss(output, target) for output in outputs])
    found: Tensor = values.reshape(len(outputs))
    return found
