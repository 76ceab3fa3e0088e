"""A file is written whole or not at all."""

import os

import pytest

from kazami.files import whole_file


def test_after_an_error_the_old_file_is_there_and_nothing_beside_it(tmp_path):
    place = tmp_path / "map.npz"
    place.write_text("old")

    def fills_the_disk():
        with whole_file(place) as half:
            half.write_text("ne")
            raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        fills_the_disk()
    assert place.read_text() == "old"
    assert os.listdir(tmp_path) == ["map.npz"]


def test_the_place_keeps_its_ending_and_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.png").write_text("old")
    (tmp_path / "link.png").symlink_to("real.png")
    with whole_file(tmp_path / "link.png") as half:
        assert half.suffix == ".png"
        half.write_text("new")
    assert (tmp_path / "real.png").read_text() == "new"
    assert (tmp_path / "link.png").is_symlink()


def test_a_device_is_written_to_directly(tmp_path):
    place = tmp_path / "pipe"
    os.mkfifo(place)
    with whole_file(place) as half:
        assert half == place
    assert place.is_fifo()
