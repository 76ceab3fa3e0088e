"""Copies that may be worked on: of models, of batches, of the random generators and of whatever a forward pass changes."""

import copy
import dataclasses
import functools
import random
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import UsageError

_TORCH_OWN = frozenset(vars(nn.Module()))  # what every module has: parameters, buffers, hooks, the training mode


def model_copy(model: nn.Module, dtype: torch.dtype | None) -> nn.Module:
    """Return a copy of ``model`` in ``dtype`` (``None``: its own), tied weights still tied; tensors that are plain attributes go along.

    Raises:
        UsageError: The model holds something that cannot be copied.
    """
    try:
        made: nn.Module = copy.deepcopy(model, _non_leaves(model))
    except Exception as error:  # anything may hang on a module: a file, a lock, a generator
        raise UsageError(
            f"The model should be copyable (copy.deepcopy), so that it itself stays as it is, and is not: {type(error).__name__}: {str(error)[:200]}"
        ) from error
    if dtype is None:
        return made
    made = made.to(dtype)
    for module in (module for module in made.modules() if not isinstance(module, torch.jit.ScriptModule)):
        vars(module).update({name: moved_to(value, dtype, detached=False) for name, value in _attributes(module).items()})
    return made


def _non_leaves(model: nn.Module) -> dict[int, Any]:
    """Return the ``memo`` that lets deepcopy pass results of earlier forward passes, which hang on the module and refuse to be copied."""
    memo: dict[int, Any] = {}
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, Tensor) and not value.is_leaf:
                memo[id(value)] = value.detach().clone()
    return memo


