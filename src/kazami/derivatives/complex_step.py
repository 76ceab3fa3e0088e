r"""The complex step: :math:`\varphi'(0) = \operatorname{Im} \varphi(\mathrm{i} h) / h`, exact to the last digit where the forward pass takes complex ones."""

import math
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from ..records import Sentence
from ..reports.numerals import short
from .copies import model_copy, moved_to, seed_all
from .loss_bench import Direction, LossBench, called

if TYPE_CHECKING:
    from .checking import Checking

STEP = 1e-30  # nothing is subtracted, so it may be as small as one likes


class NoComplexStep(Exception):  # an outcome, told to the user as an answer
    """The forward pass does not take complex numbers; the message says what refused."""


class ComplexStep:
    """A complex copy of a model whose derivatives are read off the imaginary part.

    Args:
        bench: The real one; directions refer to its tensors.

    Raises:
        NoComplexStep: The forward pass or the loss does not take complex numbers.

    Limits:
        Operations that drop or conjugate the imaginary part (``abs``, ``.real``, ``norm``) give wrong derivatives without complaint: hold the result against
        differences before it is believed, as :func:`complex_step_check` does. Those of :data:`HOLOMORPHIC` are replaced by forms that do not.
    """

    def __init__(self, bench: LossBench) -> None:
        model, loss, batch, keywords, _ = bench.sources
        self._bench = bench
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch calls complex modules a new feature
            try:
                self._model = model_copy(model, torch.complex128)
                self._loss = loss if not isinstance(loss, nn.Module) else model_copy(loss, torch.float64)
            except Exception as error:
                raise NoComplexStep(_reason(error)) from error
        self._inputs, self._keywords = moved_to(batch[0], torch.complex128), moved_to(keywords, torch.complex128)
        self._target = moved_to(batch[1], torch.float64)
        named = dict(self._model.named_parameters())
        if any(name not in named for name in bench.names[: bench.n_parameters]):
            raise NoComplexStep("a parameter is lost in the complex copy")
        self.tensors = [named[name] for name in bench.names[: bench.n_parameters]]
        self.n_evaluations = 0
        if abs(self._value().real - bench.loss) > 1e-9 * max(1.0, abs(bench.loss)):
            raise NoComplexStep("the complex forward pass gives another loss")

    def slope(self, direction: Direction) -> float:
        """Return the derivative along ``direction``: one forward pass with complex weights.

        Raises:
            NoComplexStep: The loss comes out real: somewhere the imaginary part was dropped.
        """
        with torch.no_grad():
            for index, part in direction.items():
                self.tensors[index].add_(torch.complex(torch.zeros_like(part), part * STEP))
        try:
            value = self._value()
        finally:
            with torch.no_grad():
                for index, part in direction.items():
                    self.tensors[index].copy_(torch.complex(self._bench.base[index], torch.zeros_like(part)))
        return value.imag / STEP

    def _value(self) -> complex:
        self.n_evaluations += 1
        seed_all(self._bench.seed)
        try:
            with torch.no_grad(), _Holomorphic(), warnings.catch_warnings():
                warnings.simplefilter("error")  # "casting complex values to real discards the imaginary part"
                value = self._loss(called(self._model, moved_to(self._inputs, None), self._keywords), self._target)
        except Exception as error:  # any operation of any library may refuse complex numbers in its own way
            raise NoComplexStep(_reason(error)) from error
        if not isinstance(value, Tensor) or not value.is_complex():
            raise NoComplexStep("the loss comes out real")
        return complex(value.reshape(()).item())


