"""Changes to a program's text: each is a piece of text in the place of another, so that everything else stays byte for byte."""

import ast
import re
from collections.abc import Sequence

import libcst as cst

from ._program import Program
from ._reading import BOM, Script
from ._source import Source, Uncertain

_ROOTS = {"torch": "torch", "nn": "torch.nn", "F": "torch.nn.functional"}
_CHAIN = re.compile(r"(?<![\w.\"'])(torch|nn|F)((?:\.[A-Za-z_]\w*)+)")


class Draft:
    """What is to be written into a program.

    Args:
        program: Stays as it is.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self._splices: list[tuple[Source, int, int, bytes]] = []

    def put(self, source: Source, start: int, end: int, text: str) -> None:
        """Put text in the place of the bytes from ``start`` to ``end``; what is put twice in the same place stands there once."""
        splice = (source, start, end, text.encode("utf-8"))
        if splice not in self._splices:
            self._splices.append(splice)

    def replace(self, source: Source, node: cst.CSTNode, text: str) -> None:
        """Put text in the place of a node and its parentheses."""
        self.put(source, *source.outer_span(node), text)

    def wrap(self, source: Source, node: cst.CSTNode, before: str, after: str) -> None:
        """Put text before and after a node."""
        start, end = source.outer_span(node)
        self.put(source, start, start, before)
        self.put(source, end, end, after)

    def dedent(self, source: Source, block: cst.With) -> None:
        """Take a block's header away and move its lines to the left by one step."""
        if not isinstance(block.body, cst.IndentedBlock) or any("\n" in one.value for one in source.all(cst.SimpleString, block)):
            raise Uncertain("a block whose lines cannot be moved")
        outer = source.indent(block)
        inner = source.indent(block.body.body[0])
        start, end = source.span(block)[0] - len(outer.encode()), source.span(block)[1]
        header_end = source.raw.find(b"\n", source.span(block.items[-1])[1]) + 1
        lines = source.raw[header_end:end].decode("utf-8").split("\n")
        moved = [outer + line.removeprefix(inner) if line.startswith(inner) else line for line in lines]
        self.put(source, start, end, "\n".join(moved))

    def drop_argument(self, source: Source, call: cst.Call, one: cst.Arg) -> None:
        """Take an argument out of a call, with the comma that belongs to it."""
        index = next(number for number, other in enumerate(call.args) if other is one)
        if index:
            self.put(source, source.outer_span(call.args[index - 1].value)[1], source.outer_span(one.value)[1], "")
        elif len(call.args) > 1:
            self.put(source, source.span(one)[0], source.span(call.args[1])[0], "")
        else:
            self.replace(source, one.value, "")

    def drop_element(self, source: Source, one: cst.Arg) -> None:
        """Take the last argument out of a call, with its line where it stands on one of its own."""
        start, end = source.outer_span(one)
        line_start = source.raw.rfind(b"\n", 0, start) + 1
        line_end = source.raw.find(b"\n", end) + 1
        rest = source.raw[end:line_end].strip()
        if not source.raw[line_start:start].strip() and (rest in (b"", b",") or rest.startswith((b"#", b", #", b",  #"))) and line_end:
            self.put(source, line_start, line_end, "")
            return
        call = source.parent(one)
        index = len(call.args) - 1 if isinstance(call, cst.Call) else 0
        before = call.args[index - 1] if isinstance(call, cst.Call) else one
        self.put(source, source.outer_span(before.value)[1], source.outer_span(one.value)[1], "")

    def after_element(self, source: Source, element: cst.CSTNode, text: str) -> None:
        """Insert an element behind another of a call or list: on a line of its own where that one stands on one."""
        value_end = source.outer_span(element.value)[1]  # type: ignore[attr-defined]
        start = source.outer_span(element)[0]
        head = source.raw[source.raw.rfind(b"\n", 0, start) + 1 : start].decode("utf-8")
        end = source.raw.find(b"\n", value_end)
        rest = source.raw[value_end:end].split(b"#")[0].strip()
        if head.strip() == "" and rest == b"," and end >= 0:  # the comma, and a comment behind it, stay with the old element
            self.put(source, end + 1, end + 1, f"{head}{text},{source.newline.decode()}")
        else:
            self.put(source, value_end, value_end, f", {text}")

    def before(self, source: Source, node: cst.CSTNode, code: str) -> None:
        """Insert lines before the statement that a node is in."""
        statement, small = source.statement(node), _small(source, node)
        if small is not None and _line_of(statement)[0] is not small:  # behind a semicolon
            start = source.span(small)[0]
            self.put(source, start, start, _in_one_line(code))
            return
        indent = source.indent(statement)
        start = source.span(statement)[0] - len(indent.encode())
        if isinstance(statement, cst.FunctionDef | cst.ClassDef) and statement.decorators:
            raise Uncertain("a decorated definition")
        self.put(source, start, start, self._block(source, code, indent))

    def after(self, source: Source, node: cst.CSTNode, code: str) -> None:
        """Insert lines after the statement that a node is in (or is)."""
        statement, small = source.statement(node), _small(source, node)
        if small is not None and _line_of(statement)[-1] is not small:
            end = source.span(small)[1]
            self.put(source, end, end, "; " + _in_one_line(code).removesuffix("; "))
            return
        indent = source.indent(statement)
        end = source.raw.find(b"\n", source.span(statement)[1])
        block = self._block(source, code, indent)
        if end < 0:  # the last line of a file without a newline at its end: there is none afterwards either
            line_end = source.newline.decode()
            self.put(source, len(source.raw), len(source.raw), line_end + block.removesuffix(line_end))
        else:
            end = end + 1 + (_footer(source, end + 1, indent) if isinstance(statement, cst.BaseCompoundStatement) else 0)
            self.put(source, end, end, block)

    def delete(self, source: Source, node: cst.CSTNode) -> None:
        """Delete the statement that a node is in, with its line; the only one of a block leaves ``pass`` behind."""
        statement, small = source.statement(node), _small(source, node)
        if small is not None and len(_line_of(statement)) > 1:
            raise Uncertain("several statements on one line")
        indent = source.indent(statement)
        if len(source.siblings(statement)) < 2:
            self.replace(source, small or statement, "pass")
            return
        end = source.raw.find(b"\n", source.span(statement)[1])
        self.put(source, source.span(statement)[0] - len(indent.encode()), len(source.raw) if end < 0 else end + 1, "")

    def rooted(self, source: Source, code: str) -> str:
        """Return code in which what begins with ``torch``, ``nn`` or ``F`` is written as the file names it; ``import torch`` is added where nothing fits."""
        parts = [_parts(line) for line in code.splitlines(keepends=True)]
        return "".join(_CHAIN.sub(lambda match: self._named(source, match), statement) + comment for statement, comment in parts)

    def _named(self, source: Source, match: re.Match[str]) -> str:
        full = (_ROOTS[match[1]] + match[2]).split(".")
        names = {meaning: alias for alias, meaning in source.imports.items() if meaning.split(".")[0] == "torch"}
        for length in range(len(full), 0, -1):
            alias = names.get(".".join(full[:length]))
            if alias is not None:
                return ".".join([alias, *full[length:]])
        self.add_import(source, "import torch", "torch")
        return ".".join(full)

    def add_import(self, source: Source, line: str, name: str) -> None:
        """Add an import behind the first one of the file, unless the name is imported."""
        if name in source.imports:
            return
        first = next((one for one in source.module.body if _is_import(one) and "__future__" not in source.code(one)), None)
        if first is None:
            raise Uncertain("no import to add another to")
        self.before(source, first, line)

    def indented(self, source: Source, code: str, statement: cst.CSTNode) -> str:
        """Return lines to stand directly before a statement on its line: all but the first indented as it is, the last without a line end."""
        indent = source.indent(statement)
        return self._block(source, code, indent).removeprefix(indent).removesuffix(source.newline.decode())

    def _block(self, source: Source, code: str, indent: str) -> str:
        step = _step_of(source)
        line_end = source.newline.decode()
        lines = [re.sub(r"^(?:    )+", lambda match: step * (len(match[0]) // 4), line) for line in code.splitlines()]
        return "".join(f"{indent}{line}{line_end}" for line in lines)

    def script(self) -> Script | None:
        """Return the script with everything put in its place; ``None`` where nothing was, or where a file would no longer be Python."""
        files = dict(self.program.script.files)
        for source in self.program.sources:
            own = [splice for splice in self._splices if splice[0] is source]
            if own:
                text = _spliced(source.raw, own)
                ast.parse(text)
                files[source.path] = (BOM if source.text.startswith(BOM) else "") + text
        return Script(self.program.script.main, files) if files != dict(self.program.script.files) else None


def _spliced(raw: bytes, splices: Sequence[tuple[Source, int, int, bytes]]) -> str:
    result, last = b"", 0
    for _, start, end, text in sorted(splices, key=lambda one: (one[1], one[2])):  # in the order of the text; of equal places the first written first
        if start < last:
            raise Uncertain("two changes of one place")
        result += raw[last:start] + text
        last = end
    return (result + raw[last:]).decode("utf-8")


def _small(source: Source, node: cst.CSTNode) -> cst.BaseSmallStatement | None:
    return (
        next((one for one in (node, *source.around(node)) if isinstance(one, cst.BaseSmallStatement)), None)
        if not isinstance(node, cst.SimpleStatementLine | cst.BaseCompoundStatement)
        else None
    )


def _footer(source: Source, start: int, indent: str) -> int:
    """Return how many bytes of comments behind a block belong to it, by their indentation."""
    length = taken = 0
    for line in source.raw[start:].split(b"\n")[:-1]:
        text = line.strip()
        length += len(line) + 1
        if text.startswith(b"#") and len(line) - len(line.lstrip()) > len(indent):
            taken = length
        elif text:
            break
    return taken


def _line_of(statement: cst.CSTNode) -> list[cst.BaseSmallStatement]:
    return list(statement.body) if isinstance(statement, cst.SimpleStatementLine) else []


def _in_one_line(code: str) -> str:
    lines = [line.split("  #")[0] for line in code.splitlines()]
    if any(line.startswith((" ", "\t")) or line.endswith(":") for line in lines):
        raise Uncertain("a block does not fit on a line with others")
    return "; ".join(lines) + "; "


def _parts(line: str) -> tuple[str, str]:
    match = re.search(r"(^|\s)#.*\n?$", line)
    return (line[: match.start()], line[match.start() :]) if match else (line, "")


def _is_import(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], cst.Import | cst.ImportFrom)


def _step_of(source: Source) -> str:
    """Return what the file indents its blocks by."""
    return source.module.default_indent or "    "
