"""What every rule owes: an identity, both languages, purity, and an answer to whatever a training may show."""

import copy
import json
import re

import numpy as np
import pytest

from kazami.diagnosis import all_rules, assess, examine
from kazami.records import Finding, Series, Trace
from tests.diagnosis.synthetic import (
    FACTS,
    FAMILIES,
    LAYER_LEVEL,
    RUN_LEVEL,
    assert_both_languages,
    assert_well_formed,
    random_trace,
    stuck,
    synthetic_trace,
    tower,
)
from tests.house.tree import ROOT

RULES = all_rules()
PAGES = ROOT / "docs" / "findings"
N_RANDOM = 200
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def everywhere(value, n_steps=30):
    """Every quantity recorded, each number of it the same."""
    numbers = {name: Series(np.arange(1, n_steps + 1), np.full(n_steps, value)) for name in RUN_LEVEL}
    tables = {name: Series(np.arange(1, n_steps + 1), np.full((n_steps, 4), value)) for name in LAYER_LEVEL}
    trace = Trace(step=n_steps, series={**numbers, **tables}, layers=tower(), optimizer={"name": "SGD", "weight_decay": 0.1}, loss_kind="mse", trivial_loss=1.0)
    return trace.replaced(progress=assess(trace))


ODD_TRACES = {
    "empty": Trace(step=0),
    "empty with its progress": synthetic_trace(step=0, layers=()),
    "layers without series": synthetic_trace(),
    "losses without layers": synthetic_trace(stuck(), layers=()),
    "one step": synthetic_trace([2.3], gain=[1.0] * 4, update_ratio=[0.1] * 4),
    "NaN everywhere": everywhere(np.nan),
    "infinity everywhere": everywhere(np.inf),
    "zero everywhere": everywhere(0.0),
    "one everywhere": everywhere(1.0),
    "no layers and every fact": synthetic_trace(stuck(), layers=(), facts=FACTS),
    "every fact without losses": synthetic_trace(facts=FACTS),
}


def fingerprint(trace):
    """All that a trace holds, so that any change shows."""
    series = {name: (s.steps.tobytes(), s.values.tobytes(), s.values.shape) for name, s in trace.series.items()}
    return series, trace.layers, repr(dict(trace.facts)), repr(dict(trace.optimizer)), trace.step, repr(trace.progress)


def test_ids_and_names_are_unique():
    assert len({rule.id for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES) > 20


@each_rule
def test_identity(rule):
    assert re.fullmatch(r"KZ\d{3}", rule.id)
    assert type(rule).__module__ == f"kazami.diagnosis.{rule.name}"
    assert rule.family in FAMILIES
    assert 0 < rule.rank < 100
    assert -2.0 <= rule.wind <= 3.0
    assert rule.can_decide_at in (0, 1)
    assert_both_languages(rule.title.en, rule.title.ja)


@each_rule
def test_the_docstring_says_when_it_fires(rule):
    assert re.match(r"(Fires|Tells) ", type(rule).__doc__ or "")


@each_rule
@pytest.mark.parametrize("name", ODD_TRACES)
def test_odd_traces_are_survived(rule, name):
    trace = ODD_TRACES[name]
    found = rule.examine(trace)
    assert found is None or isinstance(found, Finding)
    assert isinstance(rule.exonerate(trace), object)


@each_rule
def test_is_pure_and_survives_whatever_comes(rule):
    for seed in range(N_RANDOM):
        trace = random_trace(seed)
        before = fingerprint(trace)
        first, second = rule.examine(trace), rule.examine(trace)
        assert repr(first) == repr(second), seed  # NaN is not equal to itself, but reads the same
        assert repr(rule.exonerate(trace)) == repr(rule.exonerate(trace)), seed
        assert fingerprint(trace) == before, seed
        if first is not None:
            assert_well_formed(first, rule)
            assert first.place == "" or isinstance(first.place, str)


@each_rule
def test_every_random_excuse_is_in_both_languages(rule):
    for seed in range(N_RANDOM):
        sentence = rule.exonerate(random_trace(seed))
        if sentence is not None:
            assert_both_languages(sentence.en, sentence.ja)


def test_the_random_traces_make_every_rule_speak():
    spoke = {rule.name for rule in RULES for seed in range(4 * N_RANDOM) if rule.examine(random_trace(seed)) is not None}
    # These need several quantities to agree, which chance does not bring about; their own tests make them speak.
    agreeing = {"oscillating_loss", "over_decay", "bad_init_scale", "lr_too_low", "loss_spike", "overfitting", "slow_convergence", "saturated_but_moving"}
    agreeing |= {"chaos", "edge_of_stability"}
    assert {rule.name for rule in RULES} - spoke <= agreeing


def test_examining_keeps_its_promises_on_whatever_comes():
    for seed in range(N_RANDOM):
        found = examine(random_trace(seed))
        primary = [finding for finding in found if finding.is_primary]
        assert len(primary) == (1 if any(finding.severity != "info" for finding in found) else 0), seed
        assert primary == found[: len(primary)], seed
        assert len({finding.name for finding in found}) == len(found), seed
        assert all(not finding.not_the_cause and not finding.related for finding in found[len(primary) :]), seed


def test_findings_come_back_from_plain_data():
    findings = [finding for seed in range(N_RANDOM) for finding in examine(random_trace(seed))]
    assert len({finding.name for finding in findings}) > 15
    for finding in findings:
        assert repr(Finding.from_dict(finding.to_dict())) == repr(finding)
        assert repr(Finding.from_dict({**copy.deepcopy(finding.to_dict()), "of_a_later_version": 1})) == repr(finding)


def test_evidence_is_always_a_number():
    """NaN is no evidence, and strict JSON has no word for it."""
    findings = [finding for seed in range(N_RANDOM) for finding in examine(random_trace(seed))]
    empty = sorted({(finding.name, item.name) for finding in findings for item in finding.evidence if np.isnan(item.value)})
    assert empty == []
    assert json.dumps([finding.to_dict() for finding in findings])


@each_rule
def test_has_its_page(rule):
    page = PAGES / f"{rule.id}-{rule.name}.md"
    assert page.is_file()
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {rule.id} {rule.name}\n")
    for heading in ("What it means", "The rule", "Where the limit comes from", "Evidence shown", "What it cannot see", "Typical cures", "References"):
        assert f"\n## {heading}\n" in text, heading
    assert f"{page.name})" in (PAGES / "README.md").read_text(encoding="utf-8")


def test_every_page_has_its_rule():
    pages = {page.stem for page in PAGES.glob("KZ*.md")}
    assert pages == {f"{rule.id}-{rule.name}" for rule in RULES}


def test_links_of_the_index_lead_somewhere():
    links = re.findall(r"\]\((KZ[^)]+)\)", (PAGES / "README.md").read_text(encoding="utf-8"))
    assert len(links) > len(RULES)
    assert [link for link in links if not (PAGES / link).is_file()] == []
