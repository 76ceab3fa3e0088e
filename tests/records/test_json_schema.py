"""From records to JSON Schema: how a record of another room stands in a document."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from kazami.records.json_schema import MAY_BE_ABSENT, Key, Shown, schema_of


@dataclass
class Row:
    """A row.

    Attributes:
        name: Its name.
        value: Its value.
        parts: Its parts.
        secret: Not written.
    """

    name: str
    value: float
    parts: dict[str, float]
    secret: object


@dataclass
class AbstractShared:
    """What two documents share.

    Attributes:
        steps: How many steps.
        unit: The unit.
    """

    steps: int
    unit: str


@dataclass
class Whole(AbstractShared):
    """A document.

    Attributes:
        unit: The unit, here of the rows.
        rows: Its rows.
        sums: Their sum.
        note: A note.
    """

    rows: list[Annotated[Row, Shown(or_null=True, without=("secret",), always=("name",))]]
    sums: Annotated[float, Key("x·w")]
    note: Annotated[str | None, MAY_BE_ABSENT]


@dataclass
class Twice:
    """One record in two forms."""

    bare: Annotated[Row, Shown(without=("secret",))]
    null: Annotated[Row, Shown(or_null=True, without=("secret",))]


def test_numbers_may_be_null_in_a_record_and_all_that_it_holds_where_it_is_written_so():
    row = schema_of(Whole, "whole")["$defs"]["Row"]
    number = {"anyOf": [{"$ref": "#/$defs/Number"}, {"type": "null"}]}
    assert row["properties"]["value"] == {**number, "description": "Its value."}
    assert row["properties"]["parts"]["additionalProperties"] == number
    assert set(row["properties"]) == {"name", "value", "parts"}
    assert row["required"] == ["name"]


def test_keys_are_called_as_they_are_written_and_may_be_absent():
    made = schema_of(Whole, "whole")
    assert list(made["properties"]) == ["steps", "unit", "rows", "x·w", "note"]
    assert made["required"] == ["steps", "unit", "rows", "x·w"]
    assert made["properties"]["x·w"]["description"] == "Their sum."


def test_what_documents_share_is_explained_once_and_may_be_said_better():
    said = {name: value["description"] for name, value in schema_of(Whole, "whole")["properties"].items() if "description" in value}
    assert (said["steps"], said["unit"]) == ("How many steps.", "The unit, here of the rows.")


def test_one_name_for_two_things_is_refused():
    with pytest.raises(TypeError, match="Row is described in two ways"):
        schema_of(Twice, "twice")
    with pytest.raises(TypeError, match="no form in JSON Schema"):
        schema_of(Row, "row")
