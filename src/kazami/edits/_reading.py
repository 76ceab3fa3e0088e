"""Files as text and back: the script, the modules of its own that it imports, and their encodings."""

import ast
import io
import os
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import UsageError

BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Script:
    """A script as text.

    Attributes:
        main: Absolute path of the file that is run.
        files: Text by absolute path: that file, and the modules beside and below it that it imports. Line ends, a byte order mark and the missing newline at
            the end are in the text; :func:`encoded` gives the very bytes of the file.
    """

    main: str
    files: Mapping[str, str]


def read_script(path: str) -> Script:
    """Return the script at ``path`` with the modules of its own that it imports, found by reading them and never by importing.

    Raises:
        UsageError: There is no such file, or its text is not in the encoding that it declares.
    """
    main = os.path.abspath(path)
    if not os.path.isfile(main):
        raise UsageError(f"There should be a Python file at {path}, and there is none.")
    files: dict[str, str] = {}
    waiting = [main]
    while waiting:
        file = waiting.pop(0)
        if file not in files:
            files[file] = decoded(Path(file).read_bytes(), file)
            waiting += local_modules(file, files[file], os.path.dirname(main))
    return Script(main, files)


def decoded(content: bytes, name: str) -> str:
    """Return a file's bytes as text, in the encoding that it declares; line ends and byte order mark stay in it."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode("utf-8" if encoding == "utf-8-sig" else encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise UsageError(f"{name} should be text in the encoding that its first lines declare (UTF-8 without one), and is not: {error}.") from None


def encoded(text: str) -> bytes:
    """Return the bytes of a file with this text, in the encoding that its first lines declare.

    >>> encoded("# coding: latin-1\\nx = 'é'\\n")[-3:]
    b"\\xe9'\\n"
    """
    encoding, _ = tokenize.detect_encoding(io.BytesIO(text.encode("utf-8")).readline)
    return text.encode("utf-8" if encoding == "utf-8-sig" else encoding)


def local_modules(file: str, text: str, folder: str) -> list[str]:
    """Return the paths of the modules under ``folder`` that the file with this text imports, in order; none where the text is no Python."""
    try:
        tree = ast.parse(text.removeprefix(BOM))
    except (SyntaxError, ValueError):
        return []
    found: list[str] = []
    for base, names in _imported(tree, file, folder):
        for name in names:
            found += _files_of(base, name)
    return [path for path in dict.fromkeys(found) if path.startswith(folder + os.sep)]


def _imported(tree: ast.Module, file: str, folder: str) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield folder, [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = folder
            if node.level:
                base = os.path.normpath(os.path.join(os.path.dirname(file), *[os.pardir] * (node.level - 1)))
            stem = node.module or ""
            yield base, [name for alias in node.names for name in (stem, f"{stem}.{alias.name}".strip(".")) if name]


def _files_of(base: str, name: str) -> list[str]:
    parts = name.split(".")
    packages = [os.path.join(base, *parts[:count], "__init__.py") for count in range(1, len(parts) + 1)]
    return [path for path in [*packages, os.path.join(base, *parts) + ".py"] if os.path.isfile(path)]
