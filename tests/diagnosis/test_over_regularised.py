import math

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


def penalised(now=0.98, share=5.0, fallen=0.2):
    error = {"name": "1: mse of a", "weight": 1.0, "first": 1.1, "now": now, "trivial": 1.0, "gradient_share": 1.0 / max(share, 1.0), "opposed": math.nan}
    penalty = {"name": "2: penalty", "weight": 0.1, "first": 50.0, "now": 50.0 * fallen, "trivial": math.nan, "gradient_share": min(share, 1.0)}
    return {"loss_terms": {"measured": 9, "terms": [error, {**penalty, "is_penalty": True}]}}


def test_a_penalty_that_brings_the_loss_down_alone():
    found = fire(RULE, synthetic_trace(falling(), facts=penalised()))
    assert found.place == "the loss"
    assert "by the penalty alone" in found.sentence.en


@pytest.mark.parametrize("settings", [{"now": 0.5}, {"share": 0.5}, {"fallen": 0.9}], ids=["the error is learned", "a light one", "it stands"])
def test_silent_where_the_penalty_does_no_harm(settings):
    assert RULE.examine(synthetic_trace(falling(), facts=penalised(**settings))) is None
