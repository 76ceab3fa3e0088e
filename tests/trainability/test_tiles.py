"""Tiles: the same pixels whoever asks, resumed, and never mixed."""

import json

import numpy as np
import pytest
from PIL import Image

from kazami.errors import UsageError
from kazami.trainability import TilePyramid, Window, mean_field_problem
from kazami.trainability.reference import Reference

PROBLEM = mean_field_problem(width=3, steps=20)
FRAME = Window(x=(1e-1, 1e3), y=(1e-1, 1e3))


def pyramid(place, **options):
    return TilePyramid(place, PROBLEM, FRAME, **{"side": 16, "exact": True, "engine": "reference", **options})


def test_a_tile_is_a_part_of_the_window(tmp_path):
    values, computed = pyramid(tmp_path).tile(2, 1, 3)  # the lowest row, second from the left
    shares = (16 + np.arange(16) + 0.5) / 64
    x, y = 0.1 * 1e4**shares, 0.1 * 1e4 ** ((np.arange(16) + 0.5) / 64)
    across, up = np.meshgrid(x, y)
    expected = Reference().run(PROBLEM, FRAME.settings(across.ravel(), up.ravel()), "float64").values().reshape(16, 16)
    assert values[::-1] == pytest.approx(expected, rel=1e-6)
    assert computed.all()


def test_a_directory_is_whole_and_deterministic(tmp_path):
    for name in ("a", "b"):
        assert pyramid(tmp_path / name).build(2) == 5
    places = sorted(place.relative_to(tmp_path / "a") for place in (tmp_path / "a").rglob("*") if place.is_file())
    assert len(places) == 11
    for place in places:
        if place.suffix != ".npz":
            assert (tmp_path / "a" / place).read_bytes() == (tmp_path / "b" / place).read_bytes()
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_text())
    assert manifest["side"] == 16
    assert manifest["window"]["x"] == [0.1, 1000.0]
    with Image.open(tmp_path / "a" / "1" / "0" / "1.png") as picture:
        assert picture.size == (16, 16)


def test_what_is_there_is_not_computed_again(tmp_path, monkeypatch):
    calls = []
    run = Reference.run

    def counted(self, *arguments, **options):
        calls.append(1)
        if len(calls) == 12:
            raise KeyboardInterrupt
        return run(self, *arguments, **options)

    monkeypatch.setattr(Reference, "run", counted)
    first = pyramid(tmp_path)
    assert first.build(2) == 2  # four calls a tile
    assert first.is_interrupted
    second = pyramid(tmp_path)
    assert second.build(2) == 5
    assert len(calls) == 12 + 12
    assert not list(tmp_path.rglob(".*"))


def test_a_torn_tile_is_computed_again(tmp_path):
    here = pyramid(tmp_path)
    whole = here.tile(0, 0, 0)[0]
    here.path(0, 0, 0).write_bytes(here.path(0, 0, 0).read_bytes()[:100])
    assert np.array_equal(pyramid(tmp_path).tile(0, 0, 0)[0], whole)


def test_refusals(tmp_path):
    here = pyramid(tmp_path)
    with pytest.raises(UsageError, match="Level"):
        here.tile(1, 2, 0)
    with pytest.raises(UsageError, match="problem"):
        TilePyramid(tmp_path, mean_field_problem(width=3, steps=21), FRAME, side=16, exact=True)
    with pytest.raises(UsageError, match="dtype"):
        pyramid(tmp_path, dtype="float32")
    with pytest.raises(UsageError, match="2 pixels"):
        pyramid(tmp_path, side=1)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(UsageError, match="manifest"):
        pyramid(tmp_path)
