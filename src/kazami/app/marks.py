"""Notes that people put on steps of a run: lines of ``marks.jsonl`` in its directory."""

import json
from pathlib import Path

from ..records.finding import Sentence
from ..reports.view_data import EventFlag

MARKS = "marks.jsonl"
MOST_MARKS, MOST_TEXT, MOST_BYTES = 200, 200, 200_000


def read_marks(place: Path) -> list[EventFlag]:
    """Return the notes on a run; lines that are none are passed over."""
    try:
        content = (place / MARKS).read_bytes()[:MOST_BYTES]
    except OSError:
        return []
    marks: list[EventFlag] = []
    for line in content.splitlines()[:MOST_MARKS]:
        try:
            found = json.loads(line)
            text = str(found["text"])[:MOST_TEXT]
            marks.append(EventFlag("mark", int(found["step"]), Sentence(text, text)))
        except (ValueError, TypeError, KeyError):
            continue
    return marks


def add_mark(place: Path, step: int, text: str) -> bool:
    """Append a note; ``False`` where there are too many already."""
    if len(read_marks(place)) >= MOST_MARKS:
        return False
    line = json.dumps({"step": step, "text": text[:MOST_TEXT]}, ensure_ascii=False)
    with open(place / MARKS, "a", encoding="utf-8") as file:
        file.write(line + "\n")
    return True
