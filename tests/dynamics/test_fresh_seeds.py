"""Seeds for trainings that have none."""

import copy

import torch
from torch import nn

from kazami.dynamics.fresh_seeds import with_seeds
from kazami.maps import Training

FIXED = nn.Linear(6, 5)


def training(model):
    return Training(
        model=model,
        optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1),
        loss=nn.functional.mse_loss,
        batches=lambda: [(torch.ones(2, 6), torch.zeros(2, 5))],
        steps=3,
    )


def test_a_training_with_seeds_stays_as_it_is():
    given = training(lambda: nn.Linear(6, 5))
    assert with_seeds(given) == (given, ())


def test_the_entries_are_shuffled_and_the_first_seed_is_the_scripts_own():
    seeded, (said,) = with_seeds(training(lambda: copy.deepcopy(FIXED)))
    own, other, again = (seeded.replaced(seed=seed).start().model.weight for seed in (0, 1, 1))
    assert torch.equal(own, FIXED.weight)
    assert not torch.equal(other, own)
    assert torch.equal(other, again)
    assert torch.equal(other.flatten().sort()[0], own.flatten().sort()[0])
    assert "shuffled" in said
    assert said.ja != said


def test_nobodys_randomness_is_disturbed():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    with_seeds(training(lambda: copy.deepcopy(FIXED)))
    assert torch.equal(torch.rand(1), expected)
