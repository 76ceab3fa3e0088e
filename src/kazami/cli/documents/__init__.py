"""What each document of ``--json`` holds, as records: one file a document; their JSON Schemas are made from these classes.

The classes are descriptions, never filled: a command writes its own result, and the tests hold what it wrote against the schema.
"""

from typing import Any

from ...errors import unknown_name
from ...records.json_schema import schema_of
from ...registry import plugins
from ._base import AbstractDocument


def all_documents() -> dict[str, type[AbstractDocument]]:
    """Return the description of every document by its name."""
    return {kind.document: kind for kind in plugins(__name__, AbstractDocument)}


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema of one document.

    Raises:
        UnknownName: There is no such document; the closest is proposed.

    Example:
        >>> schema("run")["properties"]["schema"]["enum"]
        [1]
    """
    known = all_documents()
    if name not in known:
        raise unknown_name("schema", name, known)
    return schema_of(known[name], name)


__all__ = ["AbstractDocument", "all_documents", "schema"]
