"""The second quarter of the LSTM's bias is 1 afterwards."""

from torch import nn

from kazami.cures.forget_bias import ForgetBias
from tests.cures.cases import finding, prescribed, recurrent, trace


def test_the_forget_gates_are_open_afterwards():
    model = nn.ModuleDict({"rnn": nn.LSTM(5, 16)})
    found = finding("vanishing_gradient", 8.0, "attenuation of the gradient over time", place="rnn.weight_hh_l0")
    exec(prescribed(ForgetBias(), found, trace(layers=recurrent(4))).code, {"model": model})
    bias = model.rnn.bias_hh_l0
    assert bool((bias[16:32] == 1).all())
    assert not bool((bias[:16] == 1).any() or (bias[32:] == 1).any())


def test_plain_nets_have_no_forget_gate():
    found = finding("vanishing_gradient", 8.0, "attenuation of the gradient over time", place="rnn.weight_hh_l0")
    assert ForgetBias().prescribe(found, trace(layers=recurrent(1))) is None
