"""Group normalisation in the place of batch normalisation."""

from tests.edits.asserts import HEADER, change, refused, written, written_into

GROUPS = change("layer_norm", layers=["1"], groups=[8])


def test_the_groups_stand_before_the_channels(tmp_path):
    lines = written(tmp_path, "overfitted.py", GROUPS)
    assert lines[1] == "+model = nn.Sequential(nn.Linear(10, 64), nn.GroupNorm(8, 64), nn.ReLU(), nn.Linear(64, 1))"


def test_settings_that_it_does_not_have_are_left_out(tmp_path):
    lines = written_into(tmp_path, HEADER + "n = nn.BatchNorm2d(16, momentum=0.2, eps=1e-3)\n", GROUPS)
    assert lines[1] == "+n = nn.GroupNorm(8, 16, eps=1e-3)"


def test_without_one_nothing_is_written(tmp_path):
    assert refused(tmp_path, HEADER, GROUPS)
