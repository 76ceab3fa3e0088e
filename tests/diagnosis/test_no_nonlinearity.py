import numpy as np
import pytest

from kazami.diagnosis.no_nonlinearity import WORKS, NoNonlinearity
from tests.diagnosis.synthetic import N_STEPS, TRIVIAL, fire, stuck, synthetic_trace

RULE = NoNonlinearity()
CHAIN = {"layers": 3, "narrowest": 32, "inputs": 64, "outputs": 10, "step": 1}


def facts(seen=None, **changes):
    return {"affine_chain": {**CHAIN, **changes}, "seen": seen or {"affine_chain": 5, "graphs": 5}}


@pytest.mark.parametrize("losses", [None, stuck()], ids=["no losses", "stuck"])
def test_a_chain_of_matrices_fires(losses):
    found = fire(RULE, synthetic_trace(losses, facts=facts()))
    assert (found.evidence[0].value, found.evidence[0].limit) == (3.0, 1.0)
    assert "64 × 10" in found.sentence.en
    assert "64 × 10" in found.sentence.ja
    assert found.severity == "warning"


@pytest.mark.parametrize(("explained", "severity"), [(WORKS + 0.05, "info"), (WORKS - 0.05, "warning")])
def test_is_a_remark_where_the_training_works_all_the_same(explained, severity):
    settled = np.append(np.linspace(TRIVIAL, TRIVIAL * (1 - explained), 10), np.full(N_STEPS, TRIVIAL * (1 - explained)))
    found = fire(RULE, synthetic_trace(settled, facts=facts()))
    assert found.severity == severity
    assert (found.rank > RULE.rank) is (severity == "info")


@pytest.mark.parametrize(("narrowest", "fires"), [(9, False), (10, True)])
def test_a_layer_narrower_than_both_ends_is_meant(narrowest, fires):
    assert (RULE.examine(synthetic_trace(stuck(), facts=facts(narrowest=narrowest))) is not None) is fires


def test_must_hold_in_every_graph_seen():
    assert RULE.examine(synthetic_trace(stuck(), facts=facts({"affine_chain": 4, "graphs": 5}))) is None


def test_silent_without_such_a_chain():
    assert RULE.examine(synthetic_trace(stuck())) is None
