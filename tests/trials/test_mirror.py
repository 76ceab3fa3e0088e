"""Mirrors hold what the directory holds, may be written, and leave the original as it was."""

import os

import pytest

from kazami.errors import UsageError
from kazami.trials import mirror as mirrors
from kazami.trials.mirror import mirrored


def test_small_files_are_copied_and_large_ones_linked(tmp_path, monkeypatch):
    monkeypatch.setattr(mirrors, "LARGE_FILE", 10)
    (tmp_path / "data").mkdir()
    (tmp_path / "small.txt").write_text("small")
    (tmp_path / "data" / "large.bin").write_bytes(b"x" * 11)
    with mirrored([str(tmp_path)], {}) as mirror:
        small, large = mirror.path_of(str(tmp_path / "small.txt")), mirror.path_of(str(tmp_path / "data" / "large.bin"))
        assert not os.path.islink(small)
        assert os.path.islink(large)
        assert os.path.getsize(large) == 11
        with open(small, "w") as file:
            file.write("changed")
    assert (tmp_path / "small.txt").read_text() == "small"
    assert not os.path.exists(mirror.base)


def test_other_texts_are_written_into_the_mirror_only(tmp_path):
    script = tmp_path / "train.py"
    script.write_text("a = 1\r\n")
    with mirrored([str(tmp_path)], {str(script): "a = 2\r\n"}) as mirror, open(mirror.path_of(str(script)), "rb") as file:
        assert file.read() == b"a = 2\r\n"
    assert script.read_bytes() == b"a = 1\r\n" or script.read_text() == "a = 1\n"


def test_a_linked_file_is_replaced_and_not_written_through(tmp_path, monkeypatch):
    monkeypatch.setattr(mirrors, "LARGE_FILE", 0)
    script = tmp_path / "train.py"
    script.write_text("old")
    with mirrored([str(tmp_path)], {str(script): "new"}) as mirror, open(mirror.path_of(str(script))) as file:
        assert file.read() == "new"
    assert script.read_text() == "old"


def test_a_file_outside_is_refused(tmp_path):
    inside, outside = tmp_path / "work", tmp_path / "other.py"
    inside.mkdir()
    outside.write_text("untouched")
    with pytest.raises(UsageError, match="outside of the working directory"), mirrored([str(inside)], {str(outside): "changed"}):
        pass
    assert outside.read_text() == "untouched"


def test_folders_beyond_the_limit_are_linked_but_never_the_scripts_own(tmp_path, monkeypatch):
    monkeypatch.setattr(mirrors, "MOST_ENTRIES", 0)
    for name in ("data", "code"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.py").write_text(name)
    with mirrored([str(tmp_path)], {str(tmp_path / "code" / "file.py"): "new"}) as mirror:
        assert os.path.islink(os.path.join(mirror.root, "data"))
        assert not os.path.islink(os.path.join(mirror.root, "code"))
    assert (tmp_path / "code" / "file.py").read_text() == "code"


def test_paths_are_told_as_the_user_knows_them(tmp_path):
    with mirrored([str(tmp_path)], {}) as mirror:
        assert mirror.as_the_user_knows_it(f"{mirror.root}/a.py") == f"{os.path.realpath(tmp_path)}/a.py"
