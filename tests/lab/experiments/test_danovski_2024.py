"""Danovski, Soriano and Lacasa 2024, repeated."""

import numpy as np
import pytest
import torch

from kazami.errors import UnknownName, UsageError
from kazami.lab import experiment
from kazami.lab.experiments._base import with_factors
from kazami.lab.outcome import Rows

ONE = experiment("danovski-2024")
HIGH = {
    "seed": 0,
    "part": "high",
    "rate": 5.0,
    "dead": 1.0,
    "accuracy": np.array([0.35, 0.33]),
    "commonest": 0.35,
    "apart": 1e-7,
}


def failed(**changes):
    rows = Rows([{**HIGH, **changes}])
    return [check.name for check in ONE.checks(rows) if "η = 5" in check.name and not check.passed]


def test_a_network_that_sees_its_inputs_is_not_called_dead():
    assert failed() == []
    assert failed(dead=0.5) == ["η = 5: share of networks that give every sample the same answer"]
    assert failed(accuracy=np.array([0.9, 0.33])) == ["η = 5: best accuracy"]
    assert failed(apart=0.5) == ["η = 5: next step predicted without inputs, largest error of a logit"]


def test_the_setup_is_the_published_one():
    from kazami.lab.danovski import iris_map

    m = iris_map(ONE.factors, 5.0, 0)
    assert m.n_parameters == 83
    assert int(m.coordinates("weights").sum()) == 70
    weights = torch.cat([m.fresh_state(seed)[m.coordinates("weights")] for seed in range(50)])
    assert abs(float(weights.std()) - 1.0) < 0.05
    biases = m.coordinates("parameters") & ~m.coordinates("weights")
    assert float(m.current_state()[biases].abs().max()) == 0.0


def test_factors_can_be_changed_and_others_are_refused():
    changed = with_factors(ONE, {"activation": "tanh", "weight_decay": "0.01"})
    assert changed.factors.activation == "tanh"
    assert changed.factors.weight_decay == 0.01
    assert ONE.factors.activation == "sigmoid"
    with pytest.raises(UnknownName, match="activation"):
        with_factors(ONE, {"activatio": "tanh"})
    with pytest.raises(UsageError, match="value"):
        with_factors(ONE, {"weight_decay": "much"})
    with pytest.raises(UsageError, match="no factors"):
        with_factors(experiment("clipping"), {"activation": "tanh"})
