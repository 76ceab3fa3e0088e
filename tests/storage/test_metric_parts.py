"""Small parts become large ones, and no row is lost or doubled on the way."""

import errno

import pytest

from kazami.records import RunInfo
from kazami.storage import metric_parts, open_run
from kazami.storage.location import claimed
from kazami.storage.metric_parts import MetricParts


@pytest.fixture(params=["local", "memory"])
def place(request, tmp_path, monkeypatch):
    monkeypatch.setattr(metric_parts, "MERGE_AT", 4)
    return str(tmp_path / "run") if request.param == "local" else f"memory://{tmp_path.name}/run"


@pytest.fixture
def notes():
    return {}


def started(place, notes):
    store = claimed(place, RunInfo("a"), 0)
    return store, MetricParts(store, 0, notes.setdefault)


def write(parts, *steps, value=0.0):
    parts.rows.extend((step, {"loss": step + value}) for step in steps)
    parts.write()
    parts.compact()


def losses(place):
    series = open_run(place).series().get("loss")
    return {} if series is None else dict(zip(series.steps.tolist(), series.values.tolist(), strict=True))


def test_real_merge_is_at_32():
    assert metric_parts.MERGE_AT == 32


def test_every_row_is_there_once_after_every_flush(place, notes):
    store, parts = started(place, notes)
    most = 0
    for step in range(1, 70):
        write(parts, step)
        assert losses(place) == {n: float(n) for n in range(1, step + 1)}
        assert open_run(place).table().num_rows == step
        most = max(most, len(store.names("metrics")))
    assert most <= 16  # three levels of at most four, and what one merge superseded
    parts.tidy()
    assert losses(place) == {n: float(n) for n in range(1, 70)}
    assert store.names("metrics") == ["part-1-64.parquet", "part-65-68.parquet", "part-69-69.parquet"]
    assert notes == {}


def test_merge_deletes_only_what_the_previous_one_superseded(place, notes):
    store, parts = started(place, notes)
    for step in range(1, 5):
        write(parts, step)
    assert store.names("metrics") == ["part-1-1.parquet", "part-1-4.parquet", "part-2-2.parquet", "part-3-3.parquet", "part-4-4.parquet"]
    for step in range(5, 9):
        write(parts, step)
    assert store.names("metrics") == [
        "part-1-4.parquet",
        *(f"part-{n}-{n}.parquet" for n in (5,)),
        "part-5-8.parquet",
        *(f"part-{n}-{n}.parquet" for n in (6, 7, 8)),
    ]


def test_same_steps_again_share_a_file_and_the_newer_number_counts(place, notes):
    _, parts = started(place, notes)
    for value in (0.1, 0.2, 0.3):
        write(parts, 1, 2, value=value)
    parts.rows.append((2, {"late": 5.0}))
    write(parts)
    assert losses(place) == {1: 1.3, 2: 2.3}
    assert open_run(place).series()["late"].values.tolist() == [5.0]


def test_step_shared_by_two_parts(place, notes):
    _, parts = started(place, notes)
    write(parts, 1, 2)
    write(parts, 2, 3, value=0.5)
    write(parts, 3, value=0.7)
    write(parts, 1, 3, value=0.9)
    expected = {1: 1.9, 2: 2.5, 3: 3.9}
    assert losses(place) == expected
    write(parts, 4)
    assert losses(place) == {**expected, 4: 4.0}
    assert open_run(place).table().num_rows == 4


def test_merge_into_the_name_of_one_of_its_own(place, notes):
    _, parts = started(place, notes)
    write(parts, 1, 9)
    for step in range(2, 12):
        write(parts, min(step, 8))
    assert losses(place) == {n: float(n) for n in range(1, 10)}
    parts.tidy()
    assert losses(place) == {n: float(n) for n in range(1, 10)}


def test_large_parts_are_left_as_they_are(place, notes, monkeypatch):
    monkeypatch.setattr(metric_parts, "LARGEST_MERGE", 10)
    store, parts = started(place, notes)
    for step in range(1, 10):
        write(parts, step)
    assert len(store.names("metrics")) == 9


@pytest.mark.parametrize("damage", ["delete", "tear"])
def test_part_that_somebody_damaged_stops_nothing(place, notes, damage):
    store, parts = started(place, notes)
    write(parts, 1)
    write(parts, 2)
    store.delete("metrics/part-1-1.parquet")
    if damage == "tear":
        store.put("metrics/part-1-1.parquet", b"PAR1")
    for step in range(3, 12):
        write(parts, step)
    write(parts, 1)
    assert losses(place) == {n: float(n) for n in range(1, 12)}


def test_rows_wait_while_nothing_can_be_written(place, notes, monkeypatch):
    store, parts = started(place, notes)
    put = type(store).put

    def full(self, name, content):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(type(store), "put", full)
    for step in range(1, 4):
        with pytest.raises(OSError, match="full"):
            write(parts, step)
    monkeypatch.setattr(type(store), "put", put)
    write(parts)
    assert losses(place) == {1: 1.0, 2: 2.0, 3: 3.0}
    assert notes == {}


def test_what_waits_is_bounded_and_the_loss_is_said(place, notes, monkeypatch):
    monkeypatch.setattr(metric_parts, "MOST_UNWRITTEN", 200)
    store, parts = started(place, notes)
    put = type(store).put

    def full(self, name, content):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(type(store), "put", full)
    for step in range(1, 100):
        with pytest.raises(OSError, match="full"):
            write(parts, step)
    monkeypatch.setattr(type(store), "put", put)
    write(parts)
    assert max(losses(place)) == 99
    assert 1 not in losses(place)
    assert "dropped" in notes["lost"]


def test_what_is_no_number_is_named(place, notes):
    _, parts = started(place, notes)
    parts.rows.append((1, {"loss": 1.0, "word": "x"}))
    write(parts)
    assert losses(place) == {1: 1.0}
    assert "word" in notes["refused"]


def test_failing_merge_loses_nothing(place, notes, monkeypatch):
    store, parts = started(place, notes)
    put = type(store).put

    def no_large_ones(self, name, content):
        if name != f"metrics/part-{(n := name.split('-')[1])}-{n}.parquet":
            raise OSError(errno.ENOSPC, "full")
        put(self, name, content)

    monkeypatch.setattr(type(store), "put", no_large_ones)
    for step in range(1, 7):
        try:
            write(parts, step)
        except OSError:
            assert step >= 4
    monkeypatch.setattr(type(store), "put", put)
    write(parts, 7)
    assert losses(place) == {n: float(n) for n in range(1, 8)}
    assert "part-1-7.parquet" in store.names("metrics")


def test_merge_into_the_name_of_a_part_of_another_level(place, notes):
    store, parts = started(place, notes)
    for step in (1, 2, 3, 4):
        write(parts, step)
    for steps in ((1, 2), (2, 3), (3, 4), (2, 4)):  # merged, they have the very range of the part merged before
        write(parts, *steps, value=0.5)
    parts.tidy()
    assert store.names("metrics") == ["part-1-4.parquet"]
    assert losses(place) == {1: 1.5, 2: 2.5, 3: 3.5, 4: 4.5}
    assert open_run(place).table().num_rows == 4
