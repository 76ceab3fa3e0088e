"""The values of a factor: given one by one, on a grid, drawn at random or from a Sobol sequence, or zipped with those of another."""

import inspect
import math
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np

from ..errors import UsageError

Scale = Literal["linear", "log"]
Cell = dict[str, Any]  # one value of each factor
MOST_MEMBERS = 10**7


@dataclass(frozen=True, slots=True)
class Drawn:
    """Values drawn between two limits. All factors drawn in the same way, as often and from the same seed are the coordinates of the same points.

    Attributes:
        way: ``"random"`` (independent) or ``"sobol"`` (evenly spread, scrambled).
        low: Smallest value.
        high: Largest value.
        count: Number of points.
        scale: Even in the value or in its logarithm.
        whole: Whole numbers only, both limits included.
        seed: Of the points.
    """

    way: Literal["random", "sobol"]
    low: float
    high: float
    count: int
    scale: Scale = "linear"
    whole: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what has no points."""
        _must_be_range(self.way, self.low, self.high, self.count, is_log=self.scale == "log")
        if self.scale not in ("linear", "log"):
            raise UsageError(f'scale should be "linear" or "log", and is {self.scale!r}.')

    def at(self, places: Sequence[float]) -> tuple[Any, ...]:
        """Return the values at ``places`` between 0 and 1."""
        low, high = (float(self.low), float(self.high) + 1.0) if self.whole else (float(self.low), float(self.high))
        is_log = self.scale == "log"
        values = [low * (high / low) ** place if is_log else low + (high - low) * place for place in places]
        return tuple(min(math.floor(value), int(self.high)) for value in values) if self.whole else tuple(values)


@dataclass(frozen=True, slots=True)
class Zipped:
    """Factors that take their values together, the first with the first, the second with the second.

    Attributes:
        values: The values of each, all of the same number.
    """

    values: Mapping[str, tuple[Any, ...]]


def log(low: float, high: float, count: int) -> tuple[float, ...]:
    """Return ``count`` values evenly spaced in their logarithm, both limits included.

    >>> [round(value, 9) for value in log(0.01, 1.0, 3)]
    [0.01, 0.1, 1.0]
    """
    _must_be_range("log", low, high, count, is_log=True)
    return tuple(np.geomspace(low, high, count).tolist())


def linear(low: float, high: float, count: int) -> tuple[float, ...]:
    """Return ``count`` evenly spaced values, both limits included.

    >>> linear(0.0, 0.9, 4)
    (0.0, 0.3, 0.6, 0.9)
    """
    _must_be_range("linear", low, high, count, is_log=False)
    return tuple(round(value, 15) for value in np.linspace(low, high, count).tolist())


def random(low: float, high: float, count: int, *, scale: Scale = "linear", whole: bool = False, seed: int = 0) -> Drawn:
    """Return ``count`` values drawn independently; see `Drawn`."""
    return Drawn("random", low, high, count, scale, whole, seed)


def sobol(low: float, high: float, count: int, *, scale: Scale = "linear", whole: bool = False, seed: int = 0) -> Drawn:
    """Return ``count`` values of a scrambled Sobol sequence, best a power of two; see `Drawn`."""
    return Drawn("sobol", low, high, count, scale, whole, seed)


def zipped(**values: Iterable[Any]) -> Zipped:
    """Return factors that take their values together.

    Raises:
        UsageError: Their numbers differ.

    Example:
        >>> cells([zipped(width=[8, 16], learning_rate=[0.1, 0.05])])
        [{'width': 8, 'learning_rate': 0.1}, {'width': 16, 'learning_rate': 0.05}]
    """
    found = {name: values_of(name, given, may_repeat=True) for name, given in values.items()}
    lengths = {name: len(some) for name, some in found.items()}
    if len(set(lengths.values())) != 1:
        counts = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise UsageError(f"Zipped factors should have the same number of values, but {counts or 'there are none'}.")
    return Zipped(found)


def values_of(name: str, given: Any, *, may_repeat: bool = False) -> tuple[Any, ...]:
    """Return the values of a factor as plain Python objects: numbers, text, booleans, ``None``, callables.

    Raises:
        UsageError: There is none; a value comes twice, or is not a number.

    Example:
        >>> values_of("learning_rate", np.array([0.1, 1.0])), values_of("seed", range(3)), values_of("momentum", 0.9)
        ((0.1, 1.0), (0, 1, 2), (0.9,))
    """
    if isinstance(given, str) or not isinstance(given, Iterable) or _is_one(given):
        found: tuple[Any, ...] = (given,)
    elif getattr(given, "ndim", 1) > 1:
        raise UsageError(f"The values of {name} should stand in one row, but the array has the shape {tuple(getattr(given, 'shape', ()))}.")
    else:
        _must_be_few(len(given) if isinstance(given, Sized) else 0)  # range(10**12) is never laid out
        found = tuple(given)
    found = tuple(_plain(value) for value in found)
    if not found:
        raise UsageError(f"The factor {name} should have at least one value, but it has none.")
    wrong = [value for value in found if isinstance(value, float) and math.isnan(value)]
    if wrong:
        raise UsageError(f"The values of {name} should be numbers, and one of them is NaN.")
    if not may_repeat:
        _refuse_repetitions(name, found)
    return found


def cells(groups: Sequence[Mapping[str, Any] | Zipped]) -> list[Cell]:
    """Return every combination of the factors' values, the last factor changing fastest.

    Args:
        groups: Mappings of names to values or to `Drawn`, and `Zipped` factors; all are crossed with one another, except that what was drawn together
            stays together.

    Raises:
        UsageError: A factor is named twice; there is none; there would be more than ten million members.

    Example:
        >>> cells([{"learning_rate": [0.1, 1.0], "seed": range(2)}])
        [{'learning_rate': 0.1, 'seed': 0}, {'learning_rate': 0.1, 'seed': 1}, {'learning_rate': 1.0, 'seed': 0}, {'learning_rate': 1.0, 'seed': 1}]
        >>> points = cells([{"learning_rate": sobol(1e-3, 1.0, 4, scale="log"), "momentum": sobol(0.0, 0.99, 4), "seed": [0, 1]}])
        >>> len(points), len({(point["learning_rate"], point["momentum"]) for point in points})
        (8, 4)
    """
    axes = _axes(groups)
    _must_be_few(math.prod(len(axis) for axis in axes))
    return [{name: value for part in parts for name, value in part.items()} for parts in product(*axes)]


def _axes(groups: Sequence[Mapping[str, Any] | Zipped]) -> list[list[Cell]]:
    """Return what is crossed: for each axis its cells, in the order in which the factors were named."""
    axes: list[list[Cell]] = []
    drawn: dict[tuple[Any, ...], dict[str, Drawn]] = {}
    places: dict[tuple[Any, ...], int] = {}
    named: set[str] = set()
    for group in groups:
        given = group.values if isinstance(group, Zipped) else group
        twice = named & set(given)
        if twice:
            raise UsageError(f"Each factor should be named once, but {sorted(twice)[0]} is named twice.")
        named |= set(given)
        if isinstance(group, Zipped):
            axes.append([dict(zip(given, row, strict=True)) for row in zip(*given.values(), strict=True)])
            continue
        for name, values in given.items():
            if not isinstance(values, Drawn):
                axes.append([{name: value} for value in values_of(name, values)])
                continue
            key = (values.way, values.count, values.seed)
            if key not in drawn:
                places[key] = len(axes)
                axes.append([])
            drawn.setdefault(key, {})[name] = values
    for key, factors in drawn.items():
        axes[places[key]] = _points(factors)
    if not axes:
        raise UsageError("A sweep should have at least one factor, for example learning_rate=[0.01, 0.1, 1.0].")
    return axes


def _points(factors: Mapping[str, Drawn]) -> list[Cell]:
    one = next(iter(factors.values()))
    if one.way == "random":
        places = np.random.default_rng(one.seed).random((one.count, len(factors)))
    else:
        from scipy.stats import qmc

        sequence = qmc.Sobol(len(factors), scramble=True, rng=np.random.default_rng(one.seed))
        places = sequence.random_base2(max(one.count - 1, 0).bit_length())[
            : one.count
        ]  # whole powers of two keep the balance; the first ones of them are drawn
    columns = {name: factor.at(places[:, index].tolist()) for index, (name, factor) in enumerate(factors.items())}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def label_of(value: Any) -> Any:
    """Return what stands for a value in the table: numbers, text, booleans and ``None`` as they are, callables by their name.

    >>> label_of(0.1), label_of(np.tanh), label_of((0.9, 0.999))
    (0.1, 'tanh', '(0.9, 0.999)')
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if callable(value):
        inner = getattr(value, "func", value)  # of a partial
        name = getattr(inner, "__name__", None) or type(inner).__name__
        return name if name != "<lambda>" else f"lambda, line {inspect.getsourcelines(inner)[1]}" if _has_source(inner) else name
    return str(value)


