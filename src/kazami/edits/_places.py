"""The places of a training in a script: where its model and its optimizer are made, where it goes backward, and where it steps."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import libcst as cst

from ._program import Program, method
from ._source import Source, Uncertain, argument, dotted, receiver
from ._values import Origin, assigned, origin, origins

One = TypeVar("One")
NOT_OPTIMIZERS = ("torch.optim.Optimizer",)


@dataclass(frozen=True, slots=True)
class Optimizer:
    """A call that makes an optimizer.

    Attributes:
        source: The file.
        call: The call.
        kind: Name of the class.
        name: What it is assigned to (``"opt"``, ``"self.optimizer"``), empty where it is not.
    """

    source: Source
    call: cst.Call
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """A call that makes an optimizer step.

    Attributes:
        source: The file.
        call: ``opt.step()`` or ``scaler.step(opt)``.
        optimizer: The optimizer as this place names it.
        scaler: The gradient scaler, empty without one.
        made: Where the optimizer may be made.
    """

    source: Source
    call: cst.Call
    optimizer: str
    scaler: str
    made: tuple[cst.CSTNode, ...]


def only(found: Iterable[One], what: str) -> One:
    """Return the only one there is.

    Raises:
        Uncertain: There is none, or there are several.
    """
    every = list(found)
    if len(every) != 1:
        raise Uncertain(f"{len(every)} places: {what}")
    return every[0]


class Places:
    """What a training's places are in a program.

    Args:
        program: The parsed script.
    """

    def __init__(self, program: Program) -> None:
        self.program = program

    @cached_property
    def optimizers(self) -> list[Optimizer]:
        """Every call that makes an optimizer."""
        found = []
        for source, call in self.program.calls():
            name = source.called(call)
            own = self.program.class_of(source, call.func)
            is_own = own is not None and any(own[0].meaning(base.value).startswith("torch.optim.") for base in own[1].bases)
            if is_own or _is_optimizer(name) or _is_chosen_by_name(source, call) or (not name.startswith("torch") and _takes_parameters(source, call)):
                found.append(Optimizer(source, call, dotted(call.func).rpartition(".")[2], assigned_to(source, call)))
        return found

    @cached_property
    def optimizer(self) -> Optimizer:
        """The one optimizer."""
        return only(self.optimizers, "an optimizer is made")

    @cached_property
    def steps(self) -> list[Step]:
        """Every optimizer step."""
        made = {id(one.call): one.call for one in self.optimizers}
        found = []
        for source, call in self.program.calls():
            if not isinstance(call.func, cst.Attribute) or call.func.attr.value != "step":
                continue
            scaled = call.args[0].value if len(call.args) == 1 and call.args[0].keyword is None else None
            for node, scaler in ((call.func.value, ""), (scaled, source.code(call.func.value))):
                ends = [end.node for end in origins(self.program, source, node) if id(end.node) in made] if node is not None else []
                if node is not None and (ends or _looks_like_optimizer(source, node)):
                    found.append(Step(source, call, source.code(node), scaler, tuple(ends)))
                    break
        return found

    @cached_property
    def step(self) -> Step:
        """The one optimizer step; of several in the branches of one ``if`` the first."""
        steps = self.steps
        if len({(one.source.path, one.optimizer, id(one.source.function(one.call))) for one in steps}) != 1 or len(self.optimizers) > 1:
            raise Uncertain(f"{len(steps)} optimizers step")
        return steps[0]

    def backwards(self, step: Step) -> list[cst.Call]:
        """Return the calls of ``backward`` in the function of a step, in the order of the text."""
        source, function = step.source, step.source.function(step.call)
        calls = [one for one in source.all(cst.Call) if isinstance(one.func, cst.Attribute) and one.func.attr.value == "backward"]
        return [one for one in calls if source.function(one) is function]

    @cached_property
    def backward(self) -> cst.Call:
        """The backward of the one optimizer step: the last one before it in its function."""
        step = self.step
        before = [one for one in self.backwards(step) if step.source.comes_before(one, step.call)]
        if not before:
            raise Uncertain("no backward before the step")
        return before[-1]

    @cached_property
    def root(self) -> str:
        """The model's name where the optimizer is made: ``"net"``, ``"self.model"``, or ``"self"`` for a module that makes its own optimizer."""
        optimizer = self.optimizer
        return only(roots(optimizer.source, self.parameters_given(optimizer)), "a model gives its parameters")

    def parameters_given(self, optimizer: Optimizer) -> cst.BaseExpression:
        """Return the expression that gives an optimizer its parameters, in the same function."""
        given = argument(optimizer.call, 0, "params")
        if given is None:
            raise Uncertain("an optimizer without parameters")
        end = origin(self.program, optimizer.source, given.value) if isinstance(given.value, cst.Name) else None
        is_near = end is not None and end.source is optimizer.source and end.source.function(end.node) is optimizer.source.function(optimizer.call)
        return end.node if end is not None and is_near else given.value

    @cached_property
    def model_made(self) -> cst.BaseExpression | None:
        """The call that makes the model, ``None`` where there are several or none."""
        found = self.ends_of(self.optimizer.source, self.root, self.optimizer.call)
        return found[0].node if len(found) == 1 else None

    def ends_of(self, source: Source, name: str, near: cst.CSTNode) -> list[Origin]:
        """Return where the value of a name may be written, as seen from a node."""
        same = [one for one in source.all(cst.BaseExpression) if dotted(one) == name and source.function(one) is source.function(near)]
        return origins(self.program, source, same[0]) if same else []

    @cached_property
    def model_spot(self) -> tuple[Source, cst.CSTNode, bool]:
        """Where lines about the new model belong: a file, a statement, and whether they come after it (else before)."""
        optimizer, root = self.optimizer, self.root
        source, scope = optimizer.source, optimizer.source.function(optimizer.call)
        if root == "self":
            init = method(owner, "__init__") if (owner := source.owner(optimizer.call)) is not None else None
            if init is None or init is scope:
                return source, source.statement(optimizer.call), False
            return source, source.statement(init.body.body[-1]), True
        places = [source.owner(optimizer.call)] if root.startswith("self.") else [scope]
        made = [target for place in places for target, value, _ in assigned(source, place) if dotted(target) == root and value is not None]
        fresh = [one for one in made if not isinstance(scope, cst.FunctionDef) or source.function(one) is not None]
        statement = source.statement(fresh[0]) if fresh else None
        one_way = self.model_made is not None and statement is not None and not isinstance(statement, cst.BaseCompoundStatement)
        if statement is None or not one_way or source.is_in(optimizer.call, statement) or source.function(fresh[0]) is not scope:
            return source, source.statement(optimizer.call), False
        behind = next_after_writers(source, statement, root, optimizer.call)
        return (source, statement, True) if behind is None else (source, behind, False)

    def optimizer_statement(self) -> tuple[Source, cst.CSTNode]:
        """Return the statement that makes the optimizer; it must give it a name."""
        optimizer = self.optimizer
        if not optimizer.name:
            raise Uncertain("the optimizer has no name where it is made")
        return optimizer.source, optimizer.source.statement(optimizer.call)

    def model_at(self, source: Source, node: cst.CSTNode) -> str:
        """Return the model's name at a place: its own where it is seen from there, or that of a parameter which is given the model.

        Raises:
            Uncertain: It has none there.
        """
        made, root = self.optimizer, self.root
        function = source.function(node)
        if source is made.source and (function is made.source.function(made.call) or self._is_shared(source, root, node)):
            return root
        target = self.model_made
        named = {dotted(one.func) for one in source.all(cst.Call, function or source.module)}
        names = {receiver for receiver in named if receiver and not receiver.startswith("torch")}
        same = [name for name in sorted(names) if target is not None and [end.node for end in self.ends_of(source, name, node)] == [target]]
        return only(same, "the model has a name at the step")

    def _is_shared(self, source: Source, root: str, node: cst.CSTNode) -> bool:
        if root == "self" or root.startswith("self."):
            return source.owner(node) is not None and source.owner(node) is source.owner(self.optimizer.call)
        function = source.function(node)
        return source.function(self.optimizer.call) is None and function is not None and not is_bound(source, root.split(".")[0], function)

    def parameters_at(self, step: Step) -> str:
        """Return an expression for all parameters that an optimizer step moves."""
        try:
            optimizer = self.optimizer
            given = self.parameters_given(optimizer)
            is_plain = isinstance(given, cst.Call) and isinstance(given.func, cst.Attribute) and given.func.attr.value == "parameters"
            if is_plain and dotted(receiver(given)) == self.root:
                return f"{self.model_at(step.source, step.call)}.parameters()"
        except Uncertain:
            pass
        return f'[p for group in {step.optimizer}.param_groups for p in group["params"]]'


