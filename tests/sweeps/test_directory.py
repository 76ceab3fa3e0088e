"""The directory: a sweep goes on where it ended, refuses another one, and survives a full disk and a torn part."""

import errno
import os

import pytest

from kazami.errors import CannotWrite, RunNotFound, RunUnreadable, UsageError
from kazami.sweeps import Sweep, read_sweep

from .trainings import by_factors, linear, net


def interrupted(place, sweep, **options):
    """Run a sweep until its first block is done."""

    def interrupt(done, total):
        if done:
            raise KeyboardInterrupt

    return sweep.run(record="final_loss", directory=place, progress=interrupt, **options)


def test_an_interrupted_sweep_goes_on_and_gives_the_table_of_an_undisturbed_one(tmp_path):
    sweep = Sweep(net(), width=[2, 3, 4], learning_rate=[0.1, 0.2])
    first = interrupted(tmp_path / "s", sweep)
    assert not first.is_complete
    seen = []
    whole = sweep.run(record="final_loss", directory=tmp_path / "s", progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (2, 6)  # what was there is not run again
    assert whole.is_complete
    assert whole.table.equals(sweep.run(record="final_loss").table)


def test_a_finished_sweep_runs_nothing_again(tmp_path):
    sweep = Sweep(net(), width=[2, 3])
    sweep.run(record="final_loss", directory=tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    again = sweep.run(record="final_loss", directory=tmp_path, progress=lambda done, total: pytest.fail("something ran"))
    assert again.is_complete
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}


def test_the_division_into_blocks_is_that_of_the_beginning(tmp_path):
    sweep = Sweep(net(), width=[2, 3], learning_rate=[0.1, 0.2, 0.3])
    interrupted(tmp_path, sweep, memory=1)
    assert sweep.run(record="final_loss", directory=tmp_path).table.equals(sweep.run(record="final_loss", memory=1).table)


@pytest.mark.parametrize(
    ("other", "options", "said"),
    [
        (Sweep(net(), width=[2, 5]), {}, "the factors"),
        (Sweep(net(seed=3), width=[2, 3]), {}, "the training's source"),
        (Sweep(net(batches=lambda: [(1.5 * x, y) for x, y in net().batches()]), width=[2, 3]), {}, "the first batch"),
        (Sweep(net(), width=[2, 3]), {"steps": 7}, "the steps"),
    ],
)
def test_another_sweep_is_refused_in_one_sentence(tmp_path, other, options, said):
    Sweep(net(), width=[2, 3]).run(record="final_loss", directory=tmp_path)
    with pytest.raises(UsageError, match=f"another sweep .different: .*{said}") as refused:
        other.run(record="final_loss", directory=tmp_path, **options)
    assert "\n" not in str(refused.value)


def test_somebody_elses_directory_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"holds thesis.txt"):
        Sweep(linear(), learning_rate=[0.1]).run(directory=tmp_path)


def test_parts_without_a_head_are_nobodys(tmp_path):
    Sweep(linear(), learning_rate=[0.1, 0.2]).run(record="final_loss", directory=tmp_path)
    (tmp_path / "sweep.json").unlink()
    with pytest.raises(UsageError, match=r"holds parts"):  # they would stand for rates that nobody ran
        Sweep(linear(), learning_rate=[0.3, 0.4]).run(record="final_loss", directory=tmp_path)


def test_of_two_sweeps_that_begin_at_once_the_second_is_refused(tmp_path, monkeypatch):
    first, second = (Sweep(linear(), learning_rate=[rate, 2 * rate]) for rate in (0.1, 0.3))
    flush = os.fsync

    def meanwhile(handle):
        monkeypatch.setattr(os, "fsync", flush)
        first.run(record="final_loss", directory=tmp_path)
        flush(handle)

    monkeypatch.setattr(os, "fsync", meanwhile)  # the second has seen an empty directory, and has written its head under another name
    with pytest.raises(UsageError, match=r"another sweep .different: the factors"):
        second.run(record="final_loss", directory=tmp_path)
    assert set(by_factors(read_sweep(tmp_path), "final_loss")) == {(0.1,), (0.2,)}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".writing")] == []


def test_a_full_disk_is_one_sentence_and_loses_nothing(tmp_path, monkeypatch):
    sweep = Sweep(net(), width=[2, 3, 4])
    flush, count = os.fsync, []

    def full(handle):
        count.append(handle)
        if len(count) > 4:  # head and its folder, first part and its folder
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotWrite, match="no space is left"):
        sweep.run(record="final_loss", directory=tmp_path / "s")
    monkeypatch.setattr(os, "fsync", flush)
    assert set(by_factors(read_sweep(tmp_path / "s"), "final_loss")) == {(2,)}
    assert sweep.run(record="final_loss", directory=tmp_path / "s").is_complete


def test_a_torn_part_is_run_again(tmp_path):
    sweep = Sweep(net(), width=[2, 3])
    whole = sweep.run(record="final_loss", directory=tmp_path).table
    torn = next(tmp_path.rglob("block-000001.parquet"))
    torn.write_bytes(torn.read_bytes()[:-20])
    assert not read_sweep(tmp_path).is_complete
    assert sweep.run(record="final_loss", directory=tmp_path).table.equals(whole)


def test_failures_are_kept_with_their_traceback(tmp_path):
    def sometimes(width=4):
        if width == 7:
            raise RuntimeError("no model today")
        return net().model(width)

    Sweep(net(model=sometimes), width=[4, 7]).run(record="final_loss", directory=tmp_path)
    (failure,) = read_sweep(tmp_path).failures
    assert "no model today" in failure.traceback


def test_a_sweep_can_be_read_while_it_is_unfinished(tmp_path):
    interrupted(tmp_path, Sweep(net(), width=[2, 3, 4]))
    found = read_sweep(tmp_path)
    assert (found.is_complete, found.members, found.factors) == (False, 3, ("width",))


def test_a_place_without_a_sweep_is_said(tmp_path):
    with pytest.raises(RunNotFound, match="no sweep"):
        read_sweep(tmp_path)
    (tmp_path / "sweep.json").write_text("{")
    with pytest.raises(RunUnreadable, match="cannot be read"):
        read_sweep(tmp_path)
    (tmp_path / "sweep.json").write_text('{"fingerprint": {}, "format": 99}')
    with pytest.raises(RunUnreadable, match="newer kazami"):
        read_sweep(tmp_path)
