"""Notes that people put on steps of a run: lines of ``marks.jsonl`` in its directory."""

import json
import os
import stat
from pathlib import Path
from typing import BinaryIO

from ..records.finding import Sentence
from ..reports.view_data import EventFlag

MARKS = "marks.jsonl"
MOST_MARKS, MOST_TEXT, MOST_BYTES = 200, 200, 200_000


def read_marks(place: Path) -> list[EventFlag]:
    """Return the notes on a run; lines that are none are passed over."""
    try:
        with _opened(place, os.O_RDONLY) as file:
            content = file.read(MOST_BYTES)
    except OSError:
        return []
    marks: list[EventFlag] = []
    for line in content.splitlines()[:MOST_MARKS]:
        try:
            found = json.loads(line)
            text = str(found["text"])[:MOST_TEXT]
            marks.append(EventFlag("mark", int(found["step"]), Sentence(text, text)))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            continue
    return marks


def add_mark(place: Path, step: int, text: str) -> bool:
    """Append a note; ``False`` where there are too many already."""
    if len(read_marks(place)) >= MOST_MARKS:
        return False
    line = json.dumps({"step": step, "text": text[:MOST_TEXT]}, ensure_ascii=False)
    with _opened(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT) as file:
        file.write(line.encode() + b"\n")
    return True


def _opened(place: Path, how: int) -> BinaryIO:
    """Open the notes of a run, if they are a file: a link may lead anywhere, and a pipe may keep us waiting."""
    number = os.open(place / MARKS, how | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0), 0o666)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError(f"{MARKS} should be a file.")
    return os.fdopen(number, "rb" if how == os.O_RDONLY else "ab")
