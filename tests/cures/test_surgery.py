"""Carrying out changes: the new training has them, the old one stays as it is, and names of parameters stay."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures._surgery import (
    ChangedOutput,
    SwapsWhileForward,
    initialise,
    replace_module,
    weights_of,
    with_inputs,
    with_model,
    with_optimizer,
    with_settings,
    with_warm_up,
    with_weights,
)
from kazami.maps import Training


class ByHand(nn.Module):
    """Calls its activation as a function, and one for its output."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 1)

    def forward(self, x):
        return torch.sigmoid(self.b(torch.sigmoid(self.a(x))))


def training(model=ByHand, groups=False):
    def optimizer(m):
        split = [{"params": m.a.parameters(), "lr": 1.0}, {"params": m.b.parameters()}] if groups else m.parameters()
        return torch.optim.SGD(split, lr=0.1, momentum=0.9, weight_decay=0.01)

    return Training(model=model, optimizer=optimizer, loss=F.mse_loss, batches=lambda: [(torch.ones(4, 3), torch.ones(4, 1))], steps=5)


def test_settings_keep_the_ratios_of_the_groups():
    before = training(groups=True)
    after = with_settings(before, lr=0.5, momentum=0.0)
    assert [group["lr"] for group in after.start().optimizer.param_groups] == [0.5, 0.05]
    assert [group["momentum"] for group in after.start().optimizer.param_groups] == [0.0, 0.0]
    assert [group["lr"] for group in before.start().optimizer.param_groups] == [1.0, 0.1]


def test_another_optimizer_keeps_groups_and_decay():
    optimizer = with_optimizer(training(groups=True), "AdamW", 1e-3).start().optimizer
    assert type(optimizer) is torch.optim.AdamW
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.01, 0.01]
    assert [len(group["params"]) for group in optimizer.param_groups] == [2, 2]


def test_weights_are_changed_by_the_name_of_layer_or_parameter():
    changed = with_weights(training(), ["a", "b.weight", "nowhere"], lambda weight: weight.mul_(2))
    one, other = training().start().model, changed.start().model
    assert torch.equal(other.a.weight, 2 * one.a.weight)
    assert torch.equal(other.b.weight, 2 * one.b.weight)
    assert torch.equal(other.a.bias, one.a.bias)
    assert with_weights(training(), ["nowhere"], lambda weight: weight) is None
    assert len(weights_of(one, ["a", "b"])) == 2


@pytest.mark.parametrize(
    ("call", "std"),
    [
        ('nn.init.kaiming_normal_({weight}, nonlinearity="relu")', (2 / 400) ** 0.5),
        ('nn.init.xavier_uniform_({weight}, gain=nn.init.calculate_gain("tanh"))', 5 / 3 * (2 / 700) ** 0.5),
        ("nn.init.normal_({weight}, std=0.5)", 0.5),
    ],
)
def test_calls_of_nn_init_are_carried_out_as_written(call, std):
    torch.manual_seed(0)
    weight = torch.empty(300, 400)
    initialise(weight, call)
    assert float(weight.std()) == pytest.approx(std, rel=0.02)


def test_nothing_but_a_call_of_nn_init_is_carried_out():
    with pytest.raises(ValueError, match="no call"):
        initialise(torch.empty(1), "__import__('os')")
    with pytest.raises(AttributeError):
        initialise(torch.empty(1), "nn.init.system({weight})")


def test_functions_are_exchanged_while_forward_runs_and_only_then():
    model = ByHand()
    SwapsWhileForward({torch.sigmoid: torch.relu}, calls=(0,)).attach(model)
    x = torch.randn(5, 3)
    expected = torch.sigmoid(model.b(torch.relu(model.a(x))))
    assert torch.equal(model(x), expected)
    assert torch.equal(torch.sigmoid(x), 1 / (1 + torch.exp(-x))) or torch.allclose(torch.sigmoid(x), 1 / (1 + torch.exp(-x)))
    assert torch._C._len_torch_function_stack() == 0
    twin = copy.deepcopy(model)
    assert torch.equal(twin(x), expected)


def test_functions_are_given_back_when_forward_fails():
    model = ByHand()
    SwapsWhileForward({torch.sigmoid: torch.relu}).attach(model)
    with pytest.raises(RuntimeError):
        model(torch.randn(5, 4))
    assert torch._C._len_torch_function_stack() == 0


def test_inputs_and_outputs_are_changed_by_hooks_that_can_be_copied():
    changed = with_inputs(training(), torch.zeros_like)
    model = copy.deepcopy(changed.start().model)
    assert torch.equal(model(torch.ones(2, 3)), model(torch.zeros(2, 3)))
    model.a.register_forward_hook(ChangedOutput(torch.neg))
    assert [name for name, _ in model.named_parameters()] == [name for name, _ in ByHand().named_parameters()]


def test_modules_are_replaced_in_their_place():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Sigmoid()))
    model.eval()
    replace_module(model, "1.0", nn.ReLU())
    assert isinstance(model[1][0], nn.ReLU)
    assert not model[1][0].training


def test_a_model_may_be_changed_in_place_or_exchanged():
    assert isinstance(with_model(training(), lambda model: nn.Sequential(model)).start().model, nn.Sequential)
    assert isinstance(with_model(training(), lambda model: None).start().model, ByHand)


def test_a_warm_up_leads_into_the_schedule_that_is_there():
    scheduled = training().replaced(scheduler=lambda optimizer: torch.optim.lr_scheduler.StepLR(optimizer, 3, 0.5), steps=8)
    state = with_warm_up(scheduled, 4, 0.2).start()
    schedule = with_warm_up(scheduled, 4, 0.2).scheduler(state.optimizer)
    rates = []
    for _ in range(7):
        rates.append(state.optimizer.param_groups[0]["lr"])
        state.optimizer.step()
        schedule.step()
    assert rates == pytest.approx([0.02, 0.04, 0.06, 0.04, 0.05, 0.05, 0.025])
