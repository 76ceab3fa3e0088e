"""Growth of tiny differences followed live: the findings it leads to, the exponent against the tangent one, the budget, and where it is blind."""

import numpy as np
import pytest
import torch
from torch import nn

from kazami import max_lyapunov, watch
from kazami.maps import TrainingMap
from kazami.watch.growing import LENGTH, GrowthReader
from kazami.watch.observer import Observer
from kazami.watch.sampling import Sampling
from tests.watch.small_iris import danovski, named, tanh_net, watched


def test_the_live_exponent_is_the_tangent_one():
    training = danovski(1.0, 400)
    trace, _ = watched(training, is_full=True)
    live = trace["local_exponent"]
    m = TrainingMap(training)
    m.step(int(live.steps[0]) - 1)
    known = max_lyapunov(m, steps=len(live))
    assert abs(float(live.values.mean()) - known.value) < 2 * known.uncertainty


def test_growth_at_a_middle_rate_is_told_with_its_number_and_passes():
    """At η = 1 differences grow for some 690 steps and no more after."""
    trace, _ = watched(danovski(1.0, 1000), is_full=True)
    found = named(trace)["chaos"]
    assert found.severity == "info"
    assert "transient" in found.sentence.en
    assert "過渡的" in found.sentence.ja
    assert found.evidence[0].value == pytest.approx(0.19, abs=0.05)
    assert 1 / found.evidence[0].value == pytest.approx(found.evidence[2].value)


def test_growth_that_lasts_is_told_as_lasting():
    trace, _ = watched(danovski(2.0, 700), is_full=True)
    assert "sustained" in named(trace)["chaos"].sentence.en


@pytest.mark.parametrize("rate", [0.05, 0.01])
def test_a_low_rate_is_neither_chaos_nor_edge(rate):
    trace, _ = watched(danovski(rate, 500), is_full=True)
    assert not {"chaos", "edge_of_stability"} & named(trace).keys()


@pytest.mark.parametrize(("rate", "is_edge"), [(0.5, True), (0.05, False)])
def test_the_edge_of_stability_on_iris(rate, is_edge, monkeypatch):
    monkeypatch.setattr("kazami.watch.curving.FIRST_SECONDS", 60.0)  # a busy machine shall not decide
    monkeypatch.setattr("kazami.watch.curving.BUDGET", 60.0)
    trace, _ = watched(tanh_net(lambda net: torch.optim.SGD(net.parameters(), lr=rate), 1000), is_full=False)
    found = named(trace)
    assert ("edge_of_stability" in found) is is_edge
    assert "chaos" not in found
    if is_edge:
        assert found["edge_of_stability"].evidence[1].value == pytest.approx(2.0, abs=0.2)
        assert found["edge_of_stability"].evidence[1].limit == pytest.approx(2.0)
        assert found["edge_of_stability"].severity == "info"


def test_bursts_are_consecutive_and_counted(monkeypatch):
    monkeypatch.setattr("kazami.watch.growing.FIRST_SECONDS", 60.0)  # a busy machine shall not decide
    monkeypatch.setattr("kazami.watch.growing.BUDGET", 60.0)
    trace, observer = watched(danovski(0.5, 400), is_full=False)
    steps, lengths = trace["local_exponent"].steps, trace["burst_length"].values
    assert len(steps) > 0, observer.blind
    assert np.array_equal(np.diff(steps) == 1, np.diff(lengths) == 1)
    assert lengths[np.flatnonzero(np.diff(steps) > 1) + 1].tolist() == [1.0] * int((np.diff(steps) > 1).sum())
    assert lengths.max() <= LENGTH


def test_without_an_allowance_nothing_is_followed_and_nothing_is_said(monkeypatch):
    monkeypatch.setattr("kazami.watch.growing.FIRST_SECONDS", 0.0)
    monkeypatch.setattr("kazami.watch.growing.PACE", 0.0)
    monkeypatch.setattr("kazami.watch.growing.SHARE", 0.0)
    trace, observer = watched(danovski(0.5, 60), is_full=False)
    assert not trace.has("local_exponent")
    assert "growth" not in observer.blind


def loop(step, optimizers, steps=50, *, is_dynamics=True):
    """Watch a loop; return the observer."""
    observer = Observer(sampling=Sampling(every=1), is_dynamics=is_dynamics)
    observer.attach()
    try:
        for _ in range(steps):
            for optimizer in optimizers:
                optimizer.zero_grad()
            step()
            for optimizer in optimizers:
                optimizer.step()
    finally:
        observer.detach()
    assert "kazami" not in observer.blind, observer.blind
    return observer


def test_several_optimizers_are_said_to_be_blind():
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    optimizers = [torch.optim.SGD(net[0].parameters(), lr=0.1), torch.optim.SGD(net[2].parameters(), lr=0.1)]
    observer = loop(lambda: net(x).square().mean().backward(), optimizers)
    assert "several optimizers" in observer.blind["growth"]


def test_an_unknown_optimizer_is_named():
    class Mine(torch.optim.SGD):
        pass

    net, x = nn.Linear(3, 1), torch.ones(4, 3)
    observer = loop(lambda: net(x).square().mean().backward(), [Mine(net.parameters(), lr=0.1)])
    assert "Mine" in observer.blind["growth"]


def test_gradients_edited_by_hand_end_it_with_the_reason():
    net, x = nn.Linear(3, 1), torch.ones(4, 3)

    def step():
        net(x).square().mean().backward()
        for parameter in net.parameters():
            parameter.grad.clamp_(-1e-3, 1e-3)

    observer = loop(step, [torch.optim.SGD(net.parameters(), lr=0.1)])
    assert "gradients are changed between backward and step" in observer.blind["growth"]


def test_weights_edited_by_hand_end_it_with_the_reason():
    net, x = nn.Linear(3, 1), torch.ones(4, 3)

    def step():
        with torch.no_grad():
            net.weight.mul_(1.5)
        net(x).square().mean().backward()

    observer = loop(step, [torch.optim.SGD(net.parameters(), lr=0.01)])
    assert "weights are changed" in observer.blind["growth"]


def test_accumulated_batches_are_one_step():
    """Two halves of a batch, backward on each, stretch as the whole batch does."""
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    exponents = []
    for parts in ([x], [x[:4], x[4:]]):
        torch.manual_seed(1)
        net = nn.Sequential(nn.Linear(3, 4, dtype=torch.float64), nn.Tanh(), nn.Linear(4, 1, dtype=torch.float64))

        def step(net=net, parts=parts):
            for part in parts:
                (net(part).square().mean() / len(parts)).backward()

        observer = loop(step, [torch.optim.SGD(net.parameters(), lr=0.3)])
        exponents.append(observer.traces()[0]["local_exponent"].values)
    assert len(exponents[0]) > 10
    assert exponents[0] == pytest.approx(exponents[1], abs=1e-12)


def test_the_door_asks_for_it():
    net, x = nn.Linear(3, 1), torch.ones(4, 3)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with watch(net, optimizer, dynamics=True) as seen:
        for _ in range(45):
            optimizer.zero_grad()
            net(x).square().mean().backward()
            optimizer.step()
    assert seen.trace.has("local_exponent", "stability_ratio", "sharpness_limit")
    assert len(seen.trace["stability_ratio"]) == 45
    assert isinstance(seen.observer.growth, GrowthReader)
