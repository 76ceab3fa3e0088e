"""The tracker inside user training: it does not disturb, and what it says is true."""

import contextlib
import copy
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from kazami.curvature import SharpnessTracker


class Recurrent(nn.Module):
    """An LSTM with a linear reader."""

    def __init__(self):
        super().__init__()
        self.memory, self.reader = nn.LSTM(6, 8, batch_first=True), nn.Linear(8, 3)

    def forward(self, inputs):
        return self.reader(self.memory(inputs)[0][:, -1])


def perceptron():
    return nn.Sequential(nn.Flatten(), nn.Linear(30, 16), nn.BatchNorm1d(16), nn.ReLU(inplace=True), nn.Dropout(0.2), nn.Linear(16, 3))


def transformer(dropout=0.1):
    return nn.Sequential(nn.TransformerEncoderLayer(6, 2, 16, dropout, batch_first=True), nn.Flatten(), nn.Linear(30, 3))


OPTIMIZERS = {
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9, weight_decay=1e-3),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=3e-3),
}


def train(make_model, make_optimizer, tracker=None, n_steps=20):
    """Return (everything that must not change, the measurements): 20 steps on random batches drawn from the global stream."""
    torch.manual_seed(0)
    model = make_model()
    optimizer = make_optimizer(model.parameters())
    found, seen = [], []
    for _ in range(n_steps):
        loss = F.cross_entropy(model(torch.randn(16, 5, 6)), torch.randint(0, 3, (16,)))
        optimizer.zero_grad()
        if tracker is not None:
            found.append(tracker.measure(loss, list(model.parameters()), optimizer))
        loss.backward()
        optimizer.step()
        seen.append([parameter.grad.clone() for parameter in model.parameters()])
    return (copy.deepcopy(model.state_dict()), copy.deepcopy(optimizer.state_dict()["state"]), seen, torch.get_rng_state()), found


def assert_equal_bits(left, right):
    """Every tensor in two nested structures agrees bit for bit."""
    torch.testing.assert_close(left, right, rtol=0.0, atol=0.0, equal_nan=True)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("make_model", [perceptron, Recurrent, transformer])
def test_does_not_disturb_training(make_model, optimizer):
    attention = sdpa_kernel(SDPBackend.MATH) if make_model is transformer else contextlib.nullcontext()
    with attention:
        alone, _ = train(make_model, OPTIMIZERS[optimizer])
        watched, found = train(make_model, OPTIMIZERS[optimizer], SharpnessTracker())
    assert_equal_bits(alone, watched)
    unmeasured = [measurement is None for measurement in found]
    assert unmeasured == [optimizer == "adamw"] + [False] * 19  # AdamW has no scaling before its first step
    assert sum(measurement.converged for measurement in found if measurement is not None) >= 17


def test_fused_attention_is_named_and_not_disturbed():
    tracker = SharpnessTracker()
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        alone, _ = train(lambda: transformer(0.0), OPTIMIZERS["momentum"])
        watched, found = train(lambda: transformer(0.0), OPTIMIZERS["momentum"], tracker)
    assert_equal_bits(alone, watched)
    assert found == [None] * 20
    assert "fused attention" in tracker.blind_reason


def dense_ratio(loss_of, weights, rates):
    """Return the largest eigenvalue of diag(rates)^(1/2) H diag(rates)^(1/2), over 2: above 1 gradient descent with these rates grows."""
    dense = torch.autograd.functional.hessian(loss_of, weights)
    return float(torch.linalg.eigvalsh(dense * torch.outer(rates.sqrt(), rates.sqrt()))[-1]) / 2.0


def test_ratio_of_groups_with_different_rates_is_that_of_the_whole_step():
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(6, 6, generator=generator, dtype=torch.float64)
    first, second = (nn.Parameter(torch.randn(3, generator=generator, dtype=torch.float64)) for _ in range(2))
    loss_of = lambda weights: (mixing @ weights).pow(4).sum()  # noqa: E731
    optimizer = torch.optim.SGD([{"params": [first], "lr": 0.01}, {"params": [second]}], lr=0.3)
    found = SharpnessTracker(tolerance=1e-8).measure(loss_of(torch.cat([first, second])), [first, second], optimizer)
    rates = torch.tensor([0.01] * 3 + [0.3] * 3, dtype=torch.float64)
    assert found.stability_ratio == pytest.approx(dense_ratio(loss_of, torch.cat([first, second]).detach(), rates), rel=1e-7)
    assert found.is_preconditioned


def test_directions_norm_and_penalty_on_a_quadratic():
    weights = nn.Parameter(torch.tensor([1.0, 1.0], dtype=torch.float64))
    optimizer = torch.optim.SGD([weights], lr=0.5, weight_decay=0.25)
    loss = (torch.tensor([1.0, 3.0], dtype=torch.float64) * weights**2).sum() / 2
    found = SharpnessTracker().measure(loss, [weights], optimizer, last_update=[torch.tensor([0.2, 0.0])])
    assert found.value == pytest.approx(3.25)
    assert found.threshold == pytest.approx(4.0)
    assert found.stability_ratio == pytest.approx(3.25 / 4.0)
    assert found.gradient_norm == pytest.approx(math.sqrt(10.0))
    assert found.gradient_curvature == pytest.approx(28.0 / 10.0)  # (1 + 27) / (1 + 9), of the bare loss
    assert found.update_curvature == pytest.approx(1.0)


def test_unknown_optimizer_none_and_no_time():
    weights = nn.Parameter(torch.ones(2))
    tracker = SharpnessTracker()
    for optimizer in (None, torch.optim.Rprop([weights])):
        found = tracker.measure((weights**2).sum(), [weights], optimizer)
        assert found.value == pytest.approx(2.0)
        assert math.isnan(found.stability_ratio)
        assert math.isnan(found.threshold)
    assert tracker.measure((weights**2).sum(), [weights], None, max_seconds=0.0) is None
    assert "seconds" in tracker.blind_reason


def test_rate_zero_means_the_bare_sharpness():
    weights = nn.Parameter(torch.ones(2))
    found = SharpnessTracker().measure((weights**2).sum(), [weights], torch.optim.SGD([weights], lr=0.0))
    assert found.value == pytest.approx(2.0)
    assert (found.stability_ratio, found.threshold) == (0.0, math.inf)


def test_not_finite_loss_is_an_answer_and_forgotten():
    weights = nn.Parameter(torch.ones(2))
    tracker = SharpnessTracker()
    spoiled = tracker.measure((weights**2).sum() * math.nan, [weights], None)
    assert math.isnan(spoiled.value)
    assert not spoiled.converged
    assert tracker.measure((weights**2).sum(), [weights], None).value == pytest.approx(2.0)


def test_gradient_descent_hovers_at_its_threshold():
    """Full-batch gradient descent on a small tanh network climbs to the edge of stability (Cohen et al. 2021)."""
    torch.manual_seed(1)
    inputs, target = torch.randn(20, 4), torch.eye(3)[torch.randint(0, 3, (20,))]
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3))
    optimizer, tracker, ratios = torch.optim.SGD(model.parameters(), lr=0.6), SharpnessTracker(), []
    for step in range(1200):
        loss = 0.5 * (model(inputs) - target).square().sum(1).mean()
        optimizer.zero_grad()
        if step >= 600 and step % 4 < 2:
            ratios.append(tracker.measure(loss, list(model.parameters()), optimizer).stability_ratio)
        loss.backward()
        optimizer.step()
    assert 0.9 < sum(ratios) / len(ratios) < 1.1
