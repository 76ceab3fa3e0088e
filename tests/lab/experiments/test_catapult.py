"""The catapult."""

from kazami.lab import experiment
from kazami.lab.outcome import Rows

ONE = experiment("catapult")


def test_three_phases():
    calm, flown, gone = (ONE.measure({"seed": 3, "rate": rate}) for rate in (1.0, 3.0, 4.1))
    assert calm["peak"] == 1.0
    assert flown["peak"] > 2
    assert flown["end"] < 2
    assert gone["diverged"]


def test_a_training_that_diverges_too_early_would_be_seen():
    rows = Rows([{"seed": 0, "rate": 3.0, "peak": 50.0, "end": 2.5, "diverged": 1.0}])
    failed = [check.name for check in ONE.checks(rows) if not check.passed and "ηλ₀ = 3:" in check.name]
    assert failed == ["ηλ₀ = 3: share that diverges", "ηλ₀ = 3: largest ηλ at the end"]
