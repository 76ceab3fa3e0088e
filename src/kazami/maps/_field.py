"""The gradient of a training's loss as a vector field on its parameters, and the field's exact derivative along any directions."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ..errors import UsageError
from ._frozen import FrozenBatches, FrozenRandomness
from ._layout import Layout

Method = Literal["hessian", "finite_difference"]
# Below this many entries in all directions together a batched product is cheaper than one after another: there, calls cost more than arithmetic.
BATCHED_ENTRIES = 200_000


@dataclass(frozen=True, slots=True)
class Gradient:
    """The gradient at one state.

    Attributes:
        flat: All entries, shape ``(n_parameters,)``; zeros where a parameter was not used.
        is_used: For each parameter whether the loss used it.
        parts: The gradient of each parameter with its graph, ``None`` where unused.
    """

    flat: Tensor
    is_used: tuple[bool, ...]
    parts: tuple[Tensor | None, ...]


class LossField:
    """The gradient field of one training.

    Args:
        model: The map's own model.
        loss: ``loss(output, target)``.
        batches: By step number.
        randomness: By step number.
        layout: Which parameters, and where.
        needs_plain_attention: Whether attention must be computed by the formula, because the fused kernel has no second derivative.
    """

    def __init__(
        self, model: nn.Module, loss: Callable[[Any, Any], Tensor], batches: FrozenBatches, randomness: FrozenRandomness, *, needs_plain_attention: bool
    ) -> None:
        """Nothing is computed yet."""
        self.model, self.loss, self.batches, self.randomness = model, loss, batches, randomness
        self.needs_plain_attention = needs_plain_attention
        self._can_batch = True

    def attention(self) -> AbstractContextManager[Any]:
        """Return the context in which the forward pass runs."""
        return sdpa_kernel(SDPBackend.MATH) if self.needs_plain_attention else nullcontext()

    def loss_at(self, time: int) -> Tensor:
        """Return the loss of the model as it is, on the batch and with the randomness of step number ``time``."""
        inputs, target = self.batches.at(time)
        with self.randomness.at(time), self.attention(), torch.enable_grad():
            loss = self.loss(self.model(inputs), target)
        if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.requires_grad:
            raise UsageError("The loss should be a 0-d tensor that depends on the model's parameters, but it does not: nothing would be trained.")
        return loss

    def gradient(self, layout: Layout, time: int, *, keep_graph: bool = False) -> Gradient:
        """Return the gradient at the parameters that the model holds now."""
        loss = self.loss_at(time)
        with torch.enable_grad():
            parts = torch.autograd.grad(loss, layout.parameters, create_graph=keep_graph, allow_unused=True)
        if any(part is not None and part.layout != torch.strided for part in parts):
            raise UsageError(
                "The gradients should be dense, but an embedding gives sparse ones. Make it with sparse=False; for plain SGD the training is the same."
            )
        flat = torch.cat([_flat(part, parameter) for part, parameter in zip(parts, layout.parameters, strict=True)]).detach()
        return Gradient(flat, tuple(part is not None for part in parts), parts)

    def products(self, layout: Layout, gradient: Gradient, vectors: Tensor) -> Tensor:
        r"""Return the Hessian :math:`H V` for ``vectors`` of shape ``(n_parameters, k)``, one more backward pass over the kept graph for each.

        Raises:
            UsageError: An operation has no second derivative; it is named.
        """
        graph = [(part, index) for index, part in enumerate(gradient.parts) if part is not None and part.requires_grad]
        if not graph:
            return torch.zeros_like(vectors)
        try:
            return self._transposed(layout, graph, vectors)
        except RuntimeError as refusal:
            raise _without_second_derivative(refusal) from None

    def _transposed(self, layout: Layout, graph: list[tuple[Tensor, int]], vectors: Tensor) -> Tensor:
        outputs = [part for part, _ in graph]
        split = layout.split(vectors.T)
        weights = [split[index] for _, index in graph]
        if self._can_batch and vectors.shape[1] > 1 and vectors.numel() <= BATCHED_ENTRIES:
            try:
                return _stacked(layout, _backward(layout, outputs, weights, is_batched=True), vectors)
            except RuntimeError:  # an operation that vmap does not know
                self._can_batch = False
        columns = [_backward(layout, outputs, [weight[column] for weight in weights]) for column in range(vectors.shape[1])]
        return torch.stack([torch.cat([_flat(part, like) for part, like in zip(parts, layout.parameters, strict=True)]) for parts in columns], dim=1)


def _backward(layout: Layout, outputs: list[Tensor], weights: list[Tensor], *, is_batched: bool = False) -> tuple[Tensor | None, ...]:
    with torch.enable_grad():
        return torch.autograd.grad(outputs, layout.parameters, weights, retain_graph=True, allow_unused=True, is_grads_batched=is_batched)


def _stacked(layout: Layout, parts: tuple[Tensor | None, ...], vectors: Tensor) -> Tensor:
    count = vectors.shape[1]
    rows = [
        vectors.new_zeros(count, parameter.numel()) if part is None else part.detach().reshape(count, -1)
        for part, parameter in zip(parts, layout.parameters, strict=True)
    ]
    return torch.cat(rows, dim=1).T.contiguous()


def _flat(part: Tensor | None, like: Tensor) -> Tensor:
    return like.new_zeros(like.numel(), requires_grad=False) if part is None else part.detach().reshape(-1)


def _without_second_derivative(refusal: RuntimeError) -> UsageError:
    said = (str(refusal).strip() or type(refusal).__name__).splitlines()[0][:200]
    return UsageError(
        f"The training's loss should be twice differentiable for exact tangents, but an operation in it is not: {said} "
        'Replace that operation, or ask for TrainingMap(training, tangents="finite_difference").'
    )


def uses_fused_attention(loss: Tensor) -> bool:
    """Return whether the graph of ``loss`` holds a fused attention kernel."""
    return any("ScaledDotProduct" in node.name() or "AttentionBackward" in node.name() for node in _nodes(loss))


def hand_written_backwards(loss: Tensor) -> list[str]:
    """Return the names of the operations in the graph of ``loss`` whose backward is written in Python."""
    names = {type(node).__name__ for node in _nodes(loss) if issubclass(type(node), torch.autograd.function.BackwardCFunction)}
    return sorted(name.removesuffix("Backward") for name in names)


def _nodes(loss: Tensor) -> Iterator[Any]:
    stack, seen = [loss.grad_fn], {loss.grad_fn}
    while stack:
        node = stack.pop()
        if node is not None:
            yield node
            following = [after for after, _ in node.next_functions if after is not None and after not in seen]
            seen.update(following)
            stack.extend(following)
