"""From a tape to the operations people think in: X·W + b is a product and a sum, copies and bookkeeping are nothing."""

from dataclasses import replace

from .tape import Operation, Ref, Tape
from .vocabulary import BEHIND_PRODUCT, CONSTANT_OF, NOTHING, PICKS, SHAPERS, SOURCES

ADDED_FIRST = {"addmm": "matmul", "baddbmm": "matmul", "addmv": "matmul"}  # their first operand is what is added


def cleaned(tape: Tape) -> Tape:
    """Return a tape without operations that do nothing, with biases added by an operation of their own, and without what only keeps books."""
    made = Tape(notes=tape.notes)
    now: dict[Ref, Ref] = {}
    for place, operation in enumerate(tape.operations):
        inputs = [now[ref] for ref in operation.inputs]
        if operation.op in CONSTANT_OF:
            operation, inputs = replace(operation, op="constant", names=(CONSTANT_OF[operation.op],)), []
        if inputs and _does_nothing(operation, made, inputs):
            for slot in range(len(operation.values)):
                now[place, slot] = inputs[0]
            continue
        position = _put(made, replace(operation, inputs=inputs))
        for slot in range(max(1, len(operation.values))):
            now[place, slot] = (position, slot)
    made.outputs = [(name, now[ref]) for name, ref in tape.outputs]
    return _without_bookkeeping(made)


def _does_nothing(operation: Operation, made: Tape, inputs: list[Ref]) -> bool:
    if operation.op in NOTHING:
        return True
    given = made.operations[inputs[0][0]].values
    is_same = len(operation.values) == 1 and inputs[0][1] < len(given) and operation.values[0] == given[inputs[0][1]]
    if operation.op in ("cast", "expand", "view", "reshape", "expand_as", "view_as"):
        return is_same
    return operation.op == "detach" and made.operations[inputs[0][0]].op in SOURCES[1:]


def _put(made: Tape, operation: Operation) -> int:
    op, inputs = operation.op, operation.inputs
    if op in ADDED_FIRST and len(inputs) == 3:
        product = made.put(replace(operation, op=ADDED_FIRST[op], inputs=inputs[1:]))
        return made.put(replace(operation, op="add", inputs=[(product, 0), inputs[0]], constants=()))
    behind = BEHIND_PRODUCT.get(op)
    if behind is not None and len(inputs) == behind + 1:
        product = made.put(replace(operation, inputs=inputs[:behind]))
        return made.put(replace(operation, op="add", inputs=[(product, 0), inputs[behind]], constants=()))
    return made.put(operation)


def _without_bookkeeping(tape: Tape) -> Tape:
    """Leave out quantities that nothing reads (inputs stay), and what leads nowhere and comes from no data or parameter (counters of batches)."""
    operations = tape.operations
    is_wanted = [operation.op in ("input", "decision") for operation in operations]
    comes_from_data = [operation.op in ("input", "parameter") for operation in operations]
    for place, operation in enumerate(operations):
        comes_from_data[place] |= any(comes_from_data[source] for source, _ in operation.inputs)
    for _, (place, _) in tape.outputs:
        is_wanted[place] = True
    for place in range(len(operations) - 1, -1, -1):
        operation = operations[place]
        is_wanted[place] |= operation.op not in SOURCES and operation.op not in PICKS | SHAPERS and comes_from_data[place]
        if is_wanted[place]:
            for source, _ in operation.inputs:
                is_wanted[source] = True
    kept = Tape(notes=tape.notes)
    now: dict[int, int] = {}
    for place, operation in enumerate(operations):
        if is_wanted[place]:
            now[place] = kept.put(replace(operation, inputs=[(now[source], slot) for source, slot in operation.inputs]))
    kept.outputs = [(name, (now[place], slot)) for name, (place, slot) in tape.outputs]
    return kept


def dead_ends(tape: Tape) -> list[int]:
    """Return the operations from which no output can be reached."""
    is_live = [operation.op in SOURCES or operation.op == "decision" for operation in tape.operations]
    for _, (place, _) in tape.outputs:
        is_live[place] = True
    for place in range(len(tape.operations) - 1, -1, -1):
        if is_live[place] and tape.operations[place].op not in SOURCES:
            for source, _ in tape.operations[place].inputs:
                is_live[source] = True
    return [place for place, live in enumerate(is_live) if not live]
