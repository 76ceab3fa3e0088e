import pytest

from kazami.diagnosis.over_regularised import LIMIT, OverRegularised
from tests.diagnosis.synthetic import falling, fire, stuck, synthetic_trace

RULE = OverRegularised()


@pytest.mark.parametrize("rate", [LIMIT, 0.95])
def test_dropout_that_leaves_next_to_nothing_fires(rate):
    found = fire(RULE, synthetic_trace(stuck(), facts={"dropout": {"rate": rate, "step": 1}}))
    assert (found.evidence[0].value, found.evidence[0].limit) == (rate, LIMIT)
    assert f"{rate:.0%}" in found.sentence.en
    assert f"{rate:.0%}" in found.sentence.ja
    assert found.place == "dropout"


def test_silent_just_below_its_limit():
    assert RULE.examine(synthetic_trace(stuck(), facts={"dropout": {"rate": LIMIT - 0.01}})) is None


@pytest.mark.parametrize("losses", [None, falling()], ids=["no losses", "falling"])
def test_silent_unless_progress_is_slow(losses):
    assert RULE.examine(synthetic_trace(losses, facts={"dropout": {"rate": 0.95}})) is None


def test_silent_without_dropout():
    assert RULE.examine(synthetic_trace(stuck())) is None
