"""A published schema made strict: a document may hold nothing that the schema does not name."""

from typing import Any


def strict(schema: Any) -> Any:
    """Return the schema with every object closed that names its properties."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: strict(value) for key, value in schema.items()}
    if isinstance(closed.get("properties"), dict) and "$ref" not in closed:
        closed["additionalProperties"] = False
    return closed


def complaints(document: Any, schema: dict[str, Any]) -> list[str]:
    """Return what is wrong with a document, and what the schema does not name."""
    from jsonschema import Draft202012Validator

    return [f"{error.json_path}: {error.message[:200]}" for error in Draft202012Validator(strict(schema)).iter_errors(document)]
