"""The line of the user's script that a finding points at, where the script's own text tells it without doubt."""

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..records.finding import Finding

_PATH = re.compile(r"[A-Za-z_]\w*(\.\w+)*|\d+(\.\w+)*")
_OF_A_PARAMETER = ("weight", "bias")
_CLIPPING = ("clip_grad_norm_", "clip_grad_value_", "clip_grad_norm")


@dataclass(frozen=True, slots=True)
class Script:
    """The text of one script, read as Python.

    Attributes:
        file: Its name, as it goes into findings.
        tree: Its syntax tree, ``None`` where it is no Python.
    """

    file: str
    tree: ast.Module | None

    @classmethod
    def read(cls, file: str, source: bytes) -> "Script":
        """Return the script of a file's bytes."""
        try:
            return cls(file, ast.parse(source))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return cls(file, None)


def located(findings: Sequence[Finding], script: Script, optimizer: str = "") -> list[Finding]:
    """Return the findings with file and, where it is known, line.

    Known is a line that nothing else in the script competes with: the one place where a layer's attribute is assigned (or its place in the one
    ``Sequential``), where the optimizer is made, where gradients are clipped, where ``backward`` is called, or where the loss it is called on comes from.

    Args:
        findings: Any.
        script: The script.
        optimizer: Name of the optimizer's class.

    Limits:
        Models that are defined in other files, or by a loop, give no line.

    Example:
        >>> script = Script.read("train.py", b"model = Net()\\nopt = torch.optim.SGD(model.parameters(), lr=9)")
        >>> from kazami.records import Sentence
        >>> found = Finding("KZ201", "lr_too_high", "error", 0.9, 1, "", Sentence("", ""), family="step")
        >>> [(one.file, one.line) for one in located([found], script, "SGD")]
        [('train.py', 2)]
    """
    if not script.file:
        return list(findings)
    return [finding.replaced(file=script.file, line=line_of(finding, script, optimizer)) for finding in findings]


def line_of(finding: Finding, script: Script, optimizer: str = "") -> int | None:
    """Return the line that a finding points at, ``None`` where more than one could be meant."""
    if script.tree is None:
        return None
    nodes = list(ast.walk(script.tree))
    for is_meant, search in _SEARCHES:
        if is_meant(finding):
            return search(finding, nodes, optimizer)
    return None


def _layer(finding: Finding, nodes: list[ast.AST], optimizer: str) -> int | None:
    del optimizer
    parts = finding.place.split(".")
    if len(parts) > 1 and parts[-1] in _OF_A_PARAMETER:
        parts = parts[:-1]
    indices = [place for place, part in enumerate(parts) if not part.isdigit()]
    if not indices:
        containers = [node for node in _calls(nodes) if _name_of(node) == "Sequential"]
        return _inside(containers[0], parts) if len(containers) == 1 else None
    named = indices[-1]
    values = [value for name, value in _assigned(nodes) if name == parts[named]]
    return _inside(values[0], parts[named + 1 :]) if len(values) == 1 else None


def _inside(node: ast.expr, indices: Sequence[str]) -> int | None:
    """Return the line of the part of a container that the indices name; where the text does not list its parts, that of the container."""
    for index in indices:
        if not isinstance(node, ast.Call):
            return node.lineno
        parts = list(node.args)
        if len(parts) == 1 and isinstance(parts[0], ast.List | ast.Tuple):
            parts = list(parts[0].elts)
        if any(not isinstance(part, ast.Call) for part in parts) or int(index) >= len(parts):
            return node.lineno
        node = parts[int(index)]
    return node.lineno


def _assigned(nodes: list[ast.AST]) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names and attributes that are given the result of a call."""
    for node in nodes:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            name = target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""
            if name and isinstance(value, ast.Call):
                yield name, value


def _the_loss(finding: Finding, nodes: list[ast.AST], optimizer: str) -> int | None:
    """Return where the value comes from that ``backward`` is called on."""
    del finding, optimizer
    owners = [node.func.value for node in _calls(nodes) if isinstance(node.func, ast.Attribute) and node.func.attr == "backward"]
    if len(owners) != 1:
        return None
    if not isinstance(owners[0], ast.Name):
        return owners[0].lineno
    loss = owners[0].id
    lines = [node.lineno for node in nodes if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == loss for one in node.targets)]
    return _only(lines) if lines else owners[0].lineno


def _calls(nodes: list[ast.AST]) -> list[ast.Call]:
    return [node for node in nodes if isinstance(node, ast.Call)]


def _name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""


def _only(lines: list[int]) -> int | None:
    return lines[0] if len(lines) == 1 else None


def _called(*names: str) -> Callable[[Finding, list[ast.AST], str], int | None]:
    """Return the search for the one call of one of these names; without names, that of the optimizer."""
    return lambda finding, nodes, optimizer: _only([call.lineno for call in _calls(nodes) if _name_of(call) in (names or (optimizer,))])


def _schedule(finding: Finding, nodes: list[ast.AST], optimizer: str) -> int | None:
    del finding, optimizer
    return _only([call.lineno for call in _calls(nodes) if "lr_scheduler." in ast.unparse(call.func)])


# What a finding is about, and where the script says it; the first that fits decides.
_SEARCHES: tuple[tuple[Callable[[Finding], bool], Callable[[Finding, list[ast.AST], str], int | None]], ...] = (
    (lambda finding: finding.place == "the loss", _the_loss),
    (lambda finding: finding.place == "gradient clipping", _called(*_CLIPPING)),
    (lambda finding: finding.place == "the schedule", _schedule),
    (lambda finding: finding.place == "dropout", _called("Dropout", "dropout")),
    (lambda finding: finding.name == "no_zero_grad", _called("backward")),
    (lambda finding: finding.place == "weight decay" or (finding.family == "step" and not finding.place), _called()),
    (lambda finding: _PATH.fullmatch(finding.place) is not None, _layer),
)