def complex_step_check(checking: "Checking") -> Sentence:
    """Return what the complex step says along one direction through all parameters, or why there is none."""
    bench, joint = checking.bench, checking.joint
    if bench.why_not_double:
        return _no_step("the model refuses float64")
    try:
        slope = ComplexStep(bench).slope({index: part for index, part in checking.joint_direction.items() if index < bench.n_parameters})
    except NoComplexStep as reason:
        return _no_step(str(reason))
    off = abs(slope - joint.claimed)
    if not math.isfinite(slope) or abs(slope - joint.numeric) > 8 * joint.uncertainty + checking.tolerance * max(abs(joint.claimed), abs(joint.numeric)):
        return _no_step("an operation drops or conjugates the imaginary part, so that the complex step is no derivative here")
    relative = short(off / max(abs(slope), 1e-300))
    return Sentence(
        f"The complex step agrees with backprop to {relative} along all parameters at once.",
        f"複素ステップ法は、全パラメータ方向で誤差逆伝播と相対差 {relative} で一致します。",
    )


def _no_step(reason: str) -> Sentence:
    return Sentence(f"No complex step: {reason}.", f"複素ステップ法は使えません（{reason}）。")


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:140].rstrip(".")


def _relu(x: Tensor, *_: Any, **__: Any) -> Tensor:
    return x * (x.real > 0)


def _absolute(x: Tensor, *_: Any, **__: Any) -> Tensor:
    return torch.where(x.real < 0, -x, x)


def _softmax(x: Tensor, dim: int = -1, *_: Any, **__: Any) -> Tensor:
    shifted = torch.exp(x - x.real.amax(dim=dim, keepdim=True))
    return shifted / shifted.sum(dim=dim, keepdim=True)


def _log_softmax(x: Tensor, dim: int = -1, *_: Any, **__: Any) -> Tensor:
    shifted = x - x.real.amax(dim=dim, keepdim=True)
    return shifted - shifted.exp().sum(dim=dim, keepdim=True).log()


def _mse(x: Tensor, y: Tensor, *_: Any, reduction: str = "mean", **__: Any) -> Tensor:
    squares = (x - y) ** 2
    return squares.mean() if reduction == "mean" else squares.sum() if reduction == "sum" else squares


def _silu(x: Tensor, *_: Any, **__: Any) -> Tensor:
    return x / (1 + torch.exp(-x))


def _softplus(x: Tensor, *_: Any, **__: Any) -> Tensor:
    return torch.where(x.real > 20, x, torch.log(1 + torch.exp(torch.where(x.real > 20, torch.zeros_like(x), x))))


def _cross_entropy(x: Tensor, y: Tensor, *_: Any, **options: Any) -> Tensor:
    if y.is_floating_point() or x.dim() != 2 or any(options.get(name) not in (None, default) for name, default in _PLAIN.items()):
        raise NoComplexStep("class weights, label smoothing and other than plain class indices make no complex step in cross_entropy")
    picked = -_log_softmax(x, 1).gather(1, y[:, None])
    reduction = options.get("reduction", "mean")
    return picked.mean() if reduction == "mean" else picked.sum() if reduction == "sum" else picked[:, 0]


_PLAIN = {"weight": None, "ignore_index": -100, "label_smoothing": 0.0, "size_average": None, "reduce": None}

# Analytic forms of functions that torch refuses for complex numbers, or that drop the imaginary part.
HOLOMORPHIC: dict[Any, Callable[..., Tensor]] = {
    **dict.fromkeys([F.relu, torch.relu, Tensor.relu], _relu),
    **dict.fromkeys([torch.abs, Tensor.abs], _absolute),
    **dict.fromkeys([F.softmax, torch.softmax, Tensor.softmax], _softmax),
    **dict.fromkeys([F.log_softmax, torch.log_softmax, Tensor.log_softmax], _log_softmax),
    F.mse_loss: _mse,
    F.cross_entropy: _cross_entropy,
    F.silu: _silu,
    F.softplus: _softplus,
}


class _Holomorphic(TorchFunctionMode):
    """Calls the analytic form of a function instead of torch's own, where its first argument is complex."""

    def __torch_function__(self, func: Any, types: Sequence[Any], args: Any = (), kwargs: Any = None) -> Any:
        del types
        replaced = HOLOMORPHIC.get(func)
        if replaced is not None and args and isinstance(args[0], Tensor) and args[0].is_complex():
            return replaced(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))
