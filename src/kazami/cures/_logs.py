"""Positive numbers that carry their logarithm: ``log(softmax(x))``, ``exp(x) / exp(x).sum()``, ``log(1 + exp(x))`` and the like, exact for all finite ``x``.

What comes from an exponential is multiplied, divided, summed and indexed twice: once as it is, and once as its logarithm, where a product is a sum and a sum is
``logsumexp``. Whoever takes the logarithm in the end gets the second; nothing overflows on the way to it, and nothing underflows.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from ._order import FUNCTIONS

LOG, IS_LOG = "kazami_log", "kazami_is_log"  # attributes of the tensors themselves, so that a loss finds what the model left
SLIGHT = 1e-3  # a floor under a probability: below it a number is there to avoid log(0), not to change anything
EXP = (torch.exp, Tensor.exp)
LOGARITHMS = (torch.log, Tensor.log)
PASSING = (
    Tensor.__getitem__, Tensor.view, Tensor.view_as, Tensor.reshape, torch.reshape, Tensor.gather, torch.gather, Tensor.squeeze, torch.squeeze,
    Tensor.unsqueeze, torch.unsqueeze, Tensor.transpose, torch.transpose, Tensor.permute, torch.permute, Tensor.flatten, torch.flatten, Tensor.expand,
    Tensor.contiguous, Tensor.clone, torch.clone, Tensor.index_select, torch.index_select, Tensor.take_along_dim, torch.take_along_dim, Tensor.t, torch.t,
)  # fmt: skip


class CarriesLogs(TorchFunctionMode):
    """Carries logarithms beside the numbers they belong to, and gives them to whoever asks for one.

    Args:
        ignores_slight: ``log(softmax(x) + 1e-8)`` is the exact logarithm without the floor, and the logarithm of a ``log_softmax`` is that itself.
        asked: Called whenever a carried logarithm is used.
    """

    def __init__(self, *, ignores_slight: bool, asked: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.ignores_slight, self.asked = ignores_slight, asked

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Make the call, with its logarithm beside it where that is known."""
        del types
        keywords = keywords or {}
        rule = _RULES.get(function)
        known = rule is not None and "out" not in keywords and any(isinstance(one, Tensor) and one.is_floating_point() for one in arguments)
        result = rule(self, function, arguments, keywords) if known and rule is not None else NotImplemented
        if result is not NotImplemented:
            return result
        name = getattr(function, "__name__", "")
        if name.endswith("_") and not name.endswith("__") and arguments and isinstance(arguments[0], Tensor):  # in place: the carried logarithm is stale
            for attribute in (LOG, IS_LOG):
                arguments[0].__dict__.pop(attribute, None)
        return function(*arguments, **keywords)


def log_of(one: Any) -> Tensor | float | None:
    """Return the logarithm that a tensor carries, that of a positive number, or ``None``."""
    if isinstance(one, Tensor):
        carried: Tensor | None = one.__dict__.get(LOG)
        return carried
    return math.log(one) if isinstance(one, int | float) and one > 0 else None


def _carrying(value: Tensor, log: Tensor) -> Tensor:
    setattr(value, LOG, log)
    return value


def _from_log(log: Tensor) -> Tensor:
    return _carrying(torch.exp(log.clamp(max=math.log(torch.finfo(log.dtype).max) - 1)), log)


