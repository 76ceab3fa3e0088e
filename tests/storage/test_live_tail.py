import json
import os
import time

import numpy as np
import pytest

from kazami.records import RunInfo
from kazami.storage import RunWriter, TailReader
from kazami.storage.live_tail import MOST_ROWS, TAIL, WANTED, LiveTail, lines


@pytest.fixture
def tail(tmp_path, monkeypatch):
    """A tail that somebody wants, whose writer never has to wait."""
    monkeypatch.setattr("kazami.storage.live_tail.PERIOD", 0.0)
    monkeypatch.setattr("kazami.storage.live_tail.LOOK", 0.0)
    one = LiveTail(str(tmp_path))
    TailReader(tmp_path).ask()
    one.write_if_due()
    return one


def test_what_is_written_is_read_with_nan_infinity_and_gaps_between_layers(tail, tmp_path):
    reader = TailReader(tmp_path)
    tail.add(1, {"loss": float("nan"), "wind/000": 1.5, "wind/002": float("-inf"), 'a "name"/x': 3.0})
    tail.write_if_due()
    (step, values), *rest = reader.read().rows
    assert (step, rest) == (1, [])
    assert np.isnan(values["loss"])
    np.testing.assert_array_equal(values["wind"], [1.5, np.nan, -np.inf])
    assert values['a "name"/x'] == 3.0
    assert reader.read().rows == []


def test_every_line_is_strict_json():
    def refuse(word):
        raise AssertionError(word)

    text = lines([(1, {"a": float("inf"), "b/001": float("nan")}), (2, {})])
    assert [json.loads(line, parse_constant=refuse)[0] for line in text.splitlines()] == [1, 2]


def test_nobody_asks_and_nothing_is_written(tmp_path):
    one = LiveTail(str(tmp_path))
    one.add(1, {"loss": 1.0})
    one.write_if_due()
    assert list(tmp_path.iterdir()) == []


def test_a_wish_goes_stale_and_the_tail_is_removed(tail, tmp_path):
    tail.add(1, {"loss": 1.0})
    tail.write_if_due()
    assert (tmp_path / TAIL).exists()
    old = time.time() - 60
    os.utime(tmp_path / WANTED, (old, old))
    tail.write_if_due()
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_bounded_and_its_reader_follows_from_one_to_the_next(tail, tmp_path, monkeypatch):
    monkeypatch.setattr("kazami.storage.live_tail.MOST_BYTES", 500)
    reader = TailReader(tmp_path)
    steps = []
    for step in range(1, 200):
        tail.add(step, {"loss": 0.123456})
        tail.write_if_due()
        assert (tmp_path / TAIL).stat().st_size <= 500
        steps += [row[0] for row in reader.read().rows]
    assert steps == list(range(1, 200))


def test_rows_that_come_too_fast_are_dropped_and_it_is_said(tail, tmp_path):
    reader = TailReader(tmp_path)
    for step in range(MOST_ROWS + 10):
        tail.add(step, {"loss": 1.0})
    tail.write_if_due()
    found = reader.read()
    assert found.is_gap
    assert found.rows[0][0] == 10


def test_who_begins_to_watch_gets_what_no_part_holds_yet(tmp_path, monkeypatch):
    monkeypatch.setattr("kazami.storage.live_tail.LOOK", 0.0)
    one, reader = LiveTail(str(tmp_path)), TailReader(tmp_path)
    for step in range(1, 6):
        one.add(step, {"loss": 1.0})
    one.forget(2)  # as after a part was written
    reader.ask()
    one.write_if_due()
    assert [row[0] for row in reader.read().rows] == [3, 4, 5]


def test_a_torn_line_waits_for_its_end(tmp_path):
    reader = TailReader(tmp_path)
    whole = lines([(1, {"loss": 1.0}), (2, {"loss": 2.0})])
    (tmp_path / TAIL).write_bytes(whole[:-4])
    assert [row[0] for row in reader.read().rows] == [1]
    with open(tmp_path / TAIL, "ab") as file:
        file.write(whole[-4:])
    assert [row[0] for row in reader.read().rows] == [2]


def test_a_place_that_cannot_be_written_stops_neither_reader_nor_writer(tmp_path):
    reader = TailReader(tmp_path / "nowhere")
    reader.ask()
    reader.forget()
    assert reader.read().rows == []


def test_the_writer_of_a_run_keeps_a_tail_while_asked_and_removes_it_at_the_end(tmp_path):
    writer = RunWriter(str(tmp_path / "run"), RunInfo(id="run"))
    reader = TailReader(tmp_path / "run")
    reader.ask()
    seen, step = [], 0
    while len(seen) < 20:
        step += 1
        reader.ask()
        writer.append(step, {"loss": 1.0 / step, "layer_wind/000": -1.0})
        time.sleep(0.02)
        seen += [row[0] for row in reader.read().rows]
    assert seen == list(range(seen[0], seen[0] + len(seen)))
    writer.close()
    assert not (tmp_path / "run" / TAIL).exists()
    assert writer.problems == []


def test_a_run_somewhere_else_has_no_tail():
    assert LiveTail(None).patience() == float("inf")
    writer = RunWriter("memory://live-tail/run", RunInfo(id="run"))
    writer.append(1, {"loss": 1.0})
    writer.close()
    assert writer.problems == []
