"""Dropout rates that are too high."""

from tests.edits.asserts import HEADER, change, refused, written

LESS = change("lower_dropout", p=0.5)


def test_modules_and_functions_get_the_usual_rate(tmp_path):
    lines = written(tmp_path, "heavy_dropout.py", LESS)
    assert lines == [
        "-P = 0.95", "+P = 0.5",
        "-        x = F.dropout(F.relu(self.b(x)), 0.9, self.training)", "+        x = F.dropout(F.relu(self.b(x)), 0.5, self.training)",
    ]  # fmt: skip


def test_lower_rates_stay_and_unknown_ones_are_refused(tmp_path):
    assert refused(tmp_path, HEADER + "d = nn.Dropout(0.3)\n", LESS)
    assert refused(tmp_path, HEADER + "import sys\nd = nn.Dropout(0.9)\ne = nn.Dropout(float(sys.argv[1]))\n", LESS)
