import numpy as np
import pytest

from kazami.diagnosis._spikes import LEAST_BEFORE, _candidates, _spike_at, period_of, spikes
from kazami.diagnosis.loss_spike import BEHIND_THE_STEPS, LossSpike
from tests.diagnosis.synthetic import TRIVIAL, falling, fire, noisy, rising, stuck, synthetic_trace

RULE = LossSpike()
N = 120


def leaping(*at, cost=30, height=20.0, n_steps=N, seed=0):
    """A falling loss that leaps at some steps and takes a while to come back."""
    curve = noisy(TRIVIAL * np.geomspace(1.0, 0.3, n_steps), 0.02, seed=seed)
    for step in at:
        curve[step - 1] = height
        curve[step : step + cost] += 2.0
    return curve


def norms(*at, n_steps=N, size=50.0):
    values = noisy(np.ones(n_steps), 0.1, seed=1)
    values[[step - 1 for step in at]] = size
    return values


def test_a_leap_that_costs_steps_is_named_with_its_cost_and_its_gradient():
    trace = synthetic_trace(leaping(60, cost=40), total_gradient_norm=norms(60), update_norm=norms())
    found = fire(RULE, trace)
    assert (found.step, found.place, found.rank) == (60, "step 60", BEHIND_THE_STEPS)
    leap, cost, gradient, update = (item.value for item in found.evidence)
    assert leap > 100
    assert cost == pytest.approx(40 / N, abs=0.05)
    assert gradient > 6 > abs(update)
    assert "its gradient moved first" in found.sentence.en


def test_the_layer_whose_gradient_grew_most_is_named():
    table = np.ones((N, 4))
    table[59] = [2.0, 70.0, 3.0, 5.0]
    found = fire(RULE, synthetic_trace(leaping(60, cost=40), total_gradient_norm=norms(60), gradient_norm=table))
    assert "most of all in `layer1` (70 times its usual)" in found.sentence.en


@pytest.mark.parametrize("cost", [0, 3])
def test_a_leap_that_is_over_at_once_does_no_harm(cost):
    assert RULE.examine(synthetic_trace(leaping(60, cost=cost), total_gradient_norm=norms(60))) is None


def test_leaps_that_come_back_with_the_epoch_name_the_batch():
    trace = synthetic_trace(leaping(27, 52, 77, 102, cost=14, height=2000.0), total_gradient_norm=norms(27, 52, 77, 102))
    found = fire(RULE, trace)
    assert found.place == "batch 2 of 25 every epoch"
    assert found.rank == RULE.rank
    assert "毎エポック 25 バッチ中 2 番目" in found.sentence.ja


def test_the_data_loader_knows_the_batch_of_a_single_leap():
    trace = synthetic_trace(leaping(60, cost=40), total_gradient_norm=norms(60), facts={"epoch": {"first": 1, "batches": 50}})
    assert fire(RULE, trace).place == "step 60 (batch 10 of 50)"


def test_a_batch_whose_inputs_are_unlike_is_the_cause_whatever_the_gradient():
    table = np.ones((N, 4))
    table[59] = 100.0
    found = fire(RULE, synthetic_trace(leaping(60, cost=40), input_rms=table))
    assert found.rank == RULE.rank
    assert "inputs are 100 times as large as usual" in found.sentence.en


def test_a_leap_without_a_gradient_or_after_too_long_steps_is_not_the_batchs():
    assert RULE.examine(synthetic_trace(leaping(60, cost=40), total_gradient_norm=norms())) is None
    assert RULE.examine(synthetic_trace(leaping(60, cost=40), total_gradient_norm=norms(60), stability_ratio=1.5)) is None
    assert RULE.examine(synthetic_trace(leaping(60, cost=40), total_gradient_norm=norms(60), stability_ratio=0.5)) is not None


def test_an_update_that_grew_first_is_told():
    found = fire(RULE, synthetic_trace(leaping(60, cost=40), total_gradient_norm=norms(60), update_norm=norms(59), facts={}))
    assert "the update before it moved first" in found.sentence.en


def test_heavy_tails_are_no_leaps():
    squares = TRIVIAL * np.random.default_rng(0).standard_normal(1000) ** 2
    assert spikes(synthetic_trace(squares)) == []


@pytest.mark.parametrize("losses", [stuck(100), falling(100), rising(100), np.append(falling(60), np.full(20, np.nan))])
def test_runs_without_leaps(losses):
    assert RULE.examine(synthetic_trace(losses)) is None


def test_a_loss_on_its_way_back_is_given_the_time():
    curve = noisy(np.full(100, TRIVIAL), 0.02)
    curve[79], curve[80:] = 40.0, noisy(TRIVIAL + 8 * np.linspace(1.0, 0.4, 20), 0.02)
    (spike,) = spikes(synthetic_trace(curve))
    assert spike.is_back
    curve[80:] = noisy(np.full(20, TRIVIAL + 8.0), 0.02)
    (spike,) = spikes(synthetic_trace(curve))
    assert not spike.is_back


@pytest.mark.parametrize(
    ("steps", "period"), [([25, 151, 235, 237, 277], 42), ([18, 43, 68], 25), ([18, 43], 0), ([5, 13, 40, 77], 0), ([10, 30, 40, 60], 10), ([], 0)]
)
def test_periods(steps, period):
    assert period_of(steps) == period


def test_targets_that_are_renewed_make_no_leap():
    """A target network that is renewed moves all targets at once, and the loss with them."""
    facts = {"moving_targets": {"repeated": 256, "changed": 0.95, "coherence": 0.8}}
    assert RULE.examine(synthetic_trace(leaping(60, cost=40), total_gradient_norm=norms(60), update_norm=norms())) is not None
    assert RULE.examine(synthetic_trace(leaping(60, cost=40), total_gradient_norm=norms(60), update_norm=norms(), facts=facts)) is None


@pytest.mark.parametrize("seed", range(4))
def test_a_look_at_all_losses_at_once_misses_none(seed):
    draw = np.random.default_rng(seed)
    losses = np.exp(-np.arange(400) / 80) + 0.02 * draw.standard_normal(400).cumsum() / 10 + 1
    losses[draw.choice(np.arange(20, 400), 9, replace=False)] += draw.uniform(0.5, 5, 9)
    losses[draw.choice(np.arange(20, 400), 3, replace=False)] = [np.nan, np.inf, -np.inf]
    floor, steps = 0.1, np.arange(1, 401)
    one_by_one = [at for at in range(LEAST_BEFORE, 400) if _spike_at(losses, steps, at, floor) is not None]
    assert len(one_by_one) > 2
    assert [at for at in _candidates(losses, floor) if _spike_at(losses, steps, at, floor) is not None] == one_by_one