def moved_to(value: Any, dtype: torch.dtype | None, *, detached: bool = True) -> Any:
    """Return ``value`` with each real floating tensor in it in ``dtype``; tuples, lists and dicts are gone through, all else stays.

    Args:
        value: A tensor, or tensors in tuples, lists and dicts.
        dtype: ``None`` changes no dtype.
        detached: Copy every tensor and cut it from its graph; otherwise tensors that need no change stay the same objects.
    """
    if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
        wanted = dtype if dtype is not None and value.is_floating_point() else value.dtype
        return value.detach().clone().to(wanted) if detached else value.to(wanted)
    if type(value) is dict:
        return {key: moved_to(item, dtype, detached=detached) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(moved_to(item, dtype, detached=detached) for item in value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # a named tuple takes its items one by one
        return type(value)(*(moved_to(item, dtype, detached=detached) for item in value))
    if dataclasses.is_dataclass(value) and not isinstance(value, (type, nn.Module)):
        return _moved_dataclass(value, dtype, detached=detached)
    return value


def _moved_dataclass(value: Any, dtype: torch.dtype | None, *, detached: bool) -> Any:
    moved = {field.name: moved_to(getattr(value, field.name), dtype, detached=detached) for field in dataclasses.fields(value) if hasattr(value, field.name)}
    if all(moved[name] is getattr(value, name) for name in moved):
        return value
    made = copy.copy(value)
    for name, item in moved.items():
        object.__setattr__(made, name, item)  # frozen ones too
    return made


def loss_copy(loss: Any, dtype: torch.dtype) -> Any:
    """Return a loss whose constants (class weights …) are in ``dtype``: those of a module, a partial, a dataclass, or a function's closure and globals.

    Limits:
        What a loss keeps elsewhere stays as it is.
    """
    if isinstance(loss, nn.Module):
        return model_copy(loss, dtype)
    if isinstance(loss, functools.partial):
        words = {key: moved_to(value, dtype) for key, value in loss.keywords.items()}
        return functools.partial(loss_copy(loss.func, dtype), *(moved_to(value, dtype) for value in loss.args), **words)
    if isinstance(loss, types.FunctionType):
        cells = tuple(types.CellType(moved_to(cell.cell_contents, dtype)) for cell in loss.__closure__ or ())
        used = {name: moved_to(loss.__globals__[name], dtype) for name in loss.__code__.co_names if isinstance(loss.__globals__.get(name), Tensor)}
        made = types.FunctionType(loss.__code__, {**loss.__globals__, **used}, loss.__name__, loss.__defaults__, cells)
        made.__kwdefaults__ = loss.__kwdefaults__
        return made
    return moved_to(loss, dtype)


class RandomStates:
    """The states of Python's, NumPy's and torch's generators at one moment."""

    def __init__(self) -> None:
        self._python = random.getstate()
        self._numpy: Any = np.random.get_state()
        self._torch = torch.get_rng_state()
        self._cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []

    def have_moved(self) -> bool:
        """Tell whether anything was drawn since."""
        now = RandomStates()
        numpy_moved = not np.array_equal(now._numpy[1], self._numpy[1]) or now._numpy[2] != self._numpy[2]
        torch_moved = not torch.equal(now._torch, self._torch) or any(not torch.equal(a, b) for a, b in zip(now._cuda, self._cuda, strict=False))
        return numpy_moved or torch_moved or now._python != self._python

    def put_back(self) -> None:
        """Put all generators back."""
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        torch.set_rng_state(self._torch)
        if self._cuda:
            torch.cuda.set_rng_state_all(self._cuda)


def seed_all(seed: int) -> None:
    """Seed Python's, NumPy's and torch's generators."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@contextmanager
def undisturbed(dtype: torch.dtype | None = None) -> Iterator[None]:
    """Work here without a trace: generators, default dtype and gradient mode are as before afterwards.

    Args:
        dtype: Default dtype inside: tensors that a forward pass makes itself (``torch.zeros``) then fit the copy.
    """
    states, default = RandomStates(), torch.get_default_dtype()
    try:
        if dtype is not None:
            torch.set_default_dtype(dtype)
        with torch.enable_grad():
            yield
    finally:
        torch.set_default_dtype(default)
        states.put_back()


class StateKeeper:
    """Buffers and plain attributes of all modules, so that what a forward pass changed (running statistics, a hidden state, a counter) can be put back.

    Limits:
        What is changed inside lists and dicts, outside of modules, and in TorchScript is not put back.
    """

    def __init__(self, model: nn.Module) -> None:
        modules = [module for module in model.modules() if not isinstance(module, torch.jit.ScriptModule)]  # whose attributes cannot be set
        self._kept = [(module, _attributes(module), dict(module._buffers), _tensor_values(module)) for module in modules]

    def has_changed(self) -> bool:
        """Tell whether anything is not as it was."""
        return any(
            _differ(_attributes(module), attributes) or _differ(module._buffers, buffers) or any(not _same(tensor, value) for tensor, value in values)
            for module, attributes, buffers, values in self._kept
        )

    def put_back(self) -> None:
        """Put everything back."""
        for module, attributes, buffers, values in self._kept:
            for name in set(_attributes(module)) - set(attributes):
                del vars(module)[name]
            vars(module).update(attributes)
            module._buffers.clear()
            module._buffers.update(buffers)
            with torch.no_grad():
                for tensor, value in values:
                    tensor.copy_(value)


def _attributes(module: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name not in _TORCH_OWN}


def _tensor_values(module: nn.Module) -> list[tuple[Tensor, Tensor]]:
    found = [*module._buffers.values(), *_attributes(module).values()]
    return [(value, value.detach().clone()) for value in found if isinstance(value, Tensor) and not isinstance(value, nn.Parameter)]


def _differ(now: Mapping[str, Any], then: Mapping[str, Any]) -> bool:
    return now.keys() != then.keys() or any(now[name] is not then[name] for name in then)


def _same(tensor: Tensor, value: Tensor) -> bool:
    return torch.equal(torch.nan_to_num(tensor.detach()), torch.nan_to_num(value)) if tensor.is_floating_point() else torch.equal(tensor, value)
