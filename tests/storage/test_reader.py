"""A run is read as it was written; what cannot be read is named and left out."""

import json
import math

import numpy as np
import pytest

from kazami.errors import NewerFormat, RunNotFound, RunUnreadable
from kazami.records import Evidence, Finding, Layer, Prescription, RunInfo, Sentence, Series, Trace
from kazami.storage import RunWriter, open_run, trace_head
from kazami.storage.parts import Part, encoded
from kazami.storage.store import Store

LAYERS = tuple(Layer(str(n), "linear", (4, 4), 4, 4) for n in range(3))
FINDING = Finding(
    "KZ101",
    "vanishing_gradient",
    "error",
    0.9,
    12,
    "0",
    Sentence("Calm.", "無風。"),
    evidence=(Evidence("attenuation", math.inf, 3.5, "decades"),),
    prescriptions=(Prescription("he", {"gain": 2.0}, "x", Sentence("Do.", "する。")),),
)


@pytest.fixture(params=["local", "memory"])
def place(request, tmp_path):
    return str(tmp_path / "run") if request.param == "local" else f"memory://{tmp_path.name}/run"


def written(place, rows, **changes):
    writer = RunWriter(place, RunInfo("run", trace=trace_head(Trace(step=0, layers=LAYERS))))
    for step, values in rows:
        writer.append(step, values)
    writer.close(**changes)
    assert writer.problems == []
    return open_run(place)


def test_everything_comes_back(place):
    rows = [
        (1, {"loss": 2.5, "gradient_norm/000": 1.0, "gradient_norm/002": 3.0}),
        (2, {"loss": math.nan}),
        (3, {"loss": math.inf, "gradient_norm/001": -math.inf}),
    ]
    changes = {
        "ended": "2026-01-02T03:04:05Z",
        "reason": "finished",
        "exit_code": 0,
        "steps": 3,
        "findings": [FINDING.to_dict()],
        "wind": {"word": "calm", "value": math.nan},
    }
    run = written(place, rows, **changes)
    series = run.series()
    assert set(series) == {"loss", "gradient_norm"}
    assert series["loss"].steps.tolist() == [1, 2, 3]
    assert series["loss"].steps.dtype == np.int64
    np.testing.assert_array_equal(series["loss"].values, [2.5, math.nan, math.inf])
    assert series["gradient_norm"].steps.tolist() == [1, 3]
    np.testing.assert_array_equal(series["gradient_norm"].values, [[1.0, math.nan, 3.0], [math.nan, -math.inf, math.nan]])
    assert run.findings == [FINDING]
    assert (run.info.reason, run.info.exit_code, run.info.steps) == ("finished", 0, 3)
    assert math.isnan(run.info.wind["value"])
    trace = run.trace()
    assert (trace.step, trace.layers) == (3, LAYERS)
    assert set(trace.series) == set(series)
    assert run.problems == []


def test_table_is_long(place):
    run = written(place, [(1, {"b": 1.0, "a": 2.0}), (2, {"a": 3.0})])
    assert run.table().to_pydict() == {"step": [1, 1, 2], "series": ["b", "a", "a"], "value": [1.0, 2.0, 3.0]}


def test_matrix_has_a_column_for_every_layer_even_if_the_last_were_never_seen(place):
    assert written(place, [(1, {"q/001": 1.0})]).series()["q"].values.shape == (1, 3)


def test_more_layers_than_the_head_knows(place):
    assert written(place, [(1, {"q/1002": 1.0, "q/007": 2.0})]).series()["q"].values.shape == (1, 1003)


def test_names_that_only_look_like_layers_are_scalars(place):
    series = written(place, [(1, {"q/7": 1.0, "/001": 1.0, "a/b": 1.0, "a/c/001": 2.0})]).series()
    assert {name: one.values.ndim for name, one in series.items()} == {"q/7": 1, "/001": 1, "a/b": 1, "a/c": 2}


def test_steps_in_any_order_come_back_rising_and_the_newer_number_counts(place):
    run = written(place, [(5, {"loss": 5.0}), (2, {"loss": 2.0}), (5, {"loss": 5.5}), (3, {"loss": 3.0})])
    assert run.series()["loss"].steps.tolist() == [2, 3, 5]
    assert run.series()["loss"].values.tolist() == [2.0, 3.0, 5.5]
    assert run.table()["step"].to_pylist() == [2, 5, 3]


def test_run_without_numbers(place):
    run = written(place, [])
    assert run.series() == {}
    assert run.table().num_rows == 0
    assert run.events() == []
    assert run.trace().step == 0
    assert isinstance(run.trace()["loss"], Series)


def test_ranks_are_kept_apart(place):
    writers = [RunWriter(place, RunInfo("job"), rank=rank) for rank in (1, 0)]
    for rank, writer in zip((1, 0), writers, strict=True):
        writer.append(1, {"loss": float(rank)})
        writer.event("finding", 1, {"rank": rank})
        writer.close()
    run = open_run(place)
    assert run.ranks() == [0, 1]
    assert [run.series(rank=rank)["loss"].values.tolist() for rank in (0, 1)] == [[0.0], [1.0]]
    assert [event["data"]["rank"] for event in run.events()] == [1, 0]
    assert set(Store(place).names("metrics")) == {"part-1-1.parquet", "part-1-1-r1.parquet"}


def test_events_come_back(place):
    writer = RunWriter(place, RunInfo("run"))
    writer.event("finding", 3, {"norm": math.inf, "shape": (2, 3)})
    writer.close()
    (event,) = open_run(place).events()
    assert event.pop("time") > 1e9
    assert event == {"kind": "finding", "step": 3, "data": {"norm": math.inf, "shape": [2, 3]}}


