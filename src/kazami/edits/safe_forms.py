"""Forms of an operation that stay finite."""

from collections.abc import Callable
from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._operations import is_computed_in_training, occurs
from ._places import Places, only
from ._source import Source, Uncertain, argument

ROOTS, LOGARITHMS = ("sqrt", "rsqrt"), ("log", "log2", "log10", "log1p")
BOUNDS = {
    **dict.fromkeys(LOGARITHMS, ".clamp_min(1e-7)"),
    "log1p": ".clamp_min(-1 + 1e-6)",
    "acos": ".clamp(-1 + 1e-6, 1 - 1e-6)",
    "asin": ".clamp(-1 + 1e-6, 1 - 1e-6)",
}


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
