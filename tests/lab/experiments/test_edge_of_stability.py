"""The edge of stability of gradient descent."""

from kazami.lab import experiment
from kazami.lab.outcome import Rows

ONE = experiment("edge-of-stability")


def rows(**changes):
    at_edge = {"seed": 0, "rate": 0.3, "late": 1.0, "falls": 0.0}
    return Rows([{**at_edge, **changes}, {**at_edge, "rate": 0.5}, {"seed": 0, "rate": 0.1, "late": 0.58, "falls": 1.0}])


def test_below_and_beyond_the_edge_would_be_seen():
    assert all(check.passed for check in ONE.checks(rows()))
    for late in (0.8, 1.2):
        assert [check.name for check in ONE.checks(rows(late=late)) if not check.passed] == ["η = 0.3: late sharpness over 2/η"]
    assert [check.name for check in ONE.checks(rows(falls=1.0)) if not check.passed] == ["η = 0.3: share with a loss that only falls"]
