import numpy as np
import pytest

from kazami.diagnosis.lr_too_high import FILLED, LARGE_UPDATE, LrTooHigh, is_oscillating_high, overshoot, peak_update, stability, typical_update
from kazami.records import Layer
from tests.diagnosis.synthetic import N_STEPS, assert_both_languages, falling, fire, rising, stuck, synthetic_trace

RULE = LrTooHigh()
LARGE = np.full(4, 3 * LARGE_UPDATE)
SMALL = np.full(4, 1e-3)
ADAM = {"name": "Adam", "learning_rate": 0.1}


def test_a_sharpness_above_the_threshold_fires_with_its_number():
    found = fire(RULE, synthetic_trace(stuck(), stability_ratio=33.0, update_ratio=LARGE, learning_rate=0.25))
    assert found.evidence[0].value == pytest.approx(33.0)
    assert found.evidence[0].limit == 1.0
    assert found.evidence[1].value == pytest.approx(3 * LARGE_UPDATE)
    assert found.evidence[1].limit == LARGE_UPDATE
    assert "0.25" in found.sentence.en
    assert "33" in found.sentence.en
    assert "33" in found.sentence.ja
    assert (found.severity, found.place) == ("warning", "")


def test_the_rate_told_is_the_one_that_was_set_and_not_what_a_schedule_left_of_it():
    rates = 8.0 * np.cos(np.linspace(0.0, np.pi / 2 - 1e-5, N_STEPS))
    found = fire(RULE, synthetic_trace(stuck(), stability_ratio=33.0, update_ratio=LARGE, learning_rate=rates))
    assert "The learning rate 8 is too high" in found.sentence.en
    assert "学習率 8 が" in found.sentence.ja


def test_a_loss_that_runs_away_is_an_error_since_the_step_it_left():
    losses = np.array([2.3] * 20 + [2.3 * 2.0**k for k in range(1, 21)])
    found = fire(RULE, synthetic_trace(losses, stability_ratio=5.0, update_ratio=SMALL))
    assert (found.severity, found.step) == ("error", 21)


def test_updates_as_large_as_the_weights_are_enough_when_the_loss_rises():
    found = fire(RULE, synthetic_trace(rising(), update_ratio=LARGE))
    assert "updates are 0.3 of the weights" in found.sentence.en
    assert not any("ratio" in item.name for item in found.evidence)  # none was measured, so none is shown


def test_one_weak_witness_is_not_enough():
    assert RULE.examine(synthetic_trace(stuck(), update_ratio=np.full(4, 1.1 * LARGE_UPDATE))) is None
    assert RULE.examine(synthetic_trace(stuck(), stability_ratio=1.1, update_ratio=SMALL)) is None
    assert RULE.examine(synthetic_trace(stuck(), update_ratio=SMALL, update_cosine=-0.9)) is None


def test_two_weak_witnesses_are():
    trace = synthetic_trace(stuck(), stability_ratio=1.3, update_ratio=SMALL, update_cosine=-0.9)
    assert fire(RULE, trace).confidence < fire(RULE, synthetic_trace(rising(), stability_ratio=30.0, update_ratio=LARGE)).confidence


def test_the_edge_of_stability_with_good_progress_is_no_fault():
    assert RULE.examine(synthetic_trace(falling(), stability_ratio=5.0, update_ratio=LARGE, update_cosine=-0.9)) is None


@pytest.mark.parametrize(("optimizer", "fires"), [({"name": "SGD", "learning_rate": 0.1}, True), (ADAM, False)])
def test_a_loss_that_runs_away_and_turns_back_weighs_less_with_an_adaptive_optimizer(optimizer, fires):
    trace = synthetic_trace(2.3 * np.linspace(1.0, 3.0, N_STEPS), optimizer=optimizer, update_ratio=SMALL, update_cosine=-0.9)
    assert (RULE.examine(trace) is not None) is fires


@pytest.mark.parametrize(("peak", "fires"), [(5.1 * LARGE_UPDATE, True), (4.9 * LARGE_UPDATE, False)])
def test_a_first_step_that_threw_the_weights_away_is_remembered(peak, fires):
    updates = np.full((N_STEPS, 4), 1e-3)
    updates[1] = peak
    found = RULE.examine(synthetic_trace(stuck(), update_ratio=updates, stability_ratio=1.0, update_cosine=-0.9, optimizer=ADAM))
    assert found is None  # a peak and an oscillation of an adaptive optimizer are two weak witnesses short of the third
    found = RULE.examine(synthetic_trace(rising(), update_ratio=updates, stability_ratio=1.0, optimizer=ADAM))
    assert (found is not None) is fires
    if found is not None:
        assert found.evidence[-1].value == pytest.approx(peak)


