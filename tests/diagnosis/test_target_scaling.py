import numpy as np
import pytest

from kazami.diagnosis.target_scaling import LIMIT, TargetScaling
from tests.diagnosis.synthetic import falling, fire, rising, stuck, synthetic_trace

RULE = TargetScaling()
OUTPUT = {"output_mean": 0.0, "output_std": 0.5}


def regression(losses, *, mean=0.0, std=1.0, kind="mse", **output):
    return synthetic_trace(losses, loss_kind=kind, target_mean=mean, target_std=std, **{**OUTPUT, **output})


@pytest.mark.parametrize("kind", ["mse", "l1", "smooth_l1", "huber", "gaussian_nll"])
def test_targets_far_away_fire_with_their_distance(kind):
    found = fire(RULE, regression(stuck(), mean=400.0, std=300.0, kind=kind))
    assert found.evidence[0].value == pytest.approx(500.0)  # 3, 4, 5: width and distance, over an output of at most unit size
    assert found.evidence[0].limit == LIMIT
    assert found.place == "the targets"
    assert "targets of 400 ± 300, output of 0 ± 0.5" in found.sentence.en
    assert "目標 400 ± 300" in found.sentence.ja


@pytest.mark.parametrize(("mean", "fires"), [(1.01 * LIMIT, True), (0.99 * LIMIT, False)])
def test_the_limit(mean, fires):
    assert (RULE.examine(regression(stuck(), mean=mean, std=0.0)) is not None) is fires


@pytest.mark.parametrize(("output_std", "fires"), [(0.31, True), (0.29, False)])
def test_targets_that_drown_in_the_output(output_std, fires):
    trace = regression(stuck(), mean=0.0, std=0.01, output_std=output_std)
    assert (RULE.examine(trace) is not None) is fires


def test_a_wide_output_of_the_same_size_is_no_matter():
    assert RULE.examine(regression(stuck(), mean=400.0, std=300.0, output_std=200.0)) is None


def test_the_weather_follows_the_loss():
    assert fire(RULE, regression(stuck(), mean=400.0)).wind < 0 < fire(RULE, regression(rising(), mean=400.0)).wind


def test_silent_with_good_progress_in_classification_and_unmeasured():
    assert RULE.examine(regression(falling(), mean=400.0, output_mean=np.linspace(0.0, 400.0, 40))) is None
    assert RULE.examine(regression(stuck(), mean=400.0, kind="cross_entropy")) is None
    assert RULE.examine(synthetic_trace(stuck(), loss_kind="mse")) is None


@pytest.mark.parametrize(("now", "fires"), [(60.0, True), (200.0, False)])
def test_an_output_far_on_its_way_is_not_told_and_one_that_hardly_moves_is(now, fires):
    """The loss still falls, but stands above the best constant's: what counts is the way that is left."""
    losses = np.linspace(3.0, 1.3, 40) * 2.3
    on_its_way = np.linspace(0.0, now, 40)
    trace = regression(losses, mean=400.0, std=10.0, output_mean=on_its_way)
    assert not trace.progress_is_poor
    assert (RULE.examine(trace) is not None) is fires


@pytest.mark.parametrize(("ratio", "explained", "fires"), [(1.01 * LIMIT, 0.1, True), (0.99 * LIMIT, 0.1, False), (100.0, 0.2, False)])
def test_columns_of_other_sizes_count_by_themselves(ratio, explained, fires):
    trace = regression(falling(), std=1.0, target_columns_ratio=ratio, small_columns_explained=explained)
    assert (RULE.examine(trace) is not None) is fires
