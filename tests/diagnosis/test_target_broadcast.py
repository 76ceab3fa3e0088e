import pytest

from kazami.diagnosis.target_broadcast import TargetBroadcast
from tests.diagnosis.synthetic import falling, fire, stuck, synthetic_trace

RULE = TargetBroadcast()


def shapes(output, target):
    return {"target_broadcast": {"output": list(output), "target": list(target), "step": 1}}


@pytest.mark.parametrize("losses", [None, stuck(), falling()], ids=["no losses", "stuck", "falling"])
@pytest.mark.parametrize(("output", "target"), [((32, 1), (32,)), ((32,), (32, 1))])
def test_is_an_exact_fact_whatever_the_progress(losses, output, target):
    found = fire(RULE, synthetic_trace(losses, facts=shapes(output, target)))
    assert (found.severity, found.place, found.step) == ("error", "the loss", 1)
    assert (found.evidence[0].value, found.evidence[0].limit) == (1024.0, 32.0)
    assert str(output) in found.sentence.en
    assert "32 × 32" in found.sentence.ja


def test_silent_where_shapes_agree():
    assert RULE.examine(synthetic_trace(stuck())) is None
