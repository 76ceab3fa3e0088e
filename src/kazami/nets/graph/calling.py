"""Call: how a model is called with its example, with every tensor in it, and in what it gives, found and named."""

import copy
import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from torch import Tensor, nn

from ...errors import UsageError

IsLeaf = Callable[[Any], bool]


def is_tensor(value: Any) -> bool:
    """Return whether ``value`` is a tensor."""
    return isinstance(value, Tensor)


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """The arguments of one ``forward``.

    Attributes:
        arguments: Positional arguments.
        keywords: Keyword arguments.
        parameter_names: What ``forward`` calls its positional arguments.
    """

    arguments: tuple[Any, ...]
    keywords: dict[str, Any]
    parameter_names: tuple[str, ...]

    @classmethod
    def of(cls, model: nn.Module, example: Any, keywords: Mapping[str, Any] | None = None) -> "Call":
        """Return the call that ``example`` (a tensor, or a tuple of positional arguments) and ``keywords`` mean.

        Raises:
            UsageError: There is no tensor in it.
        """
        arguments = example if type(example) is tuple else () if example is None else (example,)
        call = cls(arguments, dict(keywords or {}), _names_of(model, len(arguments)))
        if not call.tensors():
            raise UsageError("The example should be a tensor, or a tuple of the arguments of the model's forward, and holds no tensor.")
        return call

    def tensors(self) -> list[tuple[str, Tensor]]:
        """Return the tensors in the arguments with their names (``"x"``, ``"batch.ids"``), each object once."""
        found: dict[int, tuple[str, Tensor]] = {}
        for name, value in [*zip(self.parameter_names, self.arguments, strict=True), *self.keywords.items()]:
            for path, tensor in named_leaves(value, name, is_tensor):
                found.setdefault(id(tensor), (path, tensor))
        return list(found.values())

    def with_tensors(self, replace: Callable[[Tensor], Any]) -> "Call":
        """Return a call with each tensor replaced."""
        arguments = tuple(mapped(value, replace) for value in self.arguments)
        return Call(arguments, {name: mapped(value, replace) for name, value in self.keywords.items()}, self.parameter_names)

    def copied(self) -> "Call":
        """Return a call with tensors of its own: a model may write into its arguments."""
        made: dict[int, Tensor] = {}

        def copy_of(tensor: Tensor) -> Tensor:
            if id(tensor) not in made:
                made[id(tensor)] = tensor.detach().clone().requires_grad_(tensor.requires_grad)
            return made[id(tensor)]

        return self.with_tensors(copy_of)

    def on(self, model: nn.Module) -> Any:
        """Call the model."""
        return model(*self.arguments, **self.keywords)


def _names_of(model: nn.Module, count: int) -> tuple[str, ...]:
    try:
        parameters = list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    rest = next((one.name for one in parameters if one.kind is one.VAR_POSITIONAL), "input")
    return tuple(names[:count] + [f"{rest}{position}" for position in range(len(names), count)])


def named_leaves(value: Any, name: str, is_leaf: IsLeaf) -> Iterator[tuple[str, Any]]:
    """Yield the tensors in a structure of tuples, lists, mappings and dataclasses, each with its path.

    Example:
        >>> import torch
        >>> [name for name, _ in named_leaves({"a": torch.ones(1), "b": [torch.ones(1), 3]}, "y", is_tensor)]
        ['y.a', 'y.b.0']
    """
    if is_leaf(value):
        yield name, value
        return
    for key, part in _parts(value):
        yield from named_leaves(part, f"{name}.{key}" if name else str(key), is_leaf)


def _parts(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return list(zip(value._fields, value, strict=True))
    if isinstance(value, list | tuple):
        return list(enumerate(value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(one.name, getattr(value, one.name, None)) for one in dataclasses.fields(value)]
    return []


def leaves_of(arguments: Any) -> list[Any]:
    """Return everything in nested lists, tuples and dictionaries of arguments, in order, what occurs twice twice."""
    found: list[Any] = []
    stack = [arguments]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            stack.extend(reversed(list(one.values())))
        elif isinstance(one, list | tuple):
            stack.extend(reversed(one))
        elif isinstance(one, slice):
            stack.extend((one.step, one.stop, one.start))
        else:
            found.append(one)
    return found


def constants_of(leaves: list[Any]) -> tuple[Any, ...]:
    """Return the numbers and words among the arguments of an operation."""
    return tuple(one for one in leaves if isinstance(one, int | float | str | bool))


def mapped(value: Any, replace: Callable[[Tensor], Any]) -> Any:
    """Return a structure with each tensor in it replaced; what holds none comes back as it is."""
    if isinstance(value, Tensor):
        return replace(value)
    if not any(True for _ in named_leaves(value, "", is_tensor)):
        return value
    if isinstance(value, MutableMapping):
        made = copy.copy(value)
        for key in list(value):
            made[key] = mapped(value[key], replace)
        return made
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(part, replace) for part in value))
    if isinstance(value, list | tuple):
        return type(value)(mapped(part, replace) for part in value)
    made = copy.copy(value)  # a dataclass
    for key, part in _parts(value):
        object.__setattr__(made, key, mapped(part, replace))
    return made


def output_names(paths: list[str]) -> list[str]:
    """Return what the outputs are called: ``"Y"`` for the only one, ``"Y1"``, ``"Y2"`` in a tuple, the keys of a dictionary.

    Example:
        >>> output_names([""]), output_names(["0", "1"]), output_names(["logits", "hidden.0"])
        (['Y'], ['Y1', 'Y2'], ['logits', 'hidden.0'])
    """
    if len(paths) == 1 and (not paths[0] or paths[0].isdigit()):
        return ["Y"]
    return [f"Y{int(path) + 1}" if path.isdigit() else path or "Y" for path in paths]
