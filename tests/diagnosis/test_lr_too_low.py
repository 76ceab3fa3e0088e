import numpy as np
import pytest

from kazami.diagnosis.lr_too_low import FILLED, LIMIT, LONG, SMALL_UPDATE, LrTooLow, has_no_signal, middle_update, ratio_at_the_largest_rate
from kazami.patients import all_patients
from kazami.patients.reading import read
from tests.diagnosis.synthetic import assert_both_languages, falling, fire, rising, stuck, synthetic_trace

RULE = LrTooLow()
TINY = np.full(4, 1e-6)


def test_tiny_steps_far_below_the_threshold_fire():
    found = fire(RULE, synthetic_trace(stuck(), stability_ratio=1e-4, update_ratio=TINY, learning_rate=1e-7))
    assert (found.evidence[0].value, found.evidence[0].limit) == (1e-4, LIMIT)
    assert (found.evidence[1].value, found.evidence[1].limit) == (1e-6, SMALL_UPDATE)
    assert "1e-07" in found.sentence.en
    assert "1e-06" in found.sentence.ja
    assert found.wind < 0


@pytest.mark.parametrize(("ratio", "fires"), [(0.9 * LIMIT, True), (1.1 * LIMIT, False)])
def test_the_limit_of_the_stability_ratio(ratio, fires):
    trace = synthetic_trace(stuck(), stability_ratio=ratio, update_ratio=np.full(4, 0.5 * SMALL_UPDATE))
    assert (RULE.examine(trace) is not None) is fires


@pytest.mark.parametrize(("update", "fires"), [(0.9 * SMALL_UPDATE, True), (1.1 * SMALL_UPDATE, False)])
def test_the_limit_of_the_updates(update, fires):
    trace = synthetic_trace(stuck(), stability_ratio=0.5 * LIMIT, update_ratio=np.full(4, update))
    assert (RULE.examine(trace) is not None) is fires


@pytest.mark.parametrize(("ratio", "fires"), [(0.1 * LIMIT, True), (0.15 * LIMIT, False), (0.21 * LIMIT, False)])
def test_far_below_the_threshold_somewhat_larger_updates_count_too(ratio, fires):
    trace = synthetic_trace(stuck(), stability_ratio=ratio, update_ratio=np.full(4, 2.9 * SMALL_UPDATE))
    assert (RULE.examine(trace) is not None) is fires


@pytest.mark.parametrize(("ratio", "fires"), [(0.19 * LIMIT, True), (0.21 * LIMIT, False)])
def test_far_below_the_threshold_a_somewhat_better_pace_counts_too(ratio, fires):
    trace = synthetic_trace(2.3 * np.linspace(1.0, 0.84, 40), stability_ratio=ratio, update_ratio=TINY)
    assert trace.progress is not None
    assert 0.08 < trace.progress.pace < 0.12
    assert (RULE.examine(trace) is not None) is fires


def test_a_measured_ratio_makes_it_surer():
    unmeasured = fire(RULE, synthetic_trace(stuck(), update_ratio=TINY))
    assert fire(RULE, synthetic_trace(stuck(), stability_ratio=1e-4, update_ratio=TINY)).confidence > unmeasured.confidence


@pytest.mark.parametrize(("dead", "zero", "is_cut_off"), [(0.96, 0.0, True), (0.94, 0.97, False), (0.0, 0.99, True)])
def test_the_limits_of_being_cut_off(dead, zero, is_cut_off):
    trace = synthetic_trace(stuck(), dead_share=[dead, 0.0, 0.0, np.nan], zero_gradient_share=[zero, 0.0, 0.0, 1.0])
    assert has_no_signal(trace) is is_cut_off


def test_one_layer_that_moves_is_enough_to_be_silent():
    assert RULE.examine(synthetic_trace(stuck(), stability_ratio=1e-4, update_ratio=[1e-6, 1e-6, 0.01, 1e-6])) is None
    assert middle_update(synthetic_trace(update_ratio=[1e-6, np.nan, 0.01, 1e-6])) == 0.01


def test_silent_where_a_larger_step_would_not_help():
    cut_off = synthetic_trace(stuck(), stability_ratio=1e-4, update_ratio=TINY, zero_gradient_share=[1.0, 0.0, 0.0, 0.0])
    dead = synthetic_trace(stuck(), stability_ratio=1e-4, update_ratio=TINY, dead_share=[0.0, 1.0, 0.0, np.nan])
    assert has_no_signal(cut_off)
    assert has_no_signal(dead)
    assert RULE.examine(cut_off) is RULE.examine(dead) is None


@pytest.mark.parametrize("losses", [None, falling(), rising(), stuck(8)], ids=["no losses", "falling", "rising", "too few steps"])
def test_silent_unless_little_is_being_gained(losses):
    assert RULE.examine(synthetic_trace(losses, stability_ratio=1e-4, update_ratio=TINY)) is None


