"""An ordinary gradient passes, a spike is cut to z² over its own z."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.zclip import Z, Zclip
from tests.cures.cases import NORMS, finding, prescribed, trace
from tests.cures.trainings import STYLES, carried_out, plain


@pytest.mark.parametrize(("norm", "is_cut"), [(1.6, False), (50.0, True)])
def test_only_a_spike_is_cut(norm, is_cut):
    model = nn.ParameterList([nn.Parameter(torch.zeros(1))])
    given = prescribed(Zclip(), finding("loss_spike", step=40), trace(numbers=NORMS))
    mean, deviation = given.parameters["mean"], given.parameters["variance"] ** 0.5
    model[0].grad = torch.full((1,), norm)
    exec(given.code, {"torch": torch, "model": model})
    z = (norm - mean) / deviation
    expected = mean + Z**2 / z * deviation if is_cut else norm
    assert (z > Z) is is_cut
    assert float(model[0].grad) == pytest.approx(expected, rel=1e-3)


def test_no_norms_no_average():
    assert Zclip().prescribe(finding("loss_spike"), trace()) is None


@pytest.mark.parametrize("style", STYLES)
def test_outliers_are_clipped_as_the_lines_say(style):
    given = {"z": 2.5, "alpha": 0.97, "mean": 0.2, "variance": 0.01}
    before = plain(style, optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=1.0), steps=3)
    after = carried_out(Zclip(), before, **given)
    state, mean, var = before.start(), 0.2, 0.01
    for _, (x, y) in zip(range(3), before.endless_batches(), strict=False):
        state.optimizer.zero_grad()
        F.mse_loss(state.model(x), y).backward()
        norm = float(nn.utils.clip_grad_norm_(state.model.parameters(), float("inf")))
        z = (norm - mean) / var**0.5
        norm = mean + 6.25 / z * var**0.5 if z > 2.5 else norm
        nn.utils.clip_grad_norm_(state.model.parameters(), norm)
        mean, var = 0.97 * mean + 0.03 * norm, 0.97 * var + 0.03 * (norm - mean) ** 2
        state.optimizer.step()
    for p, q in zip(after.run().model.parameters(), state.model.parameters(), strict=True):
        torch.testing.assert_close(p, q)
