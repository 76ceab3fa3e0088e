"""Names and signs: what stands in the circles and boxes."""

import re

from .tape import Operation
from .units import Unit, Wiring
from .vocabulary import CONVOLUTIONS, SIGNS, TRANSPOSED_CONVOLUTIONS

_PRODUCT_NAMES = {"matmul": "linear", "einsum": "einsum"}


def label_of(operation: Operation, n_inputs: int) -> str:
    """Return what stands in a quantity's circle: X for the only input, W for a weight, b for a bias, else the last part of its name.

    >>> label_of(Operation("parameter", names=("encoder.0.weight",)), 1), label_of(Operation("input", names=("mask",)), 2)
    ('W', 'mask')
    """
    name = operation.names[0] if operation.names else ""
    last = name.rpartition(".")[2]
    if operation.op == "input":
        return "X" if n_inputs == 1 else name
    if operation.op == "parameter":
        return {"weight": "W", "bias": "b"}.get(last, last or "W")
    return last or "constant"


def sign_of(operation: Operation) -> str:
    """Return the sign of an operation: ``·`` for a product, ``+``, ``×`` with the number it multiplies by, else its name."""
    op = operation.op
    if op in CONVOLUTIONS:
        return "∗"
    if op in TRANSPOSED_CONVOLUTIONS:
        return "∗ᵀ"
    if op == "decision":
        return " → ".join(str(one) for one in operation.constants)
    sign = SIGNS.get(op, op.strip("_"))
    if op in ("add", "sub", "mul", "div", "pow", "gt", "lt", "ge", "le", "eq", "ne") and len(operation.inputs) == 1:
        number = next((one for one in operation.constants if isinstance(one, int | float) and not isinstance(one, bool)), None)
        return sign if number is None else f"{sign} {_short(number)}"
    return sign


def _short(number: float) -> str:
    return f"{number:.3g}".replace("-", "−")


def details_of(operation: Operation) -> str:
    """Return the whole-number and word constants of an operation, for the tooltip."""
    if operation.op == "decision":
        return ""
    return ", ".join(str(one) if not isinstance(one, float) else _short(one) for one in operation.constants[:12])


def name_of_block(unit: Unit, operations: list[Operation]) -> str:
    """Return what a block is called: the operation it is named after, ``"attention"``, ``"× 12"``."""
    if unit.kind == "repeat":
        return f"× {len(unit.repetitions)}"
    if unit.kind == "attention":
        return "attention"
    op = operations[unit.main].op
    if unit.kind == "reshape":
        kinds = {operations[place].op for place in unit.members}
        return op if len(kinds) == 1 else "reshape"
    if unit.kind == "layer":
        return _PRODUCT_NAMES.get(op, op)
    if unit.kind == "operation":
        return sign_of(operations[unit.main])
    return {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}.get(op, op.strip("_"))


def activation_name(unit: Unit, operations: list[Operation]) -> str:
    """Return the name of a unit's φ, empty without one."""
    return "" if unit.activation is None else operations[unit.activation].op


def layer_name(unit: Unit, wiring: Wiring) -> str:
    """Return the path of a unit's weight without ``.weight``, or of the module it ran in."""
    operations = wiring.operations
    if unit.kind == "repeat":
        return _span(unit, operations)
    if unit.kind == "attention":
        return common_path([operations[place].path for place in unit.members])
    if unit.kind == "operation" and len(_parameters_of(unit, wiring)) > 1:  # no single layer: several weights go into it
        return operations[unit.main].path
    if unit.weight is not None and wiring.weights[unit.weight]:
        if unit.kind == "recurrent" and operations[unit.main].path:
            return operations[unit.main].path
        names = [name for place in wiring.weights[unit.weight] for name in operations[place].names]
        here = [name for name in names if name.rpartition(".")[0] == operations[unit.main].path]  # a tied weight has a name where it is used
        if names:
            name = re.sub(r"(^|\.)parametrizations\.(\w+)\.original\d*$", r"\1\2", (here or names)[0])
            for ending in (".weight_g", ".weight_v", ".weight_orig", ".weight"):
                name = name.removesuffix(ending)
            return name
    return operations[unit.main].path


def _parameters_of(unit: Unit, wiring: Wiring) -> set[int]:
    return {weight for source, _ in wiring.operations[unit.main].inputs for weight in wiring.weights[source] if wiring.operations[weight].op == "parameter"}


def common_path(paths: list[str]) -> str:
    """Return the module that all ``paths`` lie in, those of the model itself left out.

    >>> common_path(["blocks.0.up", "blocks.0.down", ""])
    'blocks.0'
    """
    parts = [path.split(".") for path in paths if path]
    depth = 0
    while parts and all(len(part) > depth and part[depth] == parts[0][depth] for part in parts):
        depth += 1
    return ".".join(parts[0][:depth]) if parts else ""


def _span(unit: Unit, operations: list[Operation]) -> str:
    first, last = (common_path([operations[one.main].path for one in part]) for part in (unit.repetitions[0], unit.repetitions[-1]))
    return first if first == last or not last else f"{first} … {last}"


def formula_of(unit: Unit, wiring: Wiring) -> str:
    """Return a unit as a formula, ``"φ(X·W + b)"``; empty where it has none."""
    operation = wiring.operations[unit.main]
    if unit.kind == "layer":
        formula = _product_formula(unit, wiring, operation) + (" + b" if unit.bias is not None else "")
    elif unit.kind == "norm":
        formula = "norm(X)"
    elif unit.kind == "recurrent":
        formula = "hₜ = φ(xₜ·W + hₜ₋₁·U + b)" if operation.op.startswith("rnn") else f"hₜ = {operation.op.removesuffix('_cell').upper()}(xₜ, hₜ₋₁)"
    elif unit.kind == "attention":
        return SIGNS["scaled_dot_product_attention"]
    else:
        return ""
    return formula if unit.activation is None else f"φ({formula})"


def _product_formula(unit: Unit, wiring: Wiring, operation: Operation) -> str:
    weight = "Wᵀ" if _is_turned(unit, wiring) else "W"
    if operation.op in CONVOLUTIONS:
        return f"X∗{weight}"
    if operation.op in TRANSPOSED_CONVOLUTIONS:
        return f"X∗ᵀ{weight}"
    if operation.op.startswith("embedding"):
        return f"{weight}[X]"
    if operation.op == "bilinear":
        return f"X₁·{weight}·X₂"
    if operation.op == "einsum":
        return next((f"einsum({one.replace('->', '→')})" for one in operation.constants if isinstance(one, str)), "einsum(X, W)")
    comes_first = bool(operation.inputs) and operation.inputs[0][0] == unit.weight
    return f"{weight}·X" if comes_first and operation.op != "linear" else f"X·{weight}"


def _is_turned(unit: Unit, wiring: Wiring) -> bool:
    place, turned = unit.weight, False
    while place is not None and wiring.operations[place].inputs:
        turned ^= wiring.operations[place].op in ("t", "T", "mT", "H", "transpose", "permute", "numpy_T", "adjoint")
        place = next((source for source, _ in wiring.operations[place].inputs if wiring.weights[source]), None)
    return turned
