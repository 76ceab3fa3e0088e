"""Prints a program as Python source over NumPy arrays: the same arithmetic, slowly, on any machine; what the other printers are tested against.

Every lane value is an array of all lanes, every loop a ``for``. A multiply–add rounds twice here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ._program import Place, Program, Statement, Store, Value
from ._python_text import BINARY_SIGNS, BITS_SIGNS, AbstractPrinter, name_of, place_text


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


class _Printer(AbstractPrinter):
    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        size = program.dtype.itemsize * 8
        self._lane, self._bits = f"np.float{size}", f"np.int{size}"

    def module(self) -> str:
        for statement in self._program.body:
            self.print(statement)
        return "\n".join([f"def train({', '.join([*self._program.wholes, *self._program.buffers])}):", *self.lines]) + "\n"

    def print(self, statement: Statement) -> None:
        if isinstance(statement, Store):
            self.say(f"{statement.buffer}[{place_text(statement.place)}] = {name_of(statement.value)}")
        elif isinstance(statement, Value):
            self.say(f"{name_of(statement)} = {self._expression(statement)}")
        else:
            self.loop(statement)

    def _expression(self, value: Value) -> str:
        operation, data = value.operation, value.data
        places = [place_text(argument) for argument in value.arguments if isinstance(argument, Place)]
        names = [name_of(argument) for argument in value.arguments if isinstance(argument, Value)]
        if operation == "constant":
            return f"{self._lane}({_float(float(str(data)))})"
        if operation == "pattern":
            return f"{self._bits}({data})"
        if operation == "load":
            return f"{data}[{places[0]}].copy()"
        if operation in ("broadcast", "load_whole"):
            return f"{data}.reshape(-1)[{places[0]}]"
        if operation == "div":
            return f"{names[0]} / {names[1]}"
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


def _float(number: float) -> str:
    return repr(number) if np.isfinite(number) else f'float("{number}")'
