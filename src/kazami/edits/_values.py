"""Where a value comes from: from where it is used, over names, parameters, attributes and dictionaries, back to where it is written."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import libcst as cst

from ._program import Program, given, method, parameter, starred
from ._source import Source, argument, dotted

DEEPEST = 16


@dataclass(frozen=True, slots=True)
class Origin:
    """An expression where a value is written.

    Attributes:
        source: The file.
        node: The expression.
        through: The names over which the value came, from its use on.
    """

    source: Source
    node: cst.BaseExpression
    through: tuple[cst.CSTNode, ...] = field(default=(), compare=False)


def origins(program: Program, source: Source, node: cst.BaseExpression) -> list[Origin]:
    """Return every place where the value of an expression may be written; the expression itself where it is more than a name.

    Empty where a name leads nowhere: a loop's variable, an argument that nobody gives.
    """
    found = _Tracer(program).follow(Origin(source, node), 0)
    return list({id(one.node): one for one in found}.values())


def origin(program: Program, source: Source, node: cst.BaseExpression) -> Origin | None:
    """Return the one place where the value of an expression is written, ``None`` where there are several or none."""
    found = origins(program, source, node)
    return found[0] if len(found) == 1 else None


def number(source: Source, node: cst.CSTNode) -> float | None:
    """Return the number that a constant expression is (``0.1``, ``-1``, ``1e-3 * 8``), ``None`` for any other."""
    value = _constant(ast.parse(source.code(node).strip(), mode="eval").body) if _is_short(source, node) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_short(source: Source, node: cst.CSTNode) -> bool:
    return isinstance(node, cst.BaseNumber | cst.UnaryOperation | cst.BinaryOperation) and not any(
        isinstance(one, cst.Name | cst.Call | cst.SimpleString) for one in source.all(cst.CSTNode, node)
    )


_OPERATIONS: dict[type[ast.operator], Callable[[float, float], float | None]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b if abs(b) < 400 and abs(a) < 1e9 else None,
}


def _constant(node: ast.expr) -> float | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, int | float) else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _constant(node.operand)
        return None if value is None else -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        left, right = _constant(node.left), _constant(node.right)
        try:
            return None if left is None or right is None else _OPERATIONS[type(node.op)](left, right)
        except (ArithmeticError, ValueError):
            return None
    return None


class _Tracer:
    def __init__(self, program: Program) -> None:
        self.program = program

    def follow(self, at: Origin, depth: int) -> list[Origin]:
        """Go back from one expression by as many steps as there are."""
        if depth > DEEPEST:
            return []
        steps = self.step(at)
        if steps is None:
            return [at]
        through = (*at.through, at.node)
        return [end for source, node in steps if node is not at.node for end in self.follow(Origin(source, node, through), depth + 1)]

    def step(self, at: Origin) -> list[tuple[Source, cst.BaseExpression]] | None:
        """Return where the value of an expression comes from next, ``None`` where it is written there."""
        source, node = at.source, at.node
        if isinstance(node, cst.Name):
            return None if node.value in ("None", "True", "False") else self.name(source, node)
        if isinstance(node, cst.Attribute):
            return None if source.meaning(node).startswith("torch.") else self.attribute(source, node)
        if isinstance(node, cst.Subscript):
            return self.item(source, node)
        if isinstance(node, cst.Call):
            return self.call(source, node)
        return None

    def name(self, source: Source, node: cst.Name) -> list[tuple[Source, cst.BaseExpression]]:
        """Go back from a name to what it is bound to."""
        scope = source.function(node)
        while True:
            found = self.bound(source, node.value, scope)
            if found is not None:
                return found
            if scope is None:
                return self.imported(source.imports.get(node.value, ""))
            if parameter(scope, node.value) is not None:
                return self.parameter(source, scope, node.value)
            scope = source.function(scope)

    def bound(self, source: Source, name: str, scope: cst.FunctionDef | None) -> list[tuple[Source, cst.BaseExpression]] | None:
        """Return what a name is bound to in a scope, by unpacking what a function returns too; ``None`` where the scope does not bind it."""
        bound = bindings(source, name, scope)
        if not bound:
            return None
        found = [(source, one) for one in bound if one is not None]
        return found if len(found) == len(bound) else [*found, *self.unpacked(source, name, scope)]

    def unpacked(self, source: Source, name: str, scope: cst.FunctionDef | None) -> list[tuple[Source, cst.BaseExpression]]:
        """Go on where a function of the script returns the tuple that a name is unpacked from."""
        found: list[tuple[Source, cst.BaseExpression]] = []
        for node in source.all(cst.Assign):
            names = [dotted(one.value) for one in target.elements] if isinstance(target := node.targets[0].target, cst.Tuple) else []
            if name not in names or not isinstance(node.value, cst.Call) or source.function(node) is not scope:
                continue
            for other, function in self.program.functions_of(source, node.value):
                tuples = [one.value for one in returns(other, function) if isinstance(one.value, cst.Tuple) and len(one.value.elements) == len(names)]
                found += [(other, one.elements[names.index(name)].value) for one in tuples]
        return found

    def imported(self, meaning: str) -> list[tuple[Source, cst.BaseExpression]]:
        """Go on in the module that a name was imported from."""
        module, _, name = meaning.rpartition(".")
        other = self.program.source_of(module) if module else None
        if other is None:
            return []
        found: list[tuple[Source, cst.BaseExpression]] = [(other, one) for one in bindings(other, name, None) if one is not None]
        return found or (self.imported(other.imports[name]) if other.imports.get(name, meaning) != meaning else [])

    def parameter(self, source: Source, function: cst.FunctionDef, name: str) -> list[tuple[Source, cst.BaseExpression]]:
        """Go back from a parameter to what is given for it, and to its default where a call gives nothing."""
        declared = parameter(function, name)
        default = [(source, declared.default)] if declared is not None and declared.default is not None else []
        found: list[tuple[Source, cst.BaseExpression]] = []
        sites = self.program.call_sites(source, function)
        for other, call in sites:
            one = given(source, function, name, call)
            unpacked = [pair for star in starred(call) for pair in self.items_of(other, star.value, name)]
            found += [(other, one.value)] if one is not None else unpacked or (default if not starred(call) else [])
        return found if sites else self.command_line(source, function, name) or default

    def command_line(self, source: Source, function: cst.FunctionDef, name: str) -> list[tuple[Source, cst.BaseExpression]]:
        """Return the default of a click option above a function."""
        for decorator in function.decorators:
            call = decorator.decorator
            if isinstance(call, cst.Call) and source.meaning(call.func).endswith("option") and _option(call) == name:
                default = argument(call, None, "default")
                return [(source, default.value)] if default is not None else []
        return []

    def attribute(self, source: Source, node: cst.Attribute) -> list[tuple[Source, cst.BaseExpression]] | None:
        """Go back from an attribute to what is assigned to it, or to what the object was made with."""
        base, name = node.value, node.attr.value
        if isinstance(base, cst.Name) and base.value in ("self", "cls"):
            return self.own(source, node, name)
        if dotted(base) == "self.hparams":
            init = method(owner, "__init__") if (owner := source.owner(node)) is not None else None
            return self.parameter(source, init, name) if init is not None and parameter(init, name) is not None else []
        bound = bindings(source, dotted(node), source.function(node)) or bindings(source, dotted(node), None)
        if bound:
            return [(source, one) for one in bound if one is not None]
        other = self.program.source_of(source.meaning(base))
        if other is not None:
            return [(other, one) for one in bindings(other, name, None) if one is not None]
        static = self.program.class_of(source, base)
        if static is not None:
            return class_level(*static, name)
        return [pair for end in self.follow(Origin(source, base), 1) for pair in self.part(end, name)]

    def own(self, source: Source, node: cst.CSTNode, name: str) -> list[tuple[Source, cst.BaseExpression]]:
        """Go back from ``self.name`` to its assignments, or to the class."""
        owner = source.owner(node)
        place: tuple[Source, cst.ClassDef] | None = (source, owner) if owner is not None else None
        for _ in range(DEEPEST):
            if place is None:
                return []
            found = [(place[0], one) for one in bindings(place[0], f"self.{name}", place[1]) if one is not None] or class_level(*place, name)
            if found:
                return found
            bases = [self.program.class_of(place[0], base.value) for base in place[1].bases]
            place = next((one for one in bases if one is not None), None)
        return []

    def part(self, end: Origin, name: str) -> list[tuple[Source, cst.BaseExpression]]:
        """Return what an object that was made by a call, or is a dictionary, has under a name."""
        source, call = end.source, end.node
        if isinstance(call, cst.Dict):
            return [(source, one) for one in entries(call, name)]
        if not isinstance(call, cst.Call):
            return []
        function = dotted(call.func).rpartition(".")[2]
        if function in ("parse_args", "parse_known_args"):
            return [pair for one in self.program.sources for pair in parsed_default(one, name)]
        keyword = argument(call, None, name)
        if keyword is not None:
            return [(source, keyword.value)]
        unpacked = [pair for star in call.args if star.star == "**" for pair in self.items_of(source, star.value, name)]
        made = self.program.class_of(source, call.func)
        if unpacked or made is None:
            return unpacked or [pair for one in call.args[:1] for pair in self.items_of(source, one.value, name)]
        init = method(made[1], "__init__")
        if init is None:
            position = [field for field, _ in fields(made[1])].index(name) if name in dict(fields(made[1])) else None
            one = argument(call, position)
            return [(source, one.value)] if one is not None else class_level(*made, name)
        return [(made[0], one) for one in bindings(made[0], f"self.{name}", made[1]) if one is not None] or class_level(*made, name)

    def items_of(self, source: Source, node: cst.BaseExpression, name: str) -> list[tuple[Source, cst.BaseExpression]]:
        """Return what a dictionary has under a key."""
        return [pair for end in self.follow(Origin(source, node), 1) for pair in self.part(end, name)]

    def item(self, source: Source, node: cst.Subscript) -> list[tuple[Source, cst.BaseExpression]] | None:
        """Go back from ``config["lr"]`` to the dictionary."""
        key = text_of(node.slice[0].slice.value) if len(node.slice) == 1 and isinstance(node.slice[0].slice, cst.Index) else None
        if key is None:
            return None
        set_later = [one.value for one in source.all(cst.Assign) if any(source.code(target.target) == source.code(node) for target in one.targets)]
        return [(source, one) for one in set_later] or self.items_of(source, node.value, key)

    def call(self, source: Source, node: cst.Call) -> list[tuple[Source, cst.BaseExpression]] | None:
        """Go through ``float(x)``, ``dict(config)``, ``config.copy()``, ``config.get("lr", 0.1)``, ``vars(args)`` and ``field(default=0.1)``."""
        name = dotted(node.func)
        if name in ("float", "int", "vars", "copy.copy", "copy.deepcopy", "list", "dict") and len(node.args) == 1 and node.args[0].keyword is None:
            return [(source, node.args[0].value)]
        if name.endswith(".copy") and not node.args and isinstance(node.func, cst.Attribute):
            return [(source, node.func.value)]
        key = text_of(node.args[0].value) if node.args else None
        if name.endswith(".get") and key is not None and isinstance(node.func, cst.Attribute):
            return self.items_of(source, node.func.value, key) or [(source, one.value) for one in node.args[1:2]]
        if name.rpartition(".")[2] in ("field", "Field", "Option", "Argument"):
            default = argument(node, 0, "default")
            return [(source, default.value)] if default is not None else None
        return self.returned(source, node)

    def returned(self, source: Source, node: cst.Call) -> list[tuple[Source, cst.BaseExpression]] | None:
        """Go on where a function of the script makes its result; a class makes it itself."""
        if self.program.class_of(source, node.func) is not None:
            return None
        found: list[tuple[Source, cst.BaseExpression]] = []
        for other, function in self.program.functions_of(source, node):
            found += [(other, one.value) for one in returns(other, function) if one.value is not None]
        return found or None


def returns(source: Source, function: cst.FunctionDef) -> list[cst.Return]:
    """Return the ``return`` statements of a function, without those of functions inside it."""
    return [one for one in source.all(cst.Return, function) if source.function(one) is function]


def bindings(source: Source, name: str, scope: cst.CSTNode | None) -> list[cst.BaseExpression | None]:
    """Return what is assigned to a name (``"lr"``, ``"self.model"``) in a function, a class's methods, or the module (``None``).

    A later assignment that only wraps the name itself (``model = model.to(device)``) does not count; what is unpacked, counted up or run over is ``None``.
    """
    found: list[cst.BaseExpression | None] = []
    for target, value, whole in assigned(source, scope):
        if dotted(target) != name:
            continue
        wraps = whole is not None and any(dotted(one) == name for one in source.all(cst.BaseExpression, whole))
        if not (wraps and (found or (isinstance(scope, cst.FunctionDef) and parameter(scope, name) is not None))):
            found.append(value)
    return found


Assigned = tuple[cst.BaseExpression, cst.BaseExpression | None, cst.BaseExpression | None]


def assigned(source: Source, scope: cst.CSTNode | None) -> Iterator[Assigned]:
    """Yield what is assigned to in a scope, with its part of the value (``None`` where it has none of its own) and the whole value."""
    for node in source.nodes if scope is None else source.all(cst.CSTNode, scope):
        if not isinstance(node, cst.Assign | cst.AnnAssign | cst.AugAssign | cst.For | cst.CompFor | cst.NamedExpr | cst.AsName):
            continue
        if source.function(node) is not scope and not isinstance(scope, cst.ClassDef):
            continue
        if scope is None and source.owner(node) is not None:
            continue
        yield from _targets(node)


def _targets(node: cst.CSTNode) -> Iterator[Assigned]:
    if isinstance(node, cst.Assign):
        for target in node.targets:
            yield from ((one, value, node.value) for one, value in _unpacked(target.target, node.value))
    elif isinstance(node, cst.AnnAssign | cst.NamedExpr):
        yield node.target, node.value, node.value
    elif isinstance(node, cst.AugAssign):
        yield node.target, None, None
    elif isinstance(node, cst.For | cst.CompFor):
        yield from ((one, None, None) for one, _ in _unpacked(node.target, None))
    elif isinstance(node, cst.AsName) and isinstance(node.name, cst.BaseExpression):
        yield from ((one, None, None) for one, _ in _unpacked(node.name, None))


def _unpacked(target: cst.BaseExpression, value: cst.BaseExpression | None) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression | None]]:
    if not isinstance(target, cst.Tuple | cst.List):
        yield target, value
        return
    values = [one.value for one in value.elements] if isinstance(value, cst.Tuple | cst.List) else []
    for number_, element in enumerate(target.elements):
        yield from _unpacked(element.value, values[number_] if len(values) == len(target.elements) else None)


def class_level(source: Source, node: cst.ClassDef, name: str) -> list[tuple[Source, cst.BaseExpression]]:
    """Return what is assigned to a name in the body of a class."""
    return [(source, value) for field_, value in fields(node) if field_ == name and value is not None]


def fields(node: cst.ClassDef) -> list[tuple[str, cst.BaseExpression | None]]:
    """Return the names that the body of a class assigns, with their values, in order."""
    statements = [small for line in node.body.body if isinstance(line, cst.SimpleStatementLine) for small in line.body]
    return [(dotted(target), value) for small in statements for target, value, _ in _targets(small)]


def entries(node: cst.Dict, key: str) -> list[cst.BaseExpression]:
    """Return the value of a dictionary's key, as a list of one or none."""
    return [one.value for one in node.elements if isinstance(one, cst.DictElement) and text_of(one.key) == key]


def text_of(node: cst.CSTNode) -> str | None:
    """Return the text of a plain string, ``None`` for anything else."""
    value = node.evaluated_value if isinstance(node, cst.SimpleString) else None
    return value if isinstance(value, str) else None


def parsed_default(source: Source, name: str) -> list[tuple[Source, cst.BaseExpression]]:
    """Return the default of a command line's option (``add_argument("--lr", default=0.1)``)."""
    found: list[tuple[Source, cst.BaseExpression]] = []
    for call in source.all(cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value == "add_argument" and _option(call) == name:
            default = argument(call, None, "default")
            found += [(source, default.value)] if default is not None else []
    return found


def _option(call: cst.Call) -> str:
    """Return the name that an option's value gets."""
    destination = argument(call, None, "dest")
    flags = [text for one in call.args if one.keyword is None and (text := text_of(one.value)) is not None]
    if destination is not None:
        return text_of(destination.value) or ""
    long = next((flag for flag in flags if flag.startswith("--")), flags[-1] if flags else "")
    return long.lstrip("-").replace("-", "_")