def _exponential(mode: CarriesLogs, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    del mode, function, keywords
    return _from_log(arguments[0].float() if arguments[0].dtype is torch.float16 else arguments[0])


def _softmax(mode: CarriesLogs, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    del mode
    dim = keywords.get("dim", arguments[1] if len(arguments) > 1 else None)
    if dim is None:
        return NotImplemented
    return _carrying(function(*arguments, **keywords), torch.log_softmax(arguments[0], dim, dtype=keywords.get("dtype")))


def _log_softmax(mode: CarriesLogs, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    result = function(*arguments, **keywords)
    if mode.ignores_slight:
        setattr(result, IS_LOG, True)
    return result


def _logarithm(mode: CarriesLogs, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    del function, keywords
    log = log_of(arguments[0])
    if log is None and arguments[0].__dict__.get(IS_LOG):
        log = arguments[0]
    if log is None:
        return NotImplemented
    mode.asked()
    return log


def _log_of_one_more(mode: CarriesLogs, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    del function, keywords
    log = log_of(arguments[0])
    if not isinstance(log, Tensor):
        return NotImplemented
    mode.asked()
    return F.softplus(log)


def _total(mode: CarriesLogs, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    del mode
    log = log_of(arguments[0])
    if not isinstance(log, Tensor) or "dtype" in keywords:
        return NotImplemented
    dim = keywords.get("dim", keywords.get("axis", arguments[1] if len(arguments) > 1 else None))
    keepdim = bool(keywords.get("keepdim", arguments[2] if len(arguments) > 2 else False))
    dims = tuple(range(log.dim())) if dim is None else tuple(dim) if isinstance(dim, list | tuple) else (dim,)
    if not dims:
        return NotImplemented
    summed = torch.logsumexp(log, dims, keepdim)
    if getattr(function, "__name__", "") == "mean":
        summed = summed - math.log(log.numel() / max(summed.numel(), 1))
    return _from_log(summed)


def _combined(sign: float, *, is_swapped: bool = False) -> Callable[..., Any]:
    def rule(mode: CarriesLogs, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        del mode, function
        if len(arguments) != 2 or keywords:
            return NotImplemented
        one, other = (log_of(argument) for argument in (reversed(arguments) if is_swapped else arguments))
        if one is None or other is None or not (isinstance(one, Tensor) or isinstance(other, Tensor)):
            return NotImplemented
        return _from_log(torch.as_tensor(one + sign * other))

    return rule


def _reciprocal(mode: CarriesLogs, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    del mode, function, keywords
    log = log_of(arguments[0])
    return _from_log(-log) if isinstance(log, Tensor) else NotImplemented


def _sum_of_two(mode: CarriesLogs, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    if len(arguments) != 2 or keywords:
        return NotImplemented
    one, other = arguments if isinstance(arguments[0], Tensor) else (arguments[1], arguments[0])
    log, more = log_of(one), log_of(other)
    if mode.ignores_slight and isinstance(log, Tensor) and isinstance(other, float) and 0 <= other <= SLIGHT:
        return _carrying(function(*arguments), log)
    if not isinstance(log, Tensor) or more is None:
        return NotImplemented
    return _from_log(torch.logaddexp(log, torch.as_tensor(more, dtype=log.dtype, device=log.device)))


def _floored(mode: CarriesLogs, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    log = log_of(arguments[0])
    floor = keywords.get("min", arguments[1] if len(arguments) > 1 else None)
    if not isinstance(log, Tensor) or not isinstance(floor, int | float) or floor <= 0:
        return NotImplemented
    return _carrying(function(*arguments, **keywords), log if mode.ignores_slight and floor <= SLIGHT else log.clamp_min(math.log(floor)))


def _passed(mode: CarriesLogs, function: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    del mode
    log = log_of(arguments[0])
    if not isinstance(log, Tensor):
        return NotImplemented
    return _carrying(function(*arguments, **keywords), function(log, *arguments[1:], **keywords))


_RULES: dict[Any, Callable[..., Any]] = {
    **dict.fromkeys(EXP, _exponential),
    **dict.fromkeys(FUNCTIONS["softmax"], _softmax),
    **dict.fromkeys(FUNCTIONS["log_softmax"], _log_softmax),
    **dict.fromkeys(LOGARITHMS, _logarithm),
    **dict.fromkeys((torch.log1p, Tensor.log1p), _log_of_one_more),
    **dict.fromkeys((torch.sum, Tensor.sum, torch.mean, Tensor.mean), _total),
    **dict.fromkeys((torch.div, Tensor.div, torch.true_divide, Tensor.true_divide, torch.divide, Tensor.divide), _combined(-1.0)),
    **dict.fromkeys((torch.mul, Tensor.mul, torch.multiply, Tensor.multiply), _combined(1.0)),
    **dict.fromkeys((torch.reciprocal, Tensor.reciprocal), _reciprocal),
    Tensor.__rdiv__: _combined(-1.0, is_swapped=True),
    **dict.fromkeys((torch.add, Tensor.add, Tensor.__radd__), _sum_of_two),
    **dict.fromkeys((torch.clamp, Tensor.clamp, torch.clamp_min, Tensor.clamp_min, torch.clip, Tensor.clip), _floored),
    **dict.fromkeys(PASSING, _passed),
}
