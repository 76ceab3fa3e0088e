"""Prints a program as Python source over NumPy arrays: the same arithmetic, slowly, on any machine; what the other printers are tested against.

Every lane value is an array of all lanes, every loop a ``for``. A multiply–add rounds twice here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ._program import Loop, Place, Program, Statement, Store, Value

INDENT = "    "
BITS_SIGNS = {"plus": "+", "minus": "-", "and": "&", "or": "|", "left": "<<", "right": ">>"}
BINARY_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "less": "<"}


def numpy_source(program: Program) -> str:
    """Return a module with one function ``train(whole numbers…, buffers…)`` for one block; buffers of rows have the shape ``(rows, lanes)``."""
    return _Printer(program).module()


def numpy_function(program: Program) -> Callable[..., None]:
    """Return the function that `numpy_source` prints."""
    names: dict[str, Any] = {"np": np}
    exec(compile(numpy_source(program), "<kernel>", "exec"), names)
    function: Callable[..., None] = names["train"]

    def quiet(*arguments: Any) -> None:
        with np.errstate(all="ignore"):
            function(*arguments)

    return quiet


class _Printer:
    def __init__(self, program: Program) -> None:
        self._program = program
        self._lines: list[str] = []
        self._depth = 1
        size = program.dtype.itemsize * 8
        self._lane, self._bits = f"np.float{size}", f"np.int{size}"

    def module(self) -> str:
        wholes = [f"v{value.number}" for value in self._program.wholes.values()]
        self._lines = [f"def train({', '.join([*wholes, *self._program.buffers])}):"]
        for statement in self._program.body:
            self._print(statement)
        return "\n".join(self._lines) + "\n"

    def _say(self, line: str) -> None:
        self._lines.append(INDENT * self._depth + line)

    def _print(self, statement: Statement) -> None:
        if isinstance(statement, Store):
            self._say(f"{statement.buffer}[{_place(statement.place)}] = {_name(statement.value)}")
        elif isinstance(statement, Value):
            self._say(f"{_name(statement)} = {self._expression(statement)}")
        else:
            self._loop(statement)

    def _loop(self, loop: Loop) -> None:
        for value, first in zip(loop.carried, loop.first, strict=True):
            self._say(f"{_name(value)} = {_name(first)}")
        self._say(f"for {_name(loop.variable)} in range({_place(loop.count)}):")
        self._depth += 1
        for statement in loop.body:
            self._print(statement)
        if loop.carried:
            self._say(f"{', '.join(map(_name, loop.carried))} = {', '.join(map(_name, loop.following))}")
        if not (loop.body or loop.carried):
            self._say("pass")
        self._depth -= 1

    def _expression(self, value: Value) -> str:
        operation, data = value.operation, value.data
        places = [_place(argument) for argument in value.arguments if isinstance(argument, Place)]
        names = [_name(argument) for argument in value.arguments if isinstance(argument, Value)]
        if operation == "constant":
            return f"{self._lane}({_float(float(str(data)))})"
        if operation == "pattern":
            return f"{self._bits}({data})"
        if operation == "load":
            return f"{data}[{places[0]}].copy()"
        if operation in ("broadcast", "load_whole"):
            return f"{data}.reshape(-1)[{places[0]}]"
        if operation in BINARY_SIGNS:
            return f"{names[0]} {BINARY_SIGNS[operation]} {names[1]}"
        if operation.startswith("bits_"):
            return f"{names[0]} {BITS_SIGNS[operation.removeprefix('bits_')]} {names[1]}"
        return {
            "fma": lambda: f"{names[0]} * {names[1]} + {names[2]}",
            "sqrt": lambda: f"np.sqrt({names[0]})",
            "select": lambda: f"np.where({names[0]}, {names[1]}, {names[2]})",
            "bits": lambda: f"np.asarray({names[0]}).view({self._bits})",
            "floating": lambda: f"np.asarray({names[0]}).view({self._lane})",
            "converted": lambda: f"np.asarray({names[0]}).astype({self._lane})",
            "smaller_whole": lambda: f"min({places[0]}, {places[1]})",
            "product_whole": lambda: f"({places[0]}) * ({places[1]})",
            "tiles": lambda: f"-(-({places[0]}) // {data})",
        }[operation]()


def _name(value: Value) -> str:
    return f"v{value.number}"


def _place(place: Place) -> str:
    parts = [f"{_name(value)} * {factor}" if factor != 1 else _name(value) for value, factor in place.terms]
    return " + ".join([*parts, str(place.constant)]) if place.constant or not parts else " + ".join(parts)


def _float(number: float) -> str:
    return repr(number) if np.isfinite(number) else f'float("{number}")'
