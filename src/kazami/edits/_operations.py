"""Where an operation on tensors stands in a program, and whether the training computes it."""

import libcst as cst

from ._losses import is_evaluation
from ._places import Places
from ._source import Source, dotted

PLAIN = ("len", "float", "int", "sum", "max", "min", "math.sqrt", "range")


def occurs(source: Source, node: cst.CSTNode, operation: str) -> bool:
    """Return whether an expression is this operation on tensors."""
    if isinstance(node, cst.BinaryOperation):
        if operation == "div":
            return isinstance(node.operator, cst.Divide) and not _is_plain(source, node.right)
        power = isinstance(node.operator, cst.Power) and source.code(node.right)
        return (operation == "sqrt" and power in ("0.5", ".5", "(1/2)", "(1 / 2)")) or (
            operation == "pow" and bool(power) and power not in ("2", "3", "4", "0.5")
        )
    if not isinstance(node, cst.Call) or operation == "pow":
        return False
    called = source.called(node)
    names = {"norm": ("torch.norm", "torch.linalg.norm", "torch.linalg.vector_norm")}.get(operation, (f"torch.{operation}",))
    is_method = (
        isinstance(node.func, cst.Attribute) and node.func.attr.value == operation and not source.meaning(node.func) and dotted(node.func.value) != "math"
    )
    return called in names or (operation == "div" and called in ("torch.div", "torch.true_divide")) or is_method


def _is_plain(source: Source, node: cst.CSTNode) -> bool:
    """Return whether a divisor is a number: a constant, a length, a size."""
    calls = [dotted(one.func) for one in source.all(cst.Call, node)]
    attributes = {one.attr.value for one in source.all(cst.Attribute, node)}
    is_number = isinstance(node, cst.BaseNumber) or any(name in PLAIN or name.startswith(("math.", "np.", "numpy.")) for name in calls)
    return is_number or bool(attributes & {"shape", "size", "numel", "d_k", "dim"}) or dotted(node).isupper()


def is_computed_in_training(places: Places, source: Source, node: cst.CSTNode) -> bool:
    """Return whether an expression stands in a ``forward``, in the loop before its backward, or in a function that these may call."""
    if is_evaluation(source, node):
        return False
    function = source.function(node)
    statement_text = source.code(source.statement(node)) if not isinstance(node, cst.Module) else ""
    if "print(" in statement_text or ".item()" in statement_text:
        return False
    step = places.step
    if source is step.source and function is source.function(step.call):
        return (
            bool(source.loops(node))
            and source.comes_before(node, places.backward)
            and source.comes_before(source.outermost_loop(step.call).body, node) is False
        )
    if function is None:
        return False
    called = {dotted(call.func).rpartition(".")[2] for _, call in places.program.calls()}
    return function.name.value == "forward" or (function.name.value in called and function.name.value not in ("__init__", "main"))
