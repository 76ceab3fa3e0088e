"""A typed-in formula, read safely: arithmetic and a few functions, and nothing else is ever run."""

import ast
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import UsageError, closest

Array = NDArray[np.float64]

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "tanh": np.tanh, "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs,
}  # fmt: skip
CONSTANTS = {"pi": math.pi, "e": math.e}
OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.float_power,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
}
LONGEST = 500  # characters
DEEPEST = 50  # of nesting
ALLOWED = f"+ - * / **, {' '.join(FUNCTIONS)}, {' '.join(CONSTANTS)}, numbers, and x (or x1, x2, …)"


@dataclass(frozen=True, slots=True)
class Formula:
    """A function of one or more variables.

    Attributes:
        text: As typed.
        variables: Their names, in the order of the columns: ``("x",)`` or ``("x1", "x2")``.
    """

    text: str
    variables: tuple[str, ...]
    _tree: ast.expr

    def __call__(self, points: ArrayLike) -> Array:
        """Return the values, shape ``(points,)``.

        Args:
            points: Shape ``(points, variables)``, or ``(points,)`` for one variable.

        Limits:
            Outside a function's domain (a logarithm of a negative number, a division by zero) the value is NaN or infinite.
        """
        columns = np.asarray(points, dtype=float)
        columns = columns[:, None] if columns.ndim == 1 else columns
        if columns.ndim != 2 or columns.shape[1] != len(self.variables):
            raise UsageError(f"The points should have the shape (points, {len(self.variables)}), and have {np.shape(points)}.")
        values = {name: columns[:, index] for index, name in enumerate(self.variables)}
        with np.errstate(all="ignore"):
            result = _value(self._tree, values)
        return np.broadcast_to(np.asarray(result, dtype=float), (len(columns),)).copy()


def parse_formula(text: str) -> Formula:
    """Return the function that ``text`` writes.

    Args:
        text: For example ``"sin(3*x) + 0.2*x**2"``; ``^`` is read as ``**``.

    Raises:
        UsageError: It holds anything but arithmetic, the functions of :data:`FUNCTIONS`, pi, e, and variables.

    Example:
        >>> float(parse_formula("sin(pi*x) + x^2")([0.5])[0])
        1.25
        >>> parse_formula("x1 * exp(-x2)").variables
        ('x1', 'x2')
    """
    if not text.strip() or len(text) > LONGEST:
        raise UsageError(f'A formula should have 1 to {LONGEST} characters, for example "sin(3*x) + 0.2*x**2", and has {len(text.strip())}.')
    try:
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise UsageError(f"The formula {text!r} cannot be read. Allowed are {ALLOWED}.") from None
    names = sorted(_names(tree, text, depth=0), key=lambda name: (len(name), name))
    numbered = [name for name in names if name != "x"]
    if "x" in names and numbered:
        raise UsageError(f"The formula {text!r} has both x and {numbered[0]}. Write x alone, or x1, x2, ….")
    variables = tuple(f"x{number}" for number in range(1, int(numbered[-1][1:]) + 1)) if numbered else ("x",)
    return Formula(text.strip(), variables, tree)


def _names(node: ast.AST, text: str, depth: int) -> set[str]:
    """Return the variables below ``node``, and refuse everything that is not allowed."""
    if depth > DEEPEST:
        raise UsageError(f"The formula is nested more than {DEEPEST} deep.")
    if isinstance(node, ast.BinOp | ast.UnaryOp) and type(node.op) in OPERATORS:
        parts = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.operand]
        return {name for part in parts for name in _names(part, text, depth + 1)}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS and len(node.args) == 1 and not node.keywords:
        return _names(node.args[0], text, depth + 1)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and type(node.value) is not bool and abs(node.value) < 1e100:
        return set()
    if isinstance(node, ast.Name) and node.id in CONSTANTS:
        return set()
    if isinstance(node, ast.Name) and re.fullmatch(r"x([1-9])?", node.id):
        return {node.id}
    raise _refused(node, text)


def _refused(node: ast.AST, text: str) -> UsageError:
    shown = ast.unparse(node)[:60]
    name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else node.id if isinstance(node, ast.Name) else ""
    match = closest(name, [*FUNCTIONS, *CONSTANTS]) if name and name not in FUNCTIONS else None
    advice = f" Did you mean {match}?" if match else ""
    where = "" if shown == text.strip() else f" in {text.strip()[:80]!r}"
    return UsageError(f"A formula may not hold {shown!r}{where}.{advice} Allowed are {ALLOWED}.")


def _value(node: ast.AST, values: dict[str, Array]) -> Any:
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](_value(node.left, values), _value(node.right, values))
    if isinstance(node, ast.UnaryOp):
        return OPERATORS[type(node.op)](_value(node.operand, values))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return FUNCTIONS[node.func.id](_value(node.args[0], values))
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.Name):
        return CONSTANTS[node.id] if node.id in CONSTANTS else values[node.id]
    raise UsageError(f"A formula may not hold {ast.dump(node)[:60]}.")  # parse_formula lets nothing else through
