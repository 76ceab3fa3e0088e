"""The optimizer's settings: those of a member are what an optimizer with the same changes has, made anew or not."""

import pytest
import torch

from kazami.errors import UnknownName
from kazami.maps._settings import Settings


def made():
    one, two = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    return torch.optim.AdamW([{"params": [one]}, {"params": [two], "lr": 0.5, "betas": (0.5, 0.6)}], lr=0.1)


CHANGES = [{"learning_rate": 0.3}, {"learning_rate[1]": 0.3, "beta_1": 0.7}, {"learning_rate[0]": 0.2, "beta_2[1]": 0.9}, {"weight_decay": 0.0}, {}]


@pytest.mark.parametrize("changes", CHANGES)
def test_settings_beside_are_those_that_were_changed_one_by_one(changes):
    plain = Settings(made, None)
    plain.change("learning_rate[1]", 0.25)
    before = plain.current(0)
    one_by_one = Settings(made, None)
    one_by_one.change("learning_rate[1]", 0.25)
    for name, value in changes.items():
        one_by_one.change(name, value)
    beside = plain.changed(changes)
    assert beside.at(0) == one_by_one.at(0) == beside.at(7)
    assert plain.current(0) == before
    beside.change("beta_2", 0.8)
    one_by_one.change("beta_2", 0.8)
    assert beside.at(0) == one_by_one.at(0)


def test_no_optimizer_is_made_for_a_member_without_a_schedule():
    count = []
    plain = Settings(lambda: count.append(0) or made(), None)
    for number in range(5):
        assert plain.changed({"learning_rate": 0.1 * number}).current(0)["learning_rate"] == 0.1 * number
    assert len(count) == 1


def test_an_unknown_setting_is_refused():
    with pytest.raises(UnknownName, match="learning_rate"):
        Settings(made, None).changed({"learning_rat": 0.1})


def test_a_schedule_starts_from_the_changed_settings():
    plain = Settings(made, lambda optimizer: torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5))
    assert plain.changed({"learning_rate": 0.8}).at(2)[0]["lr"] == pytest.approx(0.2)
