"""Whole files by name, here and elsewhere."""

import os
import re

import pytest

from kazami.storage import store as store_module
from kazami.storage.parts import part_name
from kazami.storage.store import Store


@pytest.fixture(params=["local", "memory", "renaming"])
def store(request, tmp_path, monkeypatch):
    if request.param == "renaming":  # a remote file system that is no object store
        monkeypatch.setattr(store_module, "ATOMIC_PUT", set())
    location = str(tmp_path / "run") if request.param == "local" else f"memory://{tmp_path.name}-{request.param}"
    made = Store(location)
    made.make()
    made.make("metrics")
    return made


def test_files_come_and_go(store):
    store.put("metrics/a", b"1")
    store.put("metrics/a", b"2")
    store.put_new("metrics/b", b"3")
    assert store.names("metrics") == ["a", "b"]
    assert store.read("metrics/a") == b"2"
    assert store.is_file("metrics/b")
    assert not store.is_folder("metrics/b")
    store.delete("metrics/a")
    store.delete("metrics/a")
    assert store.names("metrics") == ["b"]
    assert store.names("nowhere") == []


def test_missing_file_is_a_file_not_found_error(store):
    with pytest.raises(FileNotFoundError):
        store.read("metrics/none")


def test_new_file_never_replaces_one(store):
    store.put_new("run.json", b"1")
    with pytest.raises(FileExistsError):
        store.put_new("run.json", b"2")
    assert store.read("run.json") == b"1"


def test_new_file_loses_against_one_that_came_meanwhile(tmp_path, monkeypatch):
    store = Store(str(tmp_path))
    store.put("run.json", b"1")
    monkeypatch.setattr(Store, "is_file", lambda self, name="": False)
    with pytest.raises(FileExistsError):
        store.put_new("run.json", b"2")
    assert store.names() == ["run.json"]


def test_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path, monkeypatch):
    store = Store(str(tmp_path))
    store.put("run.json", b"old")

    def full(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="space"):
        store.put("run.json", b"new")
    assert store.names() == ["run.json"]
    assert store.read("run.json") == b"old"


def test_temporary_name_matches_no_pattern_of_a_reader(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(Store, "_rename", lambda self, source, target: seen.append(os.path.basename(source)))
    Store(str(tmp_path)).put("part-1-2.parquet", b"x")
    assert part_name(seen[0]) is None
    assert not re.search(r"\.(parquet|safetensors|json|jsonl)$", seen[0])


def test_relative_location_survives_a_change_of_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = Store("run")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.make()
    store.put("a", b"1")
    assert (tmp_path / "run" / "a").read_bytes() == b"1"


def test_deleted_run_is_not_raised_from_the_dead(tmp_path):
    store = Store(str(tmp_path / "gone"))
    with pytest.raises(FileNotFoundError):
        store.make("metrics")
    with pytest.raises(FileNotFoundError):
        store.put("a", b"1")
