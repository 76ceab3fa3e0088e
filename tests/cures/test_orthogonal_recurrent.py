"""The recurrent matrix is a rotation afterwards; gated nets and deep nets are left alone."""

import torch
from torch import nn

from kazami.cures.orthogonal_recurrent import OrthogonalRecurrent
from tests.cures.cases import finding, prescribed, recurrent, trace
from tests.cures.examples import carried_example

OVER_TIME = "attenuation of the gradient over time"


def test_the_recurrent_matrix_keeps_lengths_afterwards():
    model = nn.ModuleDict({"rnn": nn.RNN(5, 16)})
    code = prescribed(OrthogonalRecurrent(), finding("vanishing_gradient", 8.0, OVER_TIME, place="rnn.weight_hh_l0"), trace(layers=recurrent())).code
    exec(code, {"model": model, "nn": nn})
    torch.testing.assert_close(model.rnn.weight_hh_l0 @ model.rnn.weight_hh_l0.T, torch.eye(16), atol=1e-5, rtol=0)


def test_gated_nets_and_depth_are_left_alone():
    assert OrthogonalRecurrent().prescribe(finding("vanishing_gradient", 8.0, OVER_TIME, place="rnn.weight_hh_l0"), trace(layers=recurrent(4))) is None
    assert OrthogonalRecurrent().prescribe(finding("vanishing_gradient", 8.0, "attenuation of the gradient over depth"), trace()) is None


def test_the_recurrent_matrix_is_orthogonal_at_the_start():
    weight = carried_example(OrthogonalRecurrent(), "modules").start().model.rnn.weight_hh_l0
    torch.testing.assert_close(weight @ weight.T, torch.eye(5))
