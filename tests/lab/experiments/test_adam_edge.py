"""Adam's edge of stability."""

from kazami.lab import experiment
from kazami.lab.outcome import Rows

ONE = experiment("adam-edge")


def test_a_ratio_away_from_the_edge_would_be_seen():
    near, far = ({"seed": 0, "rate": rate, "end": end, "late": end} for rate, end in ((3e-3, 0.98), (1e-2, 0.5)))
    assert [check.name for check in ONE.checks(Rows([near, far])) if not check.passed] == ["η = 0.01: sharpness over 38/η at the end"]