def test_is_excluded_with_the_size_of_the_updates():
    sentence = RULE.exonerate(synthetic_trace(stuck(), update_ratio=np.full(4, 0.02)))
    assert sentence is not None
    assert_both_languages(sentence.en, sentence.ja)
    assert "0.02" in sentence.en
    assert RULE.exonerate(synthetic_trace(stuck(), update_ratio=TINY)) is None
    assert RULE.exonerate(synthetic_trace(stuck())) is None


def test_silent_where_the_weights_have_come_far_and_the_loss_has_not_moved():
    still = synthetic_trace(stuck(400), stability_ratio=1e-4, update_ratio=np.full(4, 2.5e-3), update_cosine=0.99)
    assert RULE.examine(still) is None
    assert fire(RULE, synthetic_trace(stuck(), stability_ratio=1e-4, update_ratio=np.full(4, 2.5e-3))).name == "lr_too_low"


@pytest.mark.parametrize(("at_the_start", "fires"), [(1e-8, True), (1e-2, False)], ids=["never large", "large once"])
def test_a_schedule_that_ends_at_zero_excuses_only_a_rate_that_was_large_once(at_the_start, fires):
    fall = np.linspace(1.0, 0.0, 40)
    trace = synthetic_trace(stuck(), learning_rate=1e-3 * fall, update_ratio=np.outer(at_the_start * fall, np.ones(4)))
    assert (RULE.examine(trace) is not None) is fires
    assert not fires or "0.001" in fire(RULE, trace).sentence.en  # the rate it began with, not the zero it ended with


def test_after_a_schedule_the_stability_ratio_counts_as_it_was_at_the_largest_rate():
    fall = np.linspace(1.0, 0.01, 40)
    for at_the_top, fires in ((1e-4, True), (0.5, False)):
        trace = synthetic_trace(stuck(), learning_rate=0.1 * fall, stability_ratio=at_the_top * fall, update_ratio=np.outer(1e-3 * fall, np.ones(4)))
        assert ratio_at_the_largest_rate(trace) == pytest.approx(at_the_top)
        assert (RULE.examine(trace) is not None) is fires


def test_the_first_ratios_of_an_adaptive_optimizer_are_left_out():
    ratios = np.where(np.arange(40) < FILLED - 1, 300.0, 1e-4)
    ratios[FILLED + 1 :] = np.nan  # measured seldom: most of the newest measurements are old
    fields = {"stability_ratio": ratios, "update_ratio": TINY}
    assert RULE.examine(synthetic_trace(stuck(), optimizer={"name": "SGD"}, **fields)) is None
    assert fire(RULE, synthetic_trace(stuck(), optimizer={"name": "Adam"}, **fields)).evidence[0].value == 1e-4


def test_adaptive_steps_that_shrank_in_noise_were_large_once():
    small = np.full((40, 4), 1e-4)
    early = small.copy()
    early[:5] = 0.05
    assert RULE.examine(synthetic_trace(stuck(), optimizer={"name": "Adam"}, stability_ratio=1e-3, update_ratio=small)) is not None
    assert RULE.examine(synthetic_trace(stuck(), optimizer={"name": "Adam"}, stability_ratio=1e-3, update_ratio=early)) is None


def test_a_loss_that_comes_down_fast_to_guessing_has_long_steps():
    down = synthetic_trace(np.geomspace(9.0, 2.4, 40), update_cosine=0.99, update_ratio=TINY)
    assert down.progress_is_poor
    assert RULE.examine(down) is None


@pytest.mark.parametrize(("update", "fires"), [(1e-5, True), (1e-2, False)])
def test_a_player_is_judged_by_its_way(update, fires):
    n = LONG + 20
    trace = synthetic_trace(rising(n), facts={"adversarial": {"players": 2}}, update_ratio=np.full((n, 4), update), learning_rate=1e-7)
    found = RULE.examine(trace)
    assert (found is not None) is fires
    if found is not None:
        assert_both_languages(found.sentence.en, found.sentence.ja)
        assert "together" in found.sentence.en
    warming = synthetic_trace(rising(n), facts={"adversarial": {"players": 2}}, update_ratio=np.full((n, 4), update), learning_rate=np.linspace(1e-9, 1e-7, n))
    assert RULE.examine(warming) is None


@pytest.mark.slow
def test_hardly_a_step_of_policy_gradient_is_told_by_the_way_alone():
    patients = {patient.name: patient for patient in all_patients("calibration")}
    assert read(patients["arms_hardly_pulled"]).whole[:1] == ("lr_too_low",)
    assert read(patients["arms_pulled_well"]).whole == ()
