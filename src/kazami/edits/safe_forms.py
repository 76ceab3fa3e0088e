"""Forms of an operation that stay finite."""

from collections.abc import Callable
from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._losses import is_evaluation
from ._places import Places, only
from ._source import Source, Uncertain, argument, dotted

ROOTS, LOGARITHMS = ("sqrt", "rsqrt"), ("log", "log2", "log10", "log1p")
BOUNDS = {
    **dict.fromkeys(LOGARITHMS, ".clamp_min(1e-7)"),
    "log1p": ".clamp_min(-1 + 1e-6)",
    "acos": ".clamp(-1 + 1e-6, 1 - 1e-6)",
    "asin": ".clamp(-1 + 1e-6, 1 - 1e-6)",
}
PLAIN = ("len", "float", "int", "sum", "max", "min", "math.sqrt", "range")


class SafeForms(AbstractEdit):
    """Bounds the argument of the one root, logarithm, quotient or power of its kind that the training computes, or of all those of one statement.

    Limits:
        Where an operation occurs in several statements, the trace does not say which of them was meant: nothing is written.
    """

    name: ClassVar = "safe_forms"
    writes: ClassVar = ("safe_operation",)
    how: ClassVar = (
        "At the only `sqrt`, `log`, `/`, `**`, `acos` … between the model's inputs and the loss, or those of one statement; several of a kind get lines only."
    )

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write the bound."""
        operation = str(change.parameters["operation"])
        found = [(source, node) for source in places.program.sources for node in source.all(cst.BaseExpression) if occurs(source, node, operation)]
        trained = [(source, node) for source, node in found if is_computed_in_training(places, source, node)]
        for source, node in _of_one_statement(trained, operation):
            bound(draft, source, node, operation)


def _of_one_statement(found: list[tuple[Source, cst.BaseExpression]], operation: str) -> list[tuple[Source, cst.BaseExpression]]:
    """Return the operations where they stand in one statement, as the two logarithms of a cross-entropy do, none of them in another: each is bounded.

    Raises:
        Uncertain: There is none, they stand in several statements, or in one another.
    """
    of_one = bool(found) and all(source is found[0][0] and source.statement(node) is source.statement(found[0][1]) for source, node in found)
    is_nested = any(one is not node and one in source.all(cst.BaseExpression, node) for source, node in found for _, one in found)
    return found if of_one and not is_nested else [only(found, f"a {operation}")]


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


def bound(draft: Draft, source: Source, node: cst.BaseExpression, operation: str) -> None:
    """Write the operation with its argument bounded."""
    if isinstance(node, cst.BinaryOperation):
        if operation == "div":
            draft.replace(source, node.right, f"({source.code(node.right)} + 1e-8)")
        elif operation == "sqrt":
            draft.replace(source, node.left, f"({source.code(node.left)} + 1e-8)")
        else:
            draft.replace(source, node.left, f"{_grouped(source, node.left)}.clamp_min(1e-8)")
        return
    if not isinstance(node, cst.Call):
        raise Uncertain("no call")
    is_method = not source.called(node).startswith("torch.")
    inner = node.func.value if is_method and isinstance(node.func, cst.Attribute) else only(node.args[:1], "an argument").value
    text = source.code(inner)
    if operation in ROOTS:
        draft.replace(source, inner, f"({text} + 1e-8)" if is_method else f"{text} + 1e-8")
    elif operation in BOUNDS:
        draft.replace(source, inner, f"{_grouped(source, inner)}{BOUNDS[operation]}")
    elif operation == "div" and not is_method:
        divisor = only([one for one in [argument(node, 1, "other")] if one is not None], "a divisor")
        draft.replace(source, divisor.value, f"{source.code(divisor.value)} + 1e-8")
    else:
        SPECIAL.get(operation, _refuse)(draft, source, node, inner, is_method)


def _refuse(*_: object) -> None:
    raise Uncertain("an operation whose safe form depends on what is meant")


def _spread(draft: Draft, source: Source, node: cst.Call, inner: cst.BaseExpression, is_method: bool) -> None:
    given = node.args if is_method else node.args[1:]
    if any(one.keyword is not None and one.keyword.value in ("unbiased", "correction") for one in given):
        raise Uncertain("a spread with a correction of its own")
    arguments = ", ".join([*(source.code(one).rstrip(", ") for one in given), "unbiased=False"])
    draft.replace(source, node, f"({_grouped(source, inner)}.var({arguments}) + 1e-8).sqrt()")


def _norm(draft: Draft, source: Source, node: cst.Call, inner: cst.BaseExpression, is_method: bool) -> None:
    given = node.args if is_method else node.args[1:]
    if any(one.keyword is None or one.keyword.value not in ("dim", "keepdim") for one in given):
        raise Uncertain("a norm of its own kind")
    arguments = ", ".join(source.code(one).rstrip(", ") for one in given)
    draft.replace(source, node, f"({_grouped(source, inner)}.square().sum({arguments}) + 1e-8).sqrt()")


def _grouped(source: Source, node: cst.BaseExpression) -> str:
    text = source.code(node)
    return text if text.startswith("(") or isinstance(node, cst.Name | cst.Attribute | cst.Call | cst.Subscript) else f"({text})"


SPECIAL: dict[str, Callable[..., None]] = {"std": _spread, "norm": _norm}
