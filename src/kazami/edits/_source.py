"""One file of a script, parsed: where each node stands, what is around it, and what its names mean."""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import TypeVar

import libcst as cst
from libcst.metadata import ByteSpanPositionProvider, MetadataWrapper, ParentNodeProvider

from ._reading import BOM

Node = TypeVar("Node", bound=cst.CSTNode)
Loop = cst.For | cst.While
LOOPS = (cst.For, cst.While)
Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


class Uncertain(Exception):
    """A place was not found with certainty, so that nothing is written."""


class Source:
    """A parsed file.

    Args:
        path: Absolute.
        text: What stands in it.

    Raises:
        libcst.ParserSyntaxError: The text is no Python that libcst knows.
    """

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.raw = text.removeprefix(BOM).encode("utf-8")
        wrapper = MetadataWrapper(cst.parse_module(self.raw.decode("utf-8")), unsafe_skip_copy=True)
        self.module = wrapper.module
        self._spans = wrapper.resolve(ByteSpanPositionProvider)
        self._parents = wrapper.resolve(ParentNodeProvider)
        self._by_kind: dict[type[cst.CSTNode], list[cst.CSTNode]] = {}

    @cached_property
    def newline(self) -> bytes:
        """The line end of the file."""
        return self.module.default_newline.encode()

    @cached_property
    def nodes(self) -> tuple[cst.CSTNode, ...]:
        """All nodes in the order of the text."""
        return tuple(self._reach)

    @cached_property
    def _reach(self) -> dict[cst.CSTNode, tuple[int, int]]:
        """Where each node stands in the order of the text, and where what is in it ends."""
        found: dict[cst.CSTNode, tuple[int, int]] = {}

        def visit(node: cst.CSTNode) -> None:
            start = len(found)
            found[node] = (start, start)
            for child in node.children:
                visit(child)
            found[node] = (start, len(found))

        visit(self.module)
        return found

    def all(self, kind: type[Node], within: cst.CSTNode | None = None) -> list[Node]:
        """Return all nodes of a kind, in the order of the text."""
        if within is None:
            if kind not in self._by_kind:
                self._by_kind[kind] = [node for node in self.nodes if isinstance(node, kind)]
            return [node for node in self._by_kind[kind] if isinstance(node, kind)]
        start, end = self._reach[within]
        return [node for node in self.nodes[start:end] if isinstance(node, kind)]

    def has(self, node: cst.CSTNode | None) -> bool:
        """Return whether a node is one of this file."""
        return node in self._reach

    def span(self, node: cst.CSTNode) -> tuple[int, int]:
        """Return where a node begins and ends, in bytes of UTF-8, with its parentheses."""
        span = self._spans[node]
        return span.start, span.start + span.length

    def outer_span(self, node: cst.CSTNode) -> tuple[int, int]:
        """Return where an expression begins and ends, its parentheses included."""
        start, end = self.span(node)
        for left in reversed(getattr(node, "lpar", ())):
            start = min(start, self.span(left)[0])
        for right in getattr(node, "rpar", ()):
            end = max(end, self.span(right)[1])
        return start, end

    def code(self, node: cst.CSTNode) -> str:
        """Return the text of a node, without comments before it."""
        start, end = self.outer_span(node)
        return self.raw[start:end].decode("utf-8")

    def line(self, node: cst.CSTNode) -> int:
        """Return the number of the line on which a node begins."""
        return self.raw.count(b"\n", 0, self.span(node)[0]) + 1

    def parent(self, node: cst.CSTNode) -> cst.CSTNode:
        """Return what a node is a part of."""
        return self._parents[node]

    def around(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield what is around a node, from the inside to the module."""
        while not isinstance(node, cst.Module):
            node = self._parents[node]
            yield node

    def nearest(self, node: cst.CSTNode, *kinds: type[Node]) -> Node | None:
        """Return the innermost of some kinds around a node."""
        return next((one for one in self.around(node) if isinstance(one, kinds)), None)

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """Return the function around a node."""
        return self.nearest(node, cst.FunctionDef)

    def owner(self, node: cst.CSTNode) -> cst.ClassDef | None:
        """Return the class around a node."""
        return self.nearest(node, cst.ClassDef)

    def statement(self, node: cst.CSTNode) -> Statement:
        """Return the statement that a node is in (or is), the innermost one."""
        for one in (node, *self.around(node)):
            if isinstance(one, cst.SimpleStatementLine | cst.BaseCompoundStatement):
                return one
            if isinstance(one, cst.SimpleStatementSuite):
                raise Uncertain("a block on the line of its header")
        raise Uncertain("no statement")

    def siblings(self, statement: cst.CSTNode) -> list[cst.CSTNode]:
        """Return the statements of the block that a statement stands in."""
        parent = self.parent(statement)
        return list(parent.body) if isinstance(parent, cst.IndentedBlock | cst.Module) else []

    def loops(self, node: cst.CSTNode) -> list[Loop]:
        """Return the loops around a node within its function, the innermost first."""
        found: list[Loop] = []
        for one in self.around(node):
            if isinstance(one, cst.FunctionDef | cst.ClassDef | cst.Lambda):
                break
            if isinstance(one, LOOPS):
                found.append(one)
        return found

    def indent(self, statement: cst.CSTNode) -> str:
        """Return the whitespace in front of a statement."""
        start = self.span(statement)[0]
        head = self.raw[self.raw.rfind(b"\n", 0, start) + 1 : start].decode("utf-8")
        if head.strip():
            raise Uncertain("something stands before the statement on its line")
        return head.replace("\f", "")

    def outermost_loop(self, node: cst.CSTNode) -> Loop:
        """Return the outermost loop around a node within its function."""
        loops = self.loops(node)
        if not loops:
            raise Uncertain("no loop")
        return loops[-1]

    def comes_before(self, first: cst.CSTNode, second: cst.CSTNode) -> bool:
        """Return whether one node ends before another begins."""
        return self.span(first)[1] <= self.span(second)[0]

    def is_in(self, node: cst.CSTNode, outer: cst.CSTNode) -> bool:
        """Return whether a node is a part of another, or is it."""
        return node is outer or any(one is outer for one in self.around(node))

    @cached_property
    def imports(self) -> dict[str, str]:
        """What each imported name stands for: ``{"nn": "torch.nn", "SGD": "torch.optim.SGD"}``; relative imports without their dots."""
        found: dict[str, str] = {}
        for statement in self.all(cst.Import):
            for alias in statement.names:
                name = dotted(alias.name)
                if alias.asname is not None:
                    found[dotted(alias.asname.name)] = name
                else:
                    found[name.split(".")[0]] = name.split(".")[0]
        for other in self.all(cst.ImportFrom):
            module = dotted(other.module) if other.module is not None else ""
            for alias in () if isinstance(other.names, cst.ImportStar) else other.names:
                name = dotted(alias.name)
                found[dotted(alias.asname.name) if alias.asname is not None else name] = f"{module}.{name}".strip(".")
        return found

    @cached_property
    def stars(self) -> tuple[str, ...]:
        """The modules of which all names are imported."""
        return tuple(dotted(one.module) for one in self.all(cst.ImportFrom) if isinstance(one.names, cst.ImportStar) and one.module is not None)

    @cached_property
    def defined(self) -> frozenset[str]:
        """The names of the functions and classes of the file."""
        return frozenset(node.name.value for node in self.nodes if isinstance(node, cst.FunctionDef | cst.ClassDef))

    def meaning(self, node: cst.CSTNode) -> str:
        """Return what a dotted name stands for, ``"torch.optim.SGD"``; empty for what was not imported.

        A name that may come from ``from torch.nn import *`` is taken to do so where the file does not define it.
        """
        name = dotted(node)
        first, _, rest = name.partition(".")
        if first in self.imports:
            return f"{self.imports[first]}.{rest}".strip(".")
        if first and first not in self.defined and first[:1].isupper():
            return next((f"{star}.{name}" for star in self.stars if star.startswith("torch")), "")
        return ""

    def called(self, node: cst.CSTNode) -> str:
        """Return what is called by a call (see :meth:`meaning`), empty for anything else."""
        return short_of_torch(self.meaning(node.func)) if isinstance(node, cst.Call) else ""


def short_of_torch(name: str) -> str:
    """Return a name of torch in its usual place: ``torch.optim.adam.Adam`` is ``torch.optim.Adam``.

    >>> short_of_torch("torch.optim.adam.Adam"), short_of_torch("torch.nn.modules.Linear"), short_of_torch("torch.nn.functional.relu")
    ('torch.optim.Adam', 'torch.nn.Linear', 'torch.nn.functional.relu')
    """
    parts = name.split(".")
    if name.startswith("torch.nn.modules."):
        return f"torch.nn.{parts[-1]}"
    if name.startswith("torch.optim.") and len(parts) == 4 and parts[2] not in ("lr_scheduler", "swa_utils"):
        return f"torch.optim.{parts[-1]}"
    return name


@lru_cache(maxsize=64)
def parsed(path: str, text: str) -> Source:
    """Return a parsed file; it never changes, so that several edits may look at one."""
    return Source(path, text)


def dotted(node: cst.CSTNode | None) -> str:
    """Return a name or a chain of attributes as text, ``"self.model"``; empty for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr.value}" if base else ""
    return ""


def receiver(node: cst.CSTNode) -> cst.BaseExpression | None:
    """Return what a method is called on, ``x`` of ``x.sigmoid()``; ``None`` for anything that is no such call."""
    return node.func.value if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) else None


def argument(call: cst.Call, position: int | None, *keywords: str) -> cst.Arg | None:
    """Return the argument of a call by keyword, or by position (from 0); ``None`` where it is not given or hidden behind a star."""
    for one in call.args:
        if one.keyword is not None and one.keyword.value in keywords:
            return one
    if position is None:
        return None
    positional = [one for one in call.args if one.keyword is None and one.star != "**"]
    if any(one.star for one in positional[: position + 1]):
        return None
    return positional[position] if position < len(positional) else None
