"""From units to the graph that people get: nodes, edges and blocks, named and counted."""

from dataclasses import dataclass, field

from ...records.finding import Sentence
from . import words
from .attention import with_attention
from .cleaning import dead_ends
from .data_flow import Graph
from .folding import folded
from .naming import activation_name, details_of, formula_of, label_of, layer_name, name_of_block, sign_of
from .records import Block, Edge, Node
from .tape import Operation, Ref, Tape, Value
from .units import Unit, Wiring, units_of
from .vocabulary import JOINS, RECURRENT, SOURCES


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a capture besides its tape.

    Attributes:
        model: Name of the model's class.
        way: How it was captured.
        notes: What has to be said.
        elements: Number of elements of each parameter of the model, tied ones once.
    """

    model: str
    way: str
    notes: list[Sentence]
    elements: dict[str, int]


@dataclass(slots=True)
class _Making:
    tape: Tape
    wiring: Wiring
    facts: Facts
    hidden: dict[Ref, str] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    def node_ids(self, places: list[int]) -> tuple[str, ...]:
        return tuple(f"n{place}" for place in places)

    def parameter_places(self, places: list[int]) -> list[int]:
        reached = dict.fromkeys(weight for place in places for weight in self.wiring.weights[place])
        for place in places:
            reached |= dict.fromkeys(weight for source, _ in self.tape.operations[place].inputs for weight in self.wiring.weights[source])
        return [place for place in reached if self.tape.operations[place].op == "parameter"]


def built(tape: Tape, facts: Facts) -> Graph:
    """Return the graph of a cleaned tape."""
    wiring = Wiring.of(tape)
    units = folded(wiring, with_attention(wiring, units_of(tape, wiring)))
    making = _Making(tape, wiring, facts)
    _name_hidden(making, units)
    _make_blocks(making, units)
    used = {name for operation in tape.operations if operation.op == "parameter" for name in operation.names}
    notes = [*facts.notes, *_notes(tape, facts, used)]
    return Graph(
        model=facts.model,
        nodes=tuple(_nodes(making)),
        edges=tuple(_edges(making)),
        blocks=tuple(making.blocks),
        parameters=sum(facts.elements.values()),
        captured_by=facts.way,
        notes=tuple(notes),
    )


def _notes(tape: Tape, facts: Facts, used: set[str]) -> list[Sentence]:
    notes = []
    if any(operation.op == "decision" for operation in tape.operations):
        notes.append(words.PATH_TAKEN)
    if any(-1 in value.shape or "?" in value.dims for operation in tape.operations for value in operation.values):
        notes.append(words.SHAPE_OF_DATA)
    unused = [name for name in facts.elements if name not in used]
    if unused:
        notes.append(words.unused(unused, sum(facts.elements[name] for name in unused)))
    dead = dead_ends(tape)
    if dead:
        notes.append(words.dead_ends(len(dead)))
    return notes


def _nodes(making: _Making) -> list[Node]:
    operations, made = making.tape.operations, []
    n_inputs = sum(operation.op == "input" for operation in operations)
    for place, operation in enumerate(operations):
        value = operation.values[0] if operation.values else Value((), "")
        kind = operation.op if operation.op in (*SOURCES, "decision") else "operation"
        is_parameter = kind == "parameter"
        size = making.facts.elements.get(operation.names[0], _product(value.shape)) if is_parameter and operation.names else 0
        label = label_of(operation, n_inputs) if kind in SOURCES else sign_of(operation)
        made.append(
            Node(
                id=f"n{place}",
                kind=kind,
                op="" if kind in SOURCES else operation.op,
                label=label,
                name=operation.where if kind == "decision" else ", ".join(operation.names),
                module=operation.path,
                shape=value.shape,
                dims=value.dims or tuple(map(str, value.shape)),
                dtype=value.dtype,
                parameters=size if is_parameter else 0,
                uses=len(making.wiring.readers[place]) if kind in SOURCES else 0,
                details=details_of(operation),
            )
        )
    for number, (name, ref) in enumerate(making.tape.outputs):
        value = _value_at(operations, ref)
        made.append(Node(f"out{number}", "output", "", name, name=name, shape=value.shape, dims=value.dims or tuple(map(str, value.shape)), dtype=value.dtype))
    return made


def _edges(making: _Making) -> list[Edge]:
    operations = making.tape.operations
    skips = skip_wires(operations, making.wiring.is_static)
    made = []
    for place, operation in enumerate(operations):
        for ref in operation.inputs:
            kind = "weight" if making.wiring.is_static[ref[0]] else "skip" if (ref[0], place) in skips else "data"
            made.append(_edge(making, ref, f"n{place}", kind))
    for number, (_, ref) in enumerate(making.tape.outputs):
        made.append(_edge(making, ref, f"out{number}", "data"))
    return made


def _edge(making: _Making, ref: Ref, target: str, kind: str) -> Edge:
    value = _value_at(making.tape.operations, ref)
    dims = value.dims or tuple(map(str, value.shape))
    return Edge(f"n{ref[0]}", target, value.shape, dims, value.dtype, kind, ref[1], making.hidden.get(ref, ""))


def _value_at(operations: list[Operation], ref: Ref) -> Value:
    values = operations[ref[0]].values
    return values[ref[1]] if ref[1] < len(values) else Value((), "")


def skip_wires(operations: list[Operation], is_static: list[bool]) -> set[tuple[int, int]]:
    """Return the wires (from, to) that pass by what another input of the same addition or concatenation went through.

    A wire passes by if its source is among the ancestors of another input; the set of ancestors of each operation is one whole number, a bit each.
    """
    ancestors: list[int] = []
    found = set()
    for place, operation in enumerate(operations):
        sources = [source for source, _ in operation.inputs if not is_static[source]]
        above = 0
        for source in sources:
            above |= ancestors[source] | (1 << source)
        ancestors.append(above)
        if operation.op in JOINS and len(sources) > 1:
            found |= {(source, place) for source in sources if any(other != source and ancestors[other] >> source & 1 for other in sources)}
    return found


def _name_hidden(making: _Making, units: list[Unit]) -> None:
    """Call what layers give H1, H2 … in the order of execution; what leaves the model has its own name."""
    outputs = {ref[0] for _, ref in making.tape.outputs}
    ends = []
    waiting = list(units)
    while waiting:
        unit = waiting.pop()
        waiting += unit.inner + [one for part in unit.repetitions for one in part]
        if unit.kind == "layer":
            ends.append(max(unit.main, unit.bias or 0, unit.activation or 0))
        elif unit.kind == "recurrent":
            ends.append(unit.main)
    for number, place in enumerate(sorted(set(ends) - outputs), start=1):
        making.hidden[place, 0] = f"H{number}"


def _make_blocks(making: _Making, units: list[Unit]) -> None:
    waiting = [(unit, "") for unit in reversed(units)]
    while waiting:
        unit, parent = waiting.pop()
        if unit.kind == "source" or not _is_block(unit, making):
            continue
        block = _block(making, unit, parent)
        making.blocks.append(block)
        parts = unit.inner + [one for part in unit.repetitions for one in part]
        waiting += [(one, block.id) for one in reversed(parts)]


def _is_block(unit: Unit, making: _Making) -> bool:
    if unit.kind in ("operation", "reshape"):
        return len(unit.members) > 1
    return unit.kind != "attention" or len(unit.members) > 1 or making.tape.operations[unit.main].op in ("scaled_dot_product_attention",)


def _block(making: _Making, unit: Unit, parent: str) -> Block:
    operations = making.tape.operations
    parameters = making.parameter_places(unit.members)
    own = set(unit.members)
    parts = [[place for one in part for place in one.members] for part in unit.repetitions]
    shares = bool(parts) and bool(parameters) and all(set(making.parameter_places(part)) == set(parameters) for part in parts)
    names = tuple(operations[place].names[0] for place in parameters if operations[place].names)
    return Block(
        id=f"b{len(making.blocks)}",
        kind=unit.kind,
        label=name_of_block(unit, operations),
        formula=formula_of(unit, making.wiring),
        activation=activation_name(unit, operations),
        name=layer_name(unit, making.wiring),
        nodes=making.node_ids(unit.members),
        parent=parent,
        parameters=sum(making.facts.elements.get(name, 0) for name in names),
        parameter_names=names,
        uses=_uses(unit, operations),
        repetitions=tuple(making.node_ids(part) for part in parts),
        shares_weights=shares,
        shared_nodes=making.node_ids([place for place in parameters if place not in own]),
    )


def _uses(unit: Unit, operations: list[Operation]) -> int:
    """Return how many time steps a recurrent operation takes: the length of its input along the axis that is not the batch."""
    operation = operations[unit.main]
    if unit.kind != "recurrent" or operation.op not in RECURRENT or operation.op.endswith("cell"):
        return 1
    shape = _value_at(operations, operation.inputs[0]).shape
    sizes = _value_at(operations, operation.inputs[1])
    if sizes.dtype == "int64" and len(sizes.shape) == 1:  # a packed sequence: one batch size for each time step
        return sizes.shape[0]
    if len(shape) < 3:
        return shape[0] if shape else 1
    return shape[1] if operation.constants and operation.constants[-1] is True else shape[0]


def _product(shape: tuple[int, ...]) -> int:
    size = 1
    for one in shape:
        size *= one
    return size
