"""What is left of the differences between samples."""

import math

import pytest
import torch

from kazami.watch.observables.input_spread import InputSpread
from tests.watch.observables.sights import followed_by


def test_equal_samples_have_no_spread_however_large_they_are():
    assert InputSpread().measure(followed_by(torch.relu, [[9.0, -4.0], [9.0, -4.0]])[0]) == 0.0


def test_the_spread_is_that_of_the_features():
    assert InputSpread().measure(followed_by(torch.relu, [[1.0, 10.0], [3.0, 10.0]])[0]) == pytest.approx(0.5**0.5)


def test_one_sample_says_nothing():
    assert math.isnan(InputSpread().measure(followed_by(torch.relu, [[1.0, 10.0]])[0]))
