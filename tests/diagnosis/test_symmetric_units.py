import numpy as np
import pytest

from kazami.diagnosis.symmetric_units import LIMIT, SymmetricUnits
from tests.diagnosis.synthetic import N_STEPS, falling, fire, stuck, synthetic_trace, tower

RULE = SymmetricUnits()


@pytest.mark.parametrize("losses", [None, stuck()], ids=["no losses", "stuck"])
def test_copies_fire_with_the_number_that_differ(losses):
    found = fire(RULE, synthetic_trace(losses, distinct_units=[1.0, 0.125, 0.25, 1.0]))
    assert (found.place, found.severity) == ("layer1", "error")
    assert (found.evidence[0].value, found.evidence[0].limit) == (1.0, 8.0)
    assert "1 of 8 differ" in found.sentence.en
    assert "8 個中 1 個" in found.sentence.ja


@pytest.mark.parametrize(("share", "fires"), [(LIMIT, True), (LIMIT + 0.01, False)])
def test_the_limit(share, fires):
    assert (RULE.examine(synthetic_trace(stuck(), distinct_units=[share, 1.0, 1.0, 1.0])) is not None) is fires


@pytest.mark.parametrize("broken_at", [0, N_STEPS // 2], ids=["born different", "parted since"])
def test_must_hold_from_the_start_until_now(broken_at):
    table = np.full((N_STEPS, 4), 0.125)
    table[broken_at : broken_at + (1 if broken_at == 0 else N_STEPS)] = 1.0
    assert RULE.examine(synthetic_trace(stuck(), distinct_units=table)) is None


def test_two_units_and_the_output_do_not_count():
    copies = [0.125, 0.125, 0.125, 0.125]
    assert RULE.examine(synthetic_trace(stuck(), layers=tower(4, width=2), distinct_units=copies)) is None
    assert RULE.examine(synthetic_trace(stuck(), distinct_units=[1.0, 1.0, 1.0, 0.125])) is None


def test_silent_where_the_task_needs_no_more():
    assert RULE.examine(synthetic_trace(falling(), distinct_units=[0.125, 0.125, 0.125, 1.0])) is None


def test_silent_where_it_was_not_measured():
    assert RULE.examine(synthetic_trace(stuck(), distinct_units=np.full(4, np.nan))) is None
    assert RULE.examine(synthetic_trace(stuck())) is None
