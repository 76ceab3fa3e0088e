from dataclasses import replace

import numpy as np
import pytest

from kazami.diagnosis._evaluation import LOUD
from kazami.diagnosis._norms import SHIFT
from kazami.diagnosis.train_eval_mismatch import FEWEST, SUNK, TrainEvalMismatch
from tests.diagnosis.synthetic import falling, fire, stuck, synthetic_trace, tower

RULE = TrainEvalMismatch()
LAYERS = (tower(2)[0], replace(tower(2)[0], name="norm", kind="norm"), tower(2)[1])
N = 100


def seen(losses=None, **quantities):
    """A trace with one normalisation; numbers hold at every step, arrays are one number a step."""
    usual = {"norm_shift": 0.05, "norm_variance": 1e4, "norm_samples": 32.0, "norm_memory": 0.1}
    facts = quantities.pop("facts", {})
    series = {name: quantities.pop(name) for name in list(quantities) if name.startswith("validation")}
    for name, values in (usual | quantities).items():
        series[name] = np.full((N, 3), np.nan)
        series[name][:, 1] = values
    return synthetic_trace(falling(N) if losses is None else losses, layers=LAYERS, facts={"loss_reduction": "mean", **facts}, **series)


def evaluated(loss):
    sites = [{"series": "validation_loss", "error": "", "rise_error": "", "kind": "cross_entropy", "passes": 1}]
    return {"validation_loss": np.full(N, loss), "facts": {"validation": {"sites": sites, "is_eval_mode": True, "scale": 1.0}}}


def test_a_usual_normalisation_is_silent_and_excused():
    assert RULE.examine(seen()) is None
    assert RULE.exonerate(seen()) is not None
    assert RULE.exonerate(seen(norm_shift=0.4)) is None


@pytest.mark.parametrize(("memory", "fires"), [(1e-4, True), (3e-3, True), (6e-3, True), (8e-3, False), (0.04, False)])
def test_statistics_that_will_not_arrive(memory, fires):
    """After twice a hundred steps more than half is left of the start below 0.0035; of a distance of 2 more than 1 is left after as many again below 0.0069."""
    found = RULE.examine(seen(norm_shift=2.0, norm_memory=memory))
    assert (found is not None) is fires
    if found is not None:
        found = fire(RULE, seen(norm_shift=2.0, norm_memory=memory))
        assert (found.place, found.evidence[0].value, found.evidence[0].limit) == ("norm", 2.0, SHIFT)
        assert "near their start" in found.sentence.en


def test_weights_that_run_away_from_the_statistics():
    assert "change faster" in fire(RULE, seen(norm_shift=2.0)).sentence.en
    assert RULE.examine(seen(norm_shift=np.linspace(5.0, 1.0, N))) is None  # they arrive
    assert RULE.examine(seen(norm_shift=SHIFT - 0.01)) is None


@pytest.mark.parametrize(("loss", "fires"), [(2.0, True), (0.02, False)])
def test_the_scripts_own_evaluation_has_the_last_word(loss, fires):
    assert (RULE.examine(seen(norm_shift=2.0, **evaluated(loss))) is not None) is fires


@pytest.mark.parametrize(("samples", "losses", "fires"), [(FEWEST, stuck(N), True), (4.0, stuck(N), False), (FEWEST, falling(N), False)])
def test_two_numbers_are_too_few_unless_it_is_learned_anyway(samples, losses, fires):
    found = RULE.examine(seen(losses, norm_samples=samples))
    assert (found is not None) is fires
    if found is not None:
        assert fire(RULE, seen(losses, norm_samples=samples)).evidence[0].value == samples


@pytest.mark.parametrize(("variance", "losses", "fires"), [(SUNK / 2, stuck(N), True), (10.0, stuck(N), False), (SUNK / 2, falling(N), False)])
def test_a_variance_below_epsilon_matters_where_progress_is_slow(variance, losses, fires):
    found = RULE.examine(seen(losses, norm_variance=variance))
    assert (found is not None) is fires
    if found is not None:
        assert fire(RULE, seen(losses, norm_variance=variance)).wind < 0


def test_twenty_steps_are_needed():
    assert RULE.examine(seen(norm_shift=2.0, norm_memory=1e-4).replaced(step=19)) is None
    assert RULE.examine(synthetic_trace(stuck())) is None


@pytest.mark.parametrize(("rate", "is_eval_mode", "fires"), [(0.5, False, True), (LOUD - 0.01, False, False), (0.5, True, False), (0.5, None, False)])
def test_dropout_that_is_left_on_while_the_script_validates(rate, is_eval_mode, fires):
    facts = {"dropout": {"rate": rate, "step": 1}, "validation": {"sites": [], "is_eval_mode": is_eval_mode, "scale": 1.0}}
    found = RULE.examine(synthetic_trace(falling(), facts=facts))
    assert (found is not None) is fires
    if found is not None:
        assert "model.eval()" in fire(RULE, synthetic_trace(falling(), facts=facts)).sentence.ja
        assert found.place == "dropout"


def test_a_shift_that_goes_to_and_fro_does_not_pass_by_itself():
    """Batches unlike one another: no trend, so that nothing is drawn on from it."""
    to_and_fro = np.where(np.arange(N) % 2 == 0, 1.5, 0.4)
    assert fire(RULE, seen(norm_shift=to_and_fro, norm_memory=0.1)).name == RULE.name
    assert RULE.examine(seen(norm_shift=np.linspace(3.0, 0.6, N), norm_memory=0.1)) is None


@pytest.mark.parametrize(("samples", "memory", "fires"), [(4.0, 1.0, True), (4.0, 0.1, False), (64.0, 1.0, False), (7.0, 0.9, False)])
def test_running_statistics_that_remember_one_small_batch(samples, memory, fires):
    found = RULE.examine(seen(stuck(N), norm_samples=samples, norm_memory=memory))
    assert (found is not None) is fires
    if found is not None:
        assert found.evidence[0].value == pytest.approx(samples * (2 - memory) / memory)


def test_a_memory_between_late_and_arrived_is_judged_by_the_distance_that_will_be_left():
    """A hundred steps at 0.004: 0.45 of the start is left after as many again."""
    assert RULE.examine(seen(norm_shift=3.0, norm_memory=0.004)) is not None
    assert RULE.examine(seen(norm_shift=1.0, norm_memory=0.004)) is None
