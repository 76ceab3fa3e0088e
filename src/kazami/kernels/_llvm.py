"""Prints a program as LLVM text: every lane value is one vector, every loop a few basic blocks."""

import struct
from dataclasses import dataclass, field

import numpy as np

from ._program import Loop, Place, Program, Statement, Store, Value

BITS_WORDS = {"plus": "add", "minus": "sub", "and": "and", "or": "or", "left": "shl", "right": "ashr"}


@dataclass(frozen=True, slots=True)
class Target:
    """What the text is printed for.

    Attributes:
        lanes: Numbers in one vector.
        width: Bits of the widest vectors.
        has_fma: Whether one instruction multiplies and adds; without it the text does both, each rounded.
        registers: How many vectors fit into registers.
    """

    lanes: int
    width: int
    has_fma: bool
    registers: int


def llvm_text(program: Program, target: Target, name: str) -> str:
    """Return a module with one function ``name(first block, end block, whole numbers…, buffers…)``, all arguments 64 bits wide."""
    return _Printer(program, target).module(name)


@dataclass(slots=True)
class _Printer:
    program: Program
    target: Target
    lines: list[str] = field(default_factory=list)
    count: int = 0
    block: str = "entry"
    names: dict[int, str] = field(default_factory=dict)

    @property
    def scalar(self) -> str:
        return "float" if self.program.dtype.itemsize == 4 else "double"

    @property
    def lane(self) -> str:
        return f"<{self.target.lanes} x {self.scalar}>"

    @property
    def bits(self) -> str:
        return f"<{self.target.lanes} x i{self.program.dtype.itemsize * 8}>"

    def module(self, name: str) -> str:
        buffers = self.program.buffers
        arguments = [f"i64 %whole.{whole}" for whole in self.program.wholes]
        arguments += [f"ptr noalias nocapture align {self._alignment(buffer)} %base.{buffer}" for buffer in buffers]
        self._say(f"define void @{name}(i64 %first, i64 %end, {', '.join(arguments)}) #0 {{")
        self._label("entry")
        self._say("br label %blocks")
        self._label("blocks")
        for whole, value in self.program.wholes.items():
            self.names[value.number] = f"%whole.{whole}"
        self._say("%block = phi i64 [ %first, %entry ], [ %block.next, %latch ]")
        for buffer in buffers.values():
            self._base(buffer.name, buffer.stride)
        for statement in self.program.body:
            self._print(statement)
        self._say("br label %latch")
        self._label("latch")
        self._say("%block.next = add i64 %block, 1\n%more = icmp slt i64 %block.next, %end\nbr i1 %more, label %blocks, label %done")
        self._label("done")
        self._say("ret void\n}")
        return "\n".join([*self.lines, *self._ends()])

    def _ends(self) -> list[str]:
        suffix = f"v{self.target.lanes}f{self.program.dtype.itemsize * 8}"
        attributes = f'"prefer-vector-width"="{self.target.width}" "min-legal-vector-width"="{self.target.width}" nounwind'
        declared = [f"declare {self.lane} @llvm.fma.{suffix}({', '.join([self.lane] * 3)})", f"declare {self.lane} @llvm.sqrt.{suffix}({self.lane})"]
        return [*declared, "declare i64 @llvm.smin.i64(i64, i64)", f"attributes #0 = {{ {attributes} }}"]

    def _alignment(self, buffer: str) -> int:
        is_rows = self.program.buffers[buffer].kind == "rows"
        return self.target.lanes * self.program.dtype.itemsize if is_rows else 8

    def _base(self, buffer: str, stride: int | str) -> None:
        if stride == 0:
            self._say(f"%here.{buffer} = getelementptr i8, ptr %base.{buffer}, i64 0")
            return
        rows = f"%whole.{stride}" if isinstance(stride, str) else str(stride)
        self._say(f"%skip.{buffer} = mul i64 %block, {rows}")
        self._say(f"%here.{buffer} = getelementptr {self.lane}, ptr %base.{buffer}, i64 %skip.{buffer}")

    def _say(self, line: str) -> None:
        self.lines.append(line)

    def _label(self, name: str) -> None:
        self.lines.append(f"{name}:")
        self.block = name

    def _fresh(self) -> str:
        self.count += 1
        return f"%t{self.count}"

    def _print(self, statement: Statement) -> None:
        if isinstance(statement, Loop):
            self._loop(statement)
        elif isinstance(statement, Store):
            pointer = self._pointer(statement.buffer, statement.place, self.lane)
            self._say(f"store {self.lane} {self._name(statement.value)}, ptr {pointer}, align {self._alignment(statement.buffer)}")
        else:
            self._value(statement)

    def _loop(self, loop: Loop) -> None:
        self.count += 1
        label, before = f"loop{self.count}", self.block
        count, variable = self._place(loop.count), f"%i{loop.variable.number}"
        self.names[loop.variable.number] = variable
        if loop.count.terms:
            self._say(f"%enter.{label} = icmp sgt i64 {count}, 0\nbr i1 %enter.{label}, label %{label}, label %{label}.end")
        else:
            self._say(f"br label %{label}")
        self._label(label)
        head = len(self.lines)
        for value in loop.carried:
            self.names[value.number] = f"%c{value.number}"
        for statement in loop.body:
            self._print(statement)
        phis = [f"{variable} = phi i64 [ 0, %{before} ], [ {variable}.next, %{self.block} ]"]
        for value, first, following in zip(loop.carried, loop.first, loop.following, strict=True):
            phis.append(f"%c{value.number} = phi {self._type(value)} [ {self._name(first)}, %{before} ], [ {self._name(following)}, %{self.block} ]")
        self.lines[head:head] = phis
        last = self.block
        self._say(f"{variable}.next = add nuw nsw i64 {variable}, 1\n%more.{label} = icmp slt i64 {variable}.next, {count}")
        self._say(f"br i1 %more.{label}, label %{label}, label %{label}.end")
        self._label(f"{label}.end")
        for value, first, following in zip(loop.carried, loop.first, loop.following, strict=True):
            skipped = f", [ {self._name(first)}, %{before} ]" if loop.count.terms else ""
            self._say(f"%e{value.number} = phi {self._type(value)} [ {self._name(following)}, %{last} ]{skipped}")
            self.names[value.number] = f"%e{value.number}"

    def _type(self, value: Value) -> str:
        return {"lane": self.lane, "bits": self.bits, "mask": f"<{self.target.lanes} x i1>", "whole": "i64"}[value.kind]

    def _name(self, value: Value) -> str:
        return self.names[value.number]

    def _place(self, place: Place) -> str:
        total = str(place.constant)
        for value, factor in place.terms:
            part = self._name(value)
            if factor != 1:
                scaled = self._fresh()
                self._say(f"{scaled} = mul i64 {part}, {factor}")
                part = scaled
            if total == "0":
                total = part
                continue
            summed = self._fresh()
            self._say(f"{summed} = add i64 {part}, {total}")
            total = summed
        return total

    def _pointer(self, buffer: str, place: Place, element: str) -> str:
        pointer = self._fresh()
        self._say(f"{pointer} = getelementptr inbounds {element}, ptr %here.{buffer}, i64 {self._place(place)}")
        return pointer

    def _value(self, value: Value) -> None:
        if value.operation in ("constant", "pattern"):
            self.names[value.number] = self._literal(value)
            return
        name = f"%v{value.number}"
        self.names[value.number] = name
        if value.operation in ("load", "broadcast", "load_whole"):
            self._load(value, name)
            return
        if value.operation in ("smaller_whole", "product_whole", "tiles"):
            self._whole(value, name)
            return
        operands = [self._name(argument) for argument in value.arguments if isinstance(argument, Value)]
        self._say(f"{name} = {self._expression(value, operands)}")

    def _load(self, value: Value, name: str) -> None:
        (place,), buffer = value.arguments, str(value.data)
        assert_place = place if isinstance(place, Place) else Place()
        if value.operation == "load":
            pointer = self._pointer(buffer, assert_place, self.lane)
            self._say(f"{name} = load {self.lane}, ptr {pointer}, align {self._alignment(buffer)}")
            return
        if value.operation == "load_whole":
            self._say(f"{name} = load i64, ptr {self._pointer(buffer, assert_place, 'i64')}, align 8")
            return
        alone, single = self._fresh(), self._fresh()
        self._say(f"{alone} = load {self.scalar}, ptr {self._pointer(buffer, assert_place, self.scalar)}")
        self._say(f"{single} = insertelement {self.lane} poison, {self.scalar} {alone}, i32 0")
        self._say(f"{name} = shufflevector {self.lane} {single}, {self.lane} poison, <{self.target.lanes} x i32> zeroinitializer")

    def _whole(self, value: Value, name: str) -> None:
        places = [self._place(argument) for argument in value.arguments if isinstance(argument, Place)]
        if value.operation == "smaller_whole":
            self._say(f"{name} = call i64 @llvm.smin.i64(i64 {places[0]}, i64 {places[1]})")
            return
        if value.operation == "product_whole":
            self._say(f"{name} = mul i64 {places[0]}, {places[1]}")
            return
        size, raised = int(str(value.data)), self._fresh()
        self._say(f"{raised} = add i64 {places[0]}, {size - 1}\n{name} = udiv i64 {raised}, {size}")

    def _expression(self, value: Value, operands: list[str]) -> str:
        operation, lane, bits = value.operation, self.lane, self.bits
        suffix = f"v{self.target.lanes}f{self.program.dtype.itemsize * 8}"
        if operation == "fma":
            if self.target.has_fma:
                return f"call {lane} @llvm.fma.{suffix}({', '.join(f'{lane} {operand}' for operand in operands)})"
            product = self._fresh()
            self._say(f"{product} = fmul {lane} {operands[0]}, {operands[1]}")
            return f"fadd {lane} {product}, {operands[2]}"
        if operation in ("add", "sub", "mul", "div"):
            return f"f{operation} {lane} {operands[0]}, {operands[1]}"
        if operation.startswith("bits_"):
            return f"{BITS_WORDS[operation.removeprefix('bits_')]} {bits} {operands[0]}, {operands[1]}"
        return {
            "sqrt": lambda: f"call {lane} @llvm.sqrt.{suffix}({lane} {operands[0]})",
            "less": lambda: f"fcmp olt {lane} {operands[0]}, {operands[1]}",
            "select": lambda: f"select <{self.target.lanes} x i1> {operands[0]}, {lane} {operands[1]}, {lane} {operands[2]}",
            "bits": lambda: f"bitcast {lane} {operands[0]} to {bits}",
            "floating": lambda: f"bitcast {bits} {operands[0]} to {lane}",
            "converted": lambda: f"sitofp {bits} {operands[0]} to {lane}",
        }[operation]()

    def _literal(self, value: Value) -> str:
        if value.operation == "pattern":
            element = f"i{self.program.dtype.itemsize * 8} {int(str(value.data))}"
        else:
            rounded = float(np.asarray(value.data, self.program.dtype))
            element = f"{self.scalar} 0x{struct.unpack('>Q', struct.pack('>d', rounded))[0]:016X}"
        return f"<{', '.join([element] * self.target.lanes)}>"
