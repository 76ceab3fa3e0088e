"""The gain of PyTorch's default and of He's initialisation are known."""

import pytest
import torch
from torch import nn

from kazami.watch.observables.gain import Gain
from tests.watch.observables.sights import made


@pytest.mark.parametrize(
    ("initialise", "expected"),
    [(lambda w: nn.init.kaiming_uniform_(w, a=5**0.5), 3**-0.5), (nn.init.kaiming_normal_, 2**0.5), (nn.init.orthogonal_, 1.0)],
)
def test_known_initialisations(initialise, expected):
    torch.manual_seed(0)
    weight = torch.empty(200, 200)
    initialise(weight)
    assert Gain().measure(made(weight, weight_norm=float(weight.norm()))) == pytest.approx(expected, rel=0.02)
