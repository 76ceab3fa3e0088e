"""Tensors inside tuples, lists, dicts and dataclasses: found in one order, and put back."""

import copy
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor


def tensors_in(value: Any, name: str = "") -> list[tuple[str, Tensor]]:
    """Return the tensors in ``value`` with their paths, depth first.

    >>> import torch
    >>> [name for name, _ in tensors_in({"a": torch.ones(1), "b": (torch.ones(2), 3)}, "out")]
    ['out.a', 'out.b.0']
    """
    if isinstance(value, Tensor):
        return [(name, value)]
    return [found for key, part in _parts(value) for found in tensors_in(part, f"{name}.{key}" if name else str(key))]


def with_tensors(value: Any, replacements: Iterator[Tensor]) -> Any:
    """Return a copy of ``value`` whose tensors, in the order of :func:`tensors_in`, are the next ones of ``replacements``.

    >>> import torch
    >>> with_tensors([torch.ones(1), "kept"], iter([torch.zeros(1)]))
    [tensor([0.]), 'kept']
    """
    if isinstance(value, Tensor):
        return next(replacements)
    new = {key: with_tensors(part, replacements) for key, part in _parts(value)}
    if not new:
        return value
    if isinstance(value, Mapping):
        made = copy.copy(value)
        for key, part in new.items():
            made[key] = part  # type: ignore[index]
        return made
    if isinstance(value, tuple):
        return type(value)(*new.values()) if getattr(value, "_fields", None) else tuple(new.values())
    if isinstance(value, list):
        return list(new.values())
    made = copy.copy(value)
    for key, part in new.items():
        object.__setattr__(made, key, part)
    return made


def _parts(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, tuple | list):
        return list(zip(getattr(value, "_fields", range(len(value))), value, strict=True))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    return []
