"""Units: operations that are one thing to people. A product with a weight, its bias and its activation are φ(X·W + b)."""

from dataclasses import dataclass, field

from .tape import Operation, Tape
from .vocabulary import ACTIVATIONS, ATTENTION, NORMS, PRODUCTS, RECURRENT, SHAPERS, SOURCES


@dataclass(slots=True, eq=False)
class Unit:
    """One thing of a graph; it may be made of others.

    Attributes:
        kind: ``"source"``, ``"operation"``, ``"layer"``, ``"norm"``, ``"recurrent"``, ``"reshape"``, ``"attention"`` or ``"repeat"``.
        main: Position of the operation it is named after.
        members: Positions of everything in it, rising.
        activation: Position of φ, ``None`` without one.
        weight: Position of the weight, ``None`` without one.
        bias: Position of the addition of the bias.
        inner: The units it is made of.
        repetitions: Of a repeat: the units of each repetition.
    """

    kind: str
    main: int
    members: list[int]
    activation: int | None = None
    weight: int | None = None
    bias: int | None = None
    inner: list["Unit"] = field(default_factory=list)
    repetitions: list[list["Unit"]] = field(default_factory=list)


@dataclass(slots=True)
class Wiring:
    """A tape read from both sides.

    Attributes:
        operations: What is on the tape.
        readers: For each operation those that read it; -1 stands for an output of the model.
        is_static: Whether it comes from parameters, buffers and constants alone, by other than products.
        weights: For each static operation, the parameters and buffers it comes from.
    """

    operations: list[Operation]
    readers: list[list[int]]
    is_static: list[bool]
    weights: list[tuple[int, ...]]

    @classmethod
    def of(cls, tape: Tape) -> "Wiring":
        """Read a tape."""
        operations = tape.operations
        readers: list[list[int]] = [[] for _ in operations]
        for place, operation in enumerate(operations):
            for source, _ in operation.inputs:
                readers[source].append(place)
        for _, (place, _) in tape.outputs:
            readers[place].append(-1)
        is_static: list[bool] = []
        weights: list[tuple[int, ...]] = []
        for place, operation in enumerate(operations):
            heavy = operation.op in PRODUCTS or operation.op in RECURRENT or operation.op in NORMS or operation.op in ("dropout", "decision", "bernoulli")
            heavy = heavy and ".parametrizations." not in f".{operation.path}."  # what makes a weight is no layer
            below = [source for source, _ in operation.inputs]
            is_static.append(operation.op != "input" and not heavy and all(is_static[source] for source in below))
            own = (place,) if operation.op in ("parameter", "buffer") else ()
            merged = tuple(dict.fromkeys(one for source in below for one in weights[source])) if is_static[-1] else ()
            weights.append(own or merged)
        return cls(operations, readers, is_static, weights)

    def only_reader(self, place: int) -> int | None:
        """Return the one operation that reads ``place``, ``None`` where there are none, several, or an output does."""
        readers = self.readers[place]
        return readers[0] if len(readers) == 1 and readers[0] >= 0 else None


def units_of(tape: Tape, wiring: Wiring) -> list[Unit]:
    """Return the units of a tape, each after those it reads from."""
    unit_of: dict[int, Unit] = {}
    for place, operation in enumerate(tape.operations):
        if place in unit_of or operation.op in SOURCES or wiring.is_static[place]:
            continue
        unit = _starting_at(place, wiring, unit_of)
        unit_of.update(dict.fromkeys(unit.members, unit))
    _merge_reshapes(wiring, unit_of)
    _take_in_statics(wiring, unit_of)
    units = {id(unit): unit for unit in unit_of.values()}
    for unit in units.values():
        unit.members = sorted(set(unit.members))
    return sorted(units.values(), key=lambda unit: unit.members[-1])


