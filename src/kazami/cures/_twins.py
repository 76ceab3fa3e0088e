"""Safe twins of operations: the same value and gradient wherever both are finite, and finite ones at the singular points.

The argument is moved away from the singular point before the operation, so that the gradient there is 0 and not infinity times 0.
"""

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from ..maps import Training
from ._fresh import functions_called, goes
from ._logs import EXP, CarriesLogs
from ._modes import with_mode, with_swapped
from ._order import FUNCTIONS

# 1e-8 under a root bounds its derivative by 5e3; 1e-7 is the spacing of float32 near 1, below which a probability holds no digits.
ROOT, LOWEST, TINY, EDGE = 1e-8, 1e-7, 1e-8, 1e-6


def with_safe_operation(training: Training, operation: str) -> Training | None:
    """Return the training that calls the safe twin of an operation, by its name in a finding; ``None`` where its first step does not call it."""
    twins = {function: partial(twin, function) for function, twin in TWINS.get(operation, {}).items()}
    safe = with_swapped(training, twins)
    if operation == "exp" and functions_called(training) & set(EXP):
        return with_carried_logs(training, ignores_slight=False, only_if_asked=False)
    return safe


def with_carried_logs(training: Training, *, ignores_slight: bool, only_if_asked: bool = True) -> Training | None:
    """Return the training in which numbers from exponentials carry their logarithms; ``None`` where nobody asks for one.

    Args:
        ignores_slight: As for `CarriesLogs`.
        only_if_asked: ``None`` is returned where the first step takes no logarithm of such a number.
    """
    asked: list[bool] = []
    goes(with_mode(training, lambda: CarriesLogs(ignores_slight=ignores_slight, asked=lambda: asked.append(True))))
    if only_if_asked and not asked:
        return None
    return with_mode(training, lambda: CarriesLogs(ignores_slight=ignores_slight))


def _single(x: Tensor) -> Tensor:
    """Return half-precision and whole numbers as float32: half ends at 65504, and 1e-8 is 0 there."""
    return x.float() if x.dtype is torch.float16 or not (x.is_floating_point() or x.is_complex()) else x


def _bounded(low: float | None, high: float | None, function: Any, x: Tensor, *rest: Any, **keywords: Any) -> Any:
    return function(_single(x).clamp(low, high), *rest, **keywords)


def _small_enough(function: Any, x: Tensor, *rest: Any, **keywords: Any) -> Any:
    wide = _single(x)
    top = math.log(torch.finfo(wide.dtype).max) - 1
    return function(wide.clamp(-top, top), *rest, **keywords)


def _away_from_zero(b: Any) -> Any:
    if not isinstance(b, Tensor):
        return b
    b = _single(b)
    return torch.where(b.abs() > TINY, b, torch.where(b < 0, -TINY, TINY).to(b.dtype))


def _divided(function: Any, a: Any, b: Any, **keywords: Any) -> Any:
    return function(_single(a) if isinstance(a, Tensor) else a, _away_from_zero(b), **keywords)


def _reciprocal(function: Any, b: Tensor, *rest: Any, **keywords: Any) -> Any:
    return function(_away_from_zero(b), *rest, **keywords)


def _variance(x: Tensor, rest: tuple[Any, ...], keywords: dict[str, Any]) -> Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch says itself that the spread of one value is no number
        variance = torch.var(_single(x), *rest, **keywords)
    if bool(torch.isfinite(variance).all()):
        return variance
    dim = keywords.get("dim", next((one for one in rest if not isinstance(one, bool)), None))
    keepdim = bool(keywords.get("keepdim", rest[2] if len(rest) > 2 else False))
    return torch.var(_single(x), dim, correction=0, keepdim=keepdim)


def _spread(function: Any, x: Tensor, *rest: Any, **keywords: Any) -> Any:
    variance = _variance(x, rest, keywords).clamp_min(ROOT)
    return variance.sqrt() if getattr(function, "__name__", "") == "std" else variance


