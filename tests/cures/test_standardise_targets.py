"""The numbers are those of the targets seen, and the way back is the inverse."""

import pytest
import torch
from torch.nn import functional as F

from kazami.cures.standardise_targets import StandardiseTargets
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import STYLES, carried_out, own_step


def test_the_way_there_and_back_is_the_identity():
    seen = trace(loss_kind="mse", numbers={"target_mean": [-350.0] * 9, "target_std": [120.0] * 9})
    given = prescribed(StandardiseTargets(), finding("target_scaling"), seen)
    target = torch.tensor([-350.0, -230.0])
    scope = {"F": F, "target": target, "output": torch.tensor([0.0, 1.0])}
    exec(given.code, scope)
    assert float(scope["loss"]) == 0.0
    assert torch.equal(scope["prediction"], target)
    assert given.parameters["mean"] == -350.0


def test_constant_targets_are_divided_by_their_size():
    seen = trace(numbers={"target_mean": [500.0], "target_std": [0.0]})
    assert prescribed(StandardiseTargets(), finding("target_scaling"), seen).parameters["std"] == 500.0


def test_unseen_targets_get_none():
    assert StandardiseTargets().prescribe(finding("target_scaling"), trace()) is None


@pytest.mark.parametrize("style", STYLES)
def test_the_loss_is_in_units_of_the_spread_and_the_model_in_the_old_ones(style):
    before, parameters = EXAMPLES["standardise_targets"](style)
    after = carried_out(StandardiseTargets(), before, **parameters)
    raw = before.start().model
    x, y = next(iter(before.batches()))
    torch.testing.assert_close(after.start().model(x), raw(x) * 15 + 50)
    assert after.run(steps=1).losses[0] == pytest.approx(F.mse_loss(raw(x), (y - 50) / 15).item(), rel=1e-4)
    assert StandardiseTargets().apply(before.replaced(train_step=own_step), parameters) is None
    assert StandardiseTargets().apply(before, {"mean": 1.0, "std": 0.0}) is None