def _has_source(function: Any) -> bool:
    try:
        inspect.getsourcelines(function)
    except (OSError, TypeError):
        return False
    return True


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_plain(part) for part in value)
    return value.item() if getattr(value, "ndim", None) == 0 and hasattr(value, "item") else value  # a number of NumPy's or torch's


def _is_one(given: Any) -> bool:
    """Tell a zero-dimensional array, and a module that happens to be iterable (nn.Sequential), from a row of values."""
    return getattr(given, "ndim", None) == 0 or callable(given)


def _refuse_repetitions(name: str, found: tuple[Any, ...]) -> None:
    known: set[Any] = set()
    for value in found:
        key = id(value) if callable(value) else (isinstance(value, bool), label_of(value))
        if key in known:
            raise UsageError(f"Each value of {name} should be given once, but {label_of(value)} comes twice.")
        known.add(key)


def _must_be_few(count: int) -> None:
    if count > MOST_MEMBERS:
        raise UsageError(f"A sweep should have at most {MOST_MEMBERS:,} members, but these factors make {count:,}. Take fewer values, or draw points (sobol).")


def _must_be_range(way: str, low: float, high: float, count: int, *, is_log: bool) -> None:
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise UsageError(f"{way} should be [low, high, count] with a count of 1 or more, and the count is {count!r}.")
    _must_be_few(count)
    is_number = all(isinstance(end, (int, float, np.number)) and not isinstance(end, bool) and math.isfinite(end) for end in (low, high))
    if not is_number or not low <= high:
        raise UsageError(f"{way} should be [low, high, count] with two numbers in rising order, and they are {low!r} and {high!r}.")
    if is_log and low <= 0:
        raise UsageError(f"A logarithmic range should begin above zero, and begins at {low!r}.")