def next_after_writers(source: Source, made: cst.CSTNode, name: str, until: cst.CSTNode) -> cst.CSTNode | None:
    """Return the statement behind the last one that may write into a new model (``net.apply(init)``, a loop over its modules), ``None`` where none does.

    Args:
        source: The file.
        made: The statement that makes the model.
        name: The model's name.
        until: Where the optimizer is made; what comes later is training.
    """
    block = getattr(source.parent(made), "body", ())
    later = [one for one in block if one is not made and source.comes_before(made, one)]
    before = [one for one in later if source.comes_before(one, until) and not source.is_in(until, one)]
    writers = [number for number, one in enumerate(before) if _may_write(source, one, name)]
    return later[writers[-1] + 1] if writers and writers[-1] + 1 < len(later) else None


def _may_write(source: Source, statement: cst.CSTNode, name: str) -> bool:
    is_plain = isinstance(statement, cst.SimpleStatementLine) and not any(isinstance(one, cst.Expr) for one in statement.body)
    calls = [one for one in source.all(cst.Call, statement) if dotted(one.func).rpartition(".")[2] not in ("print", "train", "to", "cuda")]
    if is_plain or any(isinstance(one.func, cst.Attribute) and one.func.attr.value == "backward" for one in calls):
        return False
    within = calls if isinstance(statement, cst.SimpleStatementLine) else [statement] if calls else []
    return any(dotted(one) == name for outer in within for one in source.all(cst.BaseExpression, outer))


