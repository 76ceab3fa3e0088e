"""What a factor's name means, and what is refused because it means nothing, or two things."""

import pytest
import torch
from torch import nn

from kazami.errors import UnknownName, UsageError
from kazami.sweeps import Sweep

from .trainings import by_factors, linear, make_net, net


def two_groups(model, learning_rate=0.1):
    """Return an optimizer whose second group learns half as fast."""
    return torch.optim.SGD([{"params": model[0].parameters()}, {"params": model[2].parameters(), "lr": learning_rate / 2}], learning_rate)


@pytest.mark.parametrize(
    ("training", "factors", "kind", "factory"),
    [
        (net(), {"learning_rate": [0.1]}, "setting", ""),
        (net(), {"lr": [0.1]}, "setting", ""),
        (net(), {"setting.momentum": [0.1]}, "setting", ""),
        (net(), {"nesterov": [True]}, "group", ""),
        (net(), {"width": [3]}, "keyword", "model"),
        (net(), {"model.width": [3]}, "keyword", "model"),
        (net(), {"clip_grad_norm": [1.0]}, "field", ""),
        (net(), {"batch_size": [8]}, "batch_size", ""),
        (net(batches=lambda batch_size=8: []), {"batches.batch_size": [8]}, "keyword", "batches"),
        (net(loss=nn.functional.cross_entropy), {"label_smoothing": [0.1]}, "keyword", "loss"),
        (net(optimizer=lambda m, learning_rate=0.1: torch.optim.SGD(m.parameters(), learning_rate)), {"learning_rate": [0.1]}, "setting", ""),
        (net(optimizer=lambda m: two_groups(m)), {"learning_rate[1]": [0.1]}, "setting", ""),
        (net(optimizer=lambda m: torch.optim.Adam(m.parameters())), {"beta_1": [0.5]}, "setting", ""),
    ],
)
def test_a_name_is_found_where_it_is(training, factors, kind, factory):
    (place,) = Sweep(training, factors).design.places.values()
    assert (place.kind, place.factory) == (kind, factory)


@pytest.mark.parametrize(
    ("training", "factors", "said"),
    [
        (net(), {"learning_rat": [0.1]}, 'Did you mean "learning_rate"'),
        (net(), {"hidden": [0.1]}, r"There are: learning_rate.*def make_model\(width=8\)"),
        (net(), {"learning_rate[3]": [0.1]}, r"1 group\(s\)"),
        (net(), {"lr": [0.1], "learning_rate": [0.2]}, "both change the setting learning_rate"),
        (net(optimizer=lambda m: two_groups(m)), {"learning_rate[0]": [0.1], "learning_rate": [0.2]}, "both change"),
        (net(optimizer=lambda m: torch.optim.Adam(m.parameters())), {"betas": [(0.9, 0.9)], "beta_1": [0.2]}, "both change"),
        (net(), {"optimizer": ["SGD", "Adam"], "momentum": [0.0, 0.9]}, "Adam has no momentum"),
        (net(model=lambda momentum=1: make_net()), {"momentum": [0.1]}, "setting.momentum or model.momentum"),
        (net(model=lambda seed=1: make_net()), {"seed": [0, 1]}, "training.seed or model.seed"),
        (net(optimizer=two_groups), {"learning_rate": [0.1, 0.2]}, "setting.learning_rate or optimizer.learning_rate"),
        (net(), {"learning_rate": ["fast"]}, "should be numbers"),
        (net(), {"seed": [0.5]}, "whole numbers"),
        (net(), {"perturbation": [-1.0]}, "from 0 on"),
        (net(), {"steps": [0]}, "whole numbers"),
        (net(), {"loss": ["crossentropy"]}, '"cross_entropy"'),
        (net(), {"optimizer": ["Adamm"]}, '"Adam"'),
        (net(), {"model": [3]}, "should be functions"),
        (net(model=lambda width: make_net(width)), {"learning_rate": [0.1]}, "needs width"),
        (net(model=lambda: (torch.manual_seed(1), make_net())[1]), {"seed": [0, 1]}, "they are the same"),
    ],
)
def test_what_is_no_factor_is_refused_with_a_way_out(training, factors, said):
    with pytest.raises(UsageError, match=said):
        Sweep(training, factors)


def test_an_unknown_factor_is_an_unknown_name():
    with pytest.raises(UnknownName):
        Sweep(net(), wdith=[3])


def test_a_keyword_without_default_may_be_a_factor():
    found = Sweep(net(model=lambda width: make_net(width)), width=[2, 3]).run(record="final_loss")
    assert found.table.num_rows == 2


def test_a_setting_of_one_group_leaves_the_other_alone():
    found = Sweep(net(optimizer=lambda m: two_groups(m)), {"learning_rate[1]": [0.0]}).run(record=["final_loss"])
    frozen = net(optimizer=lambda m: torch.optim.SGD(m[0].parameters(), 0.1)).run()
    assert by_factors(found, "final_loss")[(0.0,)] == pytest.approx(frozen.losses[-1], rel=1e-9)


def test_a_training_is_needed():
    with pytest.raises(UsageError, match=r"kazami\.Training"):
        Sweep(linear().model, learning_rate=[0.1])
