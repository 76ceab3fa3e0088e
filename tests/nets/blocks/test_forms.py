"""The same layer in columns and in rows."""

import numpy as np
import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets.blocks.forms import both_forms


def test_both_forms_are_equal_and_transposed():
    layer = nn.Linear(3, 4).double()
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    forms = both_forms(layer, example=x)
    assert forms.column.shapes == {"input": (3, 5), "weight": (4, 3), "bias": (4, 1), "output": (4, 5)}
    assert forms.row.shapes == {"input": (5, 3), "weight": (3, 4), "bias": (1, 4), "output": (5, 4)}
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    assert np.abs(forms.column.output.numpy() - (weight @ x.numpy().T + bias[:, None])).max() < 1e-14
    assert np.abs(forms.row.output.numpy() - (x.numpy() @ weight.T + bias)).max() < 1e-14
    assert forms.difference < 1e-14
    assert forms.difference_to_layer < 1e-14


def test_a_layer_inside_a_model_gets_what_it_gets_there():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(7, 3), nn.Tanh(), nn.Linear(3, 2, bias=False))
    tokens = torch.tensor([[1, 2, 3], [4, 5, 6]])
    forms = both_forms(model, "2", tokens)
    assert forms.row.shapes["input"] == (6, 3)  # rows of all sequences
    assert torch.allclose(forms.row.output, model(tokens).reshape(6, 2).detach())
    assert forms.row.bias.abs().sum() == 0
    assert both_forms(model, example=tokens).layer == "2"
    assert both_forms(model, example=tokens).to_dict()["column"]["shapes"]["weight"] == [2, 3]


def test_what_is_no_linear_layer_is_refused():
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh())
    with pytest.raises(UsageError, match=r"no nn.Linear of the model"):
        both_forms(model, "1", torch.ones(1, 3))
    with pytest.raises(UsageError, match="give an example"):
        both_forms(model, "0")
    with pytest.raises(UsageError, match="holds none"):
        both_forms(nn.Conv2d(3, 3, 1))


def test_a_layer_that_is_not_called_says_so():
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.unused = nn.Linear(3, 3)

        def forward(self, x):
            return x

    with pytest.raises(UsageError, match="not called"):
        both_forms(Unused(), "unused", torch.ones(1, 3))
