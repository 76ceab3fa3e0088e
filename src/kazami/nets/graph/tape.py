"""Tape: what a capture writes down, whichever way it captures: operations in the order of execution, and which reads what from which."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ...records.finding import Sentence
from .vocabulary import words_of

Ref = tuple[int, int]  # (position of an operation on the tape, which of its outputs)

VIEWS = words_of(
    "view reshape transpose permute t T mT H flatten unflatten squeeze unsqueeze expand select slice narrow diagonal getitem detach alias unbind chunk split"
)


@dataclass(slots=True)
class Value:
    """A tensor's looks.

    Attributes:
        shape: Its sizes for the example.
        dtype: ``"float32"``.
        dims: The sizes as text; filled in when the batch is known.
    """

    shape: tuple[int, ...]
    dtype: str
    dims: tuple[str, ...] = ()


@dataclass(slots=True)
class Operation:
    """One line of a tape: an operation, or a quantity that nothing made (``op`` is then ``"input"``, ``"parameter"``, ``"buffer"`` or ``"constant"``).

    Attributes:
        op: Its canonical name.
        inputs: What it reads, in the order of its arguments.
        values: What it gives.
        path: Path of the module in which it ran.
        names: All names of a quantity (tied parameters have several).
        constants: Arguments that are no tensors.
        where: Line of the user's code, for decisions.
    """

    op: str
    inputs: list[Ref] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    path: str = ""
    names: tuple[str, ...] = ()
    constants: tuple[Any, ...] = ()
    where: str = ""


@dataclass(slots=True)
class Tape:
    """What a capture wrote down.

    Attributes:
        operations: In order of execution; nothing reads what comes later.
        outputs: Names of the model's outputs and where they come from.
        notes: What has to be said about this capture.
        again: Gives the tape of the same graph run on another call, without capturing anew; ``None`` where there is no such way.
    """

    operations: list[Operation] = field(default_factory=list)
    outputs: list[tuple[str, Ref]] = field(default_factory=list)
    notes: list[Sentence] = field(default_factory=list)
    again: Callable[[Any], "Tape"] | None = None
    _of_key: dict[Hashable, Ref] = field(default_factory=dict)
    _newer: dict[Ref, Ref] = field(default_factory=dict)
    _base: dict[Ref, Ref] = field(default_factory=dict)

    def put(self, operation: Operation, keys: Iterable[Hashable] = ()) -> int:
        """Write an operation down; ``keys`` are what its outputs will be asked for by. Returns its position."""
        position = len(self.operations)
        self.operations.append(operation)
        for slot, key in enumerate(keys):
            self._of_key[key] = (position, slot)
        if operation.op in VIEWS and operation.inputs:
            for slot in range(len(operation.values)):
                self._base[position, slot] = operation.inputs[0]
        return position

    def put_in_place(self, operation: Operation, keys: Iterable[Hashable] = ()) -> int:
        """Write down an operation that changes its first input: whoever reads that input from now on reads the result.

        What changes a part (``h[:, 0] = y``) changes the whole: the whole's readers then read a ``write``.
        """
        changed = operation.inputs[0]
        whole = changed
        while whole in self._base:
            whole = self._newest(self._base[whole])
        if whole != changed:
            value = self.operations[whole[0]].values[whole[1]]
            rest = operation.inputs[1:]
            if operation.op != "copy":  # a part is changed by something: that comes first
                part = self.put(operation)
                rest = [(part, 0)]
            operation = Operation("write", [whole, *rest], [value], operation.path)
        position = self.put(operation, keys)
        self._newer[whole] = (position, 0)
        if changed != whole:
            self._newer[changed] = (position, 0)
        return position

    def ref(self, key: Hashable) -> Ref | None:
        """Return what ``key`` stands for now, ``None`` where it is unknown."""
        found = self._of_key.get(key)
        return None if found is None else self._newest(found)

    def bind(self, key: Hashable, ref: Ref) -> None:
        """Let ``key`` stand for something that is on the tape already."""
        self._of_key[key] = ref

    def _newest(self, ref: Ref) -> Ref:
        while ref in self._newer:
            ref = self._newer[ref]
        return ref
