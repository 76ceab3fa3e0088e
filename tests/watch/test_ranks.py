"""Ranks agree on a run directory without waiting for one another."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from kazami.records import RunInfo
from kazami.storage import RunWriter
from kazami.watch import ranks
from kazami.watch.ranks import agreed_location, forget_agreement, is_first_rank, job_key, n_ranks, this_rank
from tests.pages import PATIENCE

JOB = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "4", "TORCHELASTIC_RUN_ID": "none"}


@pytest.fixture
def job(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name, value in {**JOB, "RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def test_without_a_launcher_there_is_one_rank(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert (this_rank(), n_ranks(), is_first_rank()) == (0, 1, True)
    assert agreed_location("train.py") != agreed_location("train.py")
    assert [name for name in os.listdir("runs") if name.startswith(".")] == []


@pytest.mark.parametrize("value", ["", "x", "-1"])
def test_what_is_no_number_is_no_rank(monkeypatch, value):
    monkeypatch.setenv("RANK", value)
    monkeypatch.setenv("WORLD_SIZE", value)
    assert (this_rank(), n_ranks(), is_first_rank()) == (0, 1, True)


def test_all_ranks_get_one_place_however_many_ask_at_once(job):
    with ThreadPoolExecutor(16) as pool:
        places = set(pool.map(lambda _: agreed_location("train.py"), range(64)))
    assert len(places) == 1
    assert [name for name in os.listdir(job / "runs") if not name.startswith(".")] == [os.path.basename(places.pop())]


def test_processes_of_one_launcher_agree(job):
    code = "from kazami.watch.ranks import agreed_location; print(agreed_location('train.py'))"
    started = [subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "RANK": str(n)}, stdout=subprocess.PIPE, text=True) for n in range(3)]
    assert len({one.communicate(timeout=PATIENCE)[0] for one in started}) == 1


def test_the_next_job_gets_a_place_of_its_own(job):
    first = agreed_location("train.py")
    forget_agreement()
    assert agreed_location("train.py") != first


def test_a_note_that_a_killed_job_left_is_not_followed_into_a_run_that_has_ended(job):
    first = agreed_location("train.py")
    RunWriter(first, RunInfo(id="one")).close(ended="2026-11-22T00:00:00+00:00", reason="finished")
    second = agreed_location("train.py")
    assert second != first
    assert agreed_location("train.py") == second


def test_a_note_older_than_ranks_take_to_meet_is_not_followed(job):
    first = agreed_location("train.py")
    note = next((job / "runs").glob(".job-*"))
    os.utime(note, (0, 0))
    assert agreed_location("train.py") != first


def test_where_the_disk_has_no_links_the_note_is_made_otherwise(job, monkeypatch):
    def refuse(*arguments):
        raise PermissionError(arguments)

    monkeypatch.setattr(ranks.os, "link", refuse)
    assert agreed_location("train.py") == agreed_location("train.py")


def test_jobs_are_told_apart():
    assert job_key({**JOB, "RANK": "0", "LOCAL_RANK": "0"}) == job_key({**JOB, "RANK": "3", "LOCAL_RANK": "3"})
    for name, value in {"MASTER_PORT": "29501", "TORCHELASTIC_RUN_ID": "b", "TORCHELASTIC_RESTART_COUNT": "1", "SLURM_STEP_ID": "2"}.items():
        assert job_key({**JOB, name: value}) != job_key(JOB)
