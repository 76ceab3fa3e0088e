"""A unit is dead when it was silent on every sample of the last recorded steps."""

import math

import pytest
import torch

from kazami.watch.observables.dead_share import WINDOW, DeadShare
from tests.watch.observables.sights import followed_by

HALF_DEAD = [[1.0, -1.0, -2.0, 3.0], [-1.0, -1.0, -2.0, 3.0]]


ZERO = torch.zeros(())


@pytest.mark.parametrize("relu", [torch.relu, lambda z: z.clamp(min=0), lambda z: torch.maximum(z, ZERO), lambda z: torch.maximum(ZERO, z)])
def test_units_that_are_silent_on_all_samples(relu):
    sight, _ = followed_by(relu, HALF_DEAD)
    assert DeadShare().measure(sight) == 0.5


def test_a_unit_that_spoke_within_the_window_is_alive():
    quiet, _ = followed_by(torch.relu, [[-1.0, -1.0]])
    loud, _ = followed_by(torch.relu, [[1.0, -1.0]])
    loud.memory = quiet.memory
    assert [DeadShare().measure(sight) for sight in (quiet, loud, quiet)] == [1.0, 0.5, 0.5]
    later = [DeadShare().measure(quiet) for _ in range(WINDOW)]
    assert later[:-2] == [0.5] * (WINDOW - 2)
    assert later[-1] == 1.0


def test_other_activations_cannot_die():
    assert math.isnan(DeadShare().measure(followed_by(torch.sigmoid, HALF_DEAD)[0]))
