"""The package is found and does what it says, once it is installed."""

import torch
from torch import nn

import kazami


def make_model(outlier: float) -> nn.Module:
    """Return a small network with one weight that sticks out."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))
    with torch.no_grad():
        model[0].weight[3, 5] = outlier
    return model


def training(outlier: float) -> kazami.Training:
    """Return a training of it."""
    x = torch.randn(64, 8, generator=torch.Generator().manual_seed(1))
    return kazami.Training(
        model=lambda: make_model(outlier),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=0.01),
        loss=nn.functional.mse_loss,
        batches=lambda: [(x, x.sum(1, keepdim=True))],
        steps=20,
    )


def findings(one: kazami.Training) -> list[kazami.Finding]:
    """Train under watch."""
    model = one.model()
    with kazami.watch(model, optimizer := one.optimizer(model), every=1) as watched:
        for _ in range(one.steps):
            x, y = next(iter(one.batches()))
            optimizer.zero_grad()
            one.loss(model(x), y).backward()
            optimizer.step()
    return watched.findings


def test_the_rule_fires_on_an_outlier_and_names_the_cure():
    (found,) = (one for one in findings(training(20.0)) if one.name == "outlier_weights")
    assert found.place == "0"
    assert [one.name for one in found.prescriptions] == ["clamp_weights"]


def test_it_is_silent_on_healthy_weights():
    assert not any(one.name == "outlier_weights" for one in findings(training(0.1)))


def test_the_cure_removes_what_the_rule_finds_and_leaves_the_training_as_it_was():
    from kazami_outliers.clamp_weights import ClampWeights

    ill = training(20.0)
    well = ClampWeights().apply(ill, {"factor": 4.0})
    assert not any(one.name == "outlier_weights" for one in findings(well))
    assert float(ill.model()[0].weight.max()) == 20.0
