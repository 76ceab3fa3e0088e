"""The number: 0.8 of the stability limit, bounded; by the updates where only they are known; only where the steps are to blame."""

import pytest
import torch
from torch import nn

from kazami import watch
from kazami.cures.lower_learning_rate import HEALTHY_UPDATE, SAFE, LowerLearningRate
from tests.cures.cases import ADAM, RATIO, SGD, UPDATE, finding, mlp, prescribed, trace
from tests.cures.examples import EXAMPLES, falling
from tests.cures.trainings import STYLES, carried_out


@pytest.mark.parametrize("ratio", [4.0, 40.0, 777.0])
def test_the_new_rate_lies_just_below_the_stability_limit(ratio):
    given = prescribed(LowerLearningRate(), finding("lr_too_high", ratio, RATIO), trace())
    reached = ratio * given.parameters["learning_rate"] / SGD["learning_rate"]
    assert 0.5 * SAFE < reached <= SAFE
    assert f"lr={given.parameters['learning_rate']:.4g}, momentum=0.9" in given.code


def test_a_small_excess_still_gets_a_quarter_and_a_blow_up_is_bounded():
    rates = [prescribed(LowerLearningRate(), finding("lr_too_high", ratio, RATIO), trace()).parameters["learning_rate"] for ratio in (1.3, 1e30)]
    assert 0.15 < rates[0] / SGD["learning_rate"] <= 0.25
    assert rates[1] == pytest.approx(1e-4 * SGD["learning_rate"])


def test_updates_become_a_hundredth_of_the_weights_where_only_they_are_known():
    given = prescribed(LowerLearningRate(), finding("lr_too_high", 0.5, UPDATE), trace(optimizer=ADAM))
    assert 0.5 * HEALTHY_UPDATE < 0.5 * given.parameters["learning_rate"] / ADAM["learning_rate"] <= HEALTHY_UPDATE
    assert "torch.optim.Adam" in given.code


def test_the_curvature_counts_where_the_limit_was_first_exceeded():
    seen = trace(numbers={"stability_ratio": [0.9, 20.0, 1e4, 1e8]})
    given = prescribed(LowerLearningRate(), finding("lr_too_high", 5e5, RATIO), seen)
    assert 0.5 * SAFE < 20.0 * given.parameters["learning_rate"] / SGD["learning_rate"] <= SAFE


def test_after_a_wild_first_step_the_updates_count():
    seen = trace(layers=mlp()[:1], numbers={"stability_ratio": [2e3, 1e8], "update_ratio": [[4.0], [900.0]]})
    given = prescribed(LowerLearningRate(), finding("lr_too_high", 5e5, RATIO), seen)
    assert 0.5 * HEALTHY_UPDATE < 4.0 * given.parameters["learning_rate"] / SGD["learning_rate"] <= HEALTHY_UPDATE


def test_it_heals_a_training_that_diverges():
    def losses(rate):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
        optimizer, x = torch.optim.SGD(model.parameters(), lr=rate), torch.randn(64, 8)
        with watch(model, optimizer) as seen:
            for _ in range(40):
                optimizer.zero_grad()
                loss = nn.functional.mse_loss(model(x), 3 * x[:, :1])
                loss.backward()
                optimizer.step()
        return float(loss.detach()), seen.trace

    loss, seen = losses(1.0)
    assert not loss < 10
    new = prescribed(LowerLearningRate(), finding("lr_too_high"), seen).parameters["learning_rate"]
    assert losses(new)[0] < 3


def test_the_rate_is_the_one_before_the_schedule_lowered_it():
    seen = trace(numbers={"learning_rate": [0.4, 0.2, 0.1]})
    assert prescribed(LowerLearningRate(), finding("lr_too_high", 40.0, RATIO), seen).parameters["from"] == 0.4


def test_several_groups_are_all_changed():
    assert prescribed(LowerLearningRate(), finding("lr_too_high", 40.0, RATIO), trace(optimizer=SGD | {"groups": 2})).code.startswith(
        "for group in optimizer.param_groups:"
    )


def test_findings_that_steps_do_not_explain_get_none():
    others = [
        finding("dead_units", step=1),
        finding("saturated", rank=34),
        finding("nan_inf", step=5, place="sqrt after 2"),
        finding("exploding_gradient", 5.0, "over depth"),
    ]
    assert [LowerLearningRate().prescribe(one, trace()) for one in others] == [None] * 4


def test_a_number_that_overflowed_after_a_growth_is_the_steps_fault():
    assert LowerLearningRate().prescribe(finding("nan_inf", step=40, rank=60), trace()) is not None


@pytest.mark.parametrize("style", STYLES)
def test_the_new_rate_is_that_of_the_first_group_and_schedules_start_from_it(style):
    before, parameters = EXAMPLES["lower_learning_rate"](style)

    def optimizer(model):
        first, *others = model.parameters()
        return torch.optim.SGD([{"params": [first]}, {"params": others, "lr": 0.5}], lr=0.05)

    groups = before.replaced(optimizer=optimizer, scheduler=falling)
    after = carried_out(LowerLearningRate(), groups, **parameters)
    rate = parameters["learning_rate"]
    assert [group["lr"] for group in after.start().optimizer.param_groups] == pytest.approx([rate, 10 * rate])
    assert after.run().optimizer.param_groups[0]["lr"] == pytest.approx(rate / 2**4)
