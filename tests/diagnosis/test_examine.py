"""All rules on one trace: their order, the one primary, what is excluded, and what is said before progress can be judged."""

import importlib

import numpy as np
import pytest

from kazami.diagnosis import AbstractRule, all_rules, examine
from kazami.records import Evidence, Sentence
from tests.diagnosis.synthetic import FACTS, falling, rising, stuck, synthetic_trace, tower

MODULE = importlib.import_module("kazami.diagnosis._examine")  # the room's door has a function of the same name


class Says(AbstractRule):
    """A rule that always says the same: with a confidence it fires, with an excuse it excludes itself."""

    title = Sentence("a test", "試験")
    wind = 0.0

    def __init__(self, name, *, rank=50, confidence=None, severity="warning", excuse=None, family="symptom", is_gated=False):
        self.id, self.name, self.rank, self.family = "KZ000", name, rank, family
        self.confidence, self.severity, self.excuse, self.is_gated = confidence, severity, excuse, is_gated
        self.seen = []

    def examine(self, trace):
        self.seen.append(trace)
        if self.confidence is None or (self.is_gated and not trace.progress_is_poor):
            return None
        return self.finding(confidence=self.confidence, severity=self.severity, sentence=self.title, evidence=[Evidence("n", 1.0)])

    def exonerate(self, trace):
        return None if self.excuse is None else Sentence(self.excuse, self.excuse)


@pytest.fixture
def findings_of(monkeypatch):
    def run(*rules, trace=None):
        monkeypatch.setattr(MODULE, "all_rules", lambda: rules)
        return examine(synthetic_trace(stuck()) if trace is None else trace)

    return run


def names(found):
    return [finding.name for finding in found]


def test_rules_stand_in_causal_order():
    ranks = [rule.rank for rule in all_rules()]
    assert ranks == sorted(ranks)
    assert all_rules() is all_rules()


def test_equally_sure_findings_stand_by_rank(findings_of):
    found = findings_of(Says("late", rank=40, confidence=0.9), Says("early", rank=10, confidence=0.9), Says("middle", rank=20, confidence=0.9))
    assert names(found) == ["early", "middle", "late"]


@pytest.mark.parametrize(("confidence", "first"), [(0.66, "early"), (0.64, "late")])
def test_doubt_moves_a_finding_back(findings_of, confidence, first):
    # A quarter less sure is ten ranks later.
    assert findings_of(Says("early", rank=10, confidence=confidence), Says("late", rank=20, confidence=0.9))[0].name == first


def test_there_is_one_primary_and_it_names_the_others(findings_of):
    found = findings_of(Says("cause", rank=1, confidence=0.9), Says("mark", rank=30, confidence=0.9), Says("remark", rank=2, confidence=0.9, severity="info"))
    assert [finding.is_primary for finding in found] == [True, False, False]
    assert names(found) == ["cause", "mark", "remark"]
    assert found[0].related == ("mark",)
    assert found[1].related == found[2].related == ()


def test_remarks_alone_have_no_primary(findings_of):
    found = findings_of(Says("remark", confidence=0.9, severity="info"), Says("silent", excuse="x"))
    assert [finding.is_primary for finding in found] == [False]
    assert found[0].not_the_cause == ()


def test_errors_and_warnings_stand_together_in_causal_order(findings_of):
    assert names(findings_of(Says("a", rank=1, confidence=0.9), Says("b", rank=2, confidence=0.9, severity="error"))) == ["a", "b"]


def test_what_was_looked_at_and_excluded_is_told_by_the_primary_only(findings_of):
    found = findings_of(
        Says("cause", rank=1, confidence=0.9, excuse="not asked: it fired"),
        Says("innocent", excuse="depth"),
        Says("unseen"),
        Says("mark", rank=9, confidence=0.9),
    )
    assert [sentence.en for sentence in found[0].not_the_cause] == ["depth"]
    assert found[1].not_the_cause == ()


def test_nothing_found(findings_of):
    assert findings_of(Says("silent", excuse="x")) == []
    assert examine(synthetic_trace()) == []


def test_every_rule_sees_the_progress_and_the_trace_stays_as_it_was(findings_of):
    rule = Says("a", confidence=0.9)
    trace = synthetic_trace(stuck()).replaced(progress=None)
    findings_of(rule, trace=trace)
    assert rule.seen[0].progress_is_poor
    assert trace.progress is None


def test_a_sure_wrong_loss_makes_the_learning_rate_a_remark(findings_of):
    rate = Says("lr_too_high", rank=40, confidence=0.9, family="step")
    assert findings_of(Says("cause", rank=1, confidence=0.97, family="structure"), rate)[1].severity == "info"
    assert findings_of(Says("cause", rank=1, confidence=0.6, family="structure"), rate)[1].severity == "warning"
    assert findings_of(Says("cause", rank=1, confidence=0.97, family="data"), rate)[1].severity == "warning"
    sure = Says("lr_too_high", rank=40, confidence=0.96, family="step")
    assert findings_of(Says("cause", rank=1, confidence=0.97, family="structure"), sure)[1].severity == "warning"


@pytest.mark.parametrize(("confidence", "severity"), [(0.9, "warning"), (0.7, "info")])
def test_before_the_fifth_step_only_what_is_clear_is_more_than_a_remark(findings_of, confidence, severity):
    gated = Says("gated", confidence=confidence, is_gated=True)
    assert [finding.severity for finding in findings_of(gated, trace=synthetic_trace([2.3, 2.3]))] == [severity]
    assert findings_of(gated, trace=synthetic_trace(falling())) == []


def test_exact_facts_are_told_as_they_are_from_the_first_step_on(findings_of):
    assert [finding.severity for finding in findings_of(Says("exact", confidence=0.6), trace=synthetic_trace([2.3]))] == ["warning"]


def test_a_deep_network_whose_gradients_fade():
    fade = np.logspace(-8, 0, 9)
    found = examine(synthetic_trace(stuck(), layers=tower(9), output_gradient_rms=fade, update_ratio=np.full(9, 1e-3), stability_ratio=0.2))
    assert found[0].name == "vanishing_gradient"
    excluded = " ".join(sentence.en for sentence in found[0].not_the_cause)
    assert "learning rate" in excluded
    assert "all finite" in excluded


def test_the_same_network_in_good_progress_has_nothing():
    fade = np.logspace(-8, 0, 9)
    assert examine(synthetic_trace(falling(), layers=tower(9), output_gradient_rms=fade)) == []


def test_a_double_softmax_explains_what_follows_from_it():
    found = examine(synthetic_trace(stuck(), facts={"softmax_before_log_softmax": FACTS["softmax_before_log_softmax"]}))
    assert found[0].name == "double_softmax"
    assert found[0].related == ("output_activation",)


def test_a_storm_that_ends_in_nan_is_named_by_its_cause():
    losses = np.append(rising(30) ** 8, [np.nan] * 5)
    found = examine(synthetic_trace(losses, stability_ratio=30.0, update_ratio=np.full(4, 0.5), learning_rate=5.0))
    assert names(found)[0] == "lr_too_high"
    assert "nan_inf" in found[0].related
