import numpy as np
import pytest

from kazami.diagnosis.input_scaling import InputScaling
from kazami.diagnosis.nonfinite_weights import NonfiniteWeights
from tests.diagnosis.synthetic import N_STEPS, falling, fire, synthetic_trace

RULE = NonfiniteWeights()


@pytest.mark.parametrize("fact", ["bad_gradient", "bad_update"])
def test_fires_when_weights_are_spoiled_behind_a_finite_loss(fact):
    found = fire(RULE, synthetic_trace(falling(), facts={fact: {"place": "embedding.weight", "step": 7}}))
    assert (found.step, found.place, found.severity) == (7, "embedding.weight", "error")
    assert found.evidence[0].value == N_STEPS - 7
    assert "embedding.weight" in found.sentence.ja


def test_silent_when_the_loss_breaks_too_or_nothing_happened():
    losses = np.where(np.arange(1, N_STEPS + 1) > 8, np.nan, falling())
    assert RULE.examine(synthetic_trace(losses, facts={"bad_gradient": {"place": "fc1", "step": 8}})) is None
    assert RULE.examine(synthetic_trace(falling())) is None
    assert RULE.examine(synthetic_trace(falling(), facts={"bad_update": {"place": "fc1", "step": N_STEPS - 1}})) is None


@pytest.mark.parametrize("operation", ["", "sqrt"])
def test_what_raised_the_storm_ranks_first(operation):
    spoiled = {"bad_gradient": {"place": "conv.bias", "step": 7, "singular": {"operation": operation, "place": operation}}}
    calm = fire(RULE, synthetic_trace(falling(), facts=spoiled))
    storm = fire(RULE, synthetic_trace(falling(), facts=spoiled, total_gradient_norm=1e3 ** np.arange(N_STEPS)))
    assert calm.rank == RULE.rank < InputScaling.rank < storm.rank
