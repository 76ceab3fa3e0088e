"""How a script was started, and the way back to it from its run directory."""

import pytest

from kazami.records import Launch, RunInfo


@pytest.fixture(name="place")
def folder(tmp_path):
    (tmp_path / "work" / "runs" / "one").mkdir(parents=True)
    (tmp_path / "work" / "train.py").write_text("")
    (tmp_path / "work" / "package").mkdir()
    (tmp_path / "work" / "package" / "__main__.py").write_text("")
    return tmp_path / "work" / "runs" / "one"


def seen(place, *arguments, **changes):
    return Launch(*arguments, **changes).seen_from(str(place), directory=str(place.parent.parent))


def test_the_script_is_found_again_though_all_was_moved(place, tmp_path):
    launch = seen(place, "train.py", ("--lr", "3"))
    assert launch.file(str(place)) == str((tmp_path / "work" / "train.py").resolve())
    (tmp_path / "work").rename(tmp_path / "elsewhere")
    assert launch.file(str(tmp_path / "elsewhere" / "runs" / "one")) == str((tmp_path / "elsewhere" / "train.py").resolve())
    assert launch.file(str(place)) == ""


def test_no_absolute_path_is_stored(place, tmp_path):
    assert str(tmp_path) not in str(seen(place, "train.py").to_dict())


def test_a_module_is_the_file_that_python_runs(place):
    assert seen(place, "package", as_module=True).file(str(place)).endswith("__main__.py")
    assert seen(place, "package.missing", as_module=True).file(str(place)) == ""
    assert seen(place, "package", ("a b",), as_module=True).words == ("-m", "package", "a b")


def test_from_a_url_nothing_is_seen():
    assert Launch("train.py").seen_from("s3://bucket/runs/one").directory == ""
    assert Launch("train.py").file("/anywhere") == ""


def test_it_comes_back_from_the_head_of_a_run(place):
    launch = seen(place, "train.py", ("-x", "日本"))
    assert Launch.from_dict(RunInfo.from_dict(RunInfo("one", launch=launch.to_dict()).to_dict()).launch) == launch


@pytest.mark.parametrize(
    "data", [{}, {"target": ""}, {"target": 3}, {"target": "a.py", "arguments": "-x"}, {"target": "a\0.py"}, {"target": "a.py", "directory": None}]
)
def test_what_is_no_launch_is_none(data):
    assert Launch.from_dict(data) is None
