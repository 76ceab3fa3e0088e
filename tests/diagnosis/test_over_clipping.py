import numpy as np
import pytest

from kazami.diagnosis.over_clipping import LIMIT, OverClipping
from tests.diagnosis.synthetic import N_STEPS, falling, fire, rising, stuck, synthetic_trace

RULE = OverClipping()


@pytest.mark.parametrize(("limit", "fires"), [(0.01, True), (0.099, True), (0.101, False), (1.0, False)])
def test_the_share_that_clipping_leaves(limit, fires):
    trace = synthetic_trace(stuck(), norm_before_clipping=1.0, clipping_limit=limit)
    found = RULE.examine(trace)
    assert (found is not None) is fires
    if found is not None:
        assert fire(RULE, trace).evidence[0].value == pytest.approx(limit)
        assert found.evidence[0].limit == LIMIT
        assert found.place == "gradient clipping"


def test_the_typical_step_counts():
    norms = np.where(np.arange(N_STEPS) < N_STEPS // 2 - 1, 100.0, 1.0)
    assert RULE.examine(synthetic_trace(stuck(), norm_before_clipping=norms, clipping_limit=0.5)) is None
    assert fire(RULE, synthetic_trace(stuck(), norm_before_clipping=norms[::-1].copy(), clipping_limit=0.05)).evidence[0].value == pytest.approx(0.05)


@pytest.mark.parametrize("name", ["Adam", "AdamW", "RMSprop"])
def test_an_optimizer_that_rescales_does_not_feel_it(name):
    trace = synthetic_trace(stuck(), optimizer={"name": name}, norm_before_clipping=1.0, clipping_limit=0.01)
    assert RULE.examine(trace) is None


@pytest.mark.parametrize("losses", [falling(), rising()], ids=["falling", "rising"])
def test_silent_unless_progress_is_slow(losses):
    assert RULE.examine(synthetic_trace(losses, norm_before_clipping=1.0, clipping_limit=0.01)) is None


@pytest.mark.parametrize(("end", "fires"), [(0.9, True), (0.75, False)])
def test_slow_progress_is_enough(end, fires):
    trace = synthetic_trace(2.3 * np.append(np.geomspace(1.0, 0.6, 10), 0.6 * np.linspace(1.0, end, 90)), norm_before_clipping=1.0, clipping_limit=0.01)
    assert not trace.progress_is_poor
    assert (RULE.examine(trace) is not None) is fires


def test_silent_where_nothing_was_clipped():
    assert RULE.examine(synthetic_trace(stuck())) is None
