"""The LSTM has the widths of the net it replaces."""

import torch
from torch import nn

from kazami.cures.gated_recurrent import GatedRecurrent
from tests.cures.cases import finding, prescribed, recurrent, trace


def test_the_new_net_fits_where_the_old_one_was():
    model = nn.ModuleDict({"rnn": nn.RNN(5, 16, batch_first=True)})
    found = finding("vanishing_gradient", 8.0, "attenuation of the gradient over time", place="rnn.weight_hh_l0")
    exec(prescribed(GatedRecurrent(), found, trace(layers=recurrent())).code, {"model": model, "nn": nn})
    assert isinstance(model.rnn, nn.LSTM)
    assert model.rnn(torch.zeros(2, 50, 5))[0].shape == (2, 50, 16)


def test_nets_with_gates_are_left_alone():
    found = finding("vanishing_gradient", 8.0, "attenuation of the gradient over time", place="rnn.weight_hh_l0")
    assert GatedRecurrent().prescribe(found, trace(layers=recurrent(3))) is None
