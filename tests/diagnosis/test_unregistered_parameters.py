import pytest

from kazami.diagnosis.unregistered_parameters import UnregisteredParameters
from tests.diagnosis.synthetic import falling, fire, stuck, synthetic_trace

RULE = UnregisteredParameters()


@pytest.mark.parametrize("losses", [None, stuck(), falling()], ids=["no losses", "stuck", "falling"])
def test_is_an_exact_fact_whatever_the_progress(losses):
    found = fire(RULE, synthetic_trace(losses, facts={"unregistered": ["blocks[0].weight", "blocks[0].bias"]}))
    assert (found.severity, found.place) == ("error", "blocks[0].weight")
    assert (found.evidence[0].value, found.evidence[0].limit) == (2.0, 0.0)
    assert "blocks[0].bias" in found.sentence.en
    assert "2 個" in found.sentence.ja


def test_only_three_names_are_told():
    found = fire(RULE, synthetic_trace(facts={"unregistered": ["a", "b", "c", "d"]}))
    assert "a, b, c …" in found.sentence.en
    assert ", d" not in found.sentence.en


@pytest.mark.parametrize("facts", [{}, {"unregistered": []}])
def test_silent_where_all_are_registered(facts):
    assert RULE.examine(synthetic_trace(stuck(), facts=facts)) is None