def test_torn_events(place):
    run = written(place, [])
    Store(place).put("events.jsonl", b'{"kind": "a", "step": 1}\nrubbish\n{"kind": "b", "step": 2}\n{"kind": "c", "st')
    assert [event["kind"] for event in run.events()] == ["a", "b"]
    assert run.problems == ["events.jsonl: 1 lines cannot be read and are left out."]


def test_foreign_overlapping_parts_without_a_word_on_what_they_supersede(place):
    run = written(place, [])
    for steps in ((1, 2), (3, 4), (1, 4)):
        table = encoded([(step, {"loss": float(step)}) for step in range(steps[0], steps[1] + 1)])[0]
        Store(place).put(f"metrics/part-{steps[0]}-{steps[1]}.parquet", Part(table).to_bytes())
    assert run.series()["loss"].values.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert run.table().num_rows == 4


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[: len(whole) // 2], lambda whole: b"", lambda whole: b"x" * len(whole), lambda whole: whole[:-4] + b"XXXX"]
)
def test_damaged_part_is_left_out_and_named(place, damage):
    run = written(place, [(1, {"loss": 1.0})])
    store = Store(place)
    store.put("metrics/part-2-3.parquet", damage(store.read("metrics/part-1-1.parquet")))
    for _ in range(2):
        assert run.series()["loss"].values.tolist() == [1.0]
    assert len(run.problems) == 1
    assert "metrics/part-2-3.parquet cannot be read" in run.problems[0]


def test_temporary_and_foreign_files_are_ignored(place):
    run = written(place, [(1, {"loss": 1.0})])
    for name in (".writing-1-1", ".tmp-part-2-3.parquet", "part-2-3.parquet.part", "notes.txt", "part-2-3.safetensors"):
        Store(place).put(f"metrics/{name}", b"rubbish")
    assert run.series()["loss"].values.tolist() == [1.0]
    assert run.problems == []


def test_part_that_vanishes_between_listing_and_reading(place, monkeypatch):
    run = written(place, [(1, {"loss": 1.0})])
    store = Store(place)
    read = Store.read
    table = encoded([(2, {"loss": 2.0})])[0]
    store.put("metrics/part-2-2.parquet", Part(table, 2).to_bytes())

    def read_while_merging(self, name):
        if name == "metrics/part-2-2.parquet" and store.is_file("metrics/part-2-2.parquet"):
            both = encoded([(1, {"loss": 1.0}), (2, {"loss": 2.0})])[0]
            store.put("metrics/part-1-2.parquet", Part(both, 2, ("part-1-1.parquet", "part-2-2.parquet")).to_bytes())
            store.delete(name)
        return read(self, name)

    monkeypatch.setattr(Store, "read", read_while_merging)
    assert run.series()["loss"].values.tolist() == [1.0, 2.0]
    assert run.table().num_rows == 2
    assert run.problems == []


def test_open_run_takes_the_head_and_a_trailing_slash(place):
    written(place, [])
    assert open_run(f"{place}/run.json").info.id == "run"
    assert open_run(f"{place}/").info.id == "run"


def test_refresh(place):
    writer = RunWriter(place, RunInfo("run"))
    run = open_run(place)
    writer.close(reason="finished")
    assert run.info.reason == ""
    assert run.refresh().reason == run.info.reason == "finished"


def test_newer_format(place):
    RunWriter(place, RunInfo("run", format_version=99)).close()
    with pytest.raises(NewerFormat, match=r"has format 99, and this kazami reads formats up to 1\. Upgrade") as caught:
        open_run(place)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize(
    "content", [b"", b'{"id": "ru', b"[]", b"{}", b'{"format_version": 1}', b'{"id": "a", "format_version": "x"}', b"\xff\xfe", b"[" * 100_000]
)
def test_unreadable_head(place, content):
    written(place, [])
    Store(place).put("run.json", content)
    with pytest.raises(RunUnreadable, match=r"run\.json") as caught:
        open_run(place)
    assert "\n" not in str(caught.value)


def test_head_that_may_not_be_read(place, monkeypatch):
    written(place, [])

    def refuse(self, name):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Store, "read", refuse)
    with pytest.raises(RunUnreadable, match="PermissionError"):
        open_run(place)


def test_findings_and_trace_that_make_no_sense(place):
    run = written(place, [], findings=[{"id": 3}], trace={"layers": 4})
    assert run.findings == []
    assert "findings" in run.problems[0]
    with pytest.raises(RunUnreadable, match="trace"):
        run.trace()


def test_no_run_there(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("x")
    expected = {
        "empty": "the directory is empty",
        "file": "it is a file",
        "other": "holds no run.json, but notes.txt",
        "emtpy": f"nothing is there. Did you mean {tmp_path / 'empty'}?",
        "file/below": "nothing is there",
    }
    for name, words in expected.items():
        with pytest.raises(RunNotFound) as caught:
            open_run(str(tmp_path / name))
        assert words in str(caught.value)
    for url in ("memory://nowhere/at/all", "nosuch://bucket"):
        with pytest.raises(RunNotFound, match="There is no run at"):
            open_run(url)


def test_head_is_strict_json_for_other_programs(tmp_path):
    written(str(tmp_path / "run"), [], wind={"value": math.nan})

    def refuse(word):
        raise AssertionError(word)

    head = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert head["wind"]["value"] == "NaN"
    assert head["format_version"] == 1
