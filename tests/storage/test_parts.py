"""Names and contents of parts."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kazami.storage.parts import SCHEMA, Part, PartName, encoded, joined, part_name


@pytest.mark.parametrize("name", ["part-1-200.parquet", "part-0-0.parquet", "part-201-400-r7.parquet", "part-1-2.safetensors", "part--1-3.parquet"])
def test_name_round_trip(name):
    assert str(part_name(name)) == name


@pytest.mark.parametrize(
    "name", [".tmp-part-1-2.parquet", "part-1-2.parquet.tmp", "part-1-2.parquet~", "part-1.parquet", "part-a-b.parquet", "xpart-1-2.parquet"]
)
def test_other_names_are_no_parts(name):
    assert part_name(name) is None


def test_rank_0_has_no_suffix():
    assert str(PartName(1, 2)) == "part-1-2.parquet"


def test_rows_come_back_with_nan_and_infinity():
    table, refused = encoded([(1, {"loss": math.nan, "a/000": math.inf}), (2, {"loss": -math.inf}), (3, {})])
    part = Part.from_bytes(Part(table, 5, ("part-1-1.parquet",)).to_bytes())
    assert refused == []
    assert (part.order, part.supersedes) == (5, ("part-1-1.parquet",))
    assert part.table.schema == SCHEMA
    assert part.table["step"].to_pylist() == [1, 1, 2]
    assert part.table["series"].to_pylist() == ["loss", "a/000", "loss"]
    np.testing.assert_array_equal(part.table["value"].to_numpy(), [math.nan, math.inf, -math.inf])


def test_file_is_a_plain_long_table_in_zstd():
    table, _ = encoded([(step, {"loss": 1.0 / step, "b": 2.0}) for step in range(1, 50)])
    content = Part(table).to_bytes()
    file = pq.ParquetFile(pa.BufferReader(content))
    assert file.schema_arrow.names == ["step", "series", "value"]
    assert {file.metadata.row_group(0).column(i).compression for i in range(3)} == {"ZSTD"}


def test_what_is_no_number_is_left_out_and_named():
    table, refused = encoded([(1, {"loss": 1.0, "note": "x"}), (2, {"loss": [], "note": 2})])
    assert table.to_pylist() == [{"step": 1, "series": "loss", "value": 1.0}, {"step": 2, "series": "note", "value": 2.0}]
    assert sorted(refused) == ["loss", "note"]


def test_no_rows_are_an_empty_table():
    assert encoded([])[0].num_rows == 0
    assert joined([]).schema == SCHEMA


def test_joined_tables_share_one_dictionary():
    tables = [encoded([(1, {"a": 1.0})])[0], encoded([(2, {"b": 2.0, "a": 3.0})])[0]]
    assert joined(tables)["series"].to_pylist() == ["a", "b", "a"]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all" * 10])
def test_torn_part_is_a_value_error(content):
    with pytest.raises(ValueError):
        Part.from_bytes(content)


def test_truncated_and_foreign_tables():
    whole = Part(encoded([(1, {"a": 1.0})])[0]).to_bytes()
    for cut in range(0, len(whole), 37):
        with pytest.raises(ValueError):
            Part.from_bytes(whole[:cut])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"step": [1], "series": ["loss"], "value": [0.5]}), sink)
    assert Part.from_bytes(sink.getvalue().to_pybytes()).table.to_pylist() == [{"step": 1, "series": "loss", "value": 0.5}]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"step": [1], "series": pa.array([None], pa.string()), "value": [0.5]}), sink)
    with pytest.raises(ValueError, match="without"):
        Part.from_bytes(sink.getvalue().to_pybytes())
