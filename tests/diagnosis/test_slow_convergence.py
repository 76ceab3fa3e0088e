import numpy as np
import pytest

from kazami.diagnosis.slow_convergence import GAIN, SlowConvergence
from tests.diagnosis.synthetic import falling, fire, rising, stuck, synthetic_trace

RULE = SlowConvergence()
STUCK = stuck(100)


def gains(flat, sharp=0.0, noise=0.01, *, n_steps=100):
    random = np.random.default_rng(0)
    tables = {}
    for name, level in (("flat_gain", flat), ("sharp_gain", sharp)):
        tables[name] = np.full((n_steps, 4), np.nan)
        tables[name][:, 0] = level + noise * random.standard_normal(n_steps)
    return tables


@pytest.mark.parametrize(("flat", "fires"), [(0.9, True), (0.15, True), (0.08, False), (-0.1, False)])
def test_the_share_along_flat_directions(flat, fires):
    found = RULE.examine(synthetic_trace(STUCK, **gains(flat), stability_ratio=0.5, input_condition=[1e5, np.nan, np.nan, np.nan]))
    assert (found is not None) is fires
    if found is not None:
        found = fire(RULE, synthetic_trace(STUCK, **gains(flat), stability_ratio=0.5, input_condition=[1e5, np.nan, np.nan, np.nan]))
        assert found.place == "layer0"
        assert found.evidence[0].value == pytest.approx(flat, abs=0.01)
        assert found.evidence[0].limit == GAIN
        assert [item.value for item in found.evidence[2:]] == [1e5, 1000.0]


def test_chance_is_no_share():
    assert RULE.examine(synthetic_trace(STUCK, **gains(0.15, noise=0.4))) is None


def test_where_nothing_was_learned_the_steep_directions_are_as_full():
    assert RULE.examine(synthetic_trace(STUCK, **gains(0.4, sharp=0.5))) is None
    assert RULE.examine(synthetic_trace(STUCK, **gains(0.4, sharp=0.1))) is not None


def test_a_step_that_is_too_short_or_long_enough_in_all_is_something_else():
    assert RULE.examine(synthetic_trace(STUCK, **gains(0.9), stability_ratio=0.02)) is None
    long = stuck(1200)
    assert RULE.examine(synthetic_trace(long, **gains(0.9, n_steps=1200), stability_ratio=0.5)) is None  # 500 / 0.5 steps would have done
    assert RULE.examine(synthetic_trace(long, **gains(0.9, n_steps=1200), stability_ratio=0.3)) is not None


@pytest.mark.parametrize("losses", [falling(100), rising(100)], ids=["falling", "rising"])
def test_silent_unless_progress_is_slow(losses):
    assert RULE.examine(synthetic_trace(losses, **gains(0.9))) is None


def test_adam_makes_it_less_sure():
    sure, unsure = (fire(RULE, synthetic_trace(STUCK, **gains(0.9), input_condition=1e5, optimizer={"name": name})) for name in ("SGD", "Adam"))
    assert sure.confidence > unsure.confidence


def test_excuse():
    assert RULE.exonerate(synthetic_trace(STUCK, **gains(0.0))) is not None
    assert RULE.exonerate(synthetic_trace(STUCK, **gains(0.09))) is None
    assert RULE.exonerate(synthetic_trace(STUCK)) is None
