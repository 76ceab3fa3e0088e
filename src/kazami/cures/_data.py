"""Data that are not finite: samples left out of the batches, or numbers filled where they reach the first layer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..maps import Training
from ..maps.training import Batch, untouched_randomness
from ._fresh import goes
from ._modes import with_mode
from ._surgery import ChangedInputs, with_model

MOST_BATCHES = 256  # looked through before a change is made


def tensors_in(data: Any) -> list[Tensor]:
    """Return the tensors of a batch's inputs or targets: a tensor, or a tuple, list or dict of them, to any depth."""
    if isinstance(data, Tensor):
        return [data]
    inside = data.values() if isinstance(data, dict) else data if isinstance(data, list | tuple) else ()
    return [tensor for one in inside for tensor in tensors_in(one)]


def mapped(data: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Return the same structure with every tensor changed."""
    if isinstance(data, Tensor):
        return change(data)
    if isinstance(data, dict):
        return {key: mapped(value, change) for key, value in data.items()}
    if isinstance(data, list | tuple):
        parts = [mapped(value, change) for value in data]
        return type(data)(*parts) if hasattr(data, "_fields") else type(data)(parts)
    return data


def is_finite(data: Any) -> bool:
    """Return whether all numbers of all tensors are finite."""
    return all(not (tensor.is_floating_point() or tensor.is_complex()) or bool(torch.isfinite(tensor).all()) for tensor in tensors_in(data))


def clean(batch: Batch, *, of_targets: bool) -> Batch | None:
    """Return a batch without the samples whose inputs (or targets) are not finite.

    Returns:
        ``None`` where none is left, the batch itself where they cannot be taken out.
    """
    tensors = tensors_in(batch)
    lengths = {len(tensor) for tensor in tensors if tensor.dim() > 0}
    side = batch[1] if of_targets else batch[0]
    if is_finite(side) or len(lengths) != 1 or any(tensor.dim() == 0 for tensor in tensors):
        return batch
    keep = torch.ones(lengths.pop(), dtype=torch.bool)
    for tensor in tensors_in(side):
        keep &= torch.isfinite(tensor).reshape(len(tensor), -1).all(1).cpu()
    kept: Batch = mapped(batch, lambda tensor: tensor[keep.to(tensor.device)])
    return kept if bool(keep.any()) else None


def with_clean_data(training: Training, *, of_targets: bool) -> Training | None:
    """Return the training without the samples whose inputs (or targets) are not finite; ``None`` where all are, none is left, or they cannot be taken out."""
    make = training.batches

    def cleaned() -> Iterator[Batch]:
        return (batch for batch in (clean(one, of_targets=of_targets) for one in make()) if batch is not None)

    with untouched_randomness():
        before = list(islice(make(), MOST_BATCHES))
        after = list(islice(cleaned(), MOST_BATCHES))
    side = int(of_targets)
    if all(is_finite(batch[side]) for batch in before) or not after or not all(is_finite(batch[side]) for batch in after):
        return None
    return training.replaced(batches=cleaned)


def filled(data: Any, value: float) -> Any:
    """Return data with this value in the place of NaN, and with the largest and smallest finite numbers of a tensor in the place of infinity."""

    def fill(tensor: Tensor) -> Tensor:
        if not tensor.is_floating_point():
            return tensor
        finite = tensor[torch.isfinite(tensor)]
        low, high = (float(finite.min()), float(finite.max())) if finite.numel() else (value, value)
        return torch.nan_to_num(tensor, value, high, low)

    return mapped(data, fill)


@dataclass(frozen=True, slots=True)
class Filling:
    """Changes what a model is given: this value in the place of NaN."""

    value: float

    def __call__(self, data: Any) -> Any:
        """Fill."""
        return filled(data, self.value)


class FillsData(TorchFunctionMode):
    """Fills data on their way into a layer: numbers that no parameter had a part in, and that an operation before the layer made infinite or NaN.

    Args:
        value: In the place of NaN.
        seen: Called whenever there was something to fill.
    """

    def __init__(self, value: float, seen: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.value, self.seen = value, seen

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Make the call, with filled data if it is a layer's."""
        del types
        first = next((number for number, one in enumerate(arguments) if _holds_parameter(one)), None)
        if first is None or len(arguments) < 2:
            return function(*arguments, **(keywords or {}))
        # Operands stand before a layer's weights (what stands behind them may be a mask that is infinite on purpose); in W @ x alone behind them.
        operands = range(first) if first > 0 else range(1, len(arguments))
        return function(*(self._filled(one) if number in operands else one for number, one in enumerate(arguments)), **(keywords or {}))

    def _filled(self, one: Any) -> Any:
        if not isinstance(one, Tensor) or one.requires_grad or is_finite(one):
            return one
        self.seen()
        return filled(one, self.value)


def _holds_parameter(one: Any) -> bool:
    return isinstance(one, nn.Parameter) or (isinstance(one, list | tuple) and any(isinstance(part, nn.Parameter) for part in one))


def with_filled_data(training: Training, value: float) -> Training | None:
    """Return the training whose model fills its inputs, and what it makes of them before the first layer; ``None`` where there is nothing to fill."""

    def change(model: nn.Module) -> None:
        model.register_forward_pre_hook(ChangedInputs(Filling(value)))

    with untouched_randomness():
        inputs = [batch[0] for batch in islice(training.batches(), MOST_BATCHES)]
    if not all(map(is_finite, inputs)):
        return with_mode(with_model(training, change), lambda: FillsData(value))
    seen: list[bool] = []
    goes(with_mode(training, lambda: FillsData(value, lambda: seen.append(True))))
    return with_mode(training, lambda: FillsData(value)) if seen else None
