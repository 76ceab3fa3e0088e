import math

import pytest

from kazami.diagnosis import examine
from kazami.diagnosis.player_rotation import FAR, INWARD, OUTWARD, PlayerRotation
from tests.diagnosis.synthetic import assert_both_languages, fire, rising, synthetic_trace

RULE = PlayerRotation()
GAME = {"adversarial": {"players": 2}}


def turning(growth=1.5, radius=1.0, **changes):
    seen = {"period": 30.0, "growth": growth, "turns": 3.0, "steadiness": 0.95, "flatness": 0.9, "radius_over_way": radius, "first": 10, "last": 90}
    return synthetic_trace(rising(), facts={**GAME, "rotation": {**seen, **changes}})


@pytest.mark.parametrize(
    ("growth", "radius", "severity", "words"),
    [
        (OUTWARD + 0.01, 0.1, "warning", "outward"),
        (1.0, FAR + 0.1, "warning", "without closing in"),
        (1.0, FAR - 0.1, "info", "inward"),
        (INWARD - 0.05, 2.0, "info", "inward"),
    ],
)
def test_only_a_circle_that_does_not_close_in_is_a_warning(growth, radius, severity, words):
    found = fire(RULE, turning(growth, radius))
    assert (found.severity, words in found.sentence.en) == (severity, True)
    assert found.wind == (RULE.wind if severity == "warning" else 0.0)


def test_losses_that_rise_and_swing_are_no_alarm_in_a_game():
    """The same losses alone are a divergence."""
    assert {one.name for one in examine(turning(0.5, 0.1)) if one.severity != "info"} == set()
    assert "no_progress" in {one.name for one in examine(synthetic_trace(rising()))}


def test_silent_without_a_game_or_without_a_turn():
    trace = turning()
    assert RULE.examine(trace.replaced(facts={"rotation": trace.facts["rotation"]})) is None
    assert RULE.examine(synthetic_trace(rising(), facts=GAME)) is None
    assert RULE.examine(turning(period=math.nan)) is None


def test_is_excluded_where_it_was_looked_for():
    sentence = RULE.exonerate(synthetic_trace(rising(), facts=GAME))
    assert sentence is not None
    assert_both_languages(sentence.en, sentence.ja)
    assert RULE.exonerate(synthetic_trace(rising())) is None


def test_sides_of_one_optimizer_and_weights_that_cannot_follow_one_loss():
    facts = {"rotation": {**turning().facts["rotation"], "sides": "sides"}}
    assert "two sides of the training" in fire(RULE, synthetic_trace(rising(), facts=facts)).sentence.en
    facts["rotation"]["sides"] = "weights"
    assert "never turn" in fire(RULE, synthetic_trace(rising(), facts=facts)).sentence.en
    facts["rotation"]["radius_over_way"] = FAR / 2
    assert RULE.examine(synthetic_trace(rising(), facts=facts)) is None


@pytest.mark.parametrize(("optimizer", "severity"), [("Adam", "info"), ("SGD", "warning")])
def test_a_narrow_circle_that_breathes_is_what_adaptive_steps_leave(optimizer, severity):
    trace = turning(OUTWARD + 0.1, FAR / 2)
    assert fire(RULE, trace.replaced(optimizer={"name": optimizer})).severity == severity
    assert fire(RULE, turning(OUTWARD + 0.1, 2 * FAR).replaced(optimizer={"name": optimizer})).severity == "warning"
