"""The GRU has the widths of the net it replaces."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.gated_recurrent import GatedRecurrent
from tests.cures.cases import finding, prescribed, recurrent, trace
from tests.cures.examples import (
    carried_example,
)
from tests.cures.trainings import plain, rows, training


def test_the_new_net_fits_where_the_old_one_was():
    model = nn.ModuleDict({"rnn": nn.RNN(5, 16, batch_first=True)})
    found = finding("vanishing_gradient", 8.0, "attenuation of the gradient over time", place="rnn.weight_hh_l0")
    exec(prescribed(GatedRecurrent(), found, trace(layers=recurrent())).code, {"model": model, "nn": nn})
    assert isinstance(model.rnn, nn.GRU)
    assert model.rnn(torch.zeros(2, 50, 5))[0].shape == (2, 50, 16)


def test_nets_with_gates_are_left_alone():
    found = finding("vanishing_gradient", 8.0, "attenuation of the gradient over time", place="rnn.weight_hh_l0")
    assert GatedRecurrent().prescribe(found, trace(layers=recurrent(3))) is None


def test_a_gru_takes_the_place_of_a_net_of_torch():
    model = carried_example(GatedRecurrent(), "modules").start().model
    assert isinstance(model.rnn, nn.GRU)
    assert model.rnn.batch_first
    cell = training(lambda: nn.RNNCell(3, 1), loss=F.mse_loss)
    assert isinstance(GatedRecurrent().apply(cell, {"kind": "gru", "replaces": "weight_hh", "hidden": 1, "steps": 1}).start().model, nn.GRUCell)


def test_a_cell_by_hand_goes_on_by_addition():
    model = carried_example(GatedRecurrent(), "functions").start().model
    x = rows(1)[0][0]
    gate = model.cell.kazami_gate
    assert float(gate.bias.detach()[0]) == pytest.approx(-math.log(2))
    own = torch.zeros(8, 5)
    for t in range(3):
        a = model.cell(torch.cat([x[:, t, None], own], 1))
        own = own + torch.sigmoid(gate(a)) * (torch.tanh(a) - own)
    torch.testing.assert_close(model(x), model.head(own))


def test_what_is_no_recurrent_net_is_left_alone():
    assert GatedRecurrent().apply(plain("modules"), {"kind": "gru", "replaces": "0.weight", "hidden": 6, "steps": 0}) is None
    assert GatedRecurrent().apply(plain("modules"), {"kind": "gru", "replaces": "", "hidden": 6, "steps": 0}) is None
