"""The numbers are those of the targets seen, and the way back is the inverse."""

import torch
import torch.nn.functional as F

from kazami.cures.standardise_targets import StandardiseTargets
from tests.cures.cases import finding, prescribed, trace


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