def test_silent_before_the_second_step():
    assert RULE.examine(synthetic_trace([2.3], stability_ratio=33.0, update_ratio=LARGE)) is None


def test_the_first_steps_of_an_adaptive_optimizer_say_nothing():
    filling = np.where(np.arange(1, N_STEPS + 1) < FILLED, 50.0, 0.2)
    trace = synthetic_trace(stuck(), optimizer=ADAM, stability_ratio=filling)
    assert stability(trace) == pytest.approx(0.2)
    assert stability(trace.replaced(optimizer={"name": "SGD"})) == pytest.approx(50.0)


def test_is_excluded_with_its_share_of_the_limit():
    sentence = RULE.exonerate(synthetic_trace(stuck(), stability_ratio=0.3, update_ratio=SMALL))
    assert sentence is not None
    assert_both_languages(sentence.en, sentence.ja)
    assert "0.3 of its stability limit" in sentence.en
    assert RULE.exonerate(synthetic_trace(stuck(), stability_ratio=0.8, update_ratio=SMALL)) is None
    assert RULE.exonerate(synthetic_trace(stuck(), stability_ratio=0.3, update_ratio=LARGE)) is None
    assert RULE.exonerate(synthetic_trace(stuck())) is None


def test_what_it_measures():
    table = np.full((N_STEPS, 4), 0.01)
    table[2] = [5.0, 7.0, np.nan, 9.0]
    trace = synthetic_trace(stuck(), update_ratio=table, update_cosine=-0.5)
    assert typical_update(trace) == pytest.approx(0.01)
    assert peak_update(trace) == pytest.approx(7.0)
    assert overshoot(synthetic_trace([2.3, 23.0, *[2.0] * 18])) == pytest.approx(10.0)
    assert is_oscillating_high(trace)
    assert not is_oscillating_high(synthetic_trace(falling(), update_cosine=-0.5))


@pytest.mark.parametrize(("later", "fires"), [(0.3, True), (0.01, False)])
def test_in_a_game_the_steps_alone_are_looked_at(later, fires):
    updates = np.full((N_STEPS, 4), later)
    updates[:3] = 10.0
    assert (RULE.examine(synthetic_trace(rising(), facts={"adversarial": {"players": 2}}, update_ratio=updates)) is not None) is fires


@pytest.mark.parametrize(("facts", "fires"), [({"moving_targets": {"repeated": 9}}, True), ({}, False)])
def test_targets_that_grew_with_a_storm_do_not_hide_it(facts, fires):
    """What the network itself made of its targets is no measure of what it explains of them."""
    updates = np.full((N_STEPS, 4), 0.2)
    updates[:3] = 10.0
    losses = np.concatenate([[0.3], np.geomspace(1e5, 50.0, N_STEPS - 1)])
    trace = synthetic_trace(losses, facts=facts, update_ratio=updates, trivial_loss=4e3, optimizer={"name": "RMSprop"})
    assert (RULE.examine(trace) is not None) is fires


@pytest.mark.parametrize(("peak", "variation", "fires"), [(1.0, 0.01, True), (1.0, 0.5, False), (0.05, 0.01, False)])
def test_first_steps_that_rewrite_the_weights_and_leave_one_answer(peak, variation, fires):
    """A transformer under Adam at a tenth: the weights are gone after a step, and from then on the updates look harmless beside what they have grown to."""
    updates = np.vstack([np.full((3, 4), peak), np.full((N_STEPS - 3, 4), 1e-3)])
    trace = synthetic_trace(stuck(), update_ratio=updates, output_variation=variation, learning_rate=0.1)
    assert (RULE.examine(trace) is not None) is fires


def test_a_player_of_one_number_has_no_size_to_measure_its_steps_by():
    updates = np.full((N_STEPS, 1), 0.5)
    updates[:3] = 10.0
    for shape, fires in (((1, 1), False), ((4, 4), True)):
        layer = Layer("place", "linear", shape, shape[1], shape[0], is_output=True)
        trace = synthetic_trace(rising(), layers=[layer], facts={"adversarial": {"players": 2}}, update_ratio=updates)
        assert (RULE.examine(trace) is not None) is fires


@pytest.mark.parametrize(("end", "fires"), [(2.0, True), (1e-3, False)])
def test_a_loss_that_only_comes_down_from_its_own_storm(end, fires):
    """It falls by decades, and stands above guessing all the same."""
    updates = np.full((N_STEPS, 4), 1e-6)
    updates[:3] = 10.0
    losses = np.concatenate([[1.2], np.geomspace(1e9, end, N_STEPS - 1)])
    found = RULE.examine(synthetic_trace(losses, update_ratio=updates, trivial_loss=1.0, stability_ratio=np.full(N_STEPS, 5.0)))
    assert (found is not None) is fires
