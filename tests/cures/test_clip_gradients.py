"""The limit is the 90th percentile of the norms before the trouble."""

import numpy as np
import pytest
import torch

from kazami.cures.clip_gradients import PERCENTILE, ClipGradients
from tests.cures.cases import finding, prescribed, trace
from tests.cures.trainings import carried_out, own_step, plain


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


@pytest.mark.parametrize("step", [None, own_step])
def test_no_step_is_longer_than_the_limit_allows(step):
    before = plain("functions", train_step=step, steps=1, optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=1.0))
    after = carried_out(ClipGradients(), before, max_norm=0.05, percentile=90)
    begin, end = after.start().model, after.run().model
    moved = torch.cat([(p - q).detach().flatten() for p, q in zip(begin.parameters(), end.parameters(), strict=True)])
    assert float(moved.norm()) == pytest.approx(0.05, rel=1e-3)


def test_a_closer_limit_stays():
    assert ClipGradients().apply(plain("modules", clip_grad_norm=0.01), {"max_norm": 0.05, "percentile": 90}) is None