def _starting_at(place: int, wiring: Wiring, taken: dict[int, Unit]) -> Unit:
    operation = wiring.operations[place]
    weight = _weight_of(place, wiring)
    if operation.op in RECURRENT:
        return Unit("recurrent", place, [place], weight=weight)
    if operation.op in NORMS:
        return _with_activation(Unit("norm", place, [place], weight=weight), wiring, taken)
    if operation.op in PRODUCTS and weight is not None:
        unit = Unit("layer", place, [place], weight=weight)
        follower = wiring.only_reader(place)
        if follower is not None and follower not in taken and _adds_bias(follower, place, wiring):
            unit.bias = follower
            unit.members.append(follower)
        return _with_activation(unit, wiring, taken)
    if operation.op in ATTENTION:
        return Unit("attention", place, [place], weight=weight)
    return Unit("operation", place, [place], weight=weight)


def _weight_of(place: int, wiring: Wiring) -> int | None:
    """Return the first static input that holds a parameter, else the first that holds a buffer."""
    static = [source for source, _ in wiring.operations[place].inputs if wiring.is_static[source] and wiring.weights[source]]
    trained = [source for source in static if any(wiring.operations[one].op == "parameter" for one in wiring.weights[source])]
    return next(iter(trained or static), None)


def _adds_bias(place: int, product: int, wiring: Wiring) -> bool:
    operation = wiring.operations[place]
    if operation.op != "add" or len(operation.inputs) != 2:
        return False
    other = next((source for source, _ in operation.inputs if source != product), None)
    if other is None or not wiring.is_static[other] or not wiring.weights[other]:
        return False
    return sum(size > 1 for size in wiring.operations[other].values[0].shape) <= 1  # a table of positions is no bias


def _with_activation(unit: Unit, wiring: Wiring, taken: dict[int, Unit]) -> Unit:
    follower = wiring.only_reader(unit.members[-1])
    if follower is not None and follower not in taken:
        operation = wiring.operations[follower]
        if operation.op in ACTIVATIONS and operation.inputs[0][0] == unit.members[-1]:
            unit.activation = follower
            unit.members.append(follower)
    return unit


def _merge_reshapes(wiring: Wiring, unit_of: dict[int, Unit]) -> None:
    """Make one unit of shape operations that follow one another."""
    for place in sorted(unit_of):
        unit = unit_of[place]
        if unit.kind != "operation" or wiring.operations[place].op not in SHAPERS:
            continue
        source = wiring.operations[place].inputs[0][0] if wiring.operations[place].inputs else -1
        before = unit_of.get(source)
        unit.kind = "reshape"
        if before is not None and before.kind == "reshape" and wiring.only_reader(source) == place:
            before.members.append(place)
            unit_of[place] = before


def _take_in_statics(wiring: Wiring, unit_of: dict[int, Unit]) -> None:
    """Give each parameter, and what is made of parameters alone, to the unit that alone reads it; the others stand alone."""
    for place in range(len(wiring.operations) - 1, -1, -1):
        if not wiring.is_static[place] or place in unit_of:
            continue
        readers = wiring.readers[place]
        owners = {id(unit_of[reader]): unit_of[reader] for reader in readers if reader >= 0}
        owner = next(iter(owners.values())) if len(owners) == 1 and -1 not in readers else None
        if owner is not None and (owner.kind == "source" or not _is_data_slot(place, owner, wiring)):
            owner.members.append(place)
            unit_of[place] = owner
        else:
            unit_of[place] = Unit("source", place, [place])
    for place, operation in enumerate(wiring.operations):
        if operation.op == "input":
            unit_of[place] = Unit("source", place, [place])


def _is_data_slot(place: int, owner: Unit, wiring: Wiring) -> bool:
    """Tell whether a quantity without weights stands where data would: the first state of an unrolled loop is no part of a layer."""
    if wiring.weights[place] or (owner.kind == "recurrent" and not wiring.operations[owner.main].op.endswith("cell")):
        return False
    return wiring.operations[place].op not in SOURCES or owner.kind in ("layer", "recurrent")
