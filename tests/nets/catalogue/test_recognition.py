"""Functions are recognised by their numbers, and near neighbours are kept apart."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kazami.errors import UsageError
from kazami.nets import describe, recognise


class Swish(nn.Module):
    """A Swish that learns its β."""

    def __init__(self) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(1.25))

    def forward(self, x):
        return x * torch.sigmoid(self.beta * x)


class StraightThrough(torch.autograd.Function):
    """The sign forwards, the identity backwards."""

    @staticmethod
    def forward(context, x):
        return x.sign()

    @staticmethod
    def backward(context, gradient):
        return gradient


PLAIN = {
    "identity": lambda x: x,
    "relu": lambda x: torch.maximum(x, torch.zeros_like(x)),
    "silu": lambda x: x * torch.sigmoid(x),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "gelu": lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2))),
    "gelu_tanh": lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "hard_swish": lambda x: x * F.relu6(x + 3) / 6,
    "mish": lambda x: x * torch.tanh(torch.log1p(torch.exp(x))),
    "leaky_relu": lambda x: torch.where(x > 0, x, 0.01 * x),
    "sigmoid": lambda x: (1 + torch.tanh(x / 2)) / 2,
    "log_sigmoid": lambda x: torch.log(torch.sigmoid(x)),
    "step": lambda x: (x > 0).to(x.dtype),
    "sign": StraightThrough.apply,
    "selu": lambda x: 1.0507009873554805 * torch.where(x > 0, x, 1.6732632423543772 * (torch.exp(x.clamp(max=0)) - 1)),
}


@pytest.mark.parametrize("name", PLAIN)
def test_written_out_by_hand(name):
    found = recognise(PLAIN[name])
    assert found.name == name
    assert found.is_plain
    assert found.parameters == {}
    assert found.error < 1e-12


@pytest.mark.parametrize(
    ("function", "name", "parameters"),
    [
        (lambda x: torch.where(x > 0, x, 0.2 * x), "leaky_relu", {"negative_slope": 0.2}),
        (torch.abs, "leaky_relu", {"negative_slope": -1.0}),
        (nn.ELU(0.5), "elu", {"alpha": 0.5}),
        (nn.CELU(2.0), "celu", {"alpha": 2.0}),
        (nn.Softplus(beta=3), "softplus", {"beta": 3.0}),
        (lambda x: x.clamp(-2, 2), "hard_tanh", {"min_val": -2.0, "max_val": 2.0}),
        (lambda x: x * torch.sigmoid(1.5 * x), "silu", {"beta": 1.5}),
        (nn.Softshrink(1.0), "soft_shrink", {"lambd": 1.0}),
        (nn.PReLU(init=0.125), "prelu", {"init": 0.125}),
    ],
)
def test_parameters_are_found(function, name, parameters):
    found = recognise(function)
    assert (found.name, found.is_plain) == (name, True)
    assert found.parameters == pytest.approx(parameters)


def test_a_learned_parameter_is_read_from_the_numbers():
    assert recognise(Swish()).parameters == {"beta": pytest.approx(1.25)}


@pytest.mark.parametrize(
    ("function", "name", "numbers"),
    [
        (lambda x: 1.7159 * torch.tanh(2 / 3 * x), "tanh", (1.7159, 2 / 3, 0, 0)),
        (lambda x: (0.2 * x + 0.5).clamp(0, 1), "hard_sigmoid", (1, 1.2, 0, 0)),
        (lambda x: 3 * x, "identity", (3, 1, 0, 0)),
        (lambda x: 3 * x + 1, "identity", (3, 1, 0, 1)),
        (lambda x: F.relu(x - 1), "relu", (1, 1, -1, 0)),
        (lambda x: -F.relu(-x), "relu", (-1, -1, 0, 0)),
        (lambda x: (x > 0.3).to(x.dtype), "step", (1, 1, -0.3, 0)),
        (lambda x: F.gelu(x + 0.3) - 0.1, "gelu", (1, 1, 0.3, -0.1)),
    ],
)
def test_scales_and_shifts_are_found(function, name, numbers):
    found = recognise(function)
    assert found.name == name
    assert (found.output_scale, found.input_scale, found.input_shift, found.output_shift) == pytest.approx(numbers, rel=1e-8, abs=1e-9)


def test_two_names_for_one_function_are_both_said():
    assert (recognise(nn.ELU()).name, recognise(nn.ELU()).also) == ("elu", ("celu",))
    assert recognise(nn.CELU()).name == "celu"


@pytest.mark.parametrize("function", [torch.sin, lambda x: F.relu(x) ** 2])
def test_what_is_not_in_the_catalogue_is_said_to_be_unknown_and_measured_anyway(function):
    found = recognise(function)
    assert not found.is_known
    assert found.activation is None
    assert "None of the catalogue" in found.sentence.en
    assert found.description is not None
    assert math.isfinite(found.description.gain)


@pytest.mark.slow
@pytest.mark.parametrize("function", [torch.erf, torch.atan, lambda x: torch.exp(-x * x), nn.Hardshrink(), lambda x: x * torch.tanh(torch.exp(x.clamp(max=9)))])
def test_more_that_is_not_in_the_catalogue(function):
    assert not recognise(function).is_known


def test_constants_are_no_activation():
    found = recognise(lambda x: 0 * x + 2)
    assert not found.is_known
    assert found.description.monotone == "constant"


@pytest.mark.parametrize(
    ("module", "name", "parameters"),
    [
        (nn.Softmax(-1), "softmax", {}),
        (nn.Softmax(0), "softmax", {"dim": 0}),
        (nn.LogSoftmax(1), "log_softmax", {}),
        (nn.GLU(), "glu", {}),
    ],
)
def test_what_is_not_elementwise_is_compared_with_gates_and_vectors(module, name, parameters):
    found = recognise(module)
    assert (found.name, found.parameters, found.is_elementwise) == (name, parameters, False)
    assert found.description is None


@pytest.mark.parametrize("function", [nn.LayerNorm(6), lambda x: x - x.mean(), lambda x: x.flip(-1), lambda x: x.cumsum(0)])
def test_mixing_functions_are_no_activations(function):
    found = recognise(function)
    assert not found.is_elementwise
    assert not found.is_known
    with pytest.raises(UsageError, match="not elementwise"):
        describe(function)


def test_random_functions_are_said_to_be_random():
    assert "random" in recognise(F.dropout).sentence.en
    with pytest.raises(UsageError, match="random"):
        describe(F.dropout)


def test_a_straight_through_backward_pass_is_noticed():
    assert not describe(StraightThrough.apply).is_backward_right
    assert describe(torch.tanh).is_backward_right


def test_one_parameter_per_channel_is_looked_at_with_as_many_channels():
    assert recognise(nn.PReLU(9)).name == "prelu"
    different = nn.PReLU(9)
    with torch.no_grad():
        different.weight[3] = 0.9
    assert not recognise(different).is_known
    assert "not the same for all channels" in recognise(different).sentence.en


@pytest.mark.parametrize(("function", "name"), [(lambda x: F.gelu(x.float()), "gelu"), (lambda x: F.gelu(x.float(), approximate="tanh"), "gelu_tanh")])
def test_functions_in_float32_are_recognised_and_not_measured(function, name):
    found = recognise(function)
    assert (found.name, found.description) == (name, None)
    with pytest.raises(UsageError, match="float32"):
        describe(function)


def test_the_users_module_and_the_random_numbers_stay_as_they_are():
    module = nn.PReLU().train()
    torch.manual_seed(5)
    state = torch.get_rng_state()
    recognise(module)
    assert torch.equal(torch.get_rng_state(), state)
    assert module.training
    assert module.weight.dtype == torch.float32
    assert module.weight.grad is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (3, "int"),
        (lambda: 1, "cannot be called"),
        (lambda x: "text", "returned str"),
        (lambda x: x @ x, "cannot be called"),
    ],
)
def test_what_is_no_activation_is_refused_in_a_sentence(wrong, message):
    with pytest.raises(UsageError, match=message):
        recognise(wrong)


def test_answers_are_plain_data_in_both_languages():
    import json

    found = recognise(nn.ELU(0.5))
    assert found.formula == "elu(x; alpha=0.5)"
    assert json.loads(json.dumps(found.to_dict("ja"), allow_nan=False))["sentence"] == "これは elu(x; alpha=0.5) です。"
    assert recognise(torch.sin).to_dict()["computed"]["derivative_max"] == pytest.approx(1)


def test_a_shifted_relu_is_not_imitated_by_a_narrow_elu():
    found = recognise(lambda x: F.relu(x + 1) - 1)
    assert (found.name, found.input_shift, found.output_shift) == ("relu", 1.0, -1.0)


@pytest.mark.parametrize(("function", "said"), [(torch.log, "NaN or infinite"), (lambda x: F.silu(x.half()), "16 bits")])
def test_what_cannot_be_looked_at_is_said(function, said):
    assert said in recognise(function).sentence.en
    with pytest.raises(UsageError, match=said):
        describe(function)
