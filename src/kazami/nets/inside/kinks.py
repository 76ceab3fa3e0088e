r"""Where a piecewise-linear network bends: the exact distance from a point to the nearest kink."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from .flat_network import InputOutputMap
from .forward_mode import dual_numbers

Gaps = tuple[Tensor, Tensor]  # how far each unit is from its kink, and how fast that changes along the direction

RELU_LIKE = {F.relu, F.relu_, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, F.leaky_relu, F.prelu, torch.prelu, F.rrelu, torch.abs, Tensor.abs}
LIMITED: dict[Any, tuple[float | None, float | None]] = {
    F.hardtanh: (-1.0, 1.0),
    F.relu6: (0.0, 6.0),
    F.hardsigmoid: (-3.0, 3.0),
    torch.clamp: (None, None),
    Tensor.clamp: (None, None),
}
BELOW = {torch.clamp_min, Tensor.clamp_min, F.threshold}
ABOVE = {torch.clamp_max, Tensor.clamp_max}
OF_TWO = {torch.maximum, torch.minimum, Tensor.maximum, Tensor.minimum}
POOLS_1D = {F.max_pool1d, torch.max_pool1d}
POOLS = POOLS_1D | {F.max_pool2d, torch.max_pool2d}


class _KinkTape(TorchFunctionMode):
    """Records, in a forward-mode pass, how far each unit of a piecewise-linear operation is from its kink."""

    def __init__(self) -> None:
        super().__init__()
        self.gaps: list[Gaps] = []

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        keywords = kwargs or {}
        if args and isinstance(args[0], Tensor):
            self.gaps += [(value.flatten(), rate.flatten()) for value, rate in _gaps(func, args, keywords)]
        return func(*args, **keywords)


def _gaps(func: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> list[Gaps]:
    value, rate = _parts(args[0])
    if func in RELU_LIKE:
        return [(value, rate)]
    if func in LIMITED:
        bounds = [keywords.get(names[0], keywords.get(names[1])) for names in (("min_val", "min"), ("max_val", "max"))]
        given = [b if b is not None else args[i + 1] if len(args) > i + 1 and func not in (F.relu6, F.hardsigmoid) else None for i, b in enumerate(bounds)]
        limits = [own if own is not None else default for own, default in zip(given, LIMITED[func], strict=True)]
        return [(value - limit, rate) for limit in limits if isinstance(limit, int | float)]
    if func in BELOW or func in ABOVE:
        return [(value - args[1], rate)] if len(args) > 1 and isinstance(args[1], int | float) else []
    if func in OF_TWO or (func in (torch.max, torch.min, Tensor.max, Tensor.min) and len(args) > 1 and isinstance(args[1], Tensor)):
        other, other_rate = _parts(args[1])
        return [(value - other, rate - other_rate)]
    return _pool_gaps(func, value, rate, args, keywords) if func in POOLS else []


def _pool_gaps(func: Any, value: Tensor, rate: Tensor, args: tuple[Any, ...], keywords: dict[str, Any]) -> list[Gaps]:
    """Return for each window the lead of its largest number over each of the others."""
    names = ("kernel_size", "stride", "padding", "dilation")
    given = dict(zip(names, args[1:], strict=False)) | keywords
    one = func in POOLS_1D
    sizes = [_pair(given.get(name) or default, one) for name, default in zip(names, (1, given["kernel_size"], 0, 1), strict=True)]
    if given.get("ceil_mode"):
        return []
    images = [part[..., None, :] if one else part for part in (value, rate)]
    shape = images[0].shape
    images = [part.reshape(-1, 1, *shape[-2:]) for part in images]
    kernel, stride, padding, dilation = sizes
    lowest = float(value.min()) - 1.0 - float(value.abs().max())
    padded = [F.pad(part, (padding[1], padding[1], padding[0], padding[0]), value=fill) for part, fill in zip(images, (lowest, 0.0), strict=True)]
    values, rates = (F.unfold(part, kernel, dilation=dilation, stride=stride) for part in padded)
    top = values.argmax(1, keepdim=True)
    others = torch.ones_like(values, dtype=torch.bool).scatter_(1, top, False) & (values > lowest)
    return [((values.gather(1, top) - values)[others], (rates.gather(1, top) - rates)[others])]


def _pair(size: Any, one: bool) -> tuple[int, int]:
    numbers = [int(s) for s in size] if isinstance(size, tuple | list) else [int(size)]
    if one:
        return (1 if numbers[0] > 0 else 0, numbers[0])
    return (numbers[0], numbers[-1])


def _parts(tensor: Any) -> tuple[Tensor, Tensor]:
    number = tensor if isinstance(tensor, Tensor) else torch.as_tensor(tensor)
    unpacked = forward_ad.unpack_dual(number)
    rate = torch.zeros_like(unpacked.primal) if unpacked.tangent is None else unpacked.tangent
    return unpacked.primal.detach(), rate.detach()


def kink_gaps(function: InputOutputMap, row: Tensor, direction: Tensor, context: Tensor) -> Gaps:
    """Return for every piecewise-linear unit how far its argument is from the kink, and the rate at which that changes along ``direction``.

    Args:
        function: The network.
        row: The point, shape ``(1, n)``.
        direction: Shape ``(1, n)``.
        context: Shape ``(1,)``.
    """
    with dual_numbers(), _KinkTape() as tape:
        function(forward_ad.make_dual(row, direction), context)
    empty = torch.empty(0, dtype=row.dtype)
    return torch.cat([value for value, _ in tape.gaps] or [empty]), torch.cat([rate for _, rate in tape.gaps] or [empty])


def kink_along(function: InputOutputMap, row: Tensor, direction: Tensor, context: Tensor) -> float:
    r"""Return the distance from ``row`` to the first kink along ``direction``; ``inf`` if there is none.

    It is :math:`\min_u -g_u / \dot g_u` over units that approach their kink.
    Exact for a network that is linear between the kinks of the operations known here: within the first piece every argument is linear in the distance.
    """
    value, rate = kink_gaps(function, row, direction, context)
    times = -value / rate
    times = times[torch.isfinite(times) & (times >= 0)]
    return float(times.min()) * float(torch.linalg.vector_norm(direction)) if times.numel() else float("inf")


def nearest_kink(function: InputOutputMap, row: Tensor, context: Tensor) -> float:
    r"""Return the radius of the largest ball around ``row`` without a kink: :math:`\min_u |g_u| / \lVert \nabla g_u \rVert`; ``inf`` without kinks.

    One forward-mode pass per input; exact in the sense of :func:`kink_along`.

    References:
        Croce, Andriushchenko and Hein 2019, "Provable robustness of ReLU networks via maximization of linear regions", section 2.
    """
    value = torch.empty(0)
    power: Tensor | None = None
    for i in range(function.n_inputs):
        direction = torch.zeros_like(row)
        direction[0, i] = 1.0
        value, rate = kink_gaps(function, row, direction, context)
        power = rate**2 if power is None else power + rate**2
    if power is None or not power.numel():
        return float("inf")
    distance = value.abs() / power.sqrt()
    distance = distance[power > 0]
    return float(distance.min()) if distance.numel() else float("inf")
