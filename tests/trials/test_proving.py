"""What counts as a proof: complete separation of the seeds, whatever the scores look like."""

import numpy as np
import pytest
import torch
from torch import nn

from kazami.maps import Training
from kazami.records import Series, Trace
from kazami.trials.measure import measure_of
from kazami.trials.proving import Pairs, stands_still
from kazami.trials.trial import Trial


def pairs(before, after):
    return Pairs((0, 1, 2), tuple(Trial([], score) for score in before), tuple(Trial([], score) for score in after))


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        ((0.1, 0.2, 0.3), (0.5, 0.6, 0.4), True),
        ((0.1, 0.2, 0.45), (0.5, 0.6, 0.4), False),  # one seed alone does what the change does
        ((None, None, None), (0.1, 0.1, 0.1), True),
        ((None, 0.9, None), (0.8, 0.8, 0.8), False),
        ((-1e30, -1e10, 0.1), (0.5, 0.6, 0.4), True),  # a run-away seed makes no spread
        ((0.1, 0.2, 0.3), (0.5, 0.6, None), False),
        ((0.1, 0.2, 0.3), (0.5, 0.6), False),  # stopped early
        ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), False),
    ],
)
def test_when_it_counts(before, after, counts):
    assert pairs(before, after).is_gain is counts


def test_changing_nothing_is_accepted_once_in_twenty():
    # All 20 ways to deal six different scores to the two sides.
    from itertools import combinations

    scores = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    accepted = [after for after in combinations(scores, 3) if pairs([score for score in scores if score not in after], after).is_gain]
    assert accepted == [(4.0, 5.0, 6.0)]


def test_the_measure_of_a_broadcast_loss_compares_each_output_with_its_own_target():
    x = torch.randn(32, 3, generator=torch.Generator().manual_seed(0))
    weight = torch.tensor([1.0, -2.0, 0.5])
    training = Training(
        model=lambda: nn.Linear(3, 1, bias=False),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), 0.1),
        loss=nn.functional.mse_loss,
        batches=lambda: [(x, x @ weight)],
        steps=1,
    )
    measure = measure_of(training)
    exact = nn.Linear(3, 1, bias=False)
    exact.weight.data = weight[None]
    assert measure.kind == "r2"
    assert abs(measure.score(exact) - 1) < 1e-6


@pytest.mark.parametrize(
    ("head", "loss", "kind"),
    [
        (nn.Identity(), nn.functional.binary_cross_entropy_with_logits, "accuracy"),
        (nn.Sigmoid(), nn.functional.binary_cross_entropy, "accuracy"),
        (nn.Sigmoid(), nn.functional.binary_cross_entropy_with_logits, "accuracy"),
        (nn.Identity(), nn.functional.mse_loss, "r2"),
    ],
)
def test_yes_or_no_is_told_from_values_by_the_loss(head, loss, kind):
    x = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))
    y = (x[:, :1] > 0).float()
    training = Training(
        model=lambda: nn.Sequential(nn.Linear(2, 1), head),
        optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1),
        loss=loss,
        batches=lambda: [(x, y)],
        steps=1,
    )
    measure = measure_of(training)
    assert measure.kind == kind
    right = nn.Linear(2, 1)
    right.weight.data, right.bias.data = torch.tensor([[50.0, 0.0]]), torch.zeros(1)
    if kind == "accuracy":
        assert measure.score(right) == 1.0  # logits, whatever the original gave


@pytest.mark.parametrize(
    ("losses", "is_standing"),
    [(np.linspace(1.23, 1.21, 100), True), (np.linspace(1.23, 0.6, 100), False), (1.2 - 0.9 * (np.arange(100) > 50), False), (np.full(100, 0.3), False)],
    ids=["brought to a halt", "falling", "fallen", "learned before"],
)
def test_a_training_that_was_brought_to_a_halt_stands_still(losses, is_standing):
    trace = Trace(step=100, series={"loss": Series(np.arange(1, 101), losses)}, trivial_loss=1.2)
    assert stands_still(Trial(list(losses), 0.02, trace=trace)) is is_standing
    assert not stands_still(Trial(list(losses), 0.02))  # it was not watched
