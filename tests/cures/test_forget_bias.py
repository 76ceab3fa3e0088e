"""The second quarter of the LSTM's bias is 1 afterwards."""

import torch
from torch import nn

from kazami.cures.forget_bias import ForgetBias
from tests.cures.cases import finding, prescribed, recurrent, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import carried_out, plain, training


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


def test_forget_gates_begin_open():
    before, parameters = EXAMPLES["forget_bias"]("modules")
    bias = carried_out(ForgetBias(), before, **parameters).start().model.rnn.bias_hh_l0
    old = before.start().model.rnn.bias_hh_l0
    assert bias[5:10].tolist() == [1.0] * 5
    assert torch.equal(bias[:5], old[:5])
    assert torch.equal(bias[10:], old[10:])


def test_gates_in_an_order_of_ones_own_and_nets_without_biases_are_left_alone():
    hand = {"layer": "0", "first": 5, "last": 10, "value": 1.0}
    assert ForgetBias().apply(plain("modules"), hand) is None
    unbiased = training(lambda: nn.Sequential(nn.LSTM(3, 5, bias=False)))
    assert ForgetBias().apply(unbiased, {**hand, "layer": "0.weight_hh_l0"}) is None
