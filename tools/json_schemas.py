"""Writes the published JSON Schemas from the Python records: ``python tools/json_schemas.py`` (``--check`` only says whether they are the same).

Read are the records in ``kazami/cli/documents``; written is one file each in ``docs/schemas``.
"""

import json
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "docs" / "schemas"


def files() -> dict[str, str]:
    """Return the text of every file by its name."""
    from kazami.cli.documents import all_documents, schema

    return {f"{name}.json": json.dumps(schema(name), ensure_ascii=False, indent=2) + "\n" for name in all_documents()}


def written() -> dict[str, str]:
    """Return what is there."""
    return {file.name: file.read_text(encoding="utf-8") for file in TARGET.glob("*.json")}


if __name__ == "__main__":
    wanted = files()
    if "--check" in sys.argv:
        sys.exit(0 if written() == wanted else "docs/schemas is out of date: python tools/json_schemas.py")
    TARGET.mkdir(parents=True, exist_ok=True)
    for name in written().keys() - wanted.keys():
        (TARGET / name).unlink()
    for name, text in wanted.items():
        (TARGET / name).write_text(text, encoding="utf-8")
