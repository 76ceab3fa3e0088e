"""The texts' claims and their verdicts."""

import re

import pytest

from kazami.errors import UnknownName
from kazami.lab.claims import all_claims, judge
from kazami.lab.claims._base import Claim, Judged, case
from kazami.records import Sentence

CLAIMS = {claim.name: claim for claim in all_claims()}


def judged(*holding):
    cases = tuple(case(("a", "あ"), 1.0 if holds else 0.0, 1.0, "at_least", "number") for holds in holding)
    return Judged(Claim("name", "M0.1", Sentence("text", "文"), lambda: cases), cases).verdict


def test_a_verdict_is_what_the_cases_say():
    assert judged(True, True) == "holds"
    assert judged(True, False) == "holds_when"
    assert judged(False, False) == "does_not_hold"


def test_there_are_a_dozen_claims_in_both_languages():
    assert len(CLAIMS) >= 12
    for claim in CLAIMS.values():
        assert re.fullmatch(r"M[0-5]\.\d+", claim.row)
        assert re.search("[ぁ-んァ-ン一-龯]", claim.text.ja)


def verdict(name):
    found, is_complete = judge([name])
    assert is_complete
    return found[0].verdict, {check.name: check.passed for check in found[0].cases}


def test_the_contradiction_about_relu_is_resolved_by_the_weights():
    never, may = (judge([name])[0][0] for name in ("relu-never-vanishes", "relu-may-vanish"))
    assert never.verdict == may.verdict == "holds_when"
    measured = [{check.name: check.measured for check in one.cases} for one in (never, may)]
    assert measured[0] == measured[1]


def test_the_bound_of_the_sigmoid_needs_small_weights():
    kind, cases = verdict("sigmoid-leaves-nothing")
    assert kind == "holds_when"
    assert cases == {"weights of variance 1/n": True, "weights of variance 25/n": False, "the derivative alone": True}


@pytest.mark.parametrize("name", ["linear-layers-collapse", "numerical-derivative-passes"])
def test_what_always_holds(name):
    assert verdict(name)[0] == "holds"


def test_an_unknown_claim_is_named():
    with pytest.raises(UnknownName, match="clipping-cures"):
        judge(["clipping-cure"])


def test_ctrl_c_keeps_what_was_judged():
    def stop(done, total):
        if done == 1:
            raise KeyboardInterrupt

    found, is_complete = judge(["linear-layers-collapse", "numerical-derivative-passes"], progress=stop)
    assert len(found) == 1
    assert not is_complete
