"""The intermediate form: what one block of lanes computes, as values in single assignment with symbolic loops.

A *lane* holds one member of an ensemble, a value of kind ``lane`` one number of every member. Buffers are rows of lanes, or numbers that all lanes
share. There are four kinds of values: ``lane`` (floating point), ``bits`` (whole numbers as wide as the floating-point ones), ``mask`` and ``whole``
(one integer for all lanes: a place in a buffer, a number of rounds). Printers turn a program into LLVM text or NumPy source; where every place of a
buffer is a constant (a program generated with ``unrolled=True``), its rows may as well be variables, as a printer for Triton wants them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Kind = Literal["lane", "bits", "mask", "whole"]


class Value:
    """One value: made once, by one operation."""

    __slots__ = ("arguments", "data", "kind", "number", "operation")

    def __init__(self, number: int, kind: Kind, operation: str, arguments: "tuple[Value | Place, ...]" = (), data: object = None) -> None:
        """Remember what it is made of."""
        self.number, self.kind, self.operation, self.arguments, self.data = number, kind, operation, arguments, data


@dataclass(frozen=True, slots=True)
class Place:
    """A whole number of the form ``constant + Σ factor · value``: where something lies in a buffer, or how often a loop goes round."""

    constant: int = 0
    terms: tuple[tuple[Value, int], ...] = ()

    def __add__(self, other: "Place | int") -> "Place":
        """Return the sum."""
        if isinstance(other, int):
            return Place(self.constant + other, self.terms)
        return Place(self.constant + other.constant, self.terms + other.terms)

    def __mul__(self, factor: int) -> "Place":
        """Return a multiple."""
        return Place(self.constant * factor, tuple((value, inner * factor) for value, inner in self.terms))


Where = Place | int


@dataclass(frozen=True, slots=True)
class Buffer:
    """Memory that a program reads or writes.

    Attributes:
        name: Of its argument.
        kind: ``"rows"``: rows of lanes; ``"shared"``: numbers for all lanes; ``"whole"``: integers for all lanes.
        stride: Rows from one block of lanes to the next; a name stands for a run-time number. 0: the same memory for every block.
    """

    name: str
    kind: Literal["rows", "shared", "whole"]
    stride: int | str = 0


@dataclass(slots=True)
class Store:
    """Put ``value`` into row ``place`` of a buffer."""

    buffer: str
    place: Place
    value: Value


@dataclass(slots=True)
class Loop:
    """Do ``body`` for ``variable = 0 … count - 1``.

    Attributes:
        count: How often; may be 0.
        variable: The number of the round.
        carried: Values that each round takes from the one before; what they are after the loop.
        first: Their values in the first round.
        following: Their values for the next round.
        body: Statements.
    """

    count: Place
    variable: Value
    carried: list[Value]
    first: list[Value]
    following: list[Value] = field(default_factory=list)
    body: "list[Statement]" = field(default_factory=list)


Statement = Value | Store | Loop


@dataclass(slots=True)
class Program:
    """What one block of lanes computes.

    Attributes:
        dtype: Of all lanes.
        buffers: Its arguments, in order.
        wholes: Its run-time integers by name, in order.
        body: Statements.
    """

    dtype: np.dtype
    buffers: dict[str, Buffer]
    wholes: dict[str, Value]
    body: list[Statement]


class Builder:
    """Writes a program, statement by statement.

    Args:
        dtype: Of all lanes: float32 or float64.
        unrolled: Whether every loop of a number of rounds known beforehand is written out.
    """

    def __init__(self, dtype: np.dtype, *, unrolled: bool = False) -> None:
        """Begin an empty program."""
        self.dtype, self.unrolled = np.dtype(dtype), unrolled
        self.buffers: dict[str, Buffer] = {}
        self.wholes: dict[str, Value] = {}
        self._body: list[Statement] = []
        self._outer: list[list[Statement]] = []
        self._count = 0

    def program(self) -> Program:
        """Return what was written."""
        return Program(self.dtype, self.buffers, self.wholes, self._body)

    def buffer(self, name: str, kind: Literal["rows", "shared", "whole"], stride: int | str = 0) -> str:
        """Declare a buffer and return its name."""
        self.buffers[name] = Buffer(name, kind, stride)
        return name

    def whole(self, name: str) -> Place:
        """Return the run-time integer called ``name``."""
        if name not in self.wholes:
            self.wholes[name] = Value(self._next(), "whole", "argument", data=name)
        return Place(0, ((self.wholes[name], 1),))

    def constant(self, value: float) -> Value:
        """Return a number, the same in every lane."""
        return self._emit("lane", "constant", data=float(value))

    def pattern(self, value: int) -> Value:
        """Return whole numbers, the same in every lane."""
        return self._emit("bits", "pattern", data=int(value))

    def load(self, buffer: str, place: Where) -> Value:
        """Return a row of a buffer of rows, or a shared number in every lane."""
        operation = "load" if self.buffers[buffer].kind == "rows" else "broadcast"
        return self._emit("lane", operation, as_place(place), data=buffer)

    def load_whole(self, buffer: str, place: Where) -> Place:
        """Return an integer out of a buffer of integers."""
        return Place(0, ((self._emit("whole", "load_whole", as_place(place), data=buffer), 1),))

    def store(self, buffer: str, place: Where, value: Value) -> None:
        """Put ``value`` into a row."""
        self._body.append(Store(buffer, as_place(place), value))

    def smaller_whole(self, first: Where, second: Where) -> Place:
        """Return the smaller of two whole numbers."""
        return Place(0, ((self._emit("whole", "smaller_whole", as_place(first), as_place(second)), 1),))

    def product_whole(self, first: Where, second: Where) -> Place:
        """Return the product of two whole numbers."""
        return Place(0, ((self._emit("whole", "product_whole", as_place(first), as_place(second)), 1),))

    def tiles(self, count: Where, size: int) -> Place:
        """Return how many tiles of ``size`` cover ``count``."""
        if size == 1:
            return as_place(count)
        return Place(0, ((self._emit("whole", "tiles", as_place(count), data=size), 1),))

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """Return ``a * b + c`` with one rounding where the machine can."""
        return self._emit("lane", "fma", a, b, c)

    def add(self, a: Value, b: Value) -> Value:
        """Return ``a + b``."""
        return self._emit("lane", "add", a, b)

    def sub(self, a: Value, b: Value) -> Value:
        """Return ``a - b``."""
        return self._emit("lane", "sub", a, b)

    def mul(self, a: Value, b: Value) -> Value:
        """Return ``a * b``."""
        return self._emit("lane", "mul", a, b)

    def div(self, a: Value, b: Value) -> Value:
        """Return ``a / b``."""
        return self._emit("lane", "div", a, b)

    def sqrt(self, a: Value) -> Value:
        """Return the square root."""
        return self._emit("lane", "sqrt", a)

    def less(self, a: Value, b: Value) -> Value:
        """Return where ``a < b``; nowhere where one is NaN."""
        return self._emit("mask", "less", a, b)

    def select(self, mask: Value, a: Value, b: Value) -> Value:
        """Return ``a`` where ``mask``, else ``b``."""
        return self._emit("lane", "select", mask, a, b)

    def at_most(self, a: Value, limit: Value) -> Value:
        """Return the smaller of both; NaN in ``a`` stays."""
        return self.select(self.less(limit, a), limit, a)

    def at_least(self, a: Value, limit: Value) -> Value:
        """Return the larger of both; NaN in ``a`` stays."""
        return self.select(self.less(a, limit), limit, a)

    def negative(self, a: Value) -> Value:
        """Return ``-a``."""
        return self.sub(self.constant(-0.0), a)

    def bits(self, a: Value) -> Value:
        """Return the bit pattern of floating-point numbers."""
        return self._emit("bits", "bits", a)

    def floating(self, a: Value) -> Value:
        """Return the floating-point numbers of a bit pattern."""
        return self._emit("lane", "floating", a)

    def converted(self, a: Value) -> Value:
        """Return whole numbers as floating-point ones."""
        return self._emit("lane", "converted", a)

    def bits_operation(self, operation: Literal["plus", "minus", "and", "or", "left", "right"], a: Value, b: Value) -> Value:
        """Return the result of an operation on bit patterns; ``right`` keeps the sign."""
        return self._emit("bits", f"bits_{operation}", a, b)

    def rounds(self, count: Where, first: Sequence[Value] = (), *, unroll: bool = False) -> "Rounds":
        """Return a loop to be walked by ``for place, carried in rounds``, written out where asked for (or everywhere, if the program is) and possible."""
        place = as_place(count)
        return Rounds(self, place, list(first), (unroll or self.unrolled) and not place.terms)

    def opened(self, count: Place, first: Sequence[Value]) -> Loop:
        """Begin a loop: what is written from now on is its body."""
        carried = [Value(self._next(), value.kind, "carried") for value in first]
        made = Loop(count, Value(self._next(), "whole", "variable"), carried, list(first))
        self._outer.append(self._body)
        self._body = made.body
        return made

    def closed(self, loop: Loop) -> None:
        """End a loop."""
        self._body = self._outer.pop()
        self._body.append(loop)

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _emit(self, kind: Kind, operation: str, *arguments: "Value | Place", data: object = None) -> Value:
        made = Value(self._next(), kind, operation, arguments, data)
        self._body.append(made)
        return made


class Rounds:
    """The rounds of a loop: symbolic (walked once) or written out (walked ``count`` times). ``last`` is what was carried out of it.

    Example:
        ``rounds = b.rounds(n, [zero])``; ``for place, (total,) in rounds: rounds.go_on([b.add(total, b.load(rows, place))])``; ``rounds.last``.
    """

    def __init__(self, builder: Builder, count: Place, first: list[Value], is_written_out: bool) -> None:
        """Nothing is written yet."""
        self._builder, self._count, self.last, self._is_written_out = builder, count, first, is_written_out

    def go_on(self, following: Sequence[Value]) -> None:
        """Say what the next round is to carry."""
        self.last = list(following)

    def __iter__(self) -> Iterator[tuple[Place, list[Value]]]:
        """Yield the number of each round and what it carries."""
        if self._is_written_out or not (self._count.terms or self._count.constant):
            for number in range(self._count.constant):
                yield Place(number), self.last
            return
        loop = self._builder.opened(self._count, self.last)
        self.last = loop.carried
        yield Place(0, ((loop.variable, 1),)), loop.carried
        loop.following = self.last
        self._builder.closed(loop)
        self.last = loop.carried


def as_place(place: Where) -> Place:
    """Return ``place`` as a `Place`."""
    return Place(place) if isinstance(place, int) else place
