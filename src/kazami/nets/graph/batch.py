"""Which size is the batch: found by giving the model one row more, and by looking whether the other rows' answers stay as they were."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .calling import Call, is_tensor, named_leaves
from .tape import Tape

AXES = (0, 1)  # where a batch may lie: first, or second after time

PICKING = frozenset(("nonzero", "argwhere", "masked_select", "unique", "unique_consecutive", "_unique2"))  # the values decide how many numbers come out


@dataclass(frozen=True, slots=True)
class Batch:
    """A call whose batch has one row more.

    Attributes:
        call: The larger call.
        size: Rows of the original one.
        shapes: Shapes of the outputs of the larger one.
    """

    call: Call
    size: int
    shapes: list[tuple[int, ...]]


def with_one_row_more(fresh: Callable[[], Any], call: Call) -> Batch | None:
    """Return the call with one row more in its batch; ``None`` where no axis of the inputs is a batch.

    An axis is a batch if the model, in evaluation mode, takes a row more and gives the old rows the answers they had: rows do not know of one another.
    The new row comes first, so that a causal model does not pass for one that treats time steps as rows.

    Args:
        fresh: Context manager that lends a copy of the model.
        call: The example.
    """
    for larger, size in _larger_calls(call):
        with suppress(Exception):  # a model may refuse the larger call in its own way: then this is no batch
            before, after = _answers(fresh, call), _answers(fresh, larger)
            if _rows_agree(before, after, size):
                return Batch(larger, size, [tuple(one.shape) for one in after])
    return None


def _larger_calls(call: Call) -> Iterator[tuple[Call, int]]:
    for axis in AXES:
        sizes = [tensor.shape[axis] for _, tensor in call.tensors() if tensor.dim() > axis]
        for only_first in (False, True):
            larger = _grown(call, axis, sizes[0], only_first) if sizes else None
            if larger is not None:
                yield larger, sizes[0]


def _grown(call: Call, axis: int, size: int, only_first: bool) -> Call | None:
    fitting = [tensor for _, tensor in call.tensors() if tensor.dim() > axis and tensor.shape[axis] == size]
    if not fitting or size == 0 or (only_first and len(fitting) == 1):
        return None
    grown = {id(tensor): _with_row(tensor, axis) for tensor in (fitting[:1] if only_first else fitting)}
    return call.with_tensors(lambda tensor: grown.get(id(tensor), tensor))


def _with_row(tensor: Tensor, axis: int) -> Tensor:
    row = tensor.detach().narrow(axis, tensor.shape[axis] - 1, 1)
    if row.is_floating_point():
        row = row.flip([place for place in range(row.dim()) if place != axis]) / 2  # another row, in the range of the others
    return torch.cat([row, tensor.detach()], dim=axis).requires_grad_(tensor.requires_grad)


def _answers(fresh: Callable[[], Any], call: Call) -> list[Tensor]:
    with fresh() as model:
        model.eval()
        torch.manual_seed(0)
        return [tensor.detach() for _, tensor in named_leaves(call.copied().on(model), "", is_tensor)]


def _rows_agree(before: list[Tensor], after: list[Tensor], size: int) -> bool:
    if len(before) != len(after) or not before:
        return False
    has_grown = False
    for old, new in zip(before, after, strict=True):
        axes = [axis for axis in range(old.dim()) if old.shape[axis] != new.shape[axis]] if old.dim() == new.dim() else [-1, -1]
        if not axes:
            continue
        if len(axes) > 1 or old.shape[axes[0]] != size or new.shape[axes[0]] != size + 1:
            return False
        kept = new.narrow(axes[0], 1, size)
        has_grown = True
        if not torch.allclose(kept.to(old.dtype), old, rtol=1e-3, atol=1e-5, equal_nan=True):
            return False
    return has_grown


def name_sizes(tape: Tape, larger: Tape | None, size: int) -> bool:
    """Write the sizes of a tape as text, with ``N`` for the batch where a second tape, captured with one row more, shows that a size moved with it.

    A size :math:`s` that becomes :math:`s'` grows by :math:`a = s' - s` a row, and is written :math:`aN + b` with :math:`b = s - a n`.

    Returns:
        Whether the two tapes were the same but for sizes.
    """
    same = larger is not None and _is_same(tape, larger)
    by_values = _sized_by_values(tape)
    for place, operation in enumerate(tape.operations):
        for slot, value in enumerate(operation.values):
            other = larger.operations[place].values[slot].shape if same and larger is not None else value.shape
            value.dims = tuple(_text(one, two, size, place in by_values) for one, two in zip(value.shape, other, strict=True))
    return same


def _sized_by_values(tape: Tape) -> set[int]:
    """Return the operations whose sizes may follow from values of the data: those that pick places by their values, and all that comes after them."""
    found: set[int] = set()
    for place, operation in enumerate(tape.operations):
        dtypes = [tape.operations[source].values[slot].dtype for source, slot in operation.inputs if slot < len(tape.operations[source].values)]
        picks = operation.op in PICKING or (operation.op == "where" and len(dtypes) == 1) or (operation.op in ("getitem", "index") and "bool" in dtypes[1:])
        if picks or any(source in found for source, _ in operation.inputs):
            found.add(place)
    return found


def _is_same(tape: Tape, larger: Tape) -> bool:
    pairs = zip(tape.operations, larger.operations, strict=False)
    return len(tape.operations) == len(larger.operations) and all(
        one.op == two.op and one.inputs == two.inputs and [len(v.shape) for v in one.values] == [len(v.shape) for v in two.values] for one, two in pairs
    )


def _text(size: int, larger: int, batch: int, is_by_values: bool = False) -> str:
    if size < 0:
        return "?"
    per_row = larger - size
    if per_row == 0:
        return str(size)
    rest = size - per_row * batch
    if rest and is_by_values:  # the added row was picked; another might not be
        return "?"
    grown = "N" if per_row == 1 else f"{per_row}N"
    return grown if rest == 0 else f"{grown}{rest:+d}".replace("-", "−")


def parameters_of(model: nn.Module) -> dict[int, tuple[str, ...]]:
    """Return all names of each parameter and buffer by its identity; a tied one has several.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        >>> model[1].weight = model[0].weight
        >>> parameters_of(model)[id(model[0].weight)]
        ('0.weight', '1.weight')
    """
    found: dict[int, tuple[str, ...]] = {}
    for name, tensor in [*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False)]:
        found[id(tensor)] = (*found.get(id(tensor), ()), name)
    return found
