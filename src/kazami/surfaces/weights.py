"""A model's weights as one flat vector, and a working copy of the model whose weights can be moved without touching the user's."""

import copy
import inspect
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UsageError

Batch = tuple[Any, Any]


def flat_weights(model: nn.Module) -> Tensor:
    """Return a copy of all parameters of ``model`` as one vector, shape ``(weights,)``, in the order of ``model.parameters()``; a tied one counts once.

    Raises:
        UsageError: The model has no parameters, or some that are not real numbers, on several devices, or not there yet (lazy).

    Example:
        >>> flat_weights(nn.Linear(3, 2)).shape
        torch.Size([8])
    """
    parameters = list(model.parameters())
    if not parameters:
        raise UsageError(f"A surface needs weights, and {type(model).__name__} has no parameters.")
    if any(isinstance(parameter, nn.parameter.UninitializedParameter) for parameter in parameters):
        raise UsageError(f"{type(model).__name__} has lazy parameters without a shape. Run it once on a batch first.")
    strange = [name for name, parameter in model.named_parameters() if not parameter.is_floating_point()]
    if strange:
        raise UsageError(f"A surface moves real weights, and {strange[0]} is {dict(model.named_parameters())[strange[0]].dtype}.")
    if len({parameter.device for parameter in parameters}) > 1:
        raise UsageError(f"All weights should be on one device, and those of {type(model).__name__} are on several. Move the model to one of them.")
    return torch.cat([parameter.detach().reshape(-1) for parameter in parameters]).clone()


def unflatten(flat: Tensor, model: nn.Module) -> list[Tensor]:
    """Return views of ``flat``, shaped like the parameters of ``model``."""
    parameters = list(model.parameters())
    parts = flat.split([parameter.numel() for parameter in parameters])
    return [part.view(parameter.shape) for part, parameter in zip(parts, parameters, strict=True)]


def as_batches(batches: Any) -> list[Batch]:
    """Return a list of ``(inputs, target)``; a tuple of two is one batch, every other iterable is a sequence of batches.

    Raises:
        UsageError: There is none, or one that is no pair.
    """
    found = [batches] if isinstance(batches, tuple) else list(batches)
    if not found:
        raise UsageError("A surface needs at least one batch (inputs, target), and got none.")
    for batch in found:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise UsageError(
                f"A batch should be a pair (inputs, target), and one is {type(batch).__name__}. Several inputs go into a tuple: ((x, mask), target)."
            )
    return [(batch[0], batch[1]) for batch in found]


def sizes_of(batches: Iterable[Batch]) -> list[int]:
    """Return the number of examples of each batch: the first dimension of its first tensor, 1 where there is none."""
    return [next((tensor.shape[0] for tensor in _tensors(batch) if tensor.ndim), 1) for batch in batches]


def called(model: nn.Module, inputs: Any) -> Any:
    """Return ``model(*inputs)`` for a tuple that the model's ``forward`` takes so, ``model(**inputs)`` for a dict it takes so, else ``model(inputs)``."""
    if isinstance(inputs, tuple | dict):
        try:
            signature = inspect.signature(model.forward)
            signature.bind(**inputs) if isinstance(inputs, dict) else signature.bind(*inputs)
        except (TypeError, ValueError):
            return model(inputs)
        return model(**inputs) if isinstance(inputs, dict) else model(*inputs)
    return model(inputs)


def loss_on(model: nn.Module, loss: Any, batch: Batch) -> Tensor:
    """Return the loss of ``model`` on one batch, a 0-d tensor; ``loss=None`` where the model itself returns its loss.

    Raises:
        UsageError: It is no single number.
    """
    inputs, target = batch
    output = called(model, inputs)
    value = output if loss is None else loss(output, target)
    if not isinstance(value, Tensor) or value.numel() != 1:
        what = f"a tensor of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise UsageError(f"The loss of a batch should be one number, and is {what}. Reduce it, for example with .mean().")
    return value.reshape(())


@contextmanager
def working_copy(model: nn.Module) -> Iterator[nn.Module]:
    """Give a copy of ``model`` to move; where it cannot be copied faithfully, the model itself, which is put back bit for bit at the end."""
    twin: nn.Module | None
    try:
        twin = None if _holds_closures(model) else copy.deepcopy(model)
    except Exception:  # a tensor with a graph, a lock, an open file among its attributes: copying runs the user's code
        twin = None
    if twin is not None:
        yield twin
        return
    with _put_back(model):
        yield model


def _holds_closures(model: nn.Module) -> bool:
    """Return whether a module holds functions with variables of their own, such as a forward put in its place: a copy's would still use the original."""
    values = (value for module in model.modules() for value in vars(module).values())
    return any(inspect.isfunction(value) and value.__closure__ for value in values)


@contextmanager
def _put_back(model: nn.Module) -> Iterator[None]:
    kept = [(parameter, parameter.data, parameter.requires_grad) for parameter in model.parameters()]
    buffers = [(module, name, buffer, buffer.clone()) for module in model.modules() for name, buffer in module._buffers.items() if buffer is not None]
    modes = [(module, module.training) for module in model.modules()]
    norms = [(module, module.momentum) for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    try:
        yield
    finally:
        for parameter, data, requires_grad in kept:
            parameter.data = data
            parameter.requires_grad_(requires_grad)
        for module, name, buffer, clone in buffers:
            buffer.copy_(clone)
            module._buffers[name] = buffer
        for module, mode in modes:
            module.training = mode
        for norm, momentum in norms:
            norm.momentum = momentum


def moved_to(value: Any, dtype: torch.dtype) -> Any:
    """Return ``value`` with its floating tensors in ``dtype``; tuples, lists and dicts are gone through."""
    if isinstance(value, Tensor):
        return value.to(dtype) if value.is_floating_point() else value
    if isinstance(value, dict):
        return {key: moved_to(entry, dtype) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(moved_to(entry, dtype) for entry in value)
    return value


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _tensors(entry)
    elif isinstance(value, tuple | list):
        for entry in value:
            yield from _tensors(entry)
