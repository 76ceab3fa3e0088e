"""Law 1: one file, one idea. File ≤ 400 lines, plug-in ≤ 150, function ≤ 40 code lines, nesting ≤ 3."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

from tests.house.tree import PLUGIN_ROOMS, Function, all_code, functions, parse, plugin_files, shown

FILE_LINES = 400
PLUGIN_LINES = 150
FUNCTION_LINES = 40
NESTING = 3

NOT_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.TryStar, ast.Match)


def too_long(file: Path, limit: int) -> list[str]:
    """Complain if ``file`` has more than ``limit`` lines."""
    count = len(file.read_text(encoding="utf-8").splitlines())
    return [f"{shown(file)} has {count} lines, at most {limit} are allowed"] if count > limit else []


def too_big_functions(file: Path) -> list[str]:
    """Complain about each function with too much code or too deep nesting."""
    lines_with_code = _lines_with_code(file.read_text(encoding="utf-8"))
    complaints = []
    for function in functions(parse(file)):
        count = len(lines_with_code & _own_lines(function))
        depth = max((_depth(statement) for statement in function.body), default=0)
        place = f"{shown(file)}:{function.lineno} {function.name}"
        if count > FUNCTION_LINES:
            complaints.append(f"{place} has {count} lines of code, at most {FUNCTION_LINES} are allowed")
        if depth > NESTING:
            complaints.append(f"{place} is nested {depth} deep, at most {NESTING} is allowed")
    return complaints


def _lines_with_code(text: str) -> set[int]:
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines


def _own_lines(function: Function) -> set[int]:
    lines = set(range(function.lineno, function.end_lineno + 1))
    if ast.get_docstring(function) is not None:
        docstring = function.body[0]
        lines -= set(range(docstring.lineno, docstring.end_lineno + 1))
    return lines


def _depth(node: ast.AST, is_elif: bool = False) -> int:
    if isinstance(node, Function | ast.ClassDef | ast.Lambda):  # measured by itself
        return 0
    own = int(isinstance(node, BLOCKS) and not is_elif)
    return own + max((_depth(child, _is_elif(node, child)) for child in ast.iter_child_nodes(node)), default=0)


def _is_elif(parent: ast.AST, child: ast.AST) -> bool:
    return isinstance(parent, ast.If) and isinstance(child, ast.If) and parent.orelse == [child]


@pytest.mark.parametrize("file", all_code(), ids=shown)
def test_files_and_functions_are_short(file):
    assert too_long(file, FILE_LINES) + too_big_functions(file) == []


@pytest.mark.parametrize("room", PLUGIN_ROOMS)
def test_plugins_are_short(room):
    assert [complaint for file in plugin_files(room) for complaint in too_long(file, PLUGIN_LINES)] == []


def test_a_long_file_is_seen(tmp_path):
    file = tmp_path / "long.py"
    file.write_text("x = 1\n" * 151)
    assert too_long(file, 150) == ["long.py has 151 lines, at most 150 are allowed"]
    assert too_long(file, 151) == []


@pytest.mark.parametrize(("n_lines", "n_complaints"), [(39, 0), (40, 1)])
def test_a_long_function_is_seen_and_its_docstring_comments_and_blanks_are_free(tmp_path, n_lines, n_complaints):
    file = tmp_path / "big.py"
    file.write_text('def big():\n    """One.\n\n    Two.\n    """\n\n    # three\n' + "    x = 1\n" * n_lines)
    assert len(too_big_functions(file)) == n_complaints


def test_deep_nesting_is_seen(tmp_path):
    file = tmp_path / "deep.py"
    file.write_text("def deep():\n  for a in b:\n    if a:\n      with a:\n        while a:\n          pass\n")
    assert too_big_functions(file) == ["deep.py:1 deep is nested 4 deep, at most 3 is allowed"]


def test_elif_is_not_deeper_and_a_function_inside_starts_anew(tmp_path):
    file = tmp_path / "flat.py"
    file.write_text(
        "def flat():\n  if a:\n    pass\n  elif b:\n    pass\n  elif c:\n    pass\n  elif d:\n    pass\n"
        "  if a:\n    if b:\n      if c:\n        def inner():\n          if d:\n            pass\n"
    )
    assert too_big_functions(file) == []
