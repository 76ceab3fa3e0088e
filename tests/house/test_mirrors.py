"""Law 26: tests mirror the source. Each plug-in has a test file of its own name."""

from pathlib import Path

import pytest

from tests.house.tree import PLUGIN_ROOMS, ROOT, SOURCE, plugin_files


def untested(room: str, source: Path, tests: Path) -> list[str]:
    """Complain about each plug-in of ``room`` without its test file."""
    expected = [tests / room / f"test_{file.stem}.py" for file in plugin_files(room, source)]
    return [f"{room}: {file.name} is missing" for file in expected if not file.is_file()]


@pytest.mark.parametrize("room", PLUGIN_ROOMS)
def test_every_plugin_has_its_test(room):
    assert untested(room, SOURCE, ROOT / "tests") == []


def test_a_missing_test_is_seen(tmp_path):
    for name in ("source/cures/_base.py", "source/cures/he.py", "source/cures/clip.py", "tests/cures/test_he.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert untested("cures", tmp_path / "source", tmp_path / "tests") == ["cures: test_clip.py is missing"]
