"""From a long table to arrays: one axis for each factor."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .result import SweepResult

Places = tuple[NDArray[np.int64], ...]


def last_rows(found: "SweepResult") -> Any:
    """Return the last row of each member that has one."""
    is_last = np.append(np.diff(found.rows) != 0, True) if len(found.rows) else np.zeros(0, dtype=bool)
    return found.table.filter(is_last)


def is_grid(found: "SweepResult") -> bool:
    """Return whether every combination of the factors' values is a member."""
    return bool(np.prod([len(set(map(_key, found.values[name]))) for name in found.factors], dtype=float) == found.members)


def axis_of(found: "SweepResult", name: str) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the values of a factor in rising order (text as it came), and the place of each member on that axis."""
    values = found.values[name]
    axis = list({_key(value): value for value in values}.values())
    if all(isinstance(value, (int, float)) for value in axis):
        axis.sort()
    number = {_key(value): place for place, value in enumerate(axis)}
    return axis, np.array([number[_key(value)] for value in values], dtype=np.int64)


def gridded(found: "SweepResult") -> tuple[dict[str, Any], dict[str, NDArray[Any]], dict[str, tuple[str, ...]]]:
    """Return coordinates, variables and each variable's dimensions.

    Factors on a grid are dimensions of their own; where not every combination is a member (drawn or zipped factors), there is one dimension ``member``.
    """
    table, steps = found.table, found.table["step"].to_numpy()
    every = np.unique(steps)
    names, places, coordinates = _axes(found)
    shape = tuple(len(coordinates[name]) for name in names)
    along = np.searchsorted(every, steps)
    series = found.series
    variables, dimensions = {}, {}
    for name in found.recorded:
        values = table[name].to_numpy()
        is_text = str(table.schema.field(name).type) == "string"
        is_series = name in series
        array: NDArray[Any] = np.full((*shape, len(every)) if is_series else shape, "" if is_text else np.nan, dtype=object if is_text else float)
        array[(*places, along) if is_series else places] = values
        variables[name], dimensions[name] = array, (*names, "step") if is_series else names
    return {**coordinates, "step": every}, variables, dimensions


def _axes(found: "SweepResult") -> tuple[tuple[str, ...], Places, dict[str, Any]]:
    if is_grid(found):
        axes = {name: axis_of(found, name) for name in found.factors}
        return found.factors, tuple(places[found.rows] for _, places in axes.values()), {name: _array(axis) for name, (axis, _) in axes.items()}
    coordinates: dict[str, Any] = {name: ("member", _array(list(found.values[name]))) for name in found.factors}
    return ("member",), (found.rows,), {"member": np.arange(found.members), **coordinates}


def _array(values: list[Any]) -> NDArray[Any]:
    return np.array(values, dtype=object) if any(value is None or isinstance(value, str) for value in values) else np.array(values)


def _key(value: Any) -> Any:
    return isinstance(value, bool), value
