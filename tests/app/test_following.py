"""A run that is followed: what it gives, and nothing of it twice."""

from kazami.app.folder import RunFolder
from kazami.app.following import RunFollower
from kazami.storage.live_tail import TailRows
from tests.app.stage import rows_of, written
from tests.reports import runs


def test_a_run_that_ends_while_its_tail_is_read_gives_each_step_once(tmp_path, monkeypatch):
    run = runs.healthy()
    writer = written(run, tmp_path, is_ended=False, until=40)
    follower = RunFollower(RunFolder(tmp_path), run.info.id)
    rows = [row for row in rows_of(run.trace) if 40 < row[0] <= 60]
    for step, row in rows:
        writer.append(step, row)

    def read():
        """Give what the tail held, and have the run end before its head is looked at."""
        writer.close(ended="2026-11-22T10:00:00+00:00", reason="finished", steps=60)
        return TailRows([(step, {"loss": row["loss"]}) for step, row in rows[:10]], False)

    monkeypatch.setattr(follower._tail, "read", read)
    assert follower.poll().steps.tolist() == list(range(41, 61))
    assert follower.is_ended