def _norm(function: Any, x: Tensor, *rest: Any, **keywords: Any) -> Any:
    return function(_single(x), *rest, **keywords).clamp_min(math.sqrt(ROOT))


def _soft(function: Any, x: Tensor, *rest: Any, **keywords: Any) -> Any:
    dim = keywords.get("dim", rest[0] if rest else -1)
    empty = torch.isneginf(x).all(dim, keepdim=True)
    return function(x.masked_fill(empty, 0.0), *rest, **keywords)


def _power(function: Any, x: Any, exponent: Any = 2, *rest: Any, **keywords: Any) -> Any:
    if not isinstance(x, Tensor) or x.is_complex():
        return function(x, exponent, *rest, **keywords)
    x = _single(x)
    if isinstance(exponent, Tensor) or float(exponent) % 1 != 0:
        return function(x.clamp_min(ROOT), exponent, *rest, **keywords)
    return function(_away_from_zero(x) if exponent < 0 else x, exponent, *rest, **keywords)


def _squared(function: Any, x: Tensor) -> Any:
    return function(_single(x))


def _angle(function: Any, a: Tensor, b: Tensor) -> Any:
    a, b = _single(a), _single(b)
    return function(a, torch.where((a == 0) & (b == 0), torch.ones_like(b), b))


def _probability(function: Any, p: Tensor, *rest: Any, **keywords: Any) -> Any:
    return function(p.clamp(LOWEST, 1 - LOWEST), *rest, **keywords)


def _all(twin: Callable[..., Any], *functions: Any) -> dict[Any, Callable[..., Any]]:
    return dict.fromkeys(functions, twin)


_QUOTIENT = {
    **_all(_divided, torch.div, Tensor.div, torch.true_divide, Tensor.true_divide, torch.divide, Tensor.divide),
    **_all(_reciprocal, torch.reciprocal, Tensor.reciprocal, Tensor.__rdiv__),
}
TWINS: dict[str, dict[Any, Callable[..., Any]]] = {
    "sqrt": _all(partial(_bounded, ROOT, None), torch.sqrt, Tensor.sqrt),
    "rsqrt": _all(partial(_bounded, ROOT, None), torch.rsqrt, Tensor.rsqrt),
    "log": _all(partial(_bounded, LOWEST, None), torch.log, Tensor.log),
    "log2": _all(partial(_bounded, LOWEST, None), torch.log2, Tensor.log2),
    "log10": _all(partial(_bounded, LOWEST, None), torch.log10, Tensor.log10),
    "log1p": _all(partial(_bounded, EDGE - 1, None), torch.log1p, Tensor.log1p),
    "div": _QUOTIENT,
    "reciprocal": _QUOTIENT,
    "exp": _all(_small_enough, *EXP),
    "expm1": _all(_small_enough, torch.expm1, Tensor.expm1),
    "sinh": _all(_small_enough, torch.sinh, Tensor.sinh),
    "cosh": _all(_small_enough, torch.cosh, Tensor.cosh),
    "std": _all(_spread, torch.std, Tensor.std),
    "var": _all(_spread, torch.var, Tensor.var),
    "norm": _all(_norm, torch.norm, Tensor.norm, torch.linalg.norm, torch.linalg.vector_norm),
    "softmax": _all(_soft, *FUNCTIONS["softmax"]),
    "log_softmax": _all(_soft, *FUNCTIONS["log_softmax"]),
    "pow": {**_all(_power, torch.pow, Tensor.pow, Tensor.__pow__), **_all(_squared, torch.square, Tensor.square)},
    "acos": _all(partial(_bounded, EDGE - 1, 1 - EDGE), torch.acos, Tensor.acos, torch.arccos, Tensor.arccos),
    "asin": _all(partial(_bounded, EDGE - 1, 1 - EDGE), torch.asin, Tensor.asin, torch.arcsin, Tensor.arcsin),
    "atan2": _all(_angle, torch.atan2, Tensor.atan2, torch.arctan2, Tensor.arctan2),
    "bce": _all(_probability, F.binary_cross_entropy),
}
