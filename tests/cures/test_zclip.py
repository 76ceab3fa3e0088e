"""An ordinary gradient passes, a spike is cut to z² over its own z."""

import pytest
import torch
from torch import nn

from kazami.cures.zclip import Z, Zclip
from tests.cures.cases import NORMS, finding, prescribed, trace


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