def is_bound(source: Source, name: str, function: cst.FunctionDef) -> bool:
    """Return whether a function has a name of its own: a parameter, or something it assigns."""
    params = [one.name.value for one in source.all(cst.Param, function.params)]
    return name in params or any(dotted(target) == name for target, _, _ in assigned(source, function))


def roots(source: Source, node: cst.CSTNode) -> set[str]:
    """Return the names of the models whose parameters an expression takes."""
    found = set()
    for call in source.all(cst.Call, node):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in ("parameters", "named_parameters"):
            parts = _base_of(call.func.value).split(".")
            found.add(".".join(parts[:2]) if parts[0] == "self" else parts[0])
    return found - {""}


def _base_of(node: cst.CSTNode) -> str:
    """Return the dotted name that an expression begins with: ``"net"`` of ``net[3].weight``."""
    while not dotted(node) and isinstance(node, cst.Attribute | cst.Subscript):
        node = node.value
    return dotted(node)


def assigned_to(source: Source, node: cst.CSTNode) -> str:
    """Return the name that a value is assigned to by its statement, empty where it is a part of something else."""
    parent = source.parent(node)
    if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
        return dotted(parent.targets[0].target)
    if isinstance(parent, cst.AnnAssign):
        return dotted(parent.target)
    if isinstance(parent, cst.Element) and isinstance(values := source.parent(parent), cst.Tuple):
        whole = source.parent(values)
        target = whole.targets[0].target if isinstance(whole, cst.Assign) else None
        if isinstance(target, cst.Tuple) and len(target.elements) == len(values.elements):
            return dotted(target.elements[list(values.elements).index(parent)].value)
    return ""


def last_assignment(source: Source, name: str, before: cst.CSTNode) -> cst.Assign | None:
    """Return the last assignment to a plain name before a node in its function, ``None`` without one."""
    function = source.function(before)
    found = [
        one
        for one in source.all(cst.Assign, function or source.module)
        if source.function(one) is function and source.comes_before(one, before) and any(dotted(target.target) == name for target in one.targets)
    ]
    return found[-1] if found else None


def _is_optimizer(name: str) -> bool:
    parts = name.split(".")
    return name.startswith("torch.optim.") and len(parts) == 3 and parts[2][:1].isupper() and name not in NOT_OPTIMIZERS


def _is_chosen_by_name(source: Source, call: cst.Call) -> bool:
    """Return whether a call is ``getattr(torch.optim, name)(…)``."""
    chosen = call.func
    return isinstance(chosen, cst.Call) and dotted(chosen.func) == "getattr" and bool(chosen.args) and source.meaning(chosen.args[0].value) == "torch.optim"


def _takes_parameters(source: Source, call: cst.Call) -> bool:
    last = dotted(call.func).rpartition(".")[2]
    first = argument(call, 0, "params")
    is_class = bool(re.match(r"[A-Z]", last)) and not last.endswith(("Model", "EMA", "List", "LR"))
    return (
        is_class and first is not None and bool(roots(source, first.value)) and any(one.keyword is not None and one.keyword.value == "lr" for one in call.args)
    )


def _looks_like_optimizer(source: Source, node: cst.CSTNode) -> bool:
    name = dotted(node)
    if not name or "sched" in name.lower() or "scaler" in name.lower():
        return False
    clears = any(dotted(one.func) == f"{name}.zero_grad" for one in source.all(cst.Call))
    return clears or bool(re.search(r"opt(im)?(izer|imiser)?s?(_\w+)?$", name.lower()))
