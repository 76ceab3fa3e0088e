import numpy as np
import pytest

from kazami.diagnosis.log_of_softmax import LogOfSoftmax
from tests.diagnosis.synthetic import falling, fire, stuck, synthetic_trace

RULE = LogOfSoftmax()
FACT = {"log_of_softmax": {"activation": "softmax", "step": 1}}
BAD_LOG = {"source": "operation", "operation": "log", "place": "log after fc2", "value": "inf", "layer": "fc2", "step": 9}
BAD_BATCH = {"source": "batch", "operation": "", "place": "the batch", "value": "nan", "layer": "", "step": 9}


@pytest.mark.parametrize("losses", [None, stuck(), falling()], ids=["no losses", "stuck", "falling"])
def test_is_a_remark_while_all_is_finite(losses):
    found = fire(RULE, synthetic_trace(losses, facts=FACT))
    assert (found.severity, found.place, found.wind) == ("info", "the loss", 0.0)
    assert found.evidence[0].limit is None


def test_is_the_cause_once_the_logarithm_gave_a_number_that_is_not_finite():
    found = fire(RULE, synthetic_trace(stuck(), facts={**FACT, "first_bad": BAD_LOG}))
    assert found.severity == "error"
    assert found.wind > 0
    assert found.rank < fire(RULE, synthetic_trace(stuck(), facts=FACT)).rank


def test_a_bad_batch_is_not_the_logarithms_fault():
    assert fire(RULE, synthetic_trace(stuck(), facts={**FACT, "first_bad": BAD_BATCH})).severity == "info"


def test_a_float32_softmax_is_exactly_zero_beyond_the_distance_it_tells():
    distance = fire(RULE, synthetic_trace(facts=FACT)).evidence[0].value
    assert np.exp(np.float32(-distance)) > 0
    assert np.exp(np.float32(-distance - 1.1)) == 0


def test_silent_without_it():
    assert RULE.examine(synthetic_trace(stuck(), facts={"first_bad": BAD_LOG})) is None
