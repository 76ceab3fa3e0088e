"""A free place for every run, and never two runs in one."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from kazami.errors import CannotWrite, RunTaken
from kazami.records import RunInfo
from kazami.storage import RunWriter, default_location
from kazami.storage.location import claimed
from kazami.storage.store import Store


def test_first_free_number(tmp_path):
    base = str(tmp_path / "deep" / "runs")
    first, second = default_location("examples/train.py", base), default_location("train.py", base)
    assert re.fullmatch(r".*/runs/\d{4}-\d\d-\d\d-train-1", first)
    assert second == first[:-1] + "2"
    assert Store(first).names() == []


@pytest.mark.parametrize(("script", "word"), [("", "run"), ("my train!.py", "my-train"), ("風見.py", "風見"), ("<stdin>", "stdin"), ("..", "run"), ("-c", "c")])
def test_name_is_fit_for_a_directory(tmp_path, script, word):
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d-{word}-1", default_location(script, str(tmp_path)).rpartition("/")[2])


def test_many_at_once_get_different_places(tmp_path):
    with ThreadPoolExecutor(16) as pool:
        places = list(pool.map(lambda _: default_location("train.py", str(tmp_path)), range(64)))
    assert len(set(places)) == 64


def test_place_on_an_object_store():
    place = default_location("train.py", "memory://default-location")
    RunWriter(place, RunInfo("a")).close()
    assert default_location("train.py", "memory://default-location") == place[:-1] + "2"


def test_base_that_cannot_be_made(tmp_path):
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(CannotWrite, match=r"cannot be written.*runs"):
        default_location("train.py", str(tmp_path / "runs"))


@pytest.mark.parametrize("is_finished", [False, True])
@pytest.mark.parametrize("kind", ["local", "memory"])
def test_second_run_is_refused_and_another_place_proposed(tmp_path, kind, is_finished):
    place = f"{tmp_path}/run-1" if kind == "local" else f"memory://two-runs-{is_finished}/run-1"
    first = RunWriter(place, RunInfo("run-1", command="python train.py", started="2026-01-02T03:04:05Z"))
    if is_finished:
        first.close(reason="finished", ended="2026-01-02T04:00:00Z")
    with pytest.raises(RunTaken) as caught:
        RunWriter(place, RunInfo("run-1", command="python other.py"))
    sentence = str(caught.value)
    assert 'the run "run-1" (python train.py, started 2026-01-02T03:04:05Z' in sentence
    assert ("finished 2026-01-02T04:00:00Z" if is_finished else "not ended") in sentence
    assert sentence.endswith("run-2.")
    first.close()


def test_two_runs_in_the_same_instant(tmp_path, monkeypatch):
    place = str(tmp_path / "run")
    monkeypatch.setattr("kazami.storage.location._refuse_if_taken", lambda *args: None)  # both looked before either wrote
    first = RunWriter(place, RunInfo("first"))
    with pytest.raises(RunTaken, match='"first"'):
        RunWriter(place, RunInfo("second"))
    first.close()


def test_parts_without_a_head_are_a_run_too(tmp_path):
    writer = RunWriter(str(tmp_path / "run"), RunInfo("a"))
    writer.append(1, {"loss": 1.0})
    writer.close()
    (tmp_path / "run" / "run.json").unlink()
    with pytest.raises(RunTaken, match="cannot be read"):
        RunWriter(str(tmp_path / "run"), RunInfo("b"))


def test_own_files_of_the_user_do_not_matter(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    RunWriter(str(tmp_path), RunInfo("a")).close()
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_ranks_of_one_job_share_a_directory_in_any_order(tmp_path, order):
    info = RunInfo("job", command="torchrun train.py")
    writers = [RunWriter(str(tmp_path / "job"), info, rank=rank) for rank in order]
    for writer in writers:
        writer.close()


def test_rank_of_another_job_is_refused(tmp_path):
    place = str(tmp_path / "job")
    RunWriter(place, RunInfo("job", command="torchrun train.py"), rank=0).close(ended="2026", reason="finished")
    with pytest.raises(RunTaken):
        RunWriter(place, RunInfo("job", command="torchrun train.py"), rank=1)
    with pytest.raises(RunTaken):
        claimed(place, RunInfo("job", command="torchrun other.py"), rank=1)


def test_path_that_is_a_file_or_below_one(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotWrite, match="is a file where a directory should be"):
        RunWriter(str(tmp_path / "file"), RunInfo("a"))
    with pytest.raises(CannotWrite, match="below a file"):
        RunWriter(str(tmp_path / "file" / "run"), RunInfo("a"))


@pytest.mark.parametrize(("number", "words"), [(13, "no permission, or read-only"), (30, "no permission, or read-only"), (28, "no space is left")])
def test_directory_that_cannot_be_written(tmp_path, monkeypatch, number, words):
    def refuse(self, path, content):
        raise OSError(number, "refused")

    monkeypatch.setattr(Store, "_write", refuse)
    with pytest.raises(CannotWrite, match=words):
        RunWriter(str(tmp_path / "run"), RunInfo("a"))


def test_unknown_protocol():
    with pytest.raises(CannotWrite, match="nosuch://bucket/run could not be written"):
        RunWriter("nosuch://bucket/run", RunInfo("a"))
