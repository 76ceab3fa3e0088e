"""The limit is the 90th percentile of the norms before the trouble."""

import numpy as np
import pytest

from kazami.cures.clip_gradients import PERCENTILE, ClipGradients
from tests.cures.cases import finding, prescribed, trace


def test_nine_steps_in_ten_stay_as_they_are():
    norms = np.random.default_rng(0).lognormal(size=500)
    limit = prescribed(ClipGradients(), finding("exploding_gradient", 5.0, "over depth"), trace(numbers={"total_gradient_norm": norms})).parameters["max_norm"]
    assert np.mean(norms <= limit) == pytest.approx(PERCENTILE / 100, abs=0.01)


def test_the_explosion_itself_does_not_count():
    norms = [*np.linspace(1, 2, 40), *np.geomspace(1e3, 1e20, 20)]
    found = finding("nan_inf", step=41, rank=60)
    assert prescribed(ClipGradients(), found, trace(numbers={"total_gradient_norm": norms})).parameters["max_norm"] <= 2


def test_no_norms_no_number():
    assert ClipGradients().prescribe(finding("exploding_gradient"), trace()) is None
