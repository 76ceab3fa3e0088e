"""Curvature seen through the model's output: products with the Gauss-Newton matrix and the empirical Fisher matrix of one batch."""

import copy
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from .products import CurvatureBlind, common_type, undisturbed

Kind = Literal["gauss_newton", "empirical_fisher"]


class OutputProducts:
    r"""Products with :math:`J^\top M J`, where :math:`J` is the Jacobian of the model's output by its parameters.

    For the Gauss-Newton matrix :math:`M = \nabla_f^2 L`, the Hessian of the loss by the output :math:`f`. For the empirical Fisher matrix of a mean of
    :math:`N` examples' losses, :math:`L = \frac1N \sum_n \ell_n`,

    .. math:: F = \frac1N \sum_n g_n g_n^\top, \qquad g_n = J_n^\top\, \partial \ell_n / \partial f_n = N J_n^\top\, \partial L / \partial f_n

    so :math:`M` has the blocks :math:`N\, (\partial L/\partial f_n)(\partial L/\partial f_n)^\top`. No gradient of a single example is ever made.
    :math:`J v` is the derivative of :math:`J^\top u` by :math:`u`: two backward passes, so that any module works.

    Args:
        output: The model's output with its graph: a tensor, or tuples, lists, dicts, dataclasses of tensors.
        loss: ``output -> loss``.
        parameters: What to differentiate by.
        kind: Which matrix.
        is_mean: Whether the loss is a mean over examples; ``False`` for a sum: :math:`F = \sum_n g_n g_n^\top`.

    Raises:
        CurvatureBlind: The output does not depend on the parameters, or has no first dimension that counts examples.

    Limits:
        What the loss adds beside the output (a penalty on the weights) is not in it. Under BatchNorm in training mode examples depend on one another; then
        :math:`g_n` is the gradient through output :math:`n`.

    References:
        Schraudolph 2002, "Fast curvature matrix-vector products"; Martens 2020, "New insights and perspectives on the natural gradient method"; Kunstner,
        Hennig and Balles 2019, "Limitations of the empirical Fisher approximation".

    Example:
        >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> OutputProducts(x**2, lambda f: f.square().sum() / 2, [x], "gauss_newton").flat_product(torch.ones(2))  # J = diag(2x)
        tensor([ 4., 16.])
    """

    def __init__(self, output: Any, loss: Callable[[Any], Tensor], parameters: Sequence[Tensor], kind: Kind, *, is_mean: bool = True) -> None:
        self.parameters = tuple(parameters)
        self.dtype, self.device = common_type(self.parameters)
        self.n_entries = sum(parameter.numel() for parameter in self.parameters)
        self.n_products = 0
        self._outputs = list({id(part): part for part in differentiable_parts(output)}.values())
        if not self._outputs:
            raise CurvatureBlind("The model's output does not depend on its parameters.")
        self._moving = [parameter for parameter in self.parameters if parameter.requires_grad]
        with undisturbed(self.device):
            self._slopes = self._slopes_by_output(output, loss)
            self._pulled, self._weights = self._pull_back()
        self._multiply = self._curve if kind == "gauss_newton" else self._spread(is_mean)

    def flat_product(self, vector: Tensor) -> Tensor:
        """Return the matrix times a flat ``vector`` of shape ``(n_entries,)``."""
        self.n_products += 1
        with undisturbed(self.device):
            pushed = self._push(vector)
            turned = self._multiply(pushed)
            found = iter(torch.autograd.grad(self._outputs, self._moving, turned, retain_graph=True, allow_unused=True))
        parts = [next(found) if parameter.requires_grad else None for parameter in self.parameters]
        return torch.cat(
            [parameter.new_zeros(parameter.numel()) if part is None else part.reshape(-1) for part, parameter in zip(parts, self.parameters, strict=True)]
        ).detach()

    def _slopes_by_output(self, output: Any, loss: Callable[[Any], Tensor]) -> tuple[list[Tensor], list[Tensor | None]]:
        """Return leaves in the outputs' places and the gradient of the loss by them, with its graph."""
        self._leaves = [part.detach().requires_grad_() for part in self._outputs]
        level = loss(replaced(output, {id(part): leaf for part, leaf in zip(self._outputs, self._leaves, strict=True)}))
        if level.grad_fn is None:
            raise CurvatureBlind("The loss does not depend on the model's output.")
        return self._leaves, list(torch.autograd.grad(level, self._leaves, create_graph=True, allow_unused=True))

    def _pull_back(self) -> tuple[list[tuple[int, Tensor]], list[Tensor]]:
        r"""Return :math:`J^\top u` by the parameter's place among the moving ones, and the :math:`u` of which it is a linear function."""
        weights = [torch.zeros_like(part, requires_grad=True) for part in self._outputs]
        pulled = torch.autograd.grad(self._outputs, self._moving, weights, create_graph=True, allow_unused=True)
        return [(place, part) for place, part in enumerate(pulled) if part is not None and part.requires_grad], weights

    def _push(self, vector: Tensor) -> list[Tensor]:
        parts = vector.split([parameter.numel() for parameter in self.parameters])
        moving = [part.view(like.shape) for part, like in zip(parts, self.parameters, strict=True) if like.requires_grad]
        pulled = [part for _, part in self._pulled]
        along = [moving[place] for place, _ in self._pulled]
        found = torch.autograd.grad(pulled, self._weights, along, retain_graph=True, allow_unused=True)
        return [torch.zeros_like(like, requires_grad=False) if part is None else part for part, like in zip(found, self._weights, strict=True)]

    def _curve(self, pushed: list[Tensor]) -> list[Tensor]:
        """Return the loss's Hessian by the outputs times ``pushed``."""
        leaves, slopes = self._slopes
        curved = [(slope, part) for slope, part in zip(slopes, pushed, strict=True) if slope is not None and slope.requires_grad]
        if not curved:
            return [torch.zeros_like(part) for part in pushed]
        found = torch.autograd.grad([slope for slope, _ in curved], leaves, [part for _, part in curved], retain_graph=True, allow_unused=True)
        return [torch.zeros_like(part) if turned is None else turned for turned, part in zip(found, pushed, strict=True)]

    def _spread(self, is_mean: bool) -> Callable[[list[Tensor]], list[Tensor]]:
        """Return the function that multiplies by every example's slope and its transpose."""
        slopes = [torch.zeros_like(leaf) if slope is None else slope.detach() for leaf, slope in zip(*self._slopes, strict=True)]
        counts = {slope.shape[0] if slope.ndim else 0 for slope in slopes}
        if len(counts) != 1 or not min(counts):
            raise CurvatureBlind("The empirical Fisher matrix needs outputs whose first dimension counts the examples, the same in all of them.")
        count = counts.pop()

        def multiplied(pushed: list[Tensor]) -> list[Tensor]:
            along = torch.stack([(slope * part).reshape(count, -1).sum(1) for slope, part in zip(slopes, pushed, strict=True)]).sum(0)
            scale = along * (count if is_mean else 1)
            return [slope * scale.view(count, *[1] * (slope.ndim - 1)) for slope in slopes]

        return multiplied


