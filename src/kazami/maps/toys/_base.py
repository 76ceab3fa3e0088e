"""What a toy map declares: one formula, which serves single states and ensembles, and its Jacobian."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...records.estimate import Remark
from .._base import AbstractMap, Part, parameter_named

Floats = NDArray[np.float64]


class AbstractToyMap(AbstractMap):
    r"""A map given by a formula of a few lines.

    Args:
        state: Where it starts; :attr:`start` by default.
        parameters: Its parameters by name; :attr:`defaults` where not given.

    Class attributes:
        defaults: Names and defaults of the parameters.
        start: A start in the basin of the attractor.
    """

    defaults: ClassVar[Mapping[str, float]]
    start: ClassVar[tuple[float, ...]]

    def __init__(self, *, state: Sequence[float] | None = None, **parameters: float) -> None:
        """Check the parameters' names and take the start."""
        for name in parameters:
            parameter_named(name, self.defaults)
        self._values = {name: float(parameters.get(name, default)) for name, default in self.defaults.items()}
        begin = tuple(self.start if state is None else state)
        if len(begin) != len(self.start):
            raise ValueError(f"The state should have {len(self.start)} coordinates, but it has {len(begin)}.")
        self._begin_at(torch.tensor(begin, dtype=torch.float64))

    @abstractmethod
    def formula(self, x: Sequence[Any], lib: Any) -> tuple[Any, ...]:
        """Return the image of ``x``, one entry per coordinate: floats with ``lib`` the module ``math``, or arrays with ``lib`` NumPy."""

    @abstractmethod
    def jacobian(self, x: Sequence[Any]) -> Sequence[Sequence[Any]]:
        """Return the matrix of derivatives by rows; the entries of ``x`` are arrays of one shape, and entries of the answer may be numbers."""

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return len(self.start)

    @property
    def notes(self) -> tuple[Remark, ...]:
        """Return the map's name and its parameters."""
        given = f"{type(self).__name__}({', '.join(f'{name} = {value:g}' for name, value in self._values.items())})"
        return (Remark(f"{given}, float64, analytic Jacobian.", f"{given}、float64、解析的なヤコビ行列。"),)

    def coordinates(self, part: Part = "all") -> Tensor:
        """Return that every coordinate belongs to every part."""
        del part
        return torch.ones(self.dimension, dtype=torch.bool)

    def current_parameters(self) -> Mapping[str, float]:
        """Return the parameters by name."""
        return MappingProxyType(self._values)

    def set_parameter(self, name: str, value: float) -> None:
        """Change one parameter."""
        self._values[parameter_named(name, self._values)] = float(value)

    def spread(self, name: str, values: Floats) -> "AbstractToyMap":
        """Return a copy that is many maps at once: row ``i`` of `advance_many` and `jacobians` has the parameter ``name`` at ``values[i]``.

        Raises:
            UnknownName: The map has no such parameter.
        """
        many = copy(self)
        many._values = {**self._values, parameter_named(name, self._values): np.asarray(values, dtype=np.float64)}  # type: ignore[dict-item]
        return many

    def advance(self, state: Tensor, time: int) -> Tensor:
        """Return the image of ``state``; these maps do not look at the clock."""
        del time
        return torch.tensor(self._image(tuple(state.tolist())), dtype=torch.float64)

    def advance_tangents(self, state: Tensor, vectors: Tensor, time: int) -> tuple[Tensor, Tensor]:
        """Return the image of ``state`` and its Jacobian times ``vectors``."""
        matrix = torch.from_numpy(self.jacobians(state.numpy()[None])[0])
        return self.advance(state, time), matrix @ vectors.to(torch.float64)

    def advance_many(self, states: Tensor, time: int) -> Tensor:
        """Return the images of the rows of ``states``, computed together."""
        del time
        with np.errstate(all="ignore"):
            return torch.from_numpy(np.stack(self.formula(tuple(states.numpy().T), np), axis=-1))

    def orbit(self, state: Tensor, steps: int) -> Floats:
        """Return ``state`` and the ``steps`` states after it, shape ``(steps + 1, dimension)``; NaN from where it leaves the range of floats."""
        rows = np.full((steps + 1, self.dimension), np.nan)
        x: tuple[float, ...] = tuple(state.tolist())
        rows[0] = x
        path, formula = [], self.formula
        try:
            for _ in range(steps):
                x = formula(x, math)
                path.append(x)
        except (OverflowError, ValueError):  # how Python's floats say infinity, and the sine of it
            pass
        if path:
            rows[1 : len(path) + 1] = path
        return rows

    def jacobians(self, states: Floats) -> Floats:
        """Return the Jacobian at each row of ``states``, shape ``(n_states, dimension, dimension)``."""
        size = len(states)
        found = np.empty((size, self.dimension, self.dimension))
        with np.errstate(all="ignore"):
            for row, entries in enumerate(self.jacobian(tuple(states.T))):
                for column, entry in enumerate(entries):
                    found[:, row, column] = entry
        return found

    def _image(self, x: tuple[float, ...]) -> tuple[float, ...]:
        try:
            return self.formula(x, math)
        except (OverflowError, ValueError):
            return (math.nan,) * self.dimension
