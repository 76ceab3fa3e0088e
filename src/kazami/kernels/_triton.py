"""Prints a program as Triton source: one member per lane, one lane per thread, a block of lanes per program instance.

Rows of buffers that are *held* are variables, read once at the beginning and written once at the end, so that they live in registers over the whole run; all
other rows lie in memory, where each thread finds only its own. Nothing but `triton.language` is called, and of it only what rounds in one way.
"""

import math

import numpy as np

from ._program import Buffer, Loop, Place, Program, Statement, Store, Value
from ._python_text import BINARY_SIGNS, BITS_SIGNS, INDENT, AbstractPrinter, name_of, place_text

WRITTEN = ("state", "losses", "norms")  # what a caller reads afterwards


def triton_text(program: Program, lanes: int, held: frozenset[str]) -> str:
    """Return one function ``train(buffers…, whole numbers…)``, to be launched with one instance for each block of ``lanes`` lanes; ``tl`` is `triton.language`.

    Args:
        program: Every place in a held buffer must be a constant: it was generated with ``unrolled=True``.
        lanes: Threads of an instance, so that a row is one register of each.
        held: Buffers whose rows stay in registers.
    """
    return _Printer(program, lanes, held).module()


class _Printer(AbstractPrinter):
    def __init__(self, program: Program, lanes: int, held: frozenset[str]) -> None:
        super().__init__()
        self.program, self.lanes, self.held = program, lanes, held
        self.literals: dict[str, str] = {}

    @property
    def lane(self) -> str:
        return f"tl.float{self.program.dtype.itemsize * 8}"

    @property
    def bits(self) -> str:
        return f"tl.int{self.program.dtype.itemsize * 8}"

    def module(self) -> str:
        head = [f"def train({', '.join([*self.program.buffers, *self.program.wholes])}):"]
        self.say(f"lane = tl.arange(0, {self.lanes})")
        self.say("block = tl.cast(tl.program_id(0), tl.int64)")
        for buffer in self.program.buffers.values():
            self._base(buffer)
        rows = held_rows(self.program, self.held)
        for name, row in sorted(rows):
            if name != "scratch":  # what it holds is written before it is read
                self.say(f"{name}_{row} = tl.load({name} + {row * self.lanes})")
        for statement in self.program.body:
            self.print(statement)
        for name, row in sorted(rows):
            if name in WRITTEN:
                self.say(f"tl.store({name} + {row * self.lanes}, {name}_{row})")
        literals = [f"{INDENT}{name} = {text}" for text, name in self.literals.items()]  # said once: Triton reads a loop's body again for each loop around it
        return "\n".join([*head, *literals, *self.lines]) + "\n"

    def _base(self, buffer: Buffer) -> None:
        """Let a buffer of rows begin at this thread's number in the block's first row."""
        if buffer.kind != "rows":
            return
        rows = name_of(self.program.wholes[buffer.stride]) if isinstance(buffer.stride, str) else str(buffer.stride)
        self.say(f"{buffer.name} = {buffer.name} + block * {rows} * {self.lanes} + lane")

    def print(self, statement: Statement) -> None:
        if isinstance(statement, Store):
            if statement.buffer in self.held:
                self.say(f"{statement.buffer}_{statement.place.constant} = {name_of(statement.value)}")
                return
            self.say(f"tl.store({self._row(statement.buffer, statement.place)}, {name_of(statement.value)})")
        elif isinstance(statement, Value):
            self.say(f"{name_of(statement)} = {self._expression(statement)}")
        else:
            self.loop(statement)

    def _row(self, buffer: str, place: Place) -> str:
        return f"{buffer} + {place_text(place * self.lanes)}"

    def _expression(self, value: Value) -> str:
        operation = value.operation
        names = [name_of(argument) for argument in value.arguments if isinstance(argument, Value)]
        if operation in ("constant", "pattern"):
            return self.literals.setdefault(self._literal(value), f"c{len(self.literals)}")
        if operation in ("load", "broadcast", "load_whole", "smaller_whole", "product_whole", "tiles"):
            return self._placed(value, [argument for argument in value.arguments if isinstance(argument, Place)])
        if operation in BINARY_SIGNS:
            return f"{names[0]} {BINARY_SIGNS[operation]} {names[1]}"
        if operation.startswith("bits_"):
            return f"{names[0]} {BITS_SIGNS[operation.removeprefix('bits_')]} {names[1]}"
        return {
            "fma": lambda: f"tl.fma({', '.join(names)})",
            "div": lambda: f"tl.div_rn({names[0]}, {names[1]})" if self.program.dtype.itemsize == 4 else f"{names[0]} / {names[1]}",
            "sqrt": lambda: f"tl.sqrt_rn({names[0]})" if self.program.dtype.itemsize == 4 else f"tl.sqrt({names[0]})",
            "select": lambda: f"tl.where({', '.join(names)})",
            "bits": lambda: f"tl.cast({names[0]}, {self.bits}, bitcast=True)",
            "floating": lambda: f"tl.cast({names[0]}, {self.lane}, bitcast=True)",
            "converted": lambda: f"tl.cast({names[0]}, {self.lane})",
        }[operation]()

    def _placed(self, value: Value, places: list[Place]) -> str:
        """Return what has to do with places: loads, and whole numbers."""
        buffer, where = str(value.data), [place_text(place) for place in places]
        if value.operation == "load" and buffer in self.held:
            return f"{buffer}_{places[0].constant}"
        return {
            "load": lambda: f"tl.load({self._row(buffer, places[0])})",
            "broadcast": lambda: f"tl.broadcast_to(tl.load({buffer} + {where[0]}), ({self.lanes},))",
            "load_whole": lambda: f"tl.load({buffer} + {where[0]})",
            "smaller_whole": lambda: f"tl.minimum({where[0]}, {where[1]})",
            "product_whole": lambda: f"({where[0]}) * ({where[1]})",
            "tiles": lambda: f"({where[0]} + {int(buffer) - 1}) // {buffer}",
        }[value.operation]()

    def _literal(self, value: Value) -> str:
        if value.operation == "pattern":
            return f"tl.full(({self.lanes},), {value.data}, {self.bits})"
        rounded = np.asarray(value.data, self.program.dtype)
        if math.isfinite(rounded) and (rounded or not np.signbit(rounded)):
            return f"tl.full(({self.lanes},), {float(rounded)!r}, {self.lane})"
        pattern = int(rounded.view(f"i{self.program.dtype.itemsize}"))  # Triton's zero has no sign
        return f"tl.cast(tl.full(({self.lanes},), {pattern}, {self.bits}), {self.lane}, bitcast=True)"


def held_rows(program: Program, held: frozenset[str]) -> set[tuple[str, int]]:
    """Return all rows of held buffers that a program reads or writes."""
    found: set[tuple[str, int]] = set()

    def walk(body: list[Statement]) -> None:
        for statement in body:
            if isinstance(statement, Loop):
                walk(statement.body)
            elif isinstance(statement, Store) and statement.buffer in held:
                found.add((statement.buffer, statement.place.constant))
            elif isinstance(statement, Value) and statement.operation == "load" and statement.data in held:
                found.update((str(statement.data), place.constant) for place in statement.arguments if isinstance(place, Place))

    walk(program.body)
    return found
