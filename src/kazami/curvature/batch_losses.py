"""The loss of one model on each of several batches, the same whenever it is asked for: buffers put back, randomness seeded by the batch's number."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ..errors import UsageError
from ..maps._frozen import generator_states, same_states, seeded_by

Batch = tuple[Any, Any]
Call = Callable[[nn.Module, Any], Any]


class BatchLosses:
    """A model of kazami's own with its batches.

    Args:
        model: A copy; its buffers are replaced, its parameters only read.
        loss: ``loss(output, target)``.
        batches: Pairs (inputs, target).
        call: How the model is given its inputs.
        seed: Of dropout masks and whatever else a forward pass draws.
    """

    def __init__(self, model: nn.Module, loss: Callable[[Any, Any], Tensor], batches: Sequence[Batch], *, call: Call, seed: int) -> None:
        """Remember the buffers as they are."""
        self.model, self.loss, self.batches, self.call, self.seed = model, loss, batches, call, seed
        self._buffers = [
            (module, name, buffer.detach().clone()) for module in model.modules() for name, buffer in module._buffers.items() if buffer is not None
        ]
        sizes = [_size(batch) for batch in batches]
        self.n_examples = sum(sizes)
        self.shares = [size / self.n_examples for size in sizes]

    def output_and_loss(self, index: int) -> tuple[Any, Tensor]:
        """Return the model's output on a batch and its loss, both with their graph.

        Raises:
            UsageError: The loss is no scalar with a graph.
        """
        inputs, target = self.batches[index]
        with self.frozen(index):
            output = self.call(self.model, inputs)
            loss = self.loss(output, target)
        if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.requires_grad:
            raise UsageError("The loss should be a 0-d tensor that depends on the model's parameters, but it does not: it has no curvature.")
        return output, loss

    def loss_at(self, index: int) -> Tensor:
        """Return the loss on a batch with its graph."""
        return self.output_and_loss(index)[1]

    @contextmanager
    def frozen(self, index: int) -> Iterator[None]:
        """Compute here what is to be the same each time: fresh copies of the buffers, seeded randomness, kernels that have a second derivative."""
        for module, name, buffer in self._buffers:
            module._buffers[name] = buffer.clone()  # not in place: a graph that is kept may hold the old one
        with seeded_by(self.seed, index), sdpa_kernel(SDPBackend.MATH), torch.backends.cudnn.flags(enabled=False), torch.enable_grad():
            yield

    def draws(self) -> bool:
        """Return whether a forward pass draws random numbers."""
        inputs, target = self.batches[0]
        with self.frozen(0), torch.no_grad():
            before = generator_states()
            self.loss(self.call(self.model, inputs), target)
            return not same_states(before, generator_states())

    def is_deterministic(self) -> bool:
        """Return whether the loss is the same twice, bit for bit."""
        with torch.no_grad():
            return torch.equal(self.loss_at_value(0), self.loss_at_value(0))

    def loss_at_value(self, index: int) -> Tensor:
        """Return the loss on a batch, detached."""
        return self.loss_at(index).detach()


def plain_call(model: nn.Module, inputs: Any) -> Any:
    """Return ``model(inputs)``, as the loop of a `Training` calls it."""
    return model(inputs)


def fitting_call(model: nn.Module, inputs: Any) -> Any:
    """Return ``model(*inputs)`` or ``model(**inputs)`` where a tuple or a dict fits its ``forward`` so, else ``model(inputs)``."""
    if isinstance(inputs, tuple | dict):
        try:
            signature = inspect.signature(model.forward)
            signature.bind(**inputs) if isinstance(inputs, dict) else signature.bind(*inputs)
        except (TypeError, ValueError):
            return model(inputs)
        return model(**inputs) if isinstance(inputs, dict) else model(*inputs)
    return model(inputs)


def as_batches(batches: Any) -> list[Batch]:
    """Return a list of pairs; a tuple of two is one batch, any other iterable a sequence of batches.

    Raises:
        UsageError: There is none, or one that is no pair.
    """
    found = [batches] if isinstance(batches, tuple) and len(batches) == 2 and not _is_pair(batches[0]) else list(batches)
    if not found:
        raise UsageError("Curvature needs at least one batch (inputs, target), and got none.")
    if any(not _is_pair(batch) for batch in found):
        raise UsageError("A batch should be a pair (inputs, target), and one is not. Several inputs go into a tuple: ((x, mask), target).")
    return [(batch[0], batch[1]) for batch in found]


def _is_pair(batch: Any) -> bool:
    return isinstance(batch, tuple | list) and len(batch) == 2


def _size(batch: Any) -> int:
    """Return the number of examples: the first dimension of the first tensor that has one, 1 where there is none."""
    return next((tensor.shape[0] for tensor in _tensors(batch) if tensor.ndim and tensor.shape[0]), 1)


def _tensors(tree: Any) -> Iterator[Tensor]:
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, dict):
        for part in tree.values():
            yield from _tensors(part)
    elif isinstance(tree, list | tuple):
        for part in tree:
            yield from _tensors(part)
