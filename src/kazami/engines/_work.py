"""What a computation costs, counted while it runs once: calls, multiplications, hard functions, bytes, and the most that lives at a time."""

import math
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

PRODUCTS = {"mm", "bmm", "addmm", "baddbmm", "convolution", "convolution_backward", "mv", "dot", "_scaled_dot_product_attention_math", "mkldnn_rnn_layer"}
TRANSCENDENTAL = {
    "tanh",
    "sigmoid",
    "exp",
    "log",
    "gelu",
    "gelu_backward",
    "silu",
    "silu_backward",
    "softplus",
    "softplus_backward",
    "erf",
    "sin",
    "cos",
    "pow",
}
TRANSCENDENTAL |= {
    "_log_softmax",
    "_log_softmax_backward_data",
    "_softmax",
    "log_sigmoid_forward",
    "log_sigmoid_backward",
    "elu",
    "mish",
    "rsqrt",
    "log1p",
    "expm1",
}


@dataclass(frozen=True, slots=True)
class Work:
    """The cost of one computation.

    Attributes:
        calls: Operations, views among them.
        fma: Multiplications with addition, in matrix products and convolutions.
        transcendental: Entries that an exponential, a tanh or the like was taken of.
        bytes: Read and written by all operations together.
        peak: Most bytes that were alive at a time, inputs not counted.
    """

    calls: int
    fma: int
    transcendental: int
    bytes: int
    peak: int


def counted(function: Callable[[], Any]) -> Work:
    """Run ``function`` once and return what it cost."""
    with _Counting() as counting:
        kept = function()
        del kept
    return Work(counting.calls, counting.fma, counting.transcendental, counting.bytes, counting.peak)


class _Counting(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.calls = self.fma = self.transcendental = self.bytes = self.alive = self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        outputs, inputs = _tensors(result), _tensors(args)
        known = {_place(part) for part in inputs}
        fresh = [part for part in outputs if _place(part) not in known]
        name = func.overloadpacket.__name__.rstrip("_") if not func.overloadpacket.__name__.startswith("_") else func.overloadpacket.__name__
        self.calls += 1
        if not fresh and not func._schema.is_mutable:
            return result  # a view
        self.bytes += sum(_size(part) for part in (*inputs, *outputs))
        self.fma += _products(name, inputs, outputs) if name in PRODUCTS else 0
        self.transcendental += max((part.numel() for part in outputs), default=0) if name in TRANSCENDENTAL else 0
        for part in fresh:
            self._lives(part)
        return result

    def _lives(self, part: Tensor) -> None:
        storage = part.untyped_storage()
        size = storage.nbytes()
        self.alive += size
        self.peak = max(self.peak, self.alive)
        weakref.finalize(storage, self._dies, size)

    def _dies(self, size: int) -> None:
        self.alive -= size


def _products(name: str, inputs: list[Tensor], outputs: list[Tensor]) -> int:
    if name.startswith("convolution"):
        weights = [part for part in inputs if part.dim() > 2]
        if name == "convolution":
            return outputs[0].numel() * math.prod(weights[1].shape[1:])
        gradient, weight = weights[0], weights[2]
        return 2 * gradient.numel() * math.prod(weight.shape[1:])
    matrices = [part for part in inputs if part.dim() > 1] or inputs
    return outputs[0].numel() * matrices[-2 if len(matrices) > 1 else -1].shape[-1] if outputs else 0


def _tensors(parts: Any) -> list[Tensor]:
    """Return the tensors in ``parts`` that have memory: zeros that autograd only promises have none."""
    if isinstance(parts, (tuple, list)):
        return [leaf for part in parts for leaf in _tensors(part)]
    return [parts] if isinstance(parts, Tensor) and not parts._is_zerotensor() else []


def _place(part: Tensor) -> int:
    return part.untyped_storage().data_ptr() or id(part)


def _size(part: Tensor) -> int:
    """Return the bytes that are really there: an expanded tensor is read once."""
    return min(part.numel() * part.element_size(), part.untyped_storage().nbytes())
