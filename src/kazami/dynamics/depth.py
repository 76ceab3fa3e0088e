r"""Finite-time Lyapunov exponents over depth: how each layer stretches a small change of the input."""

import copy
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from ..errors import UsageError
from .inside import first_tensor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
DIRECTIONS = 64


@dataclass(frozen=True, slots=True, eq=False)
class DepthExponents:
    r"""How a small change of the input is stretched on its way through a network.

    Attributes:
        names: The modules, in the order of the forward pass; the last is the network itself.
        growth: Logarithms of the singular values of the Jacobian from the input to each module's output, largest first, shape ``(examples, depth, k)``;
            NaN where one is too small beside the largest to be told from 0.
    """

    names: tuple[str, ...]
    growth: Floats

    @property
    def exponents(self) -> Floats:
        r"""The finite-time exponents :math:`\lambda_i(\ell) = \ln \sigma_i(\ell) / \ell` per layer, of the shape of ``growth``."""
        return np.asarray(self.growth / np.arange(1, self.growth.shape[1] + 1)[None, :, None])

    @property
    def value(self) -> float:
        """The largest exponent over the whole depth, per layer, mean over the examples: positive, small changes of the input grow on their way."""
        return float(self.exponents[:, -1, 0].mean())

    def figure(self, *, language: str = "en") -> "Figure":
        """Draw the growth over depth: its median over the examples for the largest, the middle and the smallest direction, with the range of the largest."""
        from ..reports.figures import DASHES, SERIES, drawing, new_figure

        figure, axes = new_figure(width=7.0, height=3.8)
        depth = np.arange(self.growth.shape[1] + 1)
        words = ("largest", "middle", "smallest") if language == "en" else ("最大", "中央", "最小")
        with drawing():
            k = self.growth.shape[2]
            shown = dict.fromkeys([(0, words[0]), *([(k // 2, words[1])] if k > 2 else []), *([(k - 1, words[2])] if k > 1 else [])])
            for number, (place, word) in enumerate(shown):
                rows = np.concatenate([np.zeros((len(self.growth), 1)), self.growth[:, :, place]], axis=1)
                axes.plot(depth, np.median(rows, axis=0), color=SERIES[number], linestyle=DASHES[number], label=word)
                if number == 0:
                    axes.fill_between(depth, rows.min(axis=0), rows.max(axis=0), color=SERIES[0], alpha=0.15, linewidth=0)
            axes.axhline(0.0, color="#56636f", linewidth=0.8)
            axes.set_title(self._title(language))
            axes.set_xlabel("module, in the order of the forward pass" if language == "en" else "順伝播の順のモジュール")
            axes.set_ylabel("ln of the stretching" if language == "en" else "伸び率の自然対数")
            axes.legend(title="direction" if language == "en" else "方向")
        return figure

    def _title(self, language: str) -> str:
        value = self.value
        if language == "ja":
            return f"入力の小さな変化は 1 層あたり e^{value:.2f} 倍になる"
        word = "grows" if value > 0.0 else "shrinks"
        return f"A small change of the input {word} by e^{value:.2f} per module"


def depth_exponents(model: nn.Module, example: Any, *, k: int = DIRECTIONS, seed: int = 0) -> DepthExponents:
    r"""Return how small changes of the input are stretched, module by module.

    With :math:`J_\ell` the Jacobian from the input to the output of module :math:`\ell`, found by forward-mode derivatives along ``k`` orthonormal directions
    of the input in one pass, :math:`\lambda_i(\ell) = \ln \sigma_i(J_\ell) / \ell`.

    Args:
        model: Any module; a copy of it is looked at, in evaluation mode and float64.
        example: Its input: a tensor whose first dimension counts examples, or a tuple of positional arguments of which the first is varied.
        k: Directions; all directions of the input where it has no more.
        seed: Of the directions, where the input has more.

    Returns:
        The `DepthExponents`; modules are those without children, in the order of their first call, and then the model.

    Raises:
        UsageError: The input is not of floating point, or an operation has no forward derivative.

    Limits:
        With fewer directions than the input has, singular values are those of the Jacobian on a random subspace: the largest is a lower bound. The model must
        treat examples one by one (in evaluation mode).

    References:
        Poole et al. 2016; Storm et al. 2024, "Finite-time Lyapunov exponents of deep neural networks".

    Example:
        >>> orthogonal = nn.utils.parametrizations.orthogonal(nn.Linear(4, 4, bias=False))
        >>> found = depth_exponents(nn.Sequential(orthogonal, nn.Identity()), torch.ones(1, 4))
        >>> bool(abs(found.growth).max() < 1e-6)
        True
    """
    arguments = example if isinstance(example, tuple) else (example,)
    first = arguments[0]
    if not isinstance(first, Tensor) or not first.is_floating_point() or first.dim() < 2:
        raise UsageError("The example should be a floating-point tensor whose first dimension counts examples: whole numbers have no small changes.")
    looked_at = copy.deepcopy(model).double().eval()
    rest = tuple(part.double() if isinstance(part, Tensor) and part.is_floating_point() else part for part in arguments[1:])
    names: list[str] = []
    found = []
    for index in range(len(first)):
        directions = _directions(first[index].numel(), k, seed)
        others = tuple(part[index : index + 1].expand(len(directions), *part.shape[1:]) if _counts(part, len(first)) else part for part in rest)
        tangents = _tangents(looked_at, first[index].double(), directions, others)
        names = [name for name, _ in tangents]
        found.append([_singular(rows) for _, rows in tangents])
    width = min(len(values) for rows in found for values in rows)
    return DepthExponents(tuple(names), np.array([[values[:width] for values in rows] for rows in found]))


def _directions(size: int, k: int, seed: int) -> Tensor:
    if size <= k:
        return torch.eye(size, dtype=torch.float64)
    drawn = torch.randn(size, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    basis: Tensor = torch.linalg.qr(drawn)[0]
    return basis.T.contiguous()


def _tangents(model: nn.Module, point: Tensor, directions: Tensor, rest: tuple[Any, ...]) -> list[tuple[str, Tensor]]:
    """Return the tangents of each leaf module's output and of the model's, one row per direction."""
    heard: list[tuple[str, Tensor]] = []
    called: set[str] = set()

    def hear(name: str) -> Any:
        def hook(module: nn.Module, given: Any, made: Any) -> None:
            del module, given
            output = first_tensor(made)
            tangent = None if output is None else forward_ad.unpack_dual(output).tangent
            if tangent is not None and name not in called and tangent.shape[0] == len(directions):
                called.add(name)
                heard.append((name, tangent.detach().reshape(len(directions), -1)))

        return hook

    leaves = [(name, module) for name, module in model.named_modules() if name and not list(module.children())]
    handles = [module.register_forward_hook(hear(name)) for name, module in leaves]
    handles.append(model.register_forward_hook(hear("output")))
    has_shortcut = torch.backends.mha.get_fastpath_enabled()
    try:
        torch.backends.mha.set_fastpath_enabled(False)  # the fused layer of evaluation mode has no forward derivative
        with torch.no_grad(), warnings.catch_warnings(), forward_ad.dual_level(), sdpa_kernel(SDPBackend.MATH):
            warnings.simplefilter("ignore", DeprecationWarning)  # torch's own, at the first forward derivative of a process
            repeated = point[None].expand(len(directions), *point.shape).clone()
            model(forward_ad.make_dual(repeated, directions.reshape(len(directions), *point.shape)), *rest)
    except RuntimeError as refusal:
        raise UsageError(f"The model should have forward derivatives in evaluation mode, but an operation has none: {str(refusal)[:200]}") from None
    finally:
        torch.backends.mha.set_fastpath_enabled(has_shortcut)
        for handle in handles:
            handle.remove()
    if not heard:
        raise UsageError("The output should depend on the input along one row for each example, but it does not.")
    if heard[-1][0] == "output" and len(heard) > 1 and heard[-1][1].shape == heard[-2][1].shape and torch.equal(heard[-1][1], heard[-2][1]):
        heard.pop()  # the last module's output is the model's
    return heard


def _singular(rows: Tensor) -> Floats:
    found = torch.linalg.svdvals(rows).numpy()
    is_rounding = found <= found.max(initial=0.0) * float(np.finfo(float).eps) * max(rows.shape)
    return np.log(np.where(is_rounding, np.nan, found))


def _counts(part: Any, count: int) -> bool:
    return isinstance(part, Tensor) and part.dim() > 0 and part.shape[0] == count
