"""What printers of Python share: lines with their indentation, loops, names and places."""

from abc import ABC, abstractmethod

from ._program import Loop, Place, Statement, Value

INDENT = "    "
BITS_SIGNS = {"plus": "+", "minus": "-", "and": "&", "or": "|", "left": "<<", "right": ">>"}
BINARY_SIGNS = {"add": "+", "sub": "-", "mul": "*", "less": "<"}  # division is rounded by its own call on a card


class AbstractPrinter(ABC):
    """Prints the statements of a program, line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._depth = 1

    @abstractmethod
    def print(self, statement: Statement) -> None:
        """Print one statement."""

    def say(self, line: str) -> None:
        """Add a line at the present depth."""
        self.lines.append(INDENT * self._depth + line)

    def loop(self, loop: Loop) -> None:
        """Print a loop with what it carries from one turn to the next."""
        for value, first in zip(loop.carried, loop.first, strict=True):
            self.say(f"{name_of(value)} = {name_of(first)}")
        self.say(f"for {name_of(loop.variable)} in range(0, {place_text(loop.count)}):")
        self._depth += 1
        for statement in loop.body:
            self.print(statement)
        if loop.carried:
            self.say(f"{', '.join(map(name_of, loop.carried))} = {', '.join(map(name_of, loop.following))}")
        if not (loop.body or loop.carried):
            self.say("pass")
        self._depth -= 1


def name_of(value: Value) -> str:
    """Return the variable of a value; an argument has the name it came with."""
    return str(value.data) if value.operation == "argument" else f"v{value.number}"


def place_text(place: Place) -> str:
    """Return a place as a sum."""
    parts = [f"{name_of(value)} * {factor}" if factor != 1 else name_of(value) for value, factor in place.terms]
    return " + ".join([*parts, str(place.constant)]) if place.constant or not parts else " + ".join(parts)
