"""Losses that a gradient scaler has multiplied: which loss lies behind a tensor on which backward is called."""

import weakref
from typing import Any, NamedTuple

from torch import Tensor


class _Scaled(NamedTuple):
    """A product, the loss itself (alive as long as the script keeps it), and its value."""

    scaled: weakref.ref[Tensor]
    original: weakref.ref[Tensor]
    value: Tensor


class ScaledLosses:
    """The products of a step, by identity; false where there are none."""

    def __init__(self) -> None:
        self._known: dict[int, _Scaled] = {}

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._known)

    def add(self, scaled: Any, original: Any) -> None:
        """Remember the losses behind scaled ones: a tensor each, or as many as there are."""
        pairs = [(scaled, original)] if isinstance(scaled, Tensor) else zip(scaled, original, strict=True)
        for product, loss in pairs:
            self._known[id(product)] = _Scaled(weakref.ref(product), weakref.ref(loss), loss.detach())

    def forget_dead(self) -> None:
        """Drop those whose product is gone."""
        if self._known:
            self._known = {key: loss for key, loss in self._known.items() if loss.scaled() is not None}

    def original(self, tensor: Tensor) -> Tensor | None:
        """Return the loss as it was before it was multiplied, the tensor itself where it was not; ``None`` where the script did not keep it."""
        known = self._of(tensor)
        return known.original() if known is not None else tensor

    def unscaled(self, tensor: Tensor) -> Tensor:
        """Return the value of the loss behind a tensor."""
        known = self._of(tensor)
        return known.value if known is not None else tensor

    def scale_of(self, tensors: tuple[Tensor, ...], value: float | None) -> float:
        """Return by what the sum ``value`` of the losses was multiplied."""
        if not value or not any(self._of(t) for t in tensors):
            return 1.0
        scale = sum(float(t.detach()) for t in tensors if t.numel() == 1) / value
        return scale if 0 < scale < float("inf") else 1.0

    def _of(self, tensor: Tensor) -> _Scaled | None:
        known = self._known.get(id(tensor)) if self._known else None
        return known if known is not None and known.scaled() is tensor else None
