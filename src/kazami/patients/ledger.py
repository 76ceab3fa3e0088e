"""What a long scoring has done so far, in a file: begun again it goes on where it stopped, as long as the code is the same."""

import hashlib
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]


class Ledger:
    """Appends results to a file of JSON lines, and knows those that were there.

    Args:
        place: The file; it is made with its first result.
        code: What the results depend on; lines of other code are passed over.
    """

    def __init__(self, place: Path, code: str) -> None:
        self.place = place
        self._code = code
        self._known = {(line["kind"], line["name"]): line["result"] for line in _lines(place) if line.get("code") == code}

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """Return a result, ``None`` where there is none yet."""
        return self._known.get((kind, name))

    def add(self, kind: str, name: str, result: dict[str, Any]) -> None:
        """Keep a result; one that says ``"error"`` only until the end of this process, so that it is tried again."""
        self._known[kind, name] = result
        if "error" in result:
            return
        with self.place.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"code": self._code, "kind": kind, "name": name, "result": result}) + "\n")


def default_place() -> Path:
    """Return a file in the directory for temporary files, another one for other code."""
    return Path(tempfile.gettempdir()) / f"kazami-score-{code_of_package()[:12]}.jsonl"


@cache
def code_of_package() -> str:
    """Return a digest of all Python files of the package."""
    digest = hashlib.sha256()
    for file in sorted(PACKAGE.rglob("*.py")):
        digest.update(file.relative_to(PACKAGE).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _lines(place: Path) -> list[dict[str, Any]]:
    try:
        text = place.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    found = []
    for line in text.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:  # torn when the machine stopped
            continue
    return [line for line in found if isinstance(line, dict) and {"kind", "name", "result"} <= set(line)]