def differentiable_parts(output: Any) -> Iterator[Tensor]:
    """Yield the tensors in ``output`` that depend on the parameters."""
    if isinstance(output, Tensor):
        if output.requires_grad:
            yield output
    elif dataclasses.is_dataclass(output) and not isinstance(output, type):
        for entry in dataclasses.fields(output):
            yield from differentiable_parts(getattr(output, entry.name))
    elif isinstance(output, dict):
        for part in output.values():
            yield from differentiable_parts(part)
    elif isinstance(output, list | tuple):
        for part in output:
            yield from differentiable_parts(part)


def replaced(output: Any, leaves: dict[int, Tensor]) -> Any:
    """Return ``output`` with each tensor in ``leaves``, by its ``id``, in the place of the old one; what holds them is rebuilt."""
    if isinstance(output, Tensor):
        return leaves.get(id(output), output)
    if dataclasses.is_dataclass(output) and not isinstance(output, type):
        return dataclasses.replace(output, **{entry.name: replaced(getattr(output, entry.name), leaves) for entry in dataclasses.fields(output) if entry.init})
    if isinstance(output, dict):
        rebuilt = copy.copy(output)
        for name, part in output.items():
            rebuilt[name] = replaced(part, leaves)
        return rebuilt
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        return type(output)(*[replaced(part, leaves) for part in output])
    return type(output)(replaced(part, leaves) for part in output) if isinstance(output, list | tuple) else output
