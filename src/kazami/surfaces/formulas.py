"""A typed-in formula of two weights as a function, read by Python's own grammar and nothing else of Python."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ..errors import UsageError, unknown_name

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    **{name: getattr(torch, name) for name in ("sin", "cos", "tan", "tanh", "exp", "log", "sqrt", "abs", "relu", "sigmoid", "sinh", "cosh", "erf")},
    "softplus": torch.nn.functional.softplus,
    "silu": torch.nn.functional.silu,
    "gelu": torch.nn.functional.gelu,
}
CONSTANTS = {"pi": math.pi, "e": math.e}
_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_LONGEST = 500
_HIGHEST_POWER = 64


def names_in(formula: str) -> set[str]:
    """Return the names a formula uses, its functions apart.

    Raises:
        UsageError: It is no formula.
    """
    return {node.id for node in ast.walk(_tree(formula)) if isinstance(node, ast.Name)} - set(FUNCTIONS) - set(CONSTANTS)


def evaluate(formula: str, values: Mapping[str, Tensor]) -> Tensor:
    """Return the value of a formula: numbers, the names in ``values``, ``+ - * / **``, brackets and the usual functions.

    Raises:
        UsageError: It is no such formula.

    Example:
        >>> evaluate("w2 * tanh(w1) ^ 2 - 1", {"w1": torch.zeros(2), "w2": torch.ones(2)}).tolist()
        [-1.0, -1.0]
    """
    found = _value(_tree(formula), values)
    return found if isinstance(found, Tensor) else torch.full_like(next(iter(values.values())), found)


def _tree(formula: str) -> ast.expr:
    try:
        if len(formula) > _LONGEST:
            raise ValueError
        return ast.parse(formula.replace("^", "**").strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise UsageError(f"A formula of w1 and w2, such as (w1*w2 - 1)**2, was expected, and {formula[:60]!r} is none.") from None


def _value(node: ast.expr, values: Mapping[str, Tensor]) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return float(node.value)
    if isinstance(node, ast.Name):
        if node.id in values:
            return values[node.id]
        if node.id in CONSTANTS:
            return CONSTANTS[node.id]
        raise unknown_name("name in the formula", node.id, {*values, *CONSTANTS})
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _value(node.operand, values)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right = _value(node.left, values), _value(node.right, values)
        if isinstance(node.op, ast.Pow) and isinstance(right, float) and abs(right) > _HIGHEST_POWER:
            raise UsageError(f"A power in a formula should be at most {_HIGHEST_POWER}, and one is {right:g}.")
        return _BINARY[type(node.op)](left, right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1 and not node.keywords:
        if node.func.id not in FUNCTIONS:
            raise unknown_name("function in the formula", node.func.id, FUNCTIONS)
        return FUNCTIONS[node.func.id](torch.as_tensor(_value(node.args[0], values), dtype=torch.float64))
    raise UsageError(f"A formula may hold numbers, names, + - * / **, brackets and functions, and this part is none of them: {ast.unparse(node)[:60]!r}.")
