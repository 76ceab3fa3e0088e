"""The onset of chaos."""

import math

from kazami.lab import experiment
from kazami.lab.outcome import Rows

ONE = experiment("onset-of-chaos")


def failed(**changes):
    onset = {"seed": 0, "part": "onset", "exponent": [0.001, 0.2], "onset": 2.0, "fastest": 1.5, **changes}
    return [check.name for check in ONE.checks(Rows([onset, {"seed": 0, "part": "beyond", "accuracy": [0.1]}])) if not check.passed]


def test_a_claim_that_fails_would_be_seen():
    assert failed() == []
    assert failed(fastest=0.2) == ["decades between the fastest rate and the onset"]
    assert failed(exponent=[0.2, 0.2]) == ["lowest rate: exponent"]
    assert failed(onset=math.nan) == ["decades between the fastest rate and the onset"]
