"""The catalogue finds what it is asked for, and nothing in it changes."""

import json
import subprocess
import sys

import pytest
import torch

from kazami.errors import UnknownName
from kazami.nets import activation, all_activations


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("swish", "silu"),
        ("SiLU", "silu"),
        ("Hard Swish", "hard_swish"),
        ("hardswish", "hard_swish"),
        ("Leaky-ReLU", "leaky_relu"),
        ("heaviside", "step"),
        ("linear", "identity"),
    ],
)
def test_names_aliases_and_spellings(asked, name):
    assert activation(asked).name == name


def test_an_unknown_name_gets_the_closest_one():
    with pytest.raises(UnknownName, match=r'There is no activation "geluu"\. Did you mean "gelu"\?'):
        activation("geluu")


def test_an_unknown_parameter_gets_the_closest_one():
    with pytest.raises(UnknownName, match=r'There is no parameter of elu "alfa"\. Did you mean "alpha"\?'):
        activation("elu", alfa=2.0)
    with pytest.raises(UnknownName, match="parameter of relu"):
        activation("relu", slope=0.1)


def test_the_catalogue_holds_what_was_promised():
    promised = {
        *("step", "sign", "identity", "sigmoid", "hard_sigmoid", "tanh", "hard_tanh", "relu", "leaky_relu", "prelu", "elu", "selu", "celu", "softplus"),
        *("softsign", "silu", "hard_swish", "mish", "gelu", "gelu_tanh", "glu", "reglu", "geglu", "swiglu", "bilinear", "softmax", "log_softmax", "maxout"),
    }
    assert promised <= {one.name for one in all_activations()}


def test_what_was_computed_once_is_kept():
    assert activation("gelu") is activation("GELU")
    assert activation("gelu").profile.derivative_maximum is activation("gelu").profile.derivative_maximum


def test_an_activation_does_not_change():
    with pytest.raises(AttributeError, match="does not change"):
        activation("relu").name = "mine"


def test_parameters_change_the_function_the_module_and_the_numbers():
    half = activation("elu", alpha=0.5)
    assert half.module().alpha == 0.5
    assert half.function(torch.tensor(-50.0)).item() == pytest.approx(-0.5)
    assert str(half.range) == "(−0.5, ∞)"
    assert repr(half) == "activation('elu', alpha=0.5)"
    assert str(activation("elu").range) == "(−1, ∞)"


def test_the_derivative_keeps_shape_and_type():
    x = torch.randn(3, 4)
    slope = activation("tanh").derivative(x)
    assert (slope.shape, slope.dtype) == (x.shape, x.dtype)
    torch.testing.assert_close(slope, 1 - torch.tanh(x) ** 2)


def test_to_dict_speaks_both_languages_and_names_infinity():
    data = activation("relu").to_dict("ja")
    assert data["range"] == {"low": 0.0, "high": "Infinity", "is_low_closed": True, "is_high_closed": False}
    assert "スイッチ" in data["property"]
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert activation("softmax").to_dict()["gain"] is None


def test_looking_at_the_catalogue_moves_no_random_number():
    code = """
import torch
from kazami.nets import all_activations
torch.manual_seed(3)
before = torch.get_rng_state()
for one in all_activations()[::6]:
    one.to_dict()
raise SystemExit(not torch.equal(before, torch.get_rng_state()))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
