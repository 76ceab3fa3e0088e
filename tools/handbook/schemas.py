"""The page of the JSON documents: for each the commands that write it, its keys and what they mean, and its schema to download."""

from typing import Any

from .staging import Pages
from .tables import table

LEAD = "What the commands write with `--json`, made from the same Python records as the [JSON Schemas](json.md). A key marked ° is not always there."
HEADER = ("key", "form", "what it says")


def pages() -> Pages:
    """Return the one page."""
    from kazami.cli.documents import all_documents

    return {"schemas.md": "# JSON documents\n\n" + LEAD + "\n\n" + "\n\n".join(section(name, kind) for name, kind in sorted(all_documents().items())) + "\n"}


def section(name: str, kind: Any) -> str:
    """Return what is said of one document."""
    from kazami.cli.documents import schema

    made = schema(name)
    by = ", ".join(f"`{command}`" for command in kind.commands)
    parts = [f"## {name}", made["description"], f"Written by {by}. Schema: [{name}.json](files/docs/schemas/{name}.json)", keys(made)]
    for inner, one in made["$defs"].items():
        if "properties" in one:
            parts += [f"**{inner}**: {one['description']}", keys(one)]
    return "\n\n".join(parts)


def keys(one: dict[str, Any]) -> str:
    """Return the table of an object's keys."""
    required = one["required"]
    rows = [(f"`{key}`{'' if key in required else '°'}", form(value), value.get("description", "")) for key, value in one["properties"].items()]
    return table(HEADER, rows)


def form(value: dict[str, Any]) -> str:
    """Return the form of a value in one phrase.

    >>> form({"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Number"}}, {"type": "null"}]})
    'list of number, or null'
    """
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return "number" if name == "Number" else name
    if "anyOf" in value:
        return ", or ".join(form(one) for one in value["anyOf"])
    if "enum" in value:
        return " · ".join(f"`{one}`" for one in value["enum"])
    if value.get("type") == "array":
        return f"list of {form(value['items'])}" if "items" in value else "[" + ", ".join(form(one) for one in value["prefixItems"]) + "]"
    if value.get("type") == "object":
        return f"object of {form(value['additionalProperties'])}"
    return str(value.get("type", "anything"))
