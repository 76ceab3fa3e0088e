"""Unified diffs of a script, byte for byte: line ends, encodings and missing newlines stay what they are."""

import os
import re
from difflib import unified_diff as lines_that_differ

from ._reading import Script, encoded

_MISSING = "\n\\ No newline at end of file\n"


def unified_diff(before: Script, after: Script, *, root: str) -> str:
    """Return the changes from one script to another as ``patch -p1`` and ``git apply`` take them, with paths relative to ``root``.

    Limits:
        The text is for reading. Where a file is not in UTF-8, a patch must hold its bytes: see :func:`diff_bytes`.
    """
    return "".join(text for _, text in _diffs(before, after, root))


def diff_bytes(before: Script, after: Script, *, root: str) -> bytes:
    """Return the same diff as the bytes to write, each file's lines in its own encoding."""
    return b"".join(encoded_lines(text, before.files.get(path, after.files[path])) for path, text in _diffs(before, after, root))


def encoded_lines(diff: str, file: str) -> bytes:
    """Return the diff of one file as bytes, in that file's encoding."""
    cookie = "\n".join(line for line in file.split("\n")[:2] if re.match(r"^\ufeff?[ \t\f]*#", line))
    head = f"{cookie}\n" if cookie else "\n\n"
    return encoded(head + diff)[len(encoded(head)) :]


def _diffs(before: Script, after: Script, root: str) -> list[tuple[str, str]]:
    changed = sorted(path for path in after.files if before.files.get(path) != after.files[path])
    return [(path, _of_one_file(path, before.files.get(path, ""), after.files[path], root)) for path in changed]


def _of_one_file(path: str, before: str, after: str, root: str) -> str:
    name = os.path.relpath(path, root).replace(os.sep, "/")
    end = "\t" if re.search(r"\s", name) else ""  # where a name with a space in it ends
    lines = list(lines_that_differ(_lines(before), _lines(after), f"a/{name}{end}", f"b/{name}{end}", n=3))
    return "".join(line if line.endswith("\n") else line + _MISSING for line in lines)


def _lines(text: str) -> list[str]:
    """Return the lines of a text with their ends; form feeds and other separators end none."""
    return re.findall(r"[^\n]*\n|[^\n]+$", text)
